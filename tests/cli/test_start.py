"""`start`: the command line hands a folder to a real Jupyter server."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_deepresearch.errors import NoServer
from jupyter_deepresearch.jupyter.servers import find_server
from tests.small_project import write_project
from tests.terminal import Said, history, status, tell, wait_for


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """The root folder of a real Jupyter server in a process of its own."""
    root = tmp_path / "root"
    root.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", f"--port={port}", "--ip=127.0.0.1"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_deepresearch': True}", "--allow-root"]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=root, stdout=log, stderr=log, start_new_session=True)
    try:
        yield root
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def is_served(root: Path) -> bool:
    """Whether the server has said that it is there, and answers."""
    try:
        find_server({}, root)
    except NoServer:
        return False
    return True


def test_start_hands_the_folder_to_the_running_server(server: Path) -> None:
    folder = write_project(server / "small")

    def started() -> Said | None:
        return tell("start", folder, "--cycles", "1") if is_served(server) else None

    said = wait_for(started)
    assert said.code == 0, said
    assert "searching: x: 0..6" in said.out and "in the Jupyter server at http://127.0.0.1:" in said.out
    wait_for(lambda: status(folder)["state"] == "finished")
    again = tell("run", folder)
    assert again.code == 1 and "is being researched by the Jupyter server" in again.err
    assert "Nobody" not in tell("try", folder, "x=3.0").out
    wait_for(lambda: len(history(folder)) == 3)

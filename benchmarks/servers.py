"""A real Jupyter server in a process of its own, and whoever asks it."""

import contextlib
import http.client
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from jupyter_deepresearch.execution.monitor import Process
from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.reading import read_owner
from jupyter_deepresearch.jupyter.servers import Server

_UP_S = 60.0
_DOWN_S = 20.0


@contextlib.contextmanager
def jupyter_server(
    root: Path, first: str = "deepresearch/api/projects", program: Sequence[str] = ("jupyter_server",)
) -> Iterator[Server]:
    """A Jupyter server on ``root`` with the extension; stopped in the end, with every run under ``root``. It is up
    once it has answered ``first``. ``program``: the module that is run, and options of its own."""
    port, token = _free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", *program, "--no-browser", "--allow-root", f"--ServerApp.root_dir={root}"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_deepresearch': True}"]
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    server = Server(f"http://127.0.0.1:{port}/", token, root)
    try:
        _wait_for(server, process, root / "server.log", first)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_DOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        end_runs(root)


def process_of(server: Server) -> psutil.Process:
    """The process that listens there."""
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    for child in psutil.Process().children():
        if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in child.net_connections()):
            return child
    raise RuntimeError(f"no child of this process listens at {server.url}")


def end_runs(root: Path) -> None:
    """End every run that still lives in a project under ``root``, and wait until they have."""
    live = []
    for record in root.glob("*/.deepresearch/runs/*/owner.json"):
        owner = read_owner(RunPaths(record.parent))
        if owner is not None and not RunPaths(record.parent).exit.exists():
            live.append(Process(owner.pid, owner.start_time, owner.boot_id))
    for process in live:
        process.send(signal.SIGTERM)
    end = time.monotonic() + _DOWN_S
    while any(process.is_alive() for process in live) and time.monotonic() < end:
        time.sleep(0.05)


@dataclass
class Asker:
    """One connection to a server that is kept open."""

    server: Server

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(self.server.url.split("/")[2], timeout=30)

    def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of an answer. Raises OSError, HTTPException."""
        self._connection.request("GET", f"/{path}", headers={"Authorization": f"token {self.server.token}"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _wait_for(server: Server, process: "subprocess.Popen[bytes]", log: Path, first: str) -> None:
    end = time.monotonic() + _UP_S
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(Asker(server)) as asker:
            if asker.get(first)[0] == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the Jupyter server did not come up: {log.read_text(errors='replace')[-2000:]}")

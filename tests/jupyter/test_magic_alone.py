"""`%deepresearch` in a kernel without any Jupyter server, as VS Code, a console or plain IPython have it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from tests.jupyter.kernels import Cell, JupyterServer, Kernel, until
from tests.small_project import write_project
from tests.terminal import is_running, tell


@contextlib.contextmanager
def a_kernel(folder: Path) -> Iterator[Kernel]:
    """A kernel that works in ``folder``, with the magic loaded; killed in the end, as a closed window does."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        kernel = Kernel(client)
        assert kernel.run("%load_ext jupyter_deepresearch") == Cell()
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = write_project(tmp_path / "small", pause=60)
    yield made
    if (made / ".deepresearch" / "ledger.db").exists():
        tell("stop", made, "--yes")


def loop_of(text: str) -> int:
    """The pid that a start has named."""
    found = re.search(r"researched in a process of its own, pid (\d+), log .*loop\.log \(", text)
    assert found is not None, text
    return int(found[1])


@pytest.mark.slow
def test_a_project_is_researched_from_a_kernel_without_a_server(folder: Path) -> None:
    with a_kernel(folder) as kernel:
        assert "no project is known yet" in kernel.refused("status")
        assert "found no notebook" in kernel.refused(f"start {folder.parent}")
        started = kernel.run("%%deepresearch start --approval ask --cycles 2\nmake it better\n")
        assert (started.stderr, started.error) == ("", "") and "small: running, cycle 0 of 2" in started.text
        pid = loop_of(started.text)
        until(lambda: "step 1: distance" in kernel.say("status").text)
        assert "researched in a process" not in kernel.say("start").text, "it is shown, not started again"
        assert "is being researched by" in kernel.refused("start --cycles 3")
        assert "runs next" in kernel.say("try x=3.0").text
        assert "paused" in kernel.say("pause").text
        assert "running" in kernel.say("resume").text and "# Brief" in kernel.say("memory").text
        assert "LLM calls while training: 0" in kernel.say("cost").text
        assert (folder / "PROJECT_BRIEF.md").read_text() == "make it better\n"
    assert is_running(pid), "the kernel has gone, the loop goes on"
    with a_kernel(folder) as kernel:
        assert "0000-baseline-seed-1" in kernel.say("panel").text
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_running(pid))
        again = kernel.say("resume").text
        assert "running" in again and loop_of(again.replace("loop.log\n", "loop.log (\n")) != pid
        assert "stopped" in kernel.say("stop --yes").text
        until(lambda: "running   " not in kernel.say("status").text)


@pytest.mark.slow
def test_a_folder_outside_the_servers_root_is_researched_all_the_same(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    server = JupyterServer(tmp_path / "root", {name: os.environ[name] for name in names})
    try:
        server.start()
        kernel = server.kernel()
        started = kernel.say(f"start {folder} --cycles 1").text
        pid = loop_of(started)
        assert "outside the server's root" in started and "small: running" in started
        assert "small" in kernel.say("panel").text
        other = server.kernel()
        other.run(f"import os; os.chdir({str(folder)!r})")
        assert "small: running" in other.say("status").text
        assert "stop" in kernel.say("stop --yes").text
        until(lambda: not is_running(pid))
    finally:
        server.stop()


def test_in_plain_ipython_everything_is_text(tmp_path: Path) -> None:
    code = """
%deepresearch help open
%deepresearch statsu
%deepresearch status
print(get_ipython().complete("", "%deepresearch start --dir", 25))
%deepresearch?
"""
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    command += ["--ext=jupyter_deepresearch", "-c", code]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert "%deepresearch open N [--project NAME]" in done.stdout and "<pre" not in done.stdout
    assert "('--dir', ['--direction'])" in done.stdout and "directive TEXT" in done.stdout
    first, second = done.stderr.strip().splitlines()
    assert first.startswith("deepresearch: unknown command 'statsu'; did you mean status?")
    assert second == "deepresearch: no project is known yet; start one with `%deepresearch start PATH`"

"""Research where there is no Jupyter server: a loop of its own that no terminal takes along."""

from __future__ import annotations

import os
import pty
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_deepresearch.app import RealMakers
from jupyter_deepresearch.cli import main, unattended
from jupyter_deepresearch.core.types import ProjectState
from jupyter_deepresearch.errors import NotFound, StorageFailed
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.views import RunView, StatusView
from tests.small_project import write_project
from tests.terminal import PROGRAM, is_running, tell, wait_for

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project whose runs take a minute; a loop that is left is ended with its runs."""
    made = write_project(tmp_path / "small", pause=60)
    yield made
    if (made / ".deepresearch" / "ledger.db").exists():
        tell("stop", made, "--yes")
        wait_for(lambda: holder(made) is None and not view(made).running)


def view(folder: Path) -> StatusView:
    project = OpenedProject.at(folder, RealMakers())
    try:
        return project.status()
    finally:
        project.store.close()


def holder(folder: Path) -> int | None:
    """The pid of whoever researches the project."""
    project = OpenedProject.at(folder, RealMakers())
    owner = project.store.holder()
    project.store.close()
    return owner.pid if owner else None


def in_a_kernels_terminal(*words: str | Path) -> str:
    """Run a command in a terminal of its own, as a kernel's child, and close the terminal; what it said."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the shell would outlive its terminal by a minute
        os.environ.update({"JPY_PARENT_PID": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
        os.execvp("sh", ["sh", "-c", " ".join([*PROGRAM, *map(str, words)]) + "; echo done; sleep 60"])
    said = b""
    while b"done\r\n" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)  # the system hangs up on everything in the terminal's session
    os.waitpid(pid, 0)
    return said.decode()


def live(folder: Path) -> RunView | None:
    """A live run that has reported something."""
    runs = view(folder).running
    return runs[0] if runs and runs[0].latest is not None else None


def test_a_start_survives_its_terminal_and_is_steered_from_any_other(folder: Path, capsys: Capture) -> None:
    said = in_a_kernels_terminal("start", folder, "--cycles", "1")
    pid = holder(folder)
    assert pid is not None and f"pid {pid}, log {folder}/.deepresearch/loop.log" in said
    assert "no Jupyter server holds" in said and "searching: x: 0..6" in said and "logs" in said
    loop = psutil.Process(pid)
    assert loop.terminal() is None and not {"JPY_PARENT_PID", "MPLBACKEND"} & set(loop.environ())
    assert loop.environ().get("PYTHONPATH") == os.environ.get("PYTHONPATH")
    os.kill(pid, signal.SIGHUP)
    run = wait_for(lambda: live(folder))
    assert main(["start", str(folder)]) == 1
    again = capsys.readouterr().err
    assert again.count("\n") == 1 and f"start`, pid {pid} on" in again
    assert main(["pause", str(folder)]) == 0 and view(folder).state is ProjectState.PAUSED
    assert main(["resume", str(folder)]) == 0 and holder(folder) == pid
    assert main(["cancel", str(folder), run.run]) == 0
    wait_for(lambda: not is_running(pid))
    assert view(folder).state is ProjectState.FAILED, "a baseline that was cancelled is none"
    assert holder(folder) is None and "the baseline failed" in (folder / ".deepresearch" / "loop.log").read_text()


def test_resume_goes_on_where_the_loop_has_died(folder: Path, capsys: Capture) -> None:
    assert main(["start", str(folder), "--cycles", "1"]) == 0
    first = holder(folder)
    assert first is not None
    run = wait_for(lambda: live(folder))
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: holder(folder) is None)
    assert "nobody is researching it now" in view(folder).reason
    capsys.readouterr()
    assert main(["try", str(folder), "x=3.0"]) == 0
    noted = capsys.readouterr().out
    assert "Nobody is researching it now; go on with: " in noted and f"deepresearch start {folder}" in noted
    assert main(["resume", str(folder)]) == 0
    second = holder(folder)
    said = capsys.readouterr().out
    assert second not in (None, first) and f"researched again in a process of its own, pid {second}" in said
    found = wait_for(lambda: live(folder))
    assert (found.run, found.pid) == (run.run, run.pid), "the live run was found again"


def test_what_is_wrong_is_said_at_once_and_nothing_is_started(tmp_path: Path, capsys: Capture) -> None:
    folder = write_project(tmp_path / "small")
    for toml, complaint in (('metric = "score"\ndirection = "up"\n', "direction"), ('metrik = "score"\n', "metrik")):
        (folder / "deepresearch.toml").write_text(f"[objective]\n{toml}")
        assert main(["start", str(folder)]) == 1
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and complaint in said.err and said.out == ""
    assert not (folder / ".deepresearch").exists()


def test_a_loop_that_dies_at_once_is_told_in_its_own_words(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = "import os, sys; print(os.getpid()); print('jupyter deepresearch: no more disk', file=sys.stderr)"
    monkeypatch.setattr("jupyter_deepresearch.detached._LOOP", (sys.executable, "-c", dying))
    folder = write_project(tmp_path / "small")
    assert main(["start", str(folder)]) == 1
    assert capsys.readouterr().err.endswith("the loop ended at once: no more disk\n")
    assert holder(folder) is None


def test_a_loop_of_its_own_waits_a_full_disk_out(
    project: OpenedProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[StorageFailed | int] = [StorageFailed("the disk is full"), StorageFailed("the disk is full"), 0]

    def carry_out(service: object, found: OpenedProject, as_json: bool) -> int:
        assert found.id == project.id
        answer = answers.pop(0)
        if isinstance(answer, StorageFailed):
            raise answer
        return answer

    monkeypatch.setattr("jupyter_deepresearch.cli.research.carry_out", carry_out)
    monkeypatch.setattr(unattended, "RETRY_S", 0.0)
    assert unattended.research(project.id) == 0 and answers == []
    assert capsys.readouterr().err == 2 * "the disk is full; trying again in 0 s\n"
    answers.append(StorageFailed("gone"))
    (project.folder / ".deepresearch" / "ledger.db").rename(project.folder / "elsewhere.db")
    with pytest.raises((StorageFailed, NotFound)):
        unattended.research(project.id)

"""What the command line refuses: one line on stderr, no traceback, nothing written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_deepresearch.cli import main
from jupyter_deepresearch.cli.parser import COMMANDS
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.service import registry
from jupyter_deepresearch.service.opened import OpenedProject
from tests.small_project import write_notebook, write_project
from tests.terminal import PROGRAM

Capture = pytest.CaptureFixture[str]


def _nothing(folder: Path) -> None:
    folder.rmdir()


def _empty(folder: Path) -> None:
    pass


def _no_metric(folder: Path) -> None:
    write_notebook(folder / "train.ipynb")


def _two_notebooks(folder: Path) -> None:
    write_project(folder)
    write_notebook(folder / "other.ipynb")


def _no_notebook_json(folder: Path) -> None:
    write_project(folder)
    (folder / "train.ipynb").write_text("not a notebook")


def _long_brief(folder: Path) -> None:
    write_project(folder)
    (folder / "PROJECT_BRIEF.md").write_text("word " * 700)


def _unknown_key(folder: Path) -> None:
    write_project(folder, toml="[budget]\ncycels = 3\n")


def _wrong_type(folder: Path) -> None:
    write_project(folder, toml='[budget]\ncycles = "three"\n')


def _missing_kernel(folder: Path) -> None:
    text = write_project(folder).joinpath("train.ipynb").read_text().replace('"python3"', '"no-such-kernel"')
    (folder / "train.ipynb").write_text(text)


def _log_in_the_way(folder: Path) -> None:
    write_project(folder)
    (folder / ".deepresearch").write_text("in the way")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_nothing, "no such project folder"),
        (_empty, "found no notebook"),
        (_no_metric, "metric is missing"),
        (_two_notebooks, "found several notebooks (other.ipynb, train.ipynb)"),
        (_no_notebook_json, "train.ipynb"),
        (_long_brief, "at most 3,000 are accepted"),
        (_unknown_key, "cycels"),
        (_wrong_type, "cycles"),
        (_missing_kernel, 'kernel "no-such-kernel"'),
        (_log_in_the_way, "cannot be written"),
    ],
)
def test_a_project_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, capsys: Capture, spoil: Callable[[Path], None], complaint: str
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    spoil(folder)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    assert main(["run", str(folder)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("jupyter deepresearch: ") and said.err.count("\n") == 1
    assert complaint in said.err
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before, "a refused project leaves no trace"
    assert registry.Registry().all() == ()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("init", "run", "start", "doctor")])
def test_a_folder_that_is_no_project_is_one_line(tmp_path: Path, capsys: Capture, command: str) -> None:
    own = {"diff": ["1"], "try": ["x=1"], "directive": ["hello"], "cancel": ["0001-candidate-seed-1"]}
    own |= {"reproduce": ["1", "--seeds", "2"], "take": ["1"], "fork": ["1"], "branch": ["1"]}
    for folder, complaint in ((tmp_path, "holds no research project yet"), (tmp_path / "gone", "no such folder")):
        assert main([command, str(folder), *own.get(command, [])]) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1
        assert said.err.startswith("jupyter deepresearch: ") and complaint in said.err


def test_a_torn_ledger_is_one_line(project: OpenedProject, capsys: Capture) -> None:
    project.store.close()
    for path in (project.folder / ".deepresearch").glob("ledger.db*"):
        path.write_bytes(b"torn" * 5000)
    for command in ("status", "run", "pause"):
        assert main([command, str(project.folder)]) == 1
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and "ledger.db" in said.err


def test_a_defect_is_one_line_unless_asked(
    project: OpenedProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenedProject, "memory", lambda self: {}["gone"])
    assert main(["memory", str(project.folder)]) == 1
    assert "a defect of this program: KeyError: 'gone'" in capsys.readouterr().err
    monkeypatch.setenv("JUPYTER_DEEPRESEARCH_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["memory", str(project.folder)])


def test_ctrl_c_is_no_traceback(project: OpenedProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: OpenedProject) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(OpenedProject, "memory", interrupted)
    assert main(["memory", str(project.folder)]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_error(project: OpenedProject) -> None:
    for _ in range(2000):
        project.ledger.append(ev.Announced("x" * 50))
    events = subprocess.Popen(
        [*PROGRAM, "events", str(project.folder), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert events.stdout is not None and events.stderr is not None
    assert events.stdout.readline().startswith(b'{"seq":1,')
    events.stdout.close()
    assert (events.stderr.read(), events.wait(30)) == (b"", 141)
    events.stderr.close()

"""`take` and `fork`: an experiment out of a project, whatever came of it; nothing is overwritten or half written."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from jupyter_deepresearch.cli import main
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import Decision, Outcome, Purpose, Run, RunError, RunState, Verdict
from jupyter_deepresearch.service.opened import OpenedProject

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def crashed(project: OpenedProject) -> OpenedProject:
    """Experiment 0 sets ``x`` to 3 and has crashed."""
    assert main(["try", str(project.folder), "x=3"]) == 0
    run = Run(0, Purpose.CANDIDATE)
    outcome = Outcome(run.id, RunState.CRASHED, error=RunError("ValueError", "no", cell=1))
    for event in (ev.Planned(run), ev.Ended(outcome), ev.Judged(0, Verdict(Decision.FAILED, "crashed: no"))):
        project.ledger.append(event)
    return project


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if ".deepresearch" not in path.parts}


def test_a_crashed_experiment_is_taken_into_a_folder_of_its_own(crashed: OpenedProject, capsys: Capture) -> None:
    before = listing(crashed.folder)
    capsys.readouterr()
    assert main(["take", str(crashed.folder), "0"]) == 0
    said = capsys.readouterr().out.splitlines()
    folder = crashed.folder / "forks" / "0000-by-hand-x-3"
    assert said[0] == f"experiment 0 is in {folder}: train.ipynb and 0000.patch"
    assert said[1].endswith(f"cd {crashed.folder} && git apply forks/0000-by-hand-x-3/0000.patch") and len(said) == 2
    made = {"forks", "forks/0000-by-hand-x-3", *(f"forks/0000-by-hand-x-3/{n}" for n in ("train.ipynb", "0000.patch"))}
    assert listing(crashed.folder) - before == made
    notebook = nbformat.read(folder / "train.ipynb", as_version=4)
    assert notebook.cells[0].source.startswith("x = 3.0  # sweep")


def test_what_is_there_stays_and_nothing_is_half_written(crashed: OpenedProject, capsys: Capture) -> None:
    own = (crashed.folder / "train.ipynb").read_bytes()
    (crashed.folder / "other").mkdir()
    (crashed.folder / "other" / "0000.patch").write_text("mine")
    (crashed.folder / "file").write_text("mine")
    before = listing(crashed.folder)
    assert main(["take", str(crashed.folder), "0"]) == 0 and main(["take", str(crashed.folder), "0"]) == 1
    assert "taken already: forks/0000-by-hand-x-3 is there already and stays" in capsys.readouterr().err
    before = listing(crashed.folder)
    for into, complaint in ((".", "is there already"), ("other", "0000.patch is there already"), ("file", "cannot be")):
        capsys.readouterr()
        assert main(["take", str(crashed.folder), "0", "--into", str(crashed.folder / into)]) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and complaint in said.err
    assert listing(crashed.folder) == before and (crashed.folder / "train.ipynb").read_bytes() == own
    assert main(["take", str(crashed.folder), "7"]) == 1
    assert "there is no experiment 7" in capsys.readouterr().err


def test_it_is_told_as_json(crashed: OpenedProject, tmp_path: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["take", str(crashed.folder), "0", "--json", "--into", str(tmp_path / "new" / "folder")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        **{"experiment": 0, "folder": str(tmp_path / "new" / "folder"), "notebook": "train.ipynb", "files": []},
        **{"patch": "0000.patch", "notes": [], "place": None},
    }
    assert listing(tmp_path / "new" / "folder") == {"train.ipynb", "0000.patch"}


def test_a_fork_says_how_to_hand_it_back(crashed: OpenedProject, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["fork", str(crashed.folder), "0"]) == 0
    said = capsys.readouterr().out.splitlines()
    path = crashed.folder / "forks" / "0000-by-hand-x-3.ipynb"
    assert said[0] == f"experiment 0 is in {path}, to be edited"
    assert said[1].endswith(f"try {crashed.folder} --notebook forks/0000-by-hand-x-3.ipynb") and len(said) == 2
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source += "\nprint(x)"
    nbformat.write(notebook, path)
    assert main(["try", str(crashed.folder), "--notebook", "forks/0000-by-hand-x-3.ipynb"]) == 0
    assert crashed.experiment(1).parent == 0
    assert main(["fork", str(crashed.folder), "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["notebook"] == "forks/0000-by-hand-x-3-2.ipynb" and told["place"] is None

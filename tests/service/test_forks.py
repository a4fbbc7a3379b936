"""A fork by hand: an experiment's notebook, edited by a person and handed back, on the code that it was made of."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from jupyter_deepresearch.app import make_service
from jupyter_deepresearch.changes import changes
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.growth import coded
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Purpose,
    Run,
    RunError,
    RunState,
    Verdict,
)
from jupyter_deepresearch.errors import InvalidInput, InvalidNotebook
from jupyter_deepresearch.forks import fork
from jupyter_deepresearch.service.commands import TryCommand
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.service import Service
from tests.small_project import write_project

TRAIN = """from jupyter_deepresearch import report
from model import gain

bonus = float(open("bonus.txt").read())
"""
FASTER = (Edit("gain = 1", "gain = 50", file="model.py"),)


@pytest.fixture
def service() -> Iterator[Service]:
    with closing(make_service()) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, service: Service) -> OpenedProject:
    """Experiment 0 has changed ``model.py``, set ``x`` to 3 and crashed; the project's own file has changed since."""
    folder = write_project(tmp_path / "p", train=TRAIN)
    notebook = (
        (folder / "train.ipynb").read_text().replace("score=-((x - 3) ** 2)", "score=gain + bonus - (x - 3) ** 2")
    )
    (folder / "train.ipynb").write_text(notebook)
    (folder / "bonus.txt").write_text("0.25")
    (folder / "model.py").write_text("gain = 1\n")
    project = service.prepare(folder, Options(cycles=2))
    hypothesis = Hypothesis("faster", HypothesisKind.CODE, parameters={"x": 3.0}, edits=FASTER)
    first = coded(project.store, Experiment(0, hypothesis, None, 1, settings={"x": 3.0}))
    run = Run(0, Purpose.CANDIDATE)
    outcome = Outcome(run.id, RunState.CRASHED, error=RunError("ValueError", "no"))
    judged = ev.Judged(0, Verdict(Decision.FAILED, "crashed: no"))
    for event in (ev.Try(first), ev.Planned(run), ev.Ended(outcome), judged):
        project.ledger.append(event)
    (folder / "model.py").write_text("gain = 7\n")
    return project


def edit(path: Path, change: Callable[[nbformat.NotebookNode], None]) -> None:
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def replaced(cell: int, old: str, new: str) -> Callable[[nbformat.NotebookNode], None]:
    def change(notebook: nbformat.NotebookNode) -> None:
        assert old in notebook.cells[cell].source
        notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new)

    return change


def handed_back(project: OpenedProject, notebook: str, **parameters: float) -> Experiment:
    event = project.command(TryCommand(parameters, notebook, "mine")).event
    assert isinstance(event, ev.Try)
    return event.experiment


def test_a_fork_runs_on_the_code_of_what_it_was_made_of(project: OpenedProject, service: Service) -> None:
    made = fork(project, 0)
    assert (made.notebook, made.notes) == ("forks/0000-faster.ipynb", (made.notes[0],)) and "model.py" in made.notes[0]
    path = project.folder / made.notebook
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].source.startswith("x = 3.0  # sweep")
    assert notebook.metadata["deepresearch"] == {"fork": {"project": project.id, "experiment": 0}}
    with pytest.raises(InvalidInput, match=r"0000-faster\.ipynb does not differ from experiment 0"):
        handed_back(project, made.notebook)

    edit(path, replaced(1, "bonus = float", "bonus = 2 * float"))
    again = fork(project, 0)
    assert again.notebook == "forks/0000-faster-2.ipynb" and "2 * float" in path.read_text()
    mine = handed_back(project, made.notebook)
    assert (mine.number, mine.parent, mine.hypothesis.kind) == (1, 0, HypothesisKind.BY_HAND)
    assert mine.source is not None and dict(mine.source.files) == {"model.py": "gain = 50\n"}
    (shown,) = changes(project, 1).changes
    assert [line for line in shown.lines if line[0] in "+-"] == [
        *('-bonus = float(open("bonus.txt").read())', '+bonus = 2 * float(open("bonus.txt").read())')
    ]
    service.run(project)
    row = project.experiment(1)
    assert (row.state, row.value, row.parent) == (RunState.SUCCEEDED, 50.5, 0), "its file, its edit, its x, its folder"


def test_values_set_in_a_fork_are_values(project: OpenedProject) -> None:
    path = project.folder / fork(project, 0).notebook
    edit(path, replaced(0, "x = 3.0", "x = 4"))
    mine = handed_back(project, "forks/0000-faster.ipynb", seed=5)
    assert (mine.source, mine.parent) == (None, 0), "nothing else differs"
    assert dict(mine.hypothesis.parameters) == {"x": 4, "seed": 5} and dict(mine.settings) == {"x": 4, "seed": 5}
    assert mine.code == project.store.experiment(0).code != ""


def test_locked_cells_of_a_fork_stay_as_they_are(project: OpenedProject) -> None:
    path = project.folder / fork(project, 0).notebook
    edit(path, replaced(2, "gain", "100 * gain"))
    before = project.state.seq
    with pytest.raises(InvalidNotebook, match=r"its locked cells differ from train\.ipynb's"):
        handed_back(project, "forks/0000-faster.ipynb")
    assert project.state.seq == before


@pytest.mark.parametrize(
    "mark",
    [
        {"project": "another", "experiment": 0},
        {"project": None, "experiment": 99},
        {"project": None, "experiment": "0"},
        {"project": None, "experiment": True},
        {"experiment": 0},
        ["fork"],
        None,
    ],
)
def test_any_other_mark_makes_it_any_other_notebook(project: OpenedProject, mark: object) -> None:
    """None for the project stands for this one's id."""
    path = project.folder / fork(project, 0).notebook
    if isinstance(mark, dict) and mark.get("project", "") is None:
        mark = {**mark, "project": project.id}
    notebook = json.loads(path.read_text())
    notebook["metadata"]["deepresearch"] = {"fork": mark}
    path.write_text(json.dumps(notebook))
    mine = handed_back(project, "forks/0000-faster.ipynb")
    assert mine.parent is None and mine.source is not None
    assert dict(mine.source.files) == {"model.py": "gain = 7\n"}, "with the files as they are now"


def test_a_fork_of_an_earlier_measure_is_any_other_notebook(project: OpenedProject) -> None:
    path = project.folder / fork(project, 0).notebook
    edit(path, replaced(1, "bonus = float", "bonus = 2 * float"))
    old = project.store.experiment(0)
    project.ledger.append(ev.Sourced(project.store.source(old.measure), project.state.survey, new_measure=True))
    mine = handed_back(project, "forks/0000-faster.ipynb")
    assert (mine.parent, mine.measure) == (None, 2) and replace(mine, source=None).code != ""

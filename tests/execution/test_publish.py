"""Executed notebooks in ``experiments/``: their names, their facts, and that a person's edits are never overwritten."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from jupyter_deepresearch.core.ports import Build, Notebooks
from jupyter_deepresearch.core.project import CodeOptions, Direction, Guard, Objective, Project
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Purpose,
    Run,
    RunState,
    Verdict,
)
from jupyter_deepresearch.errors import InvalidNotebook, StorageFailed
from jupyter_deepresearch.execution.notebooks.publish import ProjectNotebooks
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.execution.spec import RunnerSpec

OBJECTIVE = Objective("val_accuracy", Direction.MAXIMIZE)
PROMISING = Verdict(Decision.PROMISING, "better once", value=0.9, seeds=1)
CONFIRMED = Verdict(Decision.CONFIRMED, "better on three seeds", value=0.9, seeds=3)


def experiment(number: int = 3, claim: str = "Wider MLP!") -> Experiment:
    hypothesis = Hypothesis(claim, HypothesisKind.PARAMETERS, parameters={"width": 128})
    return Experiment(number, hypothesis, parent=0, cycle=1)


def outcome(run: Run, value: float | None = 0.9) -> Outcome:
    state = RunState.CRASHED if value is None else RunState.SUCCEEDED
    return Outcome(run.id, state, value=value, elapsed_s=2.5, environment={"python": "3.11"})


def executed(folder: Path, run: Run, text: str = "0.9") -> Any:
    """Put a run's folder there as the runner leaves it."""
    trained = new_code_cell("print(0.9)", id="train", execution_count=2, outputs=[new_output("stream", text=text)])
    trained.metadata["papermill"] = {"status": "completed"}
    trained.metadata["execution"] = {"iopub.status.busy": "2026"}
    cells = [
        new_code_cell("width = 64\nseed = 7\nrate = 1.0", id="p", metadata={"tags": ["parameters"]}),
        new_code_cell("width = 128\nseed = 8", id="i", metadata={"tags": ["injected-parameters"]}),
        trained,
    ]
    notebook = new_notebook(cells=cells, metadata={"papermill": {"output_path": "/secret/place"}})
    paths = ProjectPaths(folder).run(run.id)
    paths.root.mkdir(parents=True)
    paths.output.write_text(nbformat.writes(notebook))
    places = (str(paths.work), str(paths.artifacts))
    spec = RunnerSpec(run.id, str(folder), run.purpose, OBJECTIVE, Guard(), "python3", *places, {})
    paths.spec.write_bytes(msgspec.json.encode(spec))
    return notebook


def publish(folder: Path, run: Run, verdict: Verdict = CONFIRMED, of: Experiment | None = None) -> str | None:
    return ProjectNotebooks(folder).publish(of or experiment(run.experiment), run, verdict, outcome(run))


def read(folder: Path, path: str | None) -> Any:
    assert path is not None
    return nbformat.read(folder / path, as_version=4)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "experiments").iterdir())


def test_the_notebook_carries_its_facts_and_no_traces_of_the_machine(tmp_path: Path) -> None:
    run = Run(3, Purpose.CONFIRM, seed_index=2)
    before = executed(tmp_path, run)
    path = publish(tmp_path, run)
    assert path == "experiments/0003-wider-mlp.seed-2.ipynb"
    made = read(tmp_path, path)
    nbformat.validate(made)
    assert made.metadata.deepresearch == {
        "project": tmp_path.name,
        "experiment": 3,
        "run": "0003-confirm-seed-2",
        "parent": 0,
        "hypothesis": "Wider MLP!",
        "parameters": {"width": 128, "seed": 8, "rate": 1.0},
        "seed": 8,
        "metric": "val_accuracy",
        "value": 0.9,
        "state": "succeeded",
        "decision": "confirmed",
        "elapsed_s": 2.5,
        "environment": {"python": "3.11"},
    }
    assert [c.source for c in made.cells] == [c.source for c in before.cells]
    assert made.cells[2].outputs == before.cells[2].outputs
    assert "papermill" not in json.dumps(made) and "iopub" not in json.dumps(made)
    assert names(tmp_path) == ["0003-wider-mlp.seed-2.ipynb"]


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("Réduire lr to 3e-4: better?", "0003-reduire-lr-to-3e-4-better.ipynb"),
        ("a " * 60, "0003-" + "-".join("a" * 20) + ".ipynb"),
        ("x" * 90, "0003-" + "x" * 40 + ".ipynb"),
        ("更宽的网络", "0003-experiment.ipynb"),
        ("../../etc/passwd", "0003-etc-passwd.ipynb"),
        ("", "0003-experiment.ipynb"),
    ],
)
def test_names_are_short_and_plain(tmp_path: Path, claim: str, name: str) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    assert publish(tmp_path, run, of=experiment(claim=claim)) == f"experiments/{name}"
    assert len(Path(name).stem) <= 45


def test_the_baseline_has_its_own_name(tmp_path: Path) -> None:
    run = Run(0, Purpose.BASELINE)
    executed(tmp_path, run)
    baseline = Experiment(0, Hypothesis("the notebook as it is", HypothesisKind.BASELINE))
    assert publish(tmp_path, run, of=baseline) == "experiments/0000-baseline.ipynb"


def test_the_name_stays_when_the_claim_changes_and_copies_do_not_confuse(tmp_path: Path) -> None:
    first, second = Run(3, Purpose.CANDIDATE), Run(3, Purpose.CONFIRM, 2)
    executed(tmp_path, first)
    executed(tmp_path, second)
    publish(tmp_path, first)
    copy = tmp_path / "experiments" / "0003-wider-mlp-Copy1.ipynb"
    copy.write_text((tmp_path / "experiments" / "0003-wider-mlp.ipynb").read_text())
    assert publish(tmp_path, first, of=experiment(claim="another")) == "experiments/0003-wider-mlp.ipynb"
    assert publish(tmp_path, second, of=experiment(claim="another")) == "experiments/0003-wider-mlp.seed-2.ipynb"
    assert len(names(tmp_path)) == 3


def test_a_new_verdict_renews_the_facts_and_nothing_else_is_written(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    path = publish(tmp_path, run, PROMISING)
    assert read(tmp_path, path).metadata.deepresearch.decision == "promising"
    assert publish(tmp_path, run, CONFIRMED) == path
    assert read(tmp_path, path).metadata.deepresearch.decision == "confirmed"
    before = (tmp_path / str(path)).stat()
    publish(tmp_path, run, CONFIRMED)
    after = (tmp_path / str(path)).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_persons_edits_are_never_overwritten(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    path = publish(tmp_path, run, PROMISING)
    changed = read(tmp_path, path)
    changed.cells[2].source = "print('mine')"
    nbformat.write(changed, tmp_path / str(path))
    text = (tmp_path / str(path)).read_text()
    assert publish(tmp_path, run, CONFIRMED) == path
    again = run.again()
    executed(tmp_path, again)
    assert publish(tmp_path, again, CONFIRMED) == path
    assert (tmp_path / str(path)).read_text() == text


def test_what_a_person_notes_outside_the_cells_is_kept(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    path = publish(tmp_path, run, PROMISING)
    opened = read(tmp_path, path)
    opened.metadata["mine"] = 1
    nbformat.write(opened, tmp_path / str(path))
    publish(tmp_path, run, CONFIRMED)
    assert read(tmp_path, path).metadata.mine == 1
    assert read(tmp_path, path).metadata.deepresearch.decision == "confirmed"


def test_a_dry_run_is_shown_until_there_is_a_real_one(tmp_path: Path) -> None:
    dry, real = Run(3, Purpose.DRY_RUN), Run(3, Purpose.CANDIDATE)
    executed(tmp_path, dry, "dry")
    executed(tmp_path, real, "real")
    path = publish(tmp_path, dry)
    assert read(tmp_path, path).metadata.deepresearch.run == dry.id
    for _ in range(2):
        assert publish(tmp_path, real) == path == publish(tmp_path, dry)
        assert read(tmp_path, path).metadata.deepresearch.run == real.id
        assert read(tmp_path, path).cells[2].outputs[0].text == "real"


def test_a_mended_dry_run_gives_way_to_the_first_real_run(tmp_path: Path) -> None:
    """Its second attempt is not newer than what it was made for."""
    mended, real = Run(3, Purpose.DRY_RUN, attempt=2), Run(3, Purpose.CANDIDATE)
    executed(tmp_path, mended, "dry")
    publish(tmp_path, mended)
    executed(tmp_path, real, "real")
    path = publish(tmp_path, real)
    assert read(tmp_path, path).metadata.deepresearch.run == real.id
    publish(tmp_path, mended)
    assert read(tmp_path, path).metadata.deepresearch.run == real.id


def test_a_later_attempt_takes_the_place_of_an_earlier_one_for_good(tmp_path: Path) -> None:
    first = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, first, "cut")
    executed(tmp_path, first.again(), "whole")
    for run in (first, first.again(), first):
        path = publish(tmp_path, run)
    assert read(tmp_path, path).cells[2].outputs[0].text == "whole"


def test_a_run_without_a_whole_notebook_publishes_none(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    assert publish(tmp_path, run) is None
    executed(tmp_path, run)
    ProjectPaths(tmp_path).run(run.id).output.write_text('{"cells": [')
    assert publish(tmp_path, run) is None
    assert not (tmp_path / "experiments").exists()


def test_a_failed_run_has_a_notebook_and_no_value(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    failed = Verdict(Decision.FAILED, "it crashed", state=RunState.CRASHED)
    path = ProjectNotebooks(tmp_path).publish(experiment(), run, failed, outcome(run, None))
    facts = read(tmp_path, path).metadata.deepresearch
    assert (facts.value, facts.state, facts.decision) == (None, "crashed", "failed")


def test_what_json_cannot_hold_is_named(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    path = ProjectNotebooks(tmp_path).publish(experiment(), run, PROMISING, outcome(run, math.inf))
    json.loads((tmp_path / str(path)).read_text(), parse_constant=pytest.fail)


def test_a_folder_that_cannot_be_written_is_said_and_leaves_no_trace(tmp_path: Path) -> None:
    run = Run(3, Purpose.CANDIDATE)
    executed(tmp_path, run)
    (tmp_path / "experiments").write_text("a file")
    with pytest.raises(StorageFailed, match="experiments/ cannot be written"):
        publish(tmp_path, run)


# Reading and checking in a project


def test_a_project_is_read_with_its_code_and_checked_by_its_rules(tmp_path: Path) -> None:
    cells = [
        new_code_cell("#| parameters\nlr = 0.1", id="p"),
        new_code_cell("#| locked\nprint(lr)", id="s"),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "train.ipynb")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "eval.py").write_text("one")
    project = Project("p", "train.ipynb", OBJECTIVE, code=CodeOptions(locked=("src/eval.py",)))
    notebooks: Notebooks = ProjectNotebooks(tmp_path, project)
    source, survey = notebooks.read("train.ipynb")
    assert source.files == {"src/eval.py": "one"} and survey.parameters == {"lr": 0.1}
    notebooks.check(Build(source, parameters={"lr": 0.2}), survey)
    with pytest.raises(InvalidNotebook, match="the file is locked"):
        notebooks.check(Build(source, (Edit("one", "two", file="src/eval.py"),)), survey)
    before = notebooks.measure(source, "acc")
    (tmp_path / "src" / "eval.py").write_text("two")
    assert notebooks.measure(notebooks.read("train.ipynb")[0], "acc") != before
    assert not (tmp_path / "experiments").exists()


@pytest.mark.parametrize("path", ["../train.ipynb", "/train.ipynb"])
def test_a_notebook_outside_the_project_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidNotebook, match="inside the project folder"):
        ProjectNotebooks(tmp_path).read(path)

"""Runs for tests: a project in a folder, and what a launcher is told about one of its runs."""

from __future__ import annotations

from pathlib import Path

import nbformat

from jupyter_deepresearch.core.ports import Build, RunSpec
from jupyter_deepresearch.core.project import Direction, LauncherOptions, Objective, Project
from jupyter_deepresearch.core.types import Experiment, Hypothesis, HypothesisKind, Parameters, Purpose, Run
from jupyter_deepresearch.execution.notebook import read_source

TRAINING = (
    ("parameters", "width = 1\nseed = 1\nseconds = 0.0\n"),
    (
        None,
        "import time\nfrom jupyter_deepresearch import report\n"
        "for step in range(3):\n    report(step=step, loss=1.0 / (step + 1))\n    time.sleep(seconds / 3)\n",
    ),
    ("locked", "report(step=3, score=float(width + seed))\n"),
)


def write_notebook(path: Path, cells: tuple[tuple[str | None, str], ...] = TRAINING, kernel: str = "python3") -> None:
    """A notebook of code cells, each with a tag or None."""
    made = [
        nbformat.v4.new_code_cell(source, id=f"cell-{i}", metadata={"tags": [tag]} if tag else {})
        for i, (tag, source) in enumerate(cells)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": spec}), path)


def make_spec(folder: Path, number: int = 1, parameters: Parameters | None = None, **changes: object) -> RunSpec:
    """A candidate run of experiment ``number`` of ``folder``'s train.ipynb, which is written where it is missing."""
    launcher = LauncherOptions(gpus="none", env=("ALLOWED_KEY",))
    project = Project("p", "train.ipynb", Objective("score", Direction.MAXIMIZE), launcher=launcher)
    if not (folder / "train.ipynb").exists():
        write_notebook(folder / "train.ipynb")
    run = Run(number, Purpose.CANDIDATE)
    fields: dict[str, object] = {
        "run": run,
        "project_id": "id",
        "project": project,
        "experiment": Experiment(number, Hypothesis("wider is better", HypothesisKind.PARAMETERS)),
        "build": Build(read_source(folder / "train.ipynb"), parameters=parameters or {}),
        "kernel": "python3",
        "artifacts_of": run.id,
    }
    return RunSpec(**{**fields, **changes})  # type: ignore[arg-type]

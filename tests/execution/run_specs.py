"""Runs for tests: a project in a folder, what a launcher is told about one of its runs, and launchers."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import nbformat

from jupyter_deepresearch.core.ports import Build, RunSpec
from jupyter_deepresearch.core.project import Direction, LauncherOptions, Objective, Project
from jupyter_deepresearch.core.types import (
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Parameters,
    Purpose,
    Run,
)
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.execution.notebooks.source import read_source
from jupyter_deepresearch.execution.paths import ProjectPaths, RunPaths
from jupyter_deepresearch.processes import start_ticks

TRAINING = (
    ("parameters", "width = 1\nseed = 1\nseconds = 0.0\n"),
    (
        None,
        "import time\nfrom jupyter_deepresearch import report\n"
        "for step in range(3):\n    report(step=step, loss=1.0 / (step + 1))\n    time.sleep(seconds / 3)\n",
    ),
    ("locked", "report(step=3, score=float(width + seed))\n"),
)


STAND_IN = str(Path(__file__).parent / "stand_in_runner.py")


def write_notebook(path: Path, cells: tuple[tuple[str | None, str], ...] = TRAINING, kernel: str = "python3") -> None:
    """A notebook of code cells, each with a tag or None."""
    made = [
        nbformat.v4.new_code_cell(source, id=f"cell-{i}", metadata={"tags": [tag]} if tag else {})
        for i, (tag, source) in enumerate(cells)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": spec}), path)


def make_spec(
    folder: Path,
    number: int = 1,
    parameters: Parameters | None = None,
    notebook: str = "train.ipynb",
    **changes: object,
) -> RunSpec:
    """A candidate run of experiment ``number`` of a notebook in ``folder``, which is written where it is missing."""
    launcher = LauncherOptions(gpus="none", env=("ALLOWED_KEY",))
    project = Project("p", notebook, Objective("score", Direction.MAXIMIZE), launcher=launcher)
    if not (folder / notebook).exists():
        write_notebook(folder / notebook)
    run = Run(number, Purpose.CANDIDATE)
    fields: dict[str, object] = {
        "run": run,
        "project_id": "id",
        "project": project,
        "experiment": Experiment(number, Hypothesis("wider is better", HypothesisKind.PARAMETERS)),
        "build": Build(read_source(folder / notebook), parameters=parameters or {}),
        "kernel": "python3",
        "artifacts_of": run.id,
    }
    return RunSpec(**{**fields, **changes})  # type: ignore[arg-type]


def launcher(folder: Path, behaviour: str, patience_s: float = 10.0) -> LocalLauncher:
    """A launcher whose runners are stand-ins."""
    return LocalLauncher(folder, (sys.executable, STAND_IN, behaviour), patience_s)


async def ended(one: LocalLauncher, handle: Handle, within_s: float = 60) -> Outcome:
    """The outcome of a run, once it has one."""
    async with asyncio.timeout(within_s):
        while True:
            for seen in await one.observe([handle]):
                if seen.outcome is not None:
                    assert seen.state is seen.outcome.state
                    return seen.outcome


def run_paths(folder: Path, number: int = 1) -> RunPaths:
    """The folder of the run that ``make_spec`` tells of."""
    return ProjectPaths(folder).run(f"{number:04d}-candidate-seed-1")


def is_gone(pid: int, within_s: float = 3.0) -> bool:
    """Whether a process is dead, or will be very soon."""
    end = time.monotonic() + within_s
    while start_ticks(pid) is not None and time.monotonic() < end:
        time.sleep(0.02)
    return start_ticks(pid) is None

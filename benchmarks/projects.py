"""Projects and runs to measure with: notebooks, folders, launches."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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

EXAMPLES = Path(__file__).resolve().parent.parent / "example_notebooks"
NOTEBOOK = "train.ipynb"


@contextmanager
def folder() -> Iterator[Path]:
    """A new empty folder, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="deepresearch-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


def write_notebook(path: Path, parameters: str, *cells: str) -> None:
    """A notebook of one parameters cell and code cells."""
    made = [nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(source, id=f"cell-{index}") for index, source in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)


def project(metric: str) -> Project:
    """A project on ``NOTEBOOK``, without GPUs."""
    return Project("benchmark", NOTEBOOK, Objective(metric, Direction.MAXIMIZE), launcher=LauncherOptions(gpus="none"))


def candidate(root: Path, number: int, metric: str, parameters: Parameters | None = None) -> RunSpec:
    """A run of the notebook in ``root`` with these parameters."""
    run = Run(number, Purpose.CANDIDATE)
    return RunSpec(
        run=run,
        project_id="benchmark",
        project=project(metric),
        experiment=Experiment(number, Hypothesis("it is measured", HypothesisKind.PARAMETERS)),
        build=Build(read_source(root / NOTEBOOK), parameters=parameters or {}),
        kernel="python3",
        artifacts_of=run.id,
    )


def run_paths(root: Path, spec: RunSpec) -> RunPaths:
    """The run's folder."""
    return ProjectPaths(root).run(spec.run.id)


async def outcome_of(launcher: LocalLauncher, handle: Handle) -> Outcome:
    """How the run ended, once it has."""
    while True:
        for seen in await launcher.observe([handle]):
            if seen.outcome is not None:
                return seen.outcome

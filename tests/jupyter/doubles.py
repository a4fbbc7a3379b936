"""A small real project folder, and a service whose runs are not real."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from jupyter_deepresearch.app import RealMakers, SystemClock
from jupyter_deepresearch.core.events import Survey
from jupyter_deepresearch.core.ports import Launcher, Observation, RunSpec
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.research import Researcher
from jupyter_deepresearch.core.types import Handle, Hypothesis, HypothesisKind, Outcome, RunState
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.testing import FakeLauncher, ScriptedResearcher

PARAMETERS = "lr = 0.1  # sweep: 0.001..1.0 log\nseed = 1"
TRAINING = (
    "from jupyter_deepresearch import report\nfor step in range(3):\n    report(step=step, score=lr * (step + 1))"
)
CONFIG = '[objective]\nmetric = "score"\n[trust]\nseeds = 1\n[launcher]\ngpus = "none"\n'


def write_project(folder: Path, config: str = CONFIG, training: str = TRAINING) -> Path:
    """A folder that holds a notebook which reports `score`, three times its `lr`, and its settings."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(PARAMETERS), nbformat.v4.new_code_cell(training)]
    cells[0].metadata["tags"] = ["parameters"]
    cells[1].metadata["tags"] = ["locked"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "train.ipynb")
    (folder / "deepresearch.toml").write_text(config)
    return folder


def three_times_lr(spec: RunSpec) -> Outcome:
    """What the notebook would have measured."""
    lr = float(spec.build.parameters.get("lr", 0.1) or 0.0)
    return Outcome(spec.run.id, RunState.SUCCEEDED, 3 * lr, ((2.0, 3 * lr),), elapsed_s=1.0)


@dataclass
class HeldLauncher(FakeLauncher):
    """Runs that go on until they are let go or cancelled."""

    held: bool = False

    async def observe(self, handles: Sequence[Handle]) -> Sequence[Observation]:
        while self.held and not any(handle.run in self.cancelled for handle in handles):
            await asyncio.sleep(0.01)
        return await super().observe(handles)


def hypotheses() -> tuple[Hypothesis, ...]:
    """One that is better than the baseline, and one that is worse."""
    values = (("a larger step is better", 0.2), ("a tiny step is better", 0.01))
    return tuple(Hypothesis(claim, HypothesisKind.PARAMETERS, parameters={"lr": lr}) for claim, lr in values)


@dataclass
class Doubled(RealMakers):
    """Real store, notebooks and files; runs that end at once and a researcher that follows a script."""

    launches: HeldLauncher = field(default_factory=lambda: HeldLauncher(three_times_lr))

    def launcher(self, folder: Path, project: Project) -> Launcher:
        return self.launches

    def researcher(self, folder: Path, project: Project) -> Researcher:
        return ScriptedResearcher(hypotheses())

    def preflight(self, project: Project, survey: Survey) -> tuple[str, ...]:
        return ()

    def service(self, root: Path | None = None, name: str = "a test") -> Service:
        """A service on these parts; in the place of `app.make_service`."""
        return Service(self, Registry(), SystemClock(), root, name)

"""What the loop itself takes per cycle at 1,000 trials, with runs that end at once."""

import asyncio
import math
import os
import random
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_deepresearch.app import RealMakers, SystemClock
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ports import RunSpec
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.types import Decision, Dimension, Handle, Outcome, Parameters, RunState, Value, Verdict
from jupyter_deepresearch.execution.notebooks.source import read_source
from jupyter_deepresearch.execution.notebooks.space import survey
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.execution.setting import set_up
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.testing import FakeLauncher

from . import events
from .projects import EXAMPLES, folder
from .result import Result, Row, median

WARM_UP = 2


@dataclass
class InstantLauncher(FakeLauncher):
    """Sets each run's folder up for real, and takes its notebook as executed; the run ends at the first look."""

    folder: Path = field(default_factory=Path)

    async def launch(self, spec: RunSpec) -> Handle:
        paths = await asyncio.to_thread(set_up, ProjectPaths(self.folder), spec, os.environ)
        if not paths.output.exists():
            shutil.copyfile(paths.input, paths.output)
        return await super().launch(spec)


class InstantMakers(RealMakers):
    """Everything as it is in the product, but for the runs."""

    def launcher(self, folder: Path, project: Project) -> InstantLauncher:
        base = survey(read_source(folder / project.notebook)).parameters

        def ending(spec: RunSpec) -> Outcome:
            value = _value({**base, **spec.experiment.settings})
            return Outcome(spec.run.id, RunState.SUCCEEDED, value, elapsed_s=1.0)

        return InstantLauncher(ending, folder=folder)


def measure(quick: bool) -> Result:
    """Fill the log, then let the loop go on for 20 cycles and take the time from lesson to lesson."""
    trials, cycles = (100, 3) if quick else (1000, 20)
    with folder() as root:
        home = root / "digits"
        shutil.copytree(EXAMPLES / "digits", home)
        service = Service(InstantMakers(), Registry(root / "projects.json"), SystemClock())
        tables = {"budget": {"cycles": trials + WARM_UP + cycles}}
        project = service.prepare(home, Options(researcher="sweep", tables=tables))
        _fill(project, home, trials)
        assert project.state.cycles == trials  # folded here, so that the watch sees only what is new
        seen = _Watch()
        project.ledger.listeners.append(seen)
        service.run(project)
        service.close()
    seconds = [b - a for a, b in zip(seen.lessons, seen.lessons[1:], strict=False)][-cycles:]
    rows = (Row(f"loop time per cycle at {trials:,} trials", median(seconds), "s", 0.3, 0.1),)
    note = (
        f"median of {len(seconds)} cycles, {min(seconds):.3f} to {max(seconds):.3f} s, {seen.runs / len(seconds):.1f}"
        " runs each; digits, sweep, SQLite on disk, run folders and published notebooks real, only the runs end at once"
    )
    return Result("Loop", rows, (note,))


@dataclass
class _Watch:
    """When lessons were written, and how many runs ended after the warm-up."""

    lessons: list[float] = field(default_factory=list)
    runs: int = 0

    def __call__(self, record: ev.Record) -> None:
        if isinstance(record.event, ev.Reflected):
            self.lessons.append(time.perf_counter())
        elif isinstance(record.event, ev.Ended) and len(self.lessons) >= WARM_UP:
            self.runs += 1


def _fill(project: OpenedProject, home: Path, trials: int) -> None:
    """A log, run folders and notebooks of ``trials`` judged cycles."""
    state, paths, chance = project.state, ProjectPaths(home), random.Random(3)
    paths.experiments.mkdir()
    project.store.query("PRAGMA synchronous=OFF")  # only to write the past quickly
    for event in events.baseline(_value(state.survey.parameters)):
        project.store.append(event)
    for number in range(1, trials + 1):
        settings = {dimension.name: _any_of(dimension, chance) for dimension in state.survey.space}
        value = _value({**state.survey.parameters, **settings})
        verdict = Verdict(Decision.WORSE, "not better", value, 1, state=RunState.SUCCEEDED)
        for event in events.cycle(number, settings, verdict, f"values {number} are better", f"lesson {number}"):
            project.store.append(event)
            if isinstance(event, ev.Planned):
                (paths.runs / event.run.id).mkdir(parents=True)
        shutil.copyfile(home / state.project.notebook, paths.experiments / f"{number:04d}-values-{number}.ipynb")
    project.store.query("PRAGMA synchronous=FULL")


def _any_of(dimension: Dimension, chance: random.Random) -> Value:
    if dimension.choices:
        return chance.choice(dimension.choices)
    low, high = dimension.low or 0.0, dimension.high or 0.0
    drawn = math.exp(chance.uniform(math.log(low), math.log(high))) if dimension.log else chance.uniform(low, high)
    return round(drawn) if dimension.integer else drawn


def _value(parameters: Parameters) -> float:
    """A smooth landscape with one top, where every number is 0.01."""
    numbers = [float(value) for value in parameters.values() if isinstance(value, int | float)]
    return 0.9 - 0.001 * sum(abs(math.log10(abs(number) + 1e-6) + 2.0) for number in numbers)

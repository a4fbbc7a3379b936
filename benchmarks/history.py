"""A project folder with thousands of cycles in its log: every kind of verdict, paid answers, runs of several seeds."""

import contextlib
import json
import math
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Usage
from jupyter_deepresearch.core.project import BRIEF_LIMIT_CHARS
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Parameters,
    Purpose,
    Run,
    RunState,
    Verdict,
)
from jupyter_deepresearch.execution.notebooks.source import read_source
from jupyter_deepresearch.execution.paths import ProjectPaths, RunPaths
from jupyter_deepresearch.execution.spec import Live, ResourceLine, RunnerOwner
from jupyter_deepresearch.processes import boot_id, start_ticks
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.store.sqlite import SqliteStore

from .projects import NOTEBOOK, project, write_notebook

PROJECT = "benchmark"
METRIC = "val_accuracy"
BASELINE = 0.9
_FAILURES = (RunState.CRASHED, RunState.DIVERGED, RunState.OUT_OF_MEMORY, RunState.TIMED_OUT)
_CURVE_STEPS = 50
_WHY = "the loss of the last two runs was still falling when they ended, and the gradient's norm was steady. " * 3


class Past:
    """Cycle after cycle as a researcher makes them, the same ones every time. ``champion``: the best value so far."""

    def __init__(self, project_id: str = PROJECT) -> None:
        self.project_id = project_id
        self._chance = random.Random(1)
        self.champion, self.best, self.number = BASELINE, 0, 0

    def opened(self, folder: Path) -> Iterator[ev.Event]:
        """The project on the notebook in ``folder``, and its baseline."""
        survey = ev.Survey(parameters={"lr": 0.001, "width": 64, "optimizer": "adam"})
        source = read_source(folder / NOTEBOOK)
        yield ev.Opened(
            self.project_id, replace(project(METRIC), name=PROJECT), source, survey, "b" * BRIEF_LIMIT_CHARS
        )
        experiment = Experiment(0, Hypothesis("baseline: the notebook as it is", HypothesisKind.BASELINE))
        yield ev.Proposed(experiment)
        yield from self._runs(Run(0, Purpose.BASELINE), [BASELINE], RunState.SUCCEEDED)
        yield ev.Judged(0, Verdict(Decision.BASELINE, "the baseline", BASELINE, 1, state=RunState.SUCCEEDED))

    def cycle(self) -> Iterator[ev.Event]:
        """All events of the next cycle: a twentieth fails, a twentieth is rejected, a few are confirmed."""
        self.number += 1
        number, lot = self.number, self._chance.random()
        yield self._answered("plan")
        yield ev.Proposed(self._experiment())
        if lot < 0.05:
            yield ev.Reject(number, "this was tried in the spring, by hand")
            return
        yield self._answered("patch")
        value = self.champion + self._chance.gauss(-0.01, 0.01)
        state = self._chance.choice(_FAILURES) if lot < 0.1 else RunState.SUCCEEDED
        seeds = 3 if value > self.champion else 1
        values = [value + 0.001 * self._chance.gauss(0, 1) for _ in range(seeds)]
        yield from self._runs(Run(number, Purpose.CANDIDATE), values, state)
        yield ev.Judged(number, self._verdict(values, state), f"experiments/{number:04d}-a-claim-in-short.ipynb")
        yield self._answered("reflect")
        yield ev.Reflected(number, Lesson(f"an lr of {number} ten-thousandths makes the loss unsteady after epoch 5"))

    def live(self) -> Iterator[ev.Event]:
        """An experiment whose run has begun and not ended."""
        self.number += 1
        run = Run(self.number, Purpose.CANDIDATE)
        yield ev.Proposed(self._experiment())
        yield ev.Planned(run)
        yield ev.Launched(Handle(run.id, "local", "4711", 4711, 123456, "a-boot"))

    def _experiment(self) -> Experiment:
        number = self.number
        settings: Parameters = {"lr": 0.0001 * number, "width": 16 + number % 500}
        claim = f"an lr of {0.0001 * number:.4g} with a width of {16 + number % 500} is better than the champion"
        edits: tuple[Edit, ...] = ()
        if number % 4 == 0:
            edits = (Edit("loss.backward()", f"loss.backward()\nclip(model, {number})", cell="cell-0"),)
        kind = HypothesisKind.CODE if edits else HypothesisKind.PARAMETERS
        hypothesis = Hypothesis(claim, kind, _WHY, "a gain of 0.01", settings, edits)
        return Experiment(number, hypothesis, self.best, number, settings=settings, code=f"{number}" if edits else "")

    def _answered(self, phase: str) -> ev.Answered:
        usage = Usage(phase, "model", 6000, 400, 4000, 0.0123, latency_s=8.5)
        return ev.Answered(f"{phase}-{self.number}", usage, f"an answer of {phase}. " * 40, self.number)

    def _runs(self, first: Run, values: list[float], state: RunState) -> Iterator[ev.Event]:
        for seed, value in enumerate(values, 1):
            run = replace(first, seed_index=seed)
            ended = Outcome(run.id, state, None, elapsed_s=12.5)
            if state is RunState.SUCCEEDED:
                curve = tuple((float(s), value * (1 - math.exp(-s / 9))) for s in range(1, _CURVE_STEPS + 1))
                ended = replace(ended, value=value, curve=curve, finals={METRIC: value, "train_loss": 0.1})
            yield ev.Planned(run)
            yield ev.Launched(Handle(run.id, "local", "4711", 4711, 123456, "a-boot"))
            yield ev.Ended(ended)

    def _verdict(self, values: list[float], state: RunState) -> Verdict:
        if state is not RunState.SUCCEEDED:
            return Verdict(Decision.FAILED, f"the run ended {state.value}: no value", state=state)
        value, before = sum(values) / len(values), self.champion
        interval = (value - 0.002, value + 0.002) if len(values) > 1 else None
        if value > before and self._chance.random() < 0.2:
            self.champion, self.best = value, self.number
            return Verdict(Decision.CONFIRMED, "better", value, len(values), interval, before, state)
        decision = Decision.INCONCLUSIVE if interval else Decision.WORSE
        return Verdict(decision, "not better than the champion", value, len(values), interval, before, state)


def write_past(folder: Path, cycles: int, project_id: str = PROJECT) -> Past:
    """A project of ``cycles`` cycles in ``folder``, registered as this person's; whoever made it can go on with it."""
    write_notebook(folder / NOTEBOOK, "lr = 0.001\nwidth = 64\noptimizer = 'adam'\n", "loss.backward()\n")
    ledger, past = ProjectPaths(folder).ledger, Past(project_id)
    ledger.parent.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(ledger, _Clock(cycles).now)
    store.query("PRAGMA synchronous=OFF")  # only to write the past quickly
    for event in past.opened(folder):
        store.append(event)
    for _ in range(cycles):
        for event in past.cycle():
            store.append(event)
    store.close()
    Registry().add(project_id, folder)
    return past


def copy_past(folder: Path, copy: Path, project_id: str) -> None:
    """The same log as another project, in the folder ``copy``: without a notebook, to be looked at."""
    ledger = ProjectPaths(copy).ledger
    ledger.parent.mkdir(parents=True)
    shutil.copy(ProjectPaths(folder).ledger, ledger)
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("UPDATE events SET body = json_set(body, '$.project_id', ?) WHERE kind = 'opened'", (project_id,))
        db.commit()
    Registry().add(project_id, copy)


@contextlib.contextmanager
def live_run(folder: Path, run: str, reports: int) -> Iterator[None]:
    """The run folder of a live run that has reported so often; its runner is a process that only sleeps."""
    runner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    try:
        _write_run(ProjectPaths(folder).run(run), runner.pid, reports)
        yield
    finally:
        runner.kill()
        runner.wait()


def _write_run(paths: RunPaths, pid: int, reports: int) -> None:
    paths.root.mkdir(parents=True)
    began = time.time() - 3600
    owner = RunnerOwner(pid, start_ticks(pid), boot_id(), socket.gethostname(), began)
    paths.owner.write_bytes(msgspec.json.encode(owner))
    paths.live.write_bytes(msgspec.json.encode(Live(pid, 1, 2, began)))
    with paths.metrics.open("w") as file:
        for step in range(reports):
            values = {METRIC: 0.9 * (1 - math.exp(-step / 9000)), "train_loss": math.exp(-step / 9000)}
            line = {"t": began + 3600 * step / reports, "cell": 1, "step": step, "values": values, "source": "report"}
            file.write(f"{json.dumps(line)}\n")
    sample = ResourceLine(time.time(), 180.0, 1_200_000_000, 3)
    paths.resources.write_bytes(msgspec.json.encode(sample) + b"\n")


class _Clock:
    """Twenty minutes between two events' cycles, the last one now: the bill has many days."""

    def __init__(self, cycles: int) -> None:
        self._at, self._step = time.time() - cycles * 1200.0, 120.0

    def now(self) -> float:
        self._at += self._step
        return self._at

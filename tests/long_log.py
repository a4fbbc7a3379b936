"""A log as long nights write it: thousands of cycles, each with its run, verdict and lesson."""

import math
from collections.abc import Iterator

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Usage
from jupyter_deepresearch.core.project import Budget, Direction, Objective, Project
from jupyter_deepresearch.core.types import (
    Decision,
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Purpose,
    Run,
    RunState,
    Source,
    Verdict,
)

PROJECT = Project("long", "train.ipynb", Objective("score", Direction.MAXIMIZE), budget=Budget(cycles=100_000))
CURVE = tuple((float(step), math.sin(step)) for step in range(200))


def long_log(cycles: int) -> Iterator[ev.Event]:
    """Seven events a cycle; every hundredth experiment is a new champion."""
    yield ev.Opened("long-1", PROJECT, Source("{}" * 5000), ev.Survey(parameters={"x": 0.0, "lr": 0.1}))
    yield from _cycle(0, None, Decision.BASELINE)
    champion = 0
    for number in range(1, cycles + 1):
        decision = Decision.CONFIRMED if number % 100 == 0 else Decision.WORSE
        yield from _cycle(number, champion, decision)
        champion = number if decision is Decision.CONFIRMED else champion


def _cycle(number: int, parent: int | None, decision: Decision) -> Iterator[ev.Event]:
    kind = HypothesisKind.BASELINE if parent is None else HypothesisKind.PARAMETERS
    parameters = {} if parent is None else {"x": number / 7, "lr": 1 / (number + 1)}
    hypothesis = Hypothesis(f"x = {number / 7:.4g} beats the champion", kind, "as before", parameters=parameters)
    experiment = Experiment(number, hypothesis, parent, number or None, settings=parameters)
    run = Run(number, Purpose.BASELINE if parent is None else Purpose.CANDIDATE)
    value = math.log(number + 1)
    yield ev.Answered(f"think-{number}", Usage("think", "model", 1000, 100, usd=0.01), "an answer " * 20, number)
    yield ev.Proposed(experiment)
    yield ev.Planned(run)
    yield ev.Launched(Handle(run.id, "fake", "1", 1, 2, "boot"))
    yield ev.Ended(Outcome(run.id, RunState.SUCCEEDED, value, CURVE, {"score": value, "loss": 1.0}, 60.0, 60.0))
    verdict = Verdict(decision, "measured", value, 1, state=RunState.SUCCEEDED)
    yield ev.Judged(number, verdict, f"experiments/{number:04d}-x.ipynb")
    yield ev.Reflected(number, Lesson(f"x = {number / 7:.4g} was {decision.value}"))

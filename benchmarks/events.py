"""Histories to measure with: what a log holds of cycles long past."""

from collections.abc import Iterator

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.types import (
    Decision,
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


def baseline(value: float) -> Iterator[ev.Event]:
    """The events of the person's notebook as it was."""
    experiment = Experiment(0, Hypothesis("baseline: the notebook as it is", HypothesisKind.BASELINE))
    verdict = Verdict(Decision.BASELINE, f"the baseline: {value:.4f}", value, 1, state=RunState.SUCCEEDED)
    yield from _closed(experiment, Run(0, Purpose.BASELINE), verdict, Lesson("the notebook runs"))


def cycle(number: int, settings: Parameters, verdict: Verdict, claim: str, lesson: str) -> Iterator[ev.Event]:
    """The six events of a cycle from its hypothesis to its lesson. ``number`` counts from 1."""
    hypothesis = Hypothesis(claim, HypothesisKind.PARAMETERS, parameters=settings)
    experiment = Experiment(number, hypothesis, parent=0, cycle=number, settings=settings)
    yield from _closed(experiment, Run(number, Purpose.CANDIDATE), verdict, Lesson(lesson))


def _closed(experiment: Experiment, run: Run, verdict: Verdict, lesson: Lesson) -> Iterator[ev.Event]:
    state = verdict.state or RunState.SUCCEEDED
    value = verdict.value if state is RunState.SUCCEEDED else None
    curve = () if value is None else tuple((float(step), value * step / 10) for step in range(1, 11))
    yield ev.Proposed(experiment)
    yield ev.Planned(run)
    yield ev.Launched(Handle(run.id, "local", "4711", 4711, 123456, "a-boot"))
    yield ev.Ended(Outcome(run.id, state, value, curve, {"train_loss": 0.1}, 12.5))
    yield ev.Judged(experiment.number, verdict, f"experiments/{experiment.number:04d}-a-claim.ipynb")
    yield ev.Reflected(experiment.number, lesson)

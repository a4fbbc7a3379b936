"""Hypotheses put into a log, and what it holds last."""

from __future__ import annotations

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import Experiment, Hypothesis, HypothesisKind
from jupyter_deepresearch.service.opened import OpenedProject


def propose(project: OpenedProject, claim: str = "x 3 is better", x: float = 3.0) -> int:
    """A hypothesis that waits for a person; its number."""
    number = project.state.next_experiment
    hypothesis = Hypothesis(claim, HypothesisKind.PARAMETERS, parameters={"x": x})
    project.ledger.append(ev.Proposed(Experiment(number, hypothesis, cycle=number + 1, settings={"x": x})))
    return number


def last_event(project: OpenedProject) -> ev.Event:
    project.state  # noqa: B018 - takes in what other processes wrote
    *_, last = project.store.records()
    return last.event

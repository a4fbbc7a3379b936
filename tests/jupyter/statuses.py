"""A status as a server would give it, for what is shown or offered of one."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_deepresearch.core.types import HypothesisKind, ProjectState, Purpose
from jupyter_deepresearch.service.views import (
    EstimateView,
    MemoryView,
    ObjectiveView,
    RankView,
    ResourcesView,
    RunView,
    StatusView,
    UsageView,
    WaitingView,
)


def rank(number: int, value: float) -> RankView:
    return RankView(
        number, value, (value - 0.01, value + 0.01), 3, f"experiments/{number:04}-it.ipynb", f"claim {number}"
    )


def run(number: int, resources: ResourcesView | None = None) -> RunView:
    name = f"{number:04}-candidate-seed-1"
    return RunView(name, number, Purpose.CANDIDATE, 1, 10, 11, 75.0, None, "", 240.0, resources)


def waiting(number: int, **parameters: float) -> WaitingView:
    estimate = EstimateView(2.0, 0.0, "")
    return WaitingView(number, f"claim {number}", "why", HypothesisKind.PARAMETERS, parameters, (), estimate, None)


def status(
    name: str = "digits",
    path: str = "/home/ada/digits",
    running: Sequence[RunView] = (),
    waits: Sequence[WaitingView] = (),
    space: Sequence[str] = (),
) -> StatusView:
    return StatusView(
        id=f"id-of-{name}",
        project=name,
        path=path,
        state=ProjectState.RUNNING,
        reason="running cycle 14",
        stop_reason=None,
        cycle=14,
        cycles=50,
        objective=ObjectiveView("val_accuracy", "maximize", 0.0, None, "last", ()),
        baseline=rank(0, 0.9),
        champion=rank(12, 0.98),
        running=tuple(running),
        waiting=tuple(waits),
        usage=UsageView(3, 0, 0, 0.25, {}),
        memory=MemoryView(1, 1, 5000),
        space=tuple(space),
    )

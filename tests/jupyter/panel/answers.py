"""Who answers for one project, played: a log that grows at a word, a server that goes away at another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core.ports import Curves
from jupyter_deepresearch.core.types import Decision, HypothesisKind, ProjectState, Purpose, RunState
from jupyter_deepresearch.errors import Conflict, NoServer, NotFound
from jupyter_deepresearch.service.pictures import ParameterView, PointsView
from jupyter_deepresearch.service.views import (
    ChangedView,
    ChangesView,
    CostView,
    ExperimentView,
    LatestView,
    MemoryTexts,
    MemoryView,
    ObjectiveView,
    RankView,
    RunView,
    SpentView,
    StatusView,
    UsageView,
)

PROJECT = "p1"


def row(number: int, decision: Decision | None = Decision.WORSE, claim: str = "wider is better") -> ExperimentView:
    """One row of the history; without a decision it is still open."""
    state = RunState.RUNNING if decision is None else RunState.SUCCEEDED
    kind, value = HypothesisKind.PARAMETERS, None if decision is None else 0.5
    return ExperimentView(
        number, number, 0, claim, kind, {"lr": 0.1}, (), state, decision, value, None, 1, 60.0, 0.0, None
    )


def run(experiment: int, step: float | None = None) -> RunView:
    """A live run that has reported ``step`` last."""
    latest = None if step is None else LatestView(step, {"score": step})
    return RunView(f"{experiment:04d}-seed-1", experiment, Purpose.CANDIDATE, 1, 1, 2, 5.0, latest)


def status(seq: int = 1) -> StatusView:
    return StatusView(
        PROJECT,
        "digits",
        "/home/ada/digits",
        ProjectState.PAUSED,
        "paused",
        None,
        3,
        50,
        ObjectiveView("score", "maximize", 0.0, None, "last", ()),
        None,
        None,
        (),
        (),
        UsageView(0, 0, 0, 0.0, {}),
        MemoryView(1, 1, 5000),
        seq=seq,
    )


def cost(days: int = 1) -> CostView:
    spent = SpentView(1, 10, 10, 0.1, 0, 0, 1.0)
    by_day = {f"2026-10-{day:02d}": spent for day in range(1, days + 1)}
    return CostView(1, 10, 10, 0.1, {"think": spent}, 0, 0, 1.0, by_day, {"m": spent}, 0, 0)


@dataclass
class Told:
    """A command as it was written."""

    kind: str
    command_id: str | None
    body: dict[str, Any]


@dataclass
class Answers:
    """See ``Client``. ``asked`` are the questions since it was last emptied; ``gone`` is why nobody answers now."""

    view: StatusView = field(default_factory=status)
    rows: tuple[ExperimentView, ...] = ()
    changed_at: dict[int, int] = field(default_factory=dict)
    gone: str = ""
    refusal: str = ""
    told: list[Told] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bill: CostView = field(default_factory=cost)
    diff: tuple[ChangedView, ...] = ()
    remark: str = ""

    def grow(self, *rows: ExperimentView, **changes: Any) -> None:
        """The log has one event more, which these experiments are about."""
        self.view = replace(self.view, seq=self.view.seq + 1, **changes)
        known = {row.experiment: row for row in self.rows} | {row.experiment: row for row in rows}
        self.rows = tuple(known[number] for number in sorted(known, reverse=True))
        self.changed_at |= {row.experiment: self.view.seq for row in rows}

    def crown(self, number: int, seeds: int = 1) -> None:
        """Experiment ``number`` is the champion."""
        self.grow(champion=RankView(number, 0.9, None, seeds, None, "wider"))

    def _noted(self, question: str) -> None:
        if self.gone:
            raise NoServer(self.gone)
        self.asked.append(question)

    def projects(self) -> tuple[StatusView, ...]:
        self._noted("projects")
        return (self.view,)

    def start(self, folder: Path, options: Options | None = None, brief: str | None = None) -> StatusView:
        self._noted("start")
        return self.view

    def status(self, project_id: str) -> StatusView:
        self._noted("status")
        return self.view

    def history(self, project_id: str) -> tuple[ExperimentView, ...]:
        self._noted("history")
        return tuple(reversed(self.rows))

    def newest(self, project_id: str, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]:
        self._noted("newest")
        return tuple(row for row in self.rows if before is None or row.experiment < before)[:limit]

    def points(self, project_id: str, after: int = 0) -> PointsView:
        self._noted(f"points {after}")
        rows = [row for row in reversed(self.rows) if self.changed_at[row.experiment] > after]
        return PointsView(
            self.view.seq,
            experiment=tuple(row.experiment for row in rows),
            value=tuple(row.value for row in rows),
            low=tuple(None for _ in rows),
            high=tuple(None for _ in rows),
            decision=tuple(row.decision for row in rows),
            state=tuple(row.state for row in rows),
            measure=tuple(row.measure for row in rows),
            parent=tuple(row.parent for row in rows),
        )

    def parameters(self, project_id: str) -> tuple[ParameterView, ...]:
        self._noted("parameters")
        return (ParameterView("lr", 0.2, 0.1, "0.001..1 log"),)

    def curve(self, project_id: str, number: int, metric: str, points: int, run: str | None = None) -> Curves:
        self._noted(f"curve {number} {run}")
        series = {"score": ((0.0, 0.5), (1.0, float("nan")))} if metric == "score" else {}
        return Curves(run or "latest", series)

    def experiment(self, project_id: str, number: int) -> ExperimentView:
        self._noted(f"experiment {number}")
        found = next((row for row in self.rows if row.experiment == number), None)
        if found is None:
            raise NotFound(f"there is no experiment {number} in digits")
        return found

    def changes(self, project_id: str, number: int, to: int | None = None) -> ChangesView:
        self._noted(f"changes {number} {to}")
        return ChangesView(0, number, self.diff)

    def memory(self, project_id: str) -> MemoryTexts:
        self._noted("memory")
        return MemoryTexts("be better", f"log of {self.view.seq}", "")

    def cost(self, project_id: str) -> CostView:
        self._noted("cost")
        return self.bill

    def command(self, project_id: str, kind: str, command_id: str | None = None, **body: Any) -> int:
        self._noted(f"command {kind}")
        if self.refusal:
            raise Conflict(self.refusal)
        if command_id not in [told.command_id for told in self.told]:
            self.told.append(Told(kind, command_id, body))
            self.grow()
        return self.view.seq


def finder(*servers: Answers) -> Callable[[], Answers]:
    """What finds the first of these servers that is there, as ``Client.here`` does."""

    def find() -> Answers:
        for server in servers:
            if not server.gone:
                return server
        raise NoServer(servers[0].gone)

    return find

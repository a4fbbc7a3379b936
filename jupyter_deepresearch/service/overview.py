"""One light row a project: what a list of all of them shows."""

import datetime as dt
from dataclasses import dataclass, replace

from ..core.ports import Owner
from ..core.state import Bill
from ..core.types import ProjectState
from . import status
from .past import Rows
from .views import Life, RankView

SPARK_POINTS = 60


@dataclass(frozen=True)
class OverviewView:
    """A project in a list of all. ``waiting`` are hypotheses, ``running`` experiments with a live run, by number.

    ``usd_today`` (UTC) is null where calls were made and none has a known price. ``spark``: the values of the latest 60
    experiments of the measure in force, oldest first, null where there is none.
    """

    id: str
    project: str
    path: str
    place: str | None
    seq: int
    state: ProjectState
    reason: str
    cycle: int
    cycles: int | None
    metric: str
    direction: str
    baseline: RankView | None
    champion: RankView | None
    waiting: tuple[int, ...]
    running: tuple[int, ...]
    usd_today: float | None
    calls_today: int
    spark: tuple[float | None, ...]


def overview(at: status.Situation, now: float) -> OverviewView:
    """The row of one project. ``now`` is wall time in seconds since 1970."""
    state, objective = at.state, at.state.project.objective
    word, reason, _ = status.course(at)
    today = state.bill.today if state.bill.day == utc_day(now) else Bill().today
    baseline, champion = status.ranks(at)
    return OverviewView(
        id=state.opened.project_id,
        project=state.project.name,
        path=at.path,
        place=at.place,
        seq=state.seq,
        state=word,
        reason=reason,
        cycle=state.cycles,
        cycles=state.project.budget.cycles,
        metric=objective.metric,
        direction=objective.direction.value,
        baseline=baseline,
        champion=champion,
        waiting=tuple(number for number in sorted(state.works) if state.works[number].waiting),
        running=tuple(sorted({live.run.experiment for live in state.runs.values()})),
        usd_today=today.usd,
        calls_today=today.calls,
        spark=_spark(at.rows, state.measure),
    )


def _spark(rows: Rows, measure: int) -> tuple[float | None, ...]:
    """Measures only ever rise: those before the one in force are the oldest of the latest."""
    latest = rows.query("SELECT value, measure FROM experiments ORDER BY experiment DESC LIMIT ?", SPARK_POINTS)
    return tuple(value for value, of in reversed(latest) if of == measure)


def utc_day(now: float) -> str:
    """The UTC day of a wall time, as the bill names days."""
    return dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat()


@dataclass(frozen=True)
class Row:
    """A project's row and what it was made with: who held the lease, who researched it, the UTC day. ``is_at_rest``:
    nothing is to be done in it until a person says so."""

    view: OverviewView
    holder: Owner | None
    life: Life
    day: str
    is_at_rest: bool

    @property
    def lasts(self) -> bool:
        """Whether it holds until the ledger changes; a live run tells something new every second."""
        return not (self.life.alive and self.view.running)

    def on(self, day: str) -> "Row":
        """The row of a later day, if nothing has happened since."""
        if day == self.day or not self.view.calls_today:
            return self
        return replace(self, day=day, view=replace(self.view, usd_today=Bill().today.usd, calls_today=0))

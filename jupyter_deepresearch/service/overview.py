"""One light row a project: what a list of all of them shows. What is at rest is read again once its ledger changes."""

import datetime as dt
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.ports import Owner
from ..core.state import Bill
from ..core.types import ProjectState
from ..processes import is_alive
from . import status
from .past import Rows
from .registry import Known
from .views import Life, RankView

SPARK_POINTS = 60
_SETTLED_S = 2.0
"""So long after the last write a ledger's time of change tells it from a later one: file systems keep it in steps."""


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
    """A project's row and what it was made with: who held the lease, who researched it. ``is_at_rest``: nothing is to
    be done in it until a person says so."""

    view: OverviewView
    holder: Owner | None
    life: Life
    is_at_rest: bool

    @property
    def lasts(self) -> bool:
        """Whether it holds until the ledger changes; a live run tells something new every second."""
        return not (self.life.alive and self.view.running)


@dataclass(frozen=True)
class _Mark:
    """What tells a ledger from what it was: the file and its changes, and those of what was not merged into it yet."""

    ledger: tuple[int, int, int, int]
    unmerged: tuple[int, int] | None

    def is_settled(self, now: float) -> bool:
        """Whether a later write is certain to show in it."""
        changes = [self.ledger[-1], *([self.unmerged[-1]] if self.unmerged else [])]
        return max(changes) / 1e9 + _SETTLED_S < now


def _mark(folder: Path) -> _Mark | None:
    """None where there is no ledger."""
    path = f"{folder}/.deepresearch/ledger.db"
    try:
        found = os.stat(path)
    except OSError:
        return None
    try:
        beside = os.stat(f"{path}-wal")
    except OSError:
        beside = None
    unmerged = (beside.st_size, beside.st_mtime_ns) if beside is not None and beside.st_size else None
    return _Mark((found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns), unmerged)


class Overviews:
    """The rows of projects at rest, each held until its ledger, its life or the day is another. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._known: dict[str, tuple[tuple[_Mark, str], Row]] = {}

    def row(self, known: Known, life: Callable[[str, Owner | None], Life], look: Callable[[Known], Row]) -> Row:
        """What ``look`` makes of the project, or made of it when it was the same. ``life``: by its id and holder."""
        now = time.time()
        with self._lock:
            mark, earlier = _mark(known.folder), self._known.get(known.project_id)
            as_of = (mark, utc_day(now))
            if earlier is not None and earlier[0] == as_of:
                row = earlier[1]
                if life(known.project_id, _living(row.holder)) == row.life:
                    return row
            self._known.pop(known.project_id, None)
            row = look(known)
            if mark is not None and mark.is_settled(now) and row.lasts:
                self._known[known.project_id] = (mark, as_of[1]), row
            return row


def _living(holder: Owner | None) -> Owner | None:
    """The holder of a lease, None once its process here has died; of another machine's nothing is known."""
    if holder is None or holder.host != socket.gethostname():
        return holder
    return holder if is_alive(holder.pid, holder.start_time, holder.boot_id) else None

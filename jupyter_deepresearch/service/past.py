"""Rows of the history and of the log as views, asked of the store by SQL."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from ..core.events import Record, kind_of
from ..core.state import Work
from ..core.types import Decision, Edit, Parameters, RunState, Value
from .pictures import PointsView
from .views import ExperimentView, NearestView

NEAREST_AMONG = 1000


class Rows(Protocol):
    """What the views ask of a store."""

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]: ...


_COLUMNS = (
    "experiment, cycle, parent, claim, kind, parameters, edits, by_hand, state, decision, value, interval, seeds,"
    " elapsed_s, usd, notebook, reason, measure"
)
_NAMES = (*_COLUMNS.replace(" ", "").split(","), "delta")
_ROWS = f"SELECT {_COLUMNS}, value - champion_before AS delta FROM experiments"


def history(rows: Rows, after: int = -1, limit: int | None = None) -> tuple[ExperimentView, ...]:
    """Experiments with a greater number, oldest first, at most ``limit``."""
    found = rows.query(
        f"{_ROWS} WHERE experiment > ? ORDER BY experiment LIMIT ?",
        after,
        -1 if limit is None else limit,
    )
    return tuple(_experiment(row) for row in found)


def newest(rows: Rows, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]:
    """At most ``limit`` experiments with a lower number, newest first."""
    found = rows.query(
        f"{_ROWS} WHERE experiment < ? ORDER BY experiment DESC LIMIT ?",
        2**62 if before is None else before,
        limit,
    )
    return tuple(_experiment(row) for row in found)


_POINTS = "SELECT experiment, value, interval, decision, state, measure, parent FROM experiments"
# What is said of a run is said of its experiment. CROSS JOIN: what is new first, which is little.
_CHANGED = """
SELECT experiment FROM events WHERE seq > ?1 AND experiment IS NOT NULL
UNION SELECT p.experiment FROM events e CROSS JOIN events p ON p.run = e.run AND p.kind = 'planned'
WHERE e.seq > ?1 AND e.run IS NOT NULL AND e.experiment IS NULL
"""
_NEW_MEASURE = "SELECT 1 FROM events WHERE kind = 'sourced' AND seq > ? AND json_extract(body, '$.new_measure') LIMIT 1"
# A new measure leaves behind what had not begun: the one change of experiments that no event names.
_LEFT_BEHIND = " UNION SELECT experiment FROM experiments WHERE state = 'cancelled' AND decision IS NULL"


def points(rows: Rows, seq: int, after: int = 0) -> PointsView:
    """The experiments that something above ``after`` was said of, as columns; ``seq`` is that of the log's last event.

    An experiment that changed again (reproduced, retracted, rejected, left behind by a new measure) is among them.
    """
    changed, values = "", tuple[int, ...]()
    if after > 0:
        left = _LEFT_BEHIND if rows.query(_NEW_MEASURE, after) else ""
        changed, values = f" WHERE experiment IN ({_CHANGED}{left})", (after,)
    found = rows.query(f"{_POINTS}{changed} ORDER BY experiment", *values)
    intervals = [(None, None) if row[2] is None else msgspec.json.decode(row[2]) for row in found]
    return PointsView(
        seq,
        experiment=tuple(row[0] for row in found),
        value=tuple(row[1] for row in found),
        low=tuple(low for low, _ in intervals),
        high=tuple(high for _, high in intervals),
        decision=tuple(row[3] and Decision(row[3]) for row in found),
        state=tuple(RunState(row[4]) for row in found),
        measure=tuple(row[5] for row in found),
        parent=tuple(row[6] for row in found),
    )


def experiment(rows: Rows, number: int) -> ExperimentView | None:
    """One experiment, None where there is none of this number."""
    found = rows.query(f"{_ROWS} WHERE experiment = ?", number)
    return _experiment(found[0]) if found else None


def _experiment(row: tuple[Any, ...]) -> ExperimentView:
    named = dict(zip(_NAMES, row, strict=True))
    for name in ("parameters", "edits", "by_hand", "interval"):
        named[name] = None if named[name] is None else msgspec.json.decode(named[name])
    named["parameters"] = named["parameters"] or {}
    named["edits"] = [*(named.pop("by_hand") or ()), *(named["edits"] or ())]
    return msgspec.convert(named, ExperimentView)


def nearest(rows: Rows, work: Work, measure: int, base: Parameters) -> NearestView | None:
    """The judged experiment that differs least: in the number of values and of edited places, then in relative size.

    Places count where the code differs: two ways to the same code are the same.
    """
    own = {edit.where for edit in work.experiment.edits}
    best: tuple[tuple[int, float], NearestView] | None = None
    for number, claim, decision, value, settings, code, edits, by_hand in rows.query(
        "SELECT experiment, claim, decision, value, settings, code, edits, by_hand FROM trials"
        " WHERE measure = ? AND experiment <> ?"
        " ORDER BY experiment DESC LIMIT ?",
        measure,
        work.number,
        NEAREST_AMONG,
    ):
        differing, size = _distance(work.experiment.settings, msgspec.json.decode(settings), base)
        if code != work.experiment.code:
            differing += max(1, len(own ^ {*_places(edits), *_places(by_hand)}))
        distance = differing, size
        if best is None or distance < best[0]:
            best = distance, NearestView(number, claim, decision, value)
    return best[1] if best else None


def _places(edits: str | None) -> Iterator[str]:
    if edits is not None and edits != "[]":
        yield from (edit.where for edit in msgspec.json.decode(edits, type=list[Edit]))


def _distance(a: Parameters, b: Parameters, base: Parameters) -> tuple[int, float]:
    differing, size = 0, 0.0
    for name in {*a, *b}:
        x, y = a.get(name, base.get(name)), b.get(name, base.get(name))
        if x == y:
            continue
        differing += 1
        size += _relative(x, y)
    return differing, size


def _relative(x: Value, y: Value) -> float:
    if isinstance(x, int | float) and isinstance(y, int | float):
        with contextlib.suppress(OverflowError):  # whole numbers beyond all floats
            return abs(x - y) / max(abs(x), abs(y))
    return 1.0


def events(records: Iterable[Record]) -> Iterator[Mapping[str, Any]]:
    """Records as JSON objects ``{seq, at, kind, body}``. Notebooks and code are left out: they are large."""
    for record in records:
        body = msgspec.to_builtins(record.event)
        for holder in (body, body.get("experiment")):
            if isinstance(holder, dict) and holder.get("source") is not None:
                holder["source"] = None
        yield {"seq": record.seq, "at": record.at, "kind": kind_of(record.event), "body": body}

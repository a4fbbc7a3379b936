"""What the kernel sends to a view, as JSON and packed columns, each small whatever a project holds. Pure."""

import math
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from ...core.types import Decision, RunState
from ...service.pictures import PointsView
from ...service.views import CostView

PAGE_POINTS = 4000
DAYS = 14
MESSAGE_BYTES = 90_000
# How long a text and a list may be, from the first pair with which the whole is small enough. Ids are shorter still.
_CUTS = ((2000, 500), (400, 200), (150, 100), (100, 50), (100, 25), (100, 8))
_DECISIONS: Mapping[Decision | None, int] = {None: 0, **{decision: 1 + i for i, decision in enumerate(Decision)}}
_STATES: Mapping[RunState, int] = {state: i for i, state in enumerate(RunState)}
_LARGEST_FLOAT = 3.4e38


def pack(view: PointsView, start: int = 0, stop: int | None = None) -> bytes:
    """Some of these experiments as little-endian columns, 20 bytes each after their number (4 bytes).

    u4 experiment, f4 value, f4 low, f4 high (NaN where there is none), u2 measure, u1 decision (0: none, else 1 + its
    place in ``Decision``), u1 state (its place in ``RunState``).
    """
    part = slice(start, stop)
    experiment = view.experiment[part]
    columns: list[array[Any]] = [
        array("I", [len(experiment)]),
        array("I", experiment),
        *(array("f", _floats(column[part])) for column in (view.value, view.low, view.high)),
        array("H", [min(measure, 0xFFFF) for measure in view.measure[part]]),
        array("B", [_DECISIONS[decision] for decision in view.decision[part]]),
        array("B", [_STATES[state] for state in view.state[part]]),
    ]
    if sys.byteorder == "big":
        for column in columns:
            column.byteswap()
    return b"".join(column.tobytes() for column in columns)


def pages(view: PointsView) -> Iterator[bytes]:
    """All of them, packed, at most 4,000 at a time; one empty page where there is none."""
    for start in range(0, max(1, len(view.experiment)), PAGE_POINTS):
        yield pack(view, start, start + PAGE_POINTS)


def _floats(column: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else max(-_LARGEST_FLOAT, min(_LARGEST_FLOAT, value)) for value in column]


def plain(view: object, limit_bytes: int = MESSAGE_BYTES) -> Any:
    """A view as JSON values, NaN and infinities as null, long texts and lists cut where it would be too large."""
    text = msgspec.json.encode(view)
    whole = msgspec.json.decode(text)
    for chars, items in _CUTS:
        if len(text) <= limit_bytes:
            break
        whole = _cut(whole, chars, items)
        text = msgspec.json.encode(whole)
    return whole


def _cut(value: Any, chars: int, items: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= chars else f"{value[: chars - 1]}…"
    if isinstance(value, list):
        more = ["…"] if len(value) > items and isinstance(value[-1], str) else []
        return [*(_cut(item, chars, items) for item in value[: items - len(more)]), *more]
    if isinstance(value, dict):
        return {key[:chars]: _cut(item, chars, items) for key, item in list(value.items())[: max(items, 30)]}
    return value


def recent(cost: CostView) -> CostView:
    """The bill with its last 14 days only."""
    return replace(cost, by_day=dict(list(cost.by_day.items())[-DAYS:]))

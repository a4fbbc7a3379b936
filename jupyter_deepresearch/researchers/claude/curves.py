"""What a reported curve looks like, in a few numbers: its end, its best, where it goes, what is odd. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...core.project import Direction, guess_direction

Point = tuple[float, float]
"""A step and the value reported there."""

_LEAST_POINTS = 5
_SPIKE_FACTOR = 8.0
_SPIKE_SHARE = 0.15
_GAIN_SHARE = 0.01
_PAIRS = (("train", "val"), ("train", "valid"), ("train", "validation"), ("train", "eval"), ("train", "test"))


@dataclass(frozen=True)
class Shape:
    """A series in a few numbers. ``slope`` is per step over the last third, ``flat_since`` the step since which nothing
    better came (only where that is at least a third of all), ``broke_at`` the first step without a finite value;
    ``is_worse`` where it ends clearly worse than it began. None where there is nothing to tell it by."""

    last: Point
    best: Point
    slope: float | None = None
    spikes: int = 0
    largest: Point | None = None
    flat_since: float | None = None
    broke_at: float | None = None
    is_worse: bool = False


@dataclass(frozen=True)
class Gap:
    """The last values of the same measure on training and on held-out data."""

    train: str
    held_out: str
    train_value: float
    held_out_value: float

    @property
    def size(self) -> float:
        """By how much the held-out value lies above that of training."""
        return self.held_out_value - self.train_value


def shape(points: Sequence[Point], direction: Direction) -> Shape | None:
    """What the series looks like; None without a finite value. Steps may come in any order."""
    ordered = sorted((p for p in points if math.isfinite(p[0])), key=lambda p: p[0])
    finite = [p for p in ordered if math.isfinite(p[1])]
    if not finite:
        return None
    sign = 1.0 if direction is Direction.MAXIMIZE else -1.0
    best = max(finite, key=lambda p: sign * p[1])
    odd = _spikes(finite)
    broken = [step for step, value in ordered if not math.isfinite(value)]
    return Shape(
        last=finite[-1],
        best=best,
        slope=_slope(finite[-max(len(finite) // 3, 3) :]),
        spikes=len(odd),
        largest=max(odd, key=lambda pair: pair[0])[1] if odd else None,
        flat_since=_flat_since(finite, sign),
        broke_at=min(broken, default=None),
        is_worse=len(finite) >= _LEAST_POINTS and _ends_worse(finite, best, sign),
    )


def gaps(series: Mapping[str, Sequence[Point]]) -> tuple[Gap, ...]:
    """The pairs of series that measure the same on training and on held-out data, told by their names."""
    found = []
    for name in sorted(series):
        train = _partner(name, series)
        if train is None:
            continue
        ends = [shape(series[n], guess_direction(n)) for n in (train, name)]
        if ends[0] is not None and ends[1] is not None:
            found.append(Gap(train, name, ends[0].last[1], ends[1].last[1]))
    return tuple(found)


def _partner(name: str, series: Mapping[str, Sequence[Point]]) -> str | None:
    """The series on training data that ``name``, on held-out data, belongs to."""
    for train, held_out in _PAIRS:
        for mark in ("_", "/", "-", "."):
            prefix, suffix = held_out + mark, mark + held_out
            rest = name.removeprefix(prefix) if name.startswith(prefix) else name.removesuffix(suffix)
            if rest == name:
                continue
            for other in (f"{train}{mark}{rest}", f"{rest}{mark}{train}", rest):
                if other in series and other != name:
                    return other
    return None


def _slope(points: Sequence[Point]) -> float | None:
    """The least-squares slope; None for fewer than three points, one step, or numbers too large for it."""
    if len(points) < 3:
        return None
    middle = sum(s / len(points) for s, _ in points), sum(v / len(points) for _, v in points)
    across = sum((s - middle[0]) * (s - middle[0]) for s, _ in points)
    along = sum((s - middle[0]) * (v - middle[1]) for s, v in points)
    slope = along / across if across > 0 and math.isfinite(across) else math.nan
    return slope if math.isfinite(slope) else None


def _spikes(points: Sequence[Point]) -> list[tuple[float, Point]]:
    """Values that stick out of those around them, with how far: more than eight times the usual distance from the
    median of five, and more than 15 % of the whole span. A steep rise or fall is none."""
    if len(points) < _LEAST_POINTS:
        return []
    values = [value for _, value in points]
    off = []
    for i in range(len(values)):
        start = min(max(i - 2, 0), len(values) - 5)
        off.append(abs(values[i] - statistics.median(values[start : start + 5])))
    span = max(values) - min(values)
    bound = max(_SPIKE_FACTOR * statistics.median(off), _SPIKE_SHARE * span)
    turns = (i for i in range(1, len(values) - 1) if (values[i] > values[i - 1]) == (values[i] > values[i + 1]))
    return [(off[i], points[i]) for i in turns if off[i] > bound and math.isfinite(bound)]


def _flat_since(points: Sequence[Point], sign: float) -> float | None:
    """The step of the last gain worth the name, one of at least 1 % of all that was gained."""
    total = max(sign * v for _, v in points) - sign * points[0][1]
    since, reached = points[0]
    for step, value in points:
        if sign * (value - reached) > _GAIN_SHARE * total:
            since, reached = step, value
    whole, left = points[-1][0] - points[0][0], points[-1][0] - since
    is_flat = len(points) >= _LEAST_POINTS and math.isfinite(whole) and whole > 0 and left >= whole / 3
    return since if is_flat else None


def _ends_worse(points: Sequence[Point], best: Point, sign: float) -> bool:
    """Whether the last value lies below the first by more than anything that was gained on the way."""
    lost, gained = sign * (points[0][1] - points[-1][1]), sign * (best[1] - points[0][1])
    return lost > 0 and lost > gained and lost > 0.1 * abs(points[0][1])

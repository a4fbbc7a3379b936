"""From reported lines to the value that counts. Pure.

What ``report()`` and libraries gave goes before what was read from printed lines; what locked cells reported goes
before the rest, which then is a curve only.
"""

import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ...core.project import Direction, Objective, ValueRule
from ..spec import MetricLine

CURVE_POINTS = 200
PRINTED = "printed"
BARS = "tqdm"
_MOST_NAMES = 1000

Point = tuple[float, float]


def is_shown(source: str) -> bool:
    """Whether a line's numbers were shown to a reader, printed or beside a bar: weaker than those reported."""
    return source in (PRINTED, BARS)


@dataclass(frozen=True)
class Score:
    """What a run's reports come to.

    ``value`` is the number that counts, None where the metric was never reported; it may be NaN or infinite.
    ``curve``: at most 200 finite (step, value); ``names``: all metrics reported, in order of first appearance.
    """

    value: float | None
    curve: tuple[Point, ...]
    finals: dict[str, float]
    locked: bool
    names: tuple[str, ...]


@dataclass
class _Series:
    """The objective's reports of one kind. A NaN step stands for a report without one."""

    steps: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, step: float | None, value: float) -> None:
        self.steps.append(math.nan if step is None else step)
        self.values.append(value)

    def points(self) -> Iterator[Point]:
        """Finite points by step, or by index where any report has no step."""
        use_steps = not any(math.isnan(step) for step in self.steps)
        for index, value in enumerate(self.values):
            if math.isfinite(value):
                yield (self.steps[index] if use_steps else float(index)), value


class Tally:
    """Takes reported lines as they come; tells the score at any time. Holds 16 bytes a report of the objective."""

    def __init__(self, objective: Objective, locked_cells: Collection[int] = ()) -> None:
        self._objective = objective
        self._locked_cells = frozenset(locked_cells)
        self._series: dict[tuple[bool, bool], _Series] = {}
        self._finals: dict[str, float] = {}
        self._names: dict[str, None] = {}
        self._reported: set[str] = set()

    def add(self, line: MetricLine) -> None:
        """Count one line in."""
        printed = is_shown(line.source)
        for name, value in line.values.items():
            if name not in self._names and len(self._names) >= _MOST_NAMES and name != self._objective.metric:
                continue
            self._names[name] = None
            if not printed and name not in self._reported:
                self._reported.add(name)
                self._finals.pop(name, None)
            if math.isfinite(value) and not (printed and name in self._reported):
                self._finals[name] = value
            if name == self._objective.metric:
                self._series.setdefault((printed, line.cell in self._locked_cells), _Series()).add(line.step, value)

    def has_reported(self, name: str) -> bool:
        """Whether ``report()`` or a library gave this name, so that printed lines no longer count for it."""
        return name in self._reported

    def score(self) -> Score:
        """The score of all lines so far."""
        printed = not any(not key[0] for key in self._series)
        counted = self._series.get((printed, True))
        other = self._series.get((printed, False))
        locked = counted is not None
        series = counted or other
        value = None if series is None else _counted(series.values, self._objective)
        shown = other if other is not None and (series is other or len(other.values) > 1) else series
        curve = () if shown is None else downsample(list(shown.points()), CURVE_POINTS)
        return Score(value, curve, dict(self._finals), locked, tuple(self._names))


def score(lines: Iterable[MetricLine], objective: Objective, locked_cells: Collection[int] = ()) -> Score:
    """The score of a run's reported lines."""
    tally = Tally(objective, locked_cells)
    for line in lines:
        tally.add(line)
    return tally.score()


def _counted(values: Sequence[float], objective: Objective) -> float:
    """The last value, or the best finite one where the objective says so (the last, where none is finite)."""
    finite = [v for v in values if math.isfinite(v)] if objective.value is ValueRule.BEST else []
    if not finite:
        return values[-1]
    return max(finite) if objective.direction is Direction.MAXIMIZE else min(finite)


def downsample(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """At most ``most`` (>= 4) points, in order: first and last, and of equal stretches the lowest and the highest."""
    if len(points) <= most:
        return tuple(points)
    stretches = (most - 2) // 2
    inner = len(points) - 2
    kept = [0]
    for number in range(stretches):
        low, high = 1 + number * inner // stretches, 1 + (number + 1) * inner // stretches
        stretch = range(low, high)
        ends = {min(stretch, key=lambda i: points[i][1]), max(stretch, key=lambda i: points[i][1])}
        kept.extend(sorted(ends))
    kept.append(len(points) - 1)
    return tuple(points[index] for index in kept)

"""Arithmetic of a search space: values as people write them, places in the unit cube, combinations, distances."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from ..core.types import Dimension, Parameters, Value
from .directive import NEVER_SEARCHED

SIGNIFICANT_DIGITS = 3
MOST_DIGITS = 6
FINITE_LIMIT = 4096

Key = frozenset[tuple[str, str, Value]]
"""A set of parameters as a duplicate is told by: equal numbers are equal whatever their type."""


def key(parameters: Parameters) -> Key:
    """What makes two experiments the same trial; the seed and the dry-run switch do not."""
    return frozenset((name, *_kind(value)) for name, value in parameters.items() if name.lower() not in NEVER_SEARCHED)


def holds_all(space: Sequence[Dimension], parameters: Parameters) -> bool:
    """Whether every searched parameter is there and lies in the space."""
    return all(d.name in parameters and d.holds(parameters[d.name]) for d in space)


def is_log(dimension: Dimension) -> bool:
    """Whether steps are factors; a range that reaches zero has none."""
    return dimension.log and dimension.low is not None and dimension.low >= (1 if dimension.integer else 1e-300)


def place(dimension: Dimension, value: Value) -> float:
    """Where a value lies in its dimension, 0 to 1."""
    if dimension.choices:
        return dimension.choices.index(value) / max(len(dimension.choices) - 1, 1)
    low, high = _ends(dimension)
    at = float(value) if isinstance(value, int | float) else low
    if low == high:
        return 0.0
    if is_log(dimension):
        return (math.log(at) - math.log(low)) / (math.log(high) - math.log(low))
    return (at - low) / (high - low)


def value_at(dimension: Dimension, at: float) -> Value:
    """The value at a place of 0 to 1, rounded as people write numbers."""
    if dimension.choices:
        return dimension.choices[min(int(at * len(dimension.choices)), len(dimension.choices) - 1)]
    low, high = _ends(dimension)
    if dimension.integer:
        # Each whole number gets the same share, its ends included.
        low, high = low - 0.5, high + 0.5
    if is_log(dimension):
        return rounded(dimension, math.exp(math.log(low) + at * (math.log(high) - math.log(low))))
    return rounded(dimension, low + at * (high - low))


def rounded(dimension: Dimension, value: Value) -> Value:
    """A value to three significant digits (of itself, or of the range where that is
    finer, but never more than six), inside its bounds."""
    if dimension.choices or not isinstance(value, int | float):
        return value
    low, high = _ends(dimension)
    if dimension.integer:
        return min(max(round(value), math.ceil(low)), math.floor(high))
    spans = [span for span in (high - low, abs(value) if is_log(dimension) else 0.0) if span > 0]
    places = max((_places(span, SIGNIFICANT_DIGITS) for span in spans), default=0)
    places = min(places, _places(abs(value) or 1.0, MOST_DIGITS))
    return min(max(round(float(value), places), low), high)


def _places(span: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(span))


def size(space: Sequence[Dimension]) -> int | None:
    """The number of combinations, None where it has no end worth counting."""
    counts = [len(d.choices) if d.choices else _whole_numbers(d) for d in space]
    if any(count is None for count in counts):
        return None
    total = math.prod(count for count in counts if count is not None)
    return total if total <= FINITE_LIMIT else None


def combinations(space: Sequence[Dimension]) -> Iterator[Parameters]:
    """Every combination of a finite space."""
    options: list[Sequence[Value]] = []
    for d in space:
        low, high = (0.0, 0.0) if d.choices else _ends(d)
        options.append(d.choices or range(math.ceil(low), math.floor(high) + 1))
    for values in itertools.product(*options):
        yield dict(zip((d.name for d in space), values, strict=True))


def distance(space: Sequence[Dimension], one: Parameters, other: Parameters) -> float:
    """Root mean square distance in the unit cube; choices are the same (0) or not (1)."""
    total = 0.0
    for d in space:
        a, b = one[d.name], other[d.name]
        total += float(a != b) if d.choices else (place(d, a) - place(d, b)) ** 2
    return math.sqrt(total / max(len(space), 1))


def spread_point(space: Sequence[Dimension], index: int, shift: Sequence[float]) -> Parameters:
    """Point ``index`` of a sequence that fills the space evenly, however early it is cut off.

    The additive recurrence with the powers of the generalised golden ratio (M. Roberts, "The unreasonable
    effectiveness of quasirandom sequences", 2018), moved by ``shift`` (one number of 0 to 1 for each dimension).
    """
    ratio = _golden(len(space))
    return {d.name: value_at(d, (shift[i] + (index + 1) * ratio ** -(i + 1)) % 1.0) for i, d in enumerate(space)}


def changed(parameters: Parameters, base: Parameters) -> Mapping[str, Value]:
    """The parameters that differ from ``base``."""
    return {name: value for name, value in parameters.items() if name not in base or _kind(base[name]) != _kind(value)}


def _golden(dimensions: int) -> float:
    ratio = 2.0
    for _ in range(40):
        ratio = (1.0 + ratio) ** (1.0 / (dimensions + 1))
    return ratio


def _kind(value: Value) -> tuple[str, Value]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__, value
    return "number", value


def _ends(dimension: Dimension) -> tuple[float, float]:
    if dimension.low is None or dimension.high is None:
        raise ValueError(f"the dimension {dimension.name} has neither a range nor choices")
    return dimension.low, dimension.high


def _whole_numbers(dimension: Dimension) -> int | None:
    low, high = _ends(dimension)
    if dimension.integer:
        return math.floor(high) - math.ceil(low) + 1
    return 1 if low == high else None

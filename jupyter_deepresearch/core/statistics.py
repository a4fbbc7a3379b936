"""The little statistics that verdicts need, on the standard library."""

import math
from collections.abc import Sequence

# Two-sided 95 % quantiles of Student's t for 1..30 degrees of freedom (any printed table of the distribution).
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean. Raises ValueError on no value."""
    if not values:
        raise ValueError("the mean of no value is unknown")
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(v / len(values) for v in values)


def interval95(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of the mean, None below two values and where floats cannot hold it.

    Over 31 values the normal quantile stands in.
    """
    n = len(values)
    if n < 2:
        return None
    middle = mean(values)
    sd = math.hypot(*(v - middle for v in values)) / math.sqrt(n - 1)
    half = (_T95[n - 2] if n - 2 < len(_T95) else 1.96) * sd / math.sqrt(n)
    interval = middle - half, middle + half
    return interval if all(map(math.isfinite, interval)) else None

"""What a benchmark found, as rows of a table: measured, must, aim."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_HEADS = ("what", "measured", "must", "aim", "holds")


@dataclass(frozen=True)
class Row:
    """One figure, the smaller the better. ``must`` and ``aim`` are its upper bounds, None where there is none."""

    what: str
    measured: float
    unit: str = ""
    must: float | None = None
    aim: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure is a number within its ``must``."""
        return math.isfinite(self.measured) and (self.must is None or self.measured <= self.must)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        holds = "" if self.must is None else "yes" if self.holds else "NO"
        bounds = ("" if bound is None else f"<= {shown(bound, self.unit)}" for bound in (self.must, self.aim))
        return (self.what, shown(self.measured, self.unit), *bounds, holds)


@dataclass(frozen=True)
class Result:
    """One benchmark's rows, and in ``notes`` how they were measured, with n and the spread."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every ``must`` does."""
        return all(row.holds for row in self.rows)

    def table(self) -> str:
        """Title, rows and notes as text."""
        lines = [_HEADS, *(row.cells for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADS))]
        shown_lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([self.title, *(f"  {line}".rstrip() for line in shown_lines), *(f"  {n}" for n in self.notes)])


def shown(value: float, unit: str) -> str:
    """A figure with its unit, to three digits; whole numbers whole."""
    number = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest measured value that at least ``share`` of all do not exceed (nearest rank); NaN of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


def median(values: Sequence[float]) -> float:
    """The middle one of the measured values."""
    return percentile(values, 0.5)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile: of fewer than 100 values, the largest."""
    return percentile(values, 0.99)

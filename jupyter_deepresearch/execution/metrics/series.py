"""The reported series of one run, read from a file that may still grow; and their downsampling."""

import contextlib
import json
import math
import os
import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from ..spec import MetricLine

_READ_BYTES = 1 << 20
_MOST_NAMES = 1000
_BLOCK = 64
_LINE = msgspec.json.Decoder(MetricLine)

Point = tuple[float, float]


@dataclass
class Series:
    """One name's finite values in order of their reports. A report without a step has its number in the series.

    Of every block of values the places of its lowest and its highest are kept: a look at a run of a million reports,
    once a second, reads one value of 64.
    """

    steps: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    reports: int = 0
    _lows: "array[int]" = field(default_factory=lambda: array("q"))
    _highs: "array[int]" = field(default_factory=lambda: array("q"))
    _shown: tuple[int, int, tuple[Point, ...]] = (0, 0, ())

    def add(self, step: float | None, value: float) -> None:
        """Take one report; a value or step that is not finite is counted but not kept."""
        at = float(self.reports) if step is None else step
        self.reports += 1
        if math.isfinite(value) and math.isfinite(at):
            self.steps.append(at)
            self.values.append(value)
            if len(self.values) % _BLOCK == 0:
                start = len(self.values) - _BLOCK
                block = self.values[start:]
                self._lows.append(start + block.index(min(block)))
                self._highs.append(start + block.index(max(block)))

    def points(self, most: int) -> tuple[Point, ...]:
        """At most ``most`` (step, value) points: first and last, and of equal stretches the lowest and the highest.

        What was found is kept until there is more to show: whoever watches asks every second.
        """
        count = len(self.values)
        if self._shown[:2] != (count, most):
            kept = range(count) if count <= most else self._kept(most)
            self._shown = count, most, tuple((self.steps[i], self.values[i]) for i in kept)
        return self._shown[2]

    def _kept(self, most: int) -> list[int]:
        """Indices to keep, ascending; without room for a lowest and a highest, the ends alone."""
        last = len(self.values) - 1
        stretches = (most - 2) // 2
        if stretches < 1:
            return [last] if most == 1 else [0, last][: max(0, most)]
        kept, value = [0], self.values.__getitem__
        for number in range(stretches):
            low, high = 1 + number * (last - 1) // stretches, 1 + (number + 1) * (last - 1) // stretches
            lowest = min(_places(low, high, self._lows), key=value)
            kept.extend(sorted({lowest, max(_places(low, high, self._highs), key=value)}))
        return [*kept, last]


def _places(low: int, high: int, of_blocks: Sequence[int]) -> Sequence[int]:
    """Where the lowest (or highest) from ``low`` up to ``high`` may be: of whole blocks, only where theirs is."""
    first, last = -(-low // _BLOCK), high // _BLOCK
    if first >= last:
        return range(low, high)
    return [*range(low, first * _BLOCK), *of_blocks[first:last], *range(last * _BLOCK, high)]


class MetricsFile:
    """The series of a ``metrics.jsonl``; each look reads only what is new. Threads share it under its ``lock``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.Lock()
        self._inode: int | None = None
        self._offset = 0
        self.series: dict[str, Series] = {}

    def refresh(self) -> None:
        """Take over the whole lines that were appended since the last look; a file put in its place is read anew."""
        try:
            file = self._path.open("rb")
        except OSError:
            return
        with file:
            seen = os.fstat(file.fileno())
            if seen.st_ino != self._inode or seen.st_size < self._offset:
                self._inode, self._offset, self.series = seen.st_ino, 0, {}
            file.seek(self._offset)
            for line in self._whole_lines(file):
                self._add(line)

    def _whole_lines(self, file: BinaryIO) -> Iterator[bytes]:
        rest = b""
        while block := file.read(_READ_BYTES):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._offset += len(line) + 1
                yield line

    def _add(self, line: bytes) -> None:
        report = parse_line(line)
        for name, value in report.values.items() if report is not None else ():
            series = self.series.get(name)
            if series is None:
                if len(self.series) >= _MOST_NAMES:
                    continue
                series = self.series[name] = Series()
            series.add(report.step if report is not None else None, value)


def parse_line(line: bytes) -> MetricLine | None:
    """One line of ``metrics.jsonl``; None for one that a full disk cut."""
    with contextlib.suppress(ValueError):  # msgspec's errors are ValueErrors
        return _LINE.decode(line)
    try:
        return msgspec.convert(json.loads(line), MetricLine)  # slower, and knows NaN and Infinity
    except ValueError:
        return None

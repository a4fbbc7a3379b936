"""Reports of a live run: the kernel's file and what is printed become ``metrics.jsonl``, stamped with the cell."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import time

from ...core.project import Objective
from ..metrics.printed import PrintedReader, PrintedReport
from ..metrics.repeats import Repeats
from ..metrics.scoring import BARS, PRINTED, Tally, is_shown
from ..paths import RunPaths
from ..spec import MetricLine

_READ_BYTES = 1 << 22
_MOST_LINE_BYTES = 1 << 20
MOST_NOTES = 50
NOTE_CHARS = 500
_OURS = ("report", PRINTED, BARS)
_BARS_STREAM = "bars"
PRINTED_BYTES = 64_000_000
"""So much of what is read from printed lines goes to ``metrics.jsonl``; more of it still counts."""


@dataclass(frozen=True)
class ShellExit:
    """A ``!command`` of the notebook that exited non-zero, in this cell."""

    cell: int | None
    command: str
    code: int


@dataclass(frozen=True)
class _Note:
    """One line for the run's record."""

    text: str


@dataclass(frozen=True)
class _Shown:
    """Words that a widget shows."""

    text: str


@dataclass(frozen=True)
class _Batch:
    """What one look at the reports file found, ``lines`` in their order."""

    lines: tuple[MetricLine | _Shown, ...] = ()
    exits: tuple[ShellExit, ...] = ()
    notes: tuple[str, ...] = ()


class ReportsFile:
    """Reads what the kernel appends, whole lines only, each byte once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._rest = b""
        self.unreadable = 0

    def read(self, cell: int | None) -> _Batch | None:
        """The next lines that are new, taken as said by ``cell``; None where there is nothing new."""
        content = self._new_bytes()
        if not content:
            return None
        *lines, self._rest = (self._rest + content).split(b"\n")
        if len(self._rest) > _MOST_LINE_BYTES:
            self._rest = b""
            self.unreadable += 1
        reports: list[MetricLine | _Shown] = []
        exits: list[ShellExit] = []
        notes: list[str] = []
        for line in filter(None, lines):
            match _parsed(line, cell):
                case MetricLine() | _Shown() as found:
                    reports.append(found)
                case ShellExit() as found:
                    exits.append(found)
                case _Note(text):
                    notes.append(text)
                case None:
                    self.unreadable += 1
        return _Batch(tuple(reports), tuple(exits), tuple(notes))

    def _new_bytes(self) -> bytes:
        if self._fd is None:
            try:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return b""
        return os.read(self._fd, _READ_BYTES)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _parsed(line: bytes, cell: int | None) -> MetricLine | ShellExit | _Shown | _Note | None:
    """A line of the reports file; None for one that is no such line (cut by a full disk, or not ours)."""
    try:
        found = json.loads(line)
        if "shell" in found:
            return ShellExit(cell, str(found["shell"]), int(found["code"]))
        if "note" in found:
            return _Note(str(found["note"])[:NOTE_CHARS])
        if "shown" in found:
            return _Shown(str(found["shown"]))
        values = {str(name): float(value) for name, value in found["values"].items()}
        step = found.get("step")
        return MetricLine(
            float(found["t"]), cell, None if step is None else float(step), values, str(found.get("source", "report"))
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def as_json(line: MetricLine) -> str:
    """A line of ``metrics.jsonl``: NaN and Infinity as Python's json writes and reads them."""
    fields = {"t": line.t, "cell": line.cell, "step": line.step, "values": dict(line.values), "source": line.source}
    return json.dumps(fields) + "\n"


class MetricLog:
    """The sole writer of ``metrics.jsonl``.

    ``libraries``: those that have logged in this run. ``on_report`` is told of each line's values and whether they were
    printed. A name that ``report()`` or a library has given in this run is no longer taken from printed lines.
    """

    def __init__(
        self,
        paths: RunPaths,
        objective: Objective,
        tally: Tally,
        on_report: Callable[[Mapping[str, float], bool], None],
    ) -> None:
        self._reports = ReportsFile(paths.reports)
        self._tally = tally
        self._on_report = on_report
        self._fd = os.open(paths.metrics, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._wanted = (objective.metric, *(c.metric for c in objective.constraints))
        self._readers: dict[str, PrintedReader] = {}
        self._repeats = Repeats()
        self.exits: list[ShellExit] = []
        self.notes: dict[str, None] = {}
        self.libraries: set[str] = set()
        self.cell: int | None = None
        self.write_failures = 0
        self._printed_room = PRINTED_BYTES

    @property
    def is_cut(self) -> bool:
        """Whether printed reports were so many that the last of them count but are not in ``metrics.jsonl``."""
        return self._printed_room <= 0

    @property
    def unreadable(self) -> int:
        """How many lines of the reports file were no reports."""
        return self._reports.unreadable

    def poll(self) -> None:
        """Take over what the kernel has reported since the last look."""
        while (batch := self._reports.read(self.cell)) is not None:
            self.exits.extend(batch.exits)
            self.notes.update(dict.fromkeys(batch.notes[: max(0, MOST_NOTES - len(self.notes))]))
            self._write(line for found in batch.lines for line in self._lines_of(found))

    def _lines_of(self, found: MetricLine | _Shown) -> Iterable[MetricLine]:
        return (found,) if isinstance(found, MetricLine) else self._read(_BARS_STREAM, found.text + "\n")

    def printed(self, stream: str, text: str) -> None:
        """Read reports out of printed text."""
        lines = self._read(stream, text)
        if lines:
            self.poll()  # what was reported before it was printed makes the print a repetition
            self._write(lines)

    def _read(self, stream: str, text: str) -> list[MetricLine]:
        reader = self._readers.get(stream)
        if reader is None:
            reader = self._readers[stream] = PrintedReader(self._wanted)
        return self._stamped(reader.feed(text))

    def end_cell(self) -> None:
        """Take over all that belongs to the cell that has just ended."""
        self.poll()
        for reader in self._readers.values():
            self._write(self._stamped(reader.close()))

    def close(self) -> None:
        self.end_cell()
        self._reports.close()
        os.close(self._fd)

    def _stamped(self, reports: list[PrintedReport]) -> list[MetricLine]:
        now = time()
        return [
            MetricLine(
                now, self.cell, None if report.step is None else float(report.step), dict(report.values), PRINTED
            )
            for report in reports
        ]

    def _write(self, lines: Iterable[MetricLine]) -> None:
        kept: list[MetricLine] = []
        for line in lines:
            new = self._weaker(line) if is_shown(line.source) else self._repeats.without(line)
            if line.source not in _OURS:
                self.libraries.add(line.source)
            if new is not None:
                self._tally.add(new)
                kept.append(new)
        self._append(kept)
        for line in kept:
            self._on_report(line.values, is_shown(line.source))

    def _append(self, lines: list[MetricLine]) -> None:
        content = bytearray()
        for line in lines:
            text = as_json(line).encode("utf-8", "backslashreplace")
            if is_shown(line.source):
                self._printed_room -= len(text)
            if not is_shown(line.source) or self._printed_room > 0:
                content += text
        try:
            if content:
                os.write(self._fd, content)
        except OSError:  # a full disk: the run and its score go on from memory
            self.write_failures += 1

    def _weaker(self, line: MetricLine) -> MetricLine | None:
        """A line of shown numbers without the names that have been reported."""
        values = {name: value for name, value in line.values.items() if not self._tally.has_reported(name)}
        return replace(line, values=values) if values else None

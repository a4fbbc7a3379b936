"""Reports of a live run: the kernel's file and what is printed become ``metrics.jsonl``, stamped with the cell."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time

from ...core.project import Objective
from ..metrics.printed import PrintedReader, PrintedReport
from ..metrics.scoring import PRINTED, Tally
from ..paths import RunPaths
from ..spec import MetricLine

_READ_BYTES = 1 << 22
_MOST_LINE_BYTES = 1 << 20
MOST_NOTES = 50
NOTE_CHARS = 500
PRINTED_BYTES = 64_000_000
"""So much of what is read from printed lines goes to ``metrics.jsonl``; more of it still counts."""


@dataclass(frozen=True)
class ShellExit:
    """A ``!command`` of the notebook that exited non-zero, in this cell."""

    cell: int | None
    command: str
    code: int


@dataclass(frozen=True)
class _Batch:
    """What one look at the reports file found."""

    lines: tuple[MetricLine, ...] = ()
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
        reports: list[MetricLine] = []
        exits: list[ShellExit] = []
        notes: list[str] = []
        for line in filter(None, lines):
            found = _parsed(line, cell)
            if isinstance(found, MetricLine):
                reports.append(found)
            elif isinstance(found, ShellExit):
                exits.append(found)
            elif found is not None:
                notes.append(found)
            else:
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


def _parsed(line: bytes, cell: int | None) -> MetricLine | ShellExit | str | None:
    """A line of the reports file; None for one that is no such line (cut by a full disk, or not ours)."""
    try:
        found = json.loads(line)
        if "shell" in found:
            return ShellExit(cell, str(found["shell"]), int(found["code"]))
        if "note" in found:
            return str(found["note"])[:NOTE_CHARS]
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

    ``on_report`` is told of each line's values and whether they were printed. A name that ``report()`` (or a library)
    has given in this run is no longer taken from printed lines.
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
        self.exits: list[ShellExit] = []
        self.notes: dict[str, None] = {}
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
            if batch.lines:
                self._write(batch.lines)

    def printed(self, stream: str, text: str) -> None:
        """Read reports out of printed text."""
        reader = self._readers.get(stream)
        if reader is None:
            reader = self._readers[stream] = PrintedReader(self._wanted)
        self._take(reader.feed(text))

    def end_cell(self) -> None:
        """Take over all that belongs to the cell that has just ended."""
        self.poll()
        for reader in self._readers.values():
            self._take(reader.close())

    def close(self) -> None:
        self.end_cell()
        self._reports.close()
        os.close(self._fd)

    def _take(self, reports: list[PrintedReport]) -> None:
        if not reports:
            return
        self.poll()  # what was reported before it was printed makes the print a repetition
        lines = []
        for report in reports:
            values = {name: value for name, value in report.values if not self._tally.has_reported(name)}
            if values:
                step = None if report.step is None else float(report.step)
                lines.append(MetricLine(time(), self.cell, step, values, PRINTED))
        if lines:
            self._write(tuple(lines))

    def _write(self, lines: tuple[MetricLine, ...]) -> None:
        content = "".join(map(as_json, lines)).encode("utf-8", "backslashreplace")
        if lines[0].source == PRINTED:
            self._printed_room -= len(content)
        if lines[0].source != PRINTED or self._printed_room > 0:
            try:
                os.write(self._fd, content)
            except OSError:  # a full disk: the run and its score go on from memory
                self.write_failures += 1
        for line in lines:
            self._tally.add(line)
            self._on_report(line.values, line.source == PRINTED)

"""The last of what a run printed and raised, as a person would see it: drawn lines, cell by cell."""

import json
import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from ..terminal import drawn
from .paths import RunPaths
from .reading import last_lines

_BYTES_PER_CHAR = 8
_FEW_BYTES, _MANY_BYTES = 64_000, 1 << 20
"""The second is more than any line takes; it is read where the first holds too little: redraws, large displays."""
_MOST_LINES = 20_000
_CAPPED = '"output_type": "capped"}'
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class _Cell:
    """What one cell has shown so far: texts, each with the stream or the display that it came from."""

    name: object
    parts: list[tuple[object, str]] = field(default_factory=list)
    is_cleared: bool = False

    def add(self, origin: object, text: str) -> None:
        """``origin``: a stream's name, or the id of a display that replaces its earlier self."""
        if self.is_cleared:
            self.parts.clear()
            self.is_cleared = False
        if isinstance(origin, tuple) and origin[1] is not None:
            self.parts = [part for part in self.parts if part[0] != origin]
        before = self.parts[-1] if self.parts else None
        if before is not None and before[0] != origin and not before[1].endswith("\n"):
            self.parts[-1] = before[0], f"{before[1]}\n"
        self.parts.append((origin, text))

    @property
    def text(self) -> str:
        joined = "".join(text for _, text in self.parts)
        return "\n".join(_UNSEEN.sub("", drawn(line)) for line in joined.split("\n"))


def printed_tail(paths: RunPaths, chars: int) -> str:
    """At most ``chars`` characters, each cell's part under a line that names it; "" where nothing is there.

    Reads the end of the log only, however much was printed.
    """
    text = _tail(paths, max(_FEW_BYTES, _BYTES_PER_CHAR * chars))
    if len(text) < chars:
        text = _tail(paths, _MANY_BYTES)
    return text if len(text) <= chars else "…" + text[len(text) - chars + 1 :]


def _tail(paths: RunPaths, limit_bytes: int) -> str:
    cells: list[_Cell] = []
    for line in _last_outputs(paths, limit_bytes):
        output = _output(line)
        if output is None:
            continue
        if not cells or cells[-1].name != output.get("cell"):
            cells.append(_Cell(output.get("cell")))
        if output.get("output_type") == "clear_output":
            cells[-1].is_cleared = True
        else:
            cells[-1].add(*_said(output))
    shown = ((cell.name, cell.text.strip("\n")) for cell in cells)
    return "\n\n".join(f"[cell {name}]\n{text}" for name, text in shown if text)


def _last_outputs(paths: RunPaths, limit_bytes: int) -> list[str]:
    """The last lines of the log; of one that is full, what was output since."""
    latest = last_lines(paths.latest, _MOST_LINES, limit_bytes)
    older = last_lines(paths.before, _MOST_LINES, limit_bytes)
    if older:
        return [*older, *latest]
    logged = last_lines(paths.outputs, _MOST_LINES, limit_bytes)
    return [*takewhile(lambda line: not line.endswith(_CAPPED), logged), *latest] if latest else logged


def _output(line: str) -> dict[str, Any] | None:
    try:
        output = json.loads(line)
    except ValueError:
        return None
    return output if isinstance(output, dict) else None


def _said(output: dict[str, Any]) -> tuple[object, str]:
    """Where one output came from, and its text."""
    kind = output.get("output_type")
    if kind == "error":
        lines = output.get("traceback") or (output.get("ename", ""), output.get("evalue", ""))
        return "error", "\n".join(map(str, lines)) + "\n"
    if kind == "stream":
        return output.get("name"), _joined(output.get("text", ""))
    if kind == "capped":  # written by an earlier version: this one goes on in another file
        return "capped", "[what was printed from here on is in the run's notebook alone]\n"
    shown = output.get("data")
    text = _joined(shown.get("text/plain", "")) + "\n" if isinstance(shown, dict) else ""
    return ("display", output.get("display_id")), text


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)

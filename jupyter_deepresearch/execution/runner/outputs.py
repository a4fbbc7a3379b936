"""What a cell outputs, twice: at once as lines of ``outputs.jsonl``, and bounded in the notebook."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

from nbformat import NotebookNode

from ..paths import RunPaths
from .latest import LatestLog
from .streams import CELL_CHARS, MOST_STREAMS, NOTEBOOK_CHARS, Room, StreamText

LOG_BYTES = 8_000_000
LOG_TEXT_CHARS = 64_000
MIME_CHARS = 4_000_000
NOTEBOOK_MIME_CHARS = 24_000_000
_LOG_MIME_CHARS = 16_000
_LATEST_CHARS = 20_000
_ERROR_BYTES = 64_000


class OutputLog:
    """Appends each output to ``outputs.jsonl`` with one write: ``{"t", "cell", "output_type", ...}``.

    From ``LOG_BYTES`` on only errors are still written, after a line that says so (``output_type`` "capped"); the last
    of everything else is then in ``latest.jsonl``.
    """

    def __init__(self, path: Path, limit_bytes: int = LOG_BYTES) -> None:
        there = RunPaths(path.parent)
        self._latest = LatestLog(there.latest, there.before)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._room = limit_bytes
        self._is_full = False
        self.seen_bytes = 0
        self.write_failures = 0

    def stream(self, cell: int, name: str, text: str) -> None:
        self.seen_bytes += len(text)
        if self._is_full:
            text = text[-_LATEST_CHARS:]
        elif len(text) > LOG_TEXT_CHARS:
            half = LOG_TEXT_CHARS // 2
            text = f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"
        self._write({"t": time(), "cell": cell, "output_type": "stream", "name": name, "text": text})

    def rich(self, cell: int, output_type: str, content: Mapping[str, Any]) -> None:
        """A display, result, error, or clear_output, as the kernel's message has it."""
        self.seen_bytes += 1
        fields: dict[str, Any] = {"t": time(), "cell": cell, "output_type": output_type}
        if output_type == "error":
            traceback = "\n".join(content.get("traceback", ()))[-_ERROR_BYTES // 2 :].split("\n")
            evalue = str(content.get("evalue", ""))[:4000]
            fields |= {"ename": content.get("ename", ""), "evalue": evalue, "traceback": traceback}
        elif output_type == "clear_output":
            fields["wait"] = bool(content.get("wait"))
        else:
            fields["data"] = capped_bundle(content.get("data", {}), _LOG_MIME_CHARS)
            fields["display_id"] = (content.get("transient") or {}).get("display_id")
        self._write(fields)

    def _write(self, fields: Mapping[str, Any]) -> None:
        line = json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            if not self._is_full and self._room < len(line):
                self._is_full = True
                note = {"t": time(), "cell": fields["cell"], "output_type": "capped"}
                os.write(self._fd, json.dumps(note).encode() + b"\n")
            if not self._is_full or fields["output_type"] == "error":
                self._room -= len(line)
                os.write(self._fd, line)
            if self._is_full:
                self._latest.write(line)
        except OSError:  # a full disk must not stop the run's output; it is noted at the end
            self.write_failures += 1

    def close(self) -> None:
        os.close(self._fd)
        self._latest.close()


def capped_bundle(bundle: Mapping[str, Any], limit_chars: int) -> dict[str, Any]:
    """A MIME bundle in which each too large value is a sentence about its size; nothing is cut in its middle.

    Notebooks hold objects under JSON types only; under others they become text.
    """
    kept: dict[str, Any] = {}
    for mime, value in bundle.items():
        if not isinstance(value, str) and not mime.endswith("json"):
            value = json.dumps(value)
        size = len(value) if isinstance(value, str) else len(json.dumps(value))
        if size <= limit_chars:
            kept[mime] = value
        else:
            kept.setdefault("text/plain", f"[{mime} of {size:,} characters left out]")
    return kept


class CellOutputs:
    """A cell's outputs in the notebook, streams merged as they come. nbclient keeps the list, this the texts in it."""

    def __init__(self, cell: NotebookNode, chars: int) -> None:
        self.cell = cell
        self._chars = chars
        self._room = Room.of(chars)
        self._streams: list[tuple[NotebookNode, StreamText]] = []
        self.rich_chars = 0

    def stream(self, name: str, text: str) -> None:
        """Add text to the stream output that it continues, else to a new one."""
        self._continued(name).add(text)

    def _continued(self, name: str) -> StreamText:
        outputs = self.cell.outputs
        is_crowded = self._room.head <= 0 or len(self._streams) >= MOST_STREAMS
        for node, text in reversed(self._streams):
            if node.name == name and (is_crowded or node is outputs[-1]):
                return text
            if not is_crowded:
                break
        node = NotebookNode(output_type="stream", name=name, text="")
        outputs.append(node)
        self._streams.append((node, StreamText(self._room)))
        return self._streams[-1][1]

    def cleared(self) -> None:
        """The kernel has cleared this cell's outputs."""
        self._streams.clear()
        self.rich_chars = 0
        self._room = Room.of(self._chars)

    def render(self) -> None:
        """Put the texts into the notebook."""
        for node, text in self._streams:
            node.text = text.text

    def tail(self, chars: int) -> str:
        """The end of what was printed last."""
        return self._streams[-1][1].text[-chars:] if self._streams else ""

    @property
    def chars(self) -> int:
        """How much text the cell holds."""
        return sum(len(text.text) for _, text in self._streams)


class NotebookOutputs:
    """The outputs of all cells, within one notebook's room: no later cell is left without any."""

    def __init__(self) -> None:
        self._cells: dict[int, CellOutputs] = {}

    def start(self, index: int, cell: NotebookNode) -> None:
        """A cell begins, its outputs empty."""
        left = NOTEBOOK_CHARS - sum(outputs.chars for outputs in self._cells.values())
        self._cells[index] = CellOutputs(cell, max(400, min(CELL_CHARS, left // 4)))

    def of(self, index: int) -> CellOutputs:
        return self._cells[index]

    def bundle(self, index: int, bundle: Mapping[str, Any], *, replaces: bool) -> dict[str, Any]:
        """What of a cell's display the notebook still takes; ``replaces``: in the place of an earlier one."""
        room = NOTEBOOK_MIME_CHARS - sum(outputs.rich_chars for outputs in self._cells.values())
        kept = capped_bundle(bundle, min(MIME_CHARS, max(200, room)))
        if not replaces:
            self._cells[index].rich_chars += sum(len(value) for value in kept.values() if isinstance(value, str))
        return kept

    def render(self) -> None:
        for outputs in self._cells.values():
            outputs.render()

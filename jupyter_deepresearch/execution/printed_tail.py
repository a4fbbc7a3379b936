"""The last of what a run printed and raised, as text."""

import json

from ..terminal import drawn
from .paths import RunPaths
from .reading import last_lines

_BYTES_PER_CHAR = 8


def printed_tail(paths: RunPaths, chars: int) -> str:
    """At most ``chars`` characters, each cell's part under a line that names it; "" where nothing is there."""
    parts: list[str] = []
    cell: object = None
    for line in last_lines(paths.outputs, 2000, max(64_000, _BYTES_PER_CHAR * chars)):
        said = _said(line)
        if said is None:
            continue
        if said[0] != cell:
            cell = said[0]
            parts.append(f"\n[cell {cell}]\n")
        parts.append(said[1])
    text = "".join(parts).strip("\n")
    return text if len(text) <= chars else "…" + text[len(text) - chars + 1 :]


def _said(line: str) -> tuple[object, str] | None:
    """The cell and the text of one output, None for a line that is none."""
    try:
        output = json.loads(line)
    except ValueError:
        return None
    if not isinstance(output, dict):
        return None
    kind = output.get("output_type")
    if kind == "error":
        text = (
            "\n".join(map(str, output.get("traceback") or (output.get("ename", ""), output.get("evalue", "")))) + "\n"
        )
    elif kind == "stream":
        text = _joined(output.get("text", ""))
    else:
        shown = output.get("data")
        text = _joined(shown.get("text/plain", "")) + "\n" if isinstance(shown, dict) else ""
    return output.get("cell"), "\n".join(map(drawn, text.split("\n")))


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)

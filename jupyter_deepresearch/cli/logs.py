"""What a run prints, while it prints it."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import NotFound
from ..service.opened import OpenedProject

LOOK_S = 0.2


def follow(project: OpenedProject, run: str | None, *, until_end: bool, as_json: bool) -> None:
    """Print the outputs of a run (the latest one, where None is named); with ``until_end`` until it has ended.

    Raises NotFound.
    """
    run = _found(project, run)
    path = project.folder / ".deepresearch" / "runs" / run / "outputs.jsonl"
    for line in _lines(project, run, path, until_end):
        sys.stdout.write(f"{line}\n" if as_json else _plain(json.loads(line)))
        sys.stdout.flush()


def _found(project: OpenedProject, run: str | None) -> str:
    runs = [str(row[0]) for row in project.store.query("SELECT run FROM runs ORDER BY seq")]
    if run is None and not runs:
        raise NotFound("no run was started yet")
    if run is not None and run not in runs:
        raise NotFound(f"there is no run {run!r}; the latest are: {', '.join(runs[-5:]) or 'none'}")
    return run or runs[-1]


def _lines(project: OpenedProject, run: str, path: Path, until_end: bool) -> Iterator[str]:
    """Whole lines, as they are appended. A live run's file may not be there yet."""
    begun, place = b"", 0
    while True:
        is_live = until_end and run in project.state.runs
        if path.exists():
            with path.open("rb") as file:
                file.seek(place)
                new = file.read()
            place += len(new)
            *whole, begun = (begun + new).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if not is_live:
            return
        time.sleep(LOOK_S)


def _plain(output: dict[str, Any]) -> str:
    """An output as a terminal shows it."""
    match output.get("output_type"):
        case "stream":
            return str(output.get("text", ""))
        case "error":
            return "\n".join([*output.get("traceback", ()), ""])
        case "capped":
            return "[... the rest is in the run's notebook ...]\n"
        case "clear_output":
            return ""
        case _:
            found = output.get("data", {}).get("text/plain", "")
            return f"{''.join(found)}\n"

"""Reading what a runner writes, while it writes it: files that appear whole, and the ends of growing ones."""

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from ..core.types import Outcome
from ..errors import StorageFailed
from .paths import RunPaths
from .spec import Descendants, Live, ResourceLine, RunnerOwner, RunnerSpec

T = TypeVar("T")

_SAMPLE_BYTES = 8192
"""A line with every GPU of a large machine is shorter."""


def read_owner(paths: RunPaths) -> RunnerOwner | None:
    """Which runner owns the run folder; None where none does, or where that cannot be read."""
    return _read_known(paths.owner, RunnerOwner)


def read_live(paths: RunPaths) -> Live | None:
    """How far a run is; None before it has said so."""
    return _read_known(paths.live, Live)


def read_descendants(paths: RunPaths) -> Descendants:
    """The run's processes as its runner last saw them; none where that is not known."""
    return _read_known(paths.processes, Descendants) or Descendants()


def read_spec(paths: RunPaths) -> RunnerSpec | None:
    """What the runner is told; None where that is missing or not whole."""
    return _read_known(paths.spec, RunnerSpec)


def read_outcome(paths: RunPaths, run: str) -> Outcome | None:
    """How the run ended; None without an exit record. Raises StorageFailed when there is one that is not this run's."""
    try:
        outcome = msgspec.json.decode(paths.exit.read_bytes(), type=Outcome)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise StorageFailed(f"{paths.exit.name} cannot be read: {error}") from error
    if outcome.run != run:
        raise StorageFailed(f"{paths.exit.name} is that of the run {outcome.run}")
    return outcome


def last_lines(path: Path, lines: int, limit_bytes: int = 65_536) -> list[str]:
    """The last whole lines of a text file, oldest first, of its last ``limit_bytes``; none where it is missing."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - limit_bytes)
            file.seek(start)
            content = file.read(size - start)
    except OSError:
        return []
    whole, _, _ = content.rpartition(b"\n")
    found = whole.decode("utf-8", "replace").split("\n") if whole else []
    return found[1 if start else 0 :][-lines:]


def last_sample(paths: RunPaths) -> ResourceLine | None:
    """What a run's processes took when they were last looked at; None before that, or where it cannot be read."""
    for line in last_lines(paths.resources, 1, _SAMPLE_BYTES):
        with contextlib.suppress(ValueError):
            return msgspec.json.decode(line, type=ResourceLine)
    return None


def last_write(paths: RunPaths) -> float | None:
    """When the runner last wrote to its folder, wall time; None where it never did."""
    written = []
    for path in (paths.owner, paths.live, paths.outputs, paths.latest, paths.metrics, paths.resources, paths.output):
        try:
            written.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(written, default=None)


def _read_known(path: Path, cls: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=cls)
    except (OSError, ValueError):
        return None

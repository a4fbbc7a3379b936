"""Files that a runner writes whole: ``owner.json`` once, ``live.json`` again and again, ``exit.json`` last."""

import contextlib
import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from ...core.types import Outcome, RunError
from ...processes import boot_id, start_ticks
from ..paths import RunPaths
from ..spec import Live, RunnerOwner

RESERVED_BYTES = 64 * 1024
_SHORT = 500


def claim(paths: RunPaths) -> RunnerOwner | None:
    """Become the run's only runner; None where another one was first. Nothing is touched then.

    The record appears complete or not at all: it is written beside and linked to its name, which fails if that exists.
    """
    pid = os.getpid()
    owner = RunnerOwner(pid, start_ticks(pid), boot_id(), socket.gethostname(), time.time())
    if paths.owner.exists():
        return None
    draft = paths.root / f"owner.{pid}.tmp"
    draft.write_bytes(msgspec.json.encode(owner))
    try:
        os.link(draft, paths.owner)
    except FileExistsError:
        return None
    except OSError:  # a file system without hard links
        return owner if _create(paths.owner, draft.read_bytes()) else None
    finally:
        draft.unlink()
    return owner


def _create(path: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path`` in one step: readers see the old or the new. Raises OSError."""
    draft = path.with_name(path.name + ".tmp")
    try:
        draft.write_bytes(content)
    except OSError:  # a full disk: what was written of it must not stay in the way
        draft.unlink(missing_ok=True)
        raise
    os.replace(draft, path)


def say(text: str) -> None:
    """Write to the runner's log, which may lie on a full disk."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def write_live(paths: RunPaths, live: Live) -> None:
    """Tell how far the run is. Raises OSError."""
    replace_file(paths.live, msgspec.json.encode(live))


class ExitRecord:
    """The run's end. Its room on disk is taken at the start: a disk that fills up meanwhile cannot swallow it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(path.name + ".tmp")
        self._fd = os.open(self._draft, os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(self._fd, b" " * RESERVED_BYTES, 0)
        os.fsync(self._fd)

    def write(self, outcome: Outcome) -> None:
        """Write the outcome over the reserved room and rename it into place: after this the run is over."""
        content = msgspec.json.encode(outcome)
        if len(content) > RESERVED_BYTES:
            content = msgspec.json.encode(_shortened(outcome))
        os.pwrite(self._fd, content, 0)
        os.ftruncate(self._fd, len(content))
        os.fsync(self._fd)
        os.close(self._fd)
        os.replace(self._draft, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _shortened(outcome: Outcome) -> Outcome:
    """The outcome without what can grow without bound: many metrics, long messages, notes."""
    error = outcome.error
    short = None if error is None else _short_error(error)
    finals = dict(list(outcome.finals.items())[:_SHORT])
    return replace(outcome, finals=finals, error=short, notes=tuple(n[:_SHORT] for n in outcome.notes[:20]))


def _short_error(error: RunError) -> RunError:
    return replace(error, message=error.message[: 4 * _SHORT], tail=error.tail[-8 * _SHORT :])

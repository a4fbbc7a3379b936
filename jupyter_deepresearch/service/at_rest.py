"""The rows of projects at rest, remembered until their ledgers change: opening a thousand ledgers takes seconds."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import msgspec

from .._version import __version__
from ..core.ports import Owner
from ..processes import is_alive
from .overview import OverviewView, Row, utc_day
from .registry import Known
from .root import Root
from .views import Life

_SETTLED_S = 2.0
"""So long after the last write a ledger's time of change tells it from a later one: file systems keep it in steps."""
_MADE_BY = f"{__version__} {' '.join(field.name for field in fields(OverviewView))}"


@dataclass(frozen=True)
class _Mark:
    """What tells a ledger from what it was: the file and its changes, and those of what was not merged into it yet."""

    ledger: tuple[int, int, int, int]
    unmerged: tuple[int, int] | None

    def is_settled(self, now: float) -> bool:
        """Whether a later write is certain to show in it."""
        changes = [self.ledger[-1], *([self.unmerged[-1]] if self.unmerged else [])]
        return max(changes) / 1e9 + _SETTLED_S < now


def _mark(folder: Path) -> _Mark | None:
    """None where there is no ledger."""
    path = f"{folder}/.deepresearch/ledger.db"
    try:
        found = os.stat(path)
    except OSError:
        return None
    try:
        beside = os.stat(f"{path}-wal")
    except OSError:
        beside = None
    unmerged = (beside.st_size, beside.st_mtime_ns) if beside is not None and beside.st_size else None
    return _Mark((found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns), unmerged)


@dataclass(frozen=True)
class _Line:
    """A row and the ledger that it was made of."""

    folder: str
    mark: _Mark
    row: Row


@dataclass(frozen=True)
class _Content:
    """``made_by``: another version may make other rows of the same ledgers."""

    made_by: str = ""
    lines: tuple[_Line, ...] = ()


class AtRest:
    """Rows by folder, each held until its ledger or its life is another. Safe to use from several threads.

    They outlive the process in ``path``, a file that may be thrown away at any time: whatever is wrong with it, ledgers
    are read instead. Only projects under ``root`` are looked at.
    """

    def __init__(self, path: Path, root: Root) -> None:
        self._path = path
        self._root = root
        self._lock = threading.RLock()
        self._lines: dict[str, _Line] | None = None
        self._is_new = False

    def row(self, known: Known, life: Callable[[str, Owner | None], Life], look: Callable[[Known], Row]) -> Row:
        """What ``look`` makes of the project, or made of it when it was the same. ``life``: by its id and holder.

        Raises Forbidden for a project elsewhere, and whatever ``look`` raises.
        """
        now, folder = time.time(), str(known.folder)
        with self._lock:
            place = self._root.place(known.folder)
            lines, mark = self._held(), _mark(known.folder)
            line = lines.get(folder)
            if line is not None and line.mark == mark and line.row.view.id == known.project_id:
                row = line.row.on(utc_day(now))
                if life(known.project_id, _living(row.holder)) == row.life:
                    return row if row.view.place == place else replace(row, view=replace(row.view, place=place))
            self._is_new = lines.pop(folder, None) is not None or self._is_new
            row = look(known)
            if mark is not None and mark.is_settled(now) and row.lasts:
                lines[folder], self._is_new = _Line(folder, mark, row), True
            return row

    def save(self, known: Iterable[Known]) -> None:
        """Keep what is remembered of known projects for the next process, where it is not what the file holds."""
        with self._lock:
            if not self._is_new:
                return
            lines = self._held()
            kept = [lines[folder] for folder in (str(one.folder) for one in known) if folder in lines]
            content = msgspec.json.encode(_Content(_MADE_BY, tuple(kept)))
            self._is_new = False
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            beside.write_bytes(content)
            os.replace(beside, self._path)

    def _held(self) -> dict[str, _Line]:
        if self._lines is None:
            self._lines = dict(self._saved())
        return self._lines

    def _saved(self) -> Mapping[str, _Line]:
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except (OSError, msgspec.MsgspecError):
            return {}
        return {line.folder: line for line in content.lines} if content.made_by == _MADE_BY else {}


def _living(holder: Owner | None) -> Owner | None:
    """The holder of a lease, None once its process here has died; of another machine's nothing is known."""
    if holder is None or holder.host != socket.gethostname():
        return holder
    return holder if is_alive(holder.pid, holder.start_time, holder.boot_id) else None

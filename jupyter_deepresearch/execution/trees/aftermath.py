"""What became of the project while a run was live: which of its files changed that the run's tree links to."""

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from time import monotonic

from .code import ENVIRONMENT_MARKS
from .layout import NEVER_IN_A_RUN
from .record import Seen, TreeRecord, written

_MOST_LOOKED_AT = 5000
_MOST_S = 0.2
_MOST_NAMES = 8
_NOTEBOOK = ".ipynb"
"""Other notebooks are for the person to work on meanwhile; no run writes to them."""


def absent(record: TreeRecord) -> tuple[str, ...]:
    """What the project holds and the run does not see, folders with a slash at the end."""
    return (*(f"{path}/" for path in record.fresh), *record.withheld)


def change_note(project: Path, record: TreeRecord, since_ns: int) -> str | None:
    """One line on what changed behind the tree's links; None where nothing did.

    Linked files are compared with what they were when the tree was made; in linked folders, files written after
    ``since_ns`` (of the file system's clock) are looked for, for 0.2 s and among 5,000 at most, changed folders first.
    Who wrote cannot be told from a file, so the line does not say it.
    """
    files = [
        path for path, seen in record.files.items() if not path.endswith(_NOTEBOOK) and _differs(project, path, seen)
    ]
    folders = [path for path in record.linked if path not in record.files]
    found = sorted({*files, *_Look(project, since_ns).into(folders)})
    if not found:
        return None
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    names = ", ".join(written(path).replace("\n", "\\n") for path in found[:_MOST_NAMES])
    return f"changed while the run was live, by it or by another hand, through a link of its tree: {names}{more}"


def _differs(project: Path, path: str, seen: Seen) -> bool:
    try:
        status = os.stat(project / path)
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns) != (seen.bytes, seen.mtime_ns)


@dataclass
class _Look:
    """A look into linked folders; follows no links in them."""

    project: Path
    since_ns: int
    left: int = _MOST_LOOKED_AT
    end: float = 0.0
    waiting: deque[str] = field(default_factory=deque)

    def into(self, folders: list[str]) -> Iterator[str]:
        """Paths of files that were written, and of folders from which something was removed."""
        self.waiting.extend(folders)
        self.end = monotonic() + _MOST_S
        while self.waiting and self.left > 0 and monotonic() < self.end:
            inside = self.waiting.popleft()
            with contextlib.suppress(OSError):  # removed, not readable, a file
                yield from self._changed_in(inside)

    def _changed_in(self, inside: str) -> list[str]:
        changed_ns = os.stat(self.project / inside).st_mtime_ns
        with os.scandir(self.project / inside) as listing:
            entries = list(islice(listing, self.left))
        self.left -= len(entries)
        if any(entry.name in ENVIRONMENT_MARKS for entry in entries):
            return []  # an environment compiles what it imports
        in_time = takewhile(lambda _: monotonic() < self.end, entries)  # a slow network's disk holds up no run's end
        statuses = [(entry, entry.stat(follow_symlinks=False)) for entry in in_time]
        written_to = []
        for entry, status in statuses:
            if entry.is_dir(follow_symlinks=False):
                self._wait_for(f"{inside}/{entry.name}", entry.name, status.st_mtime_ns)
            elif status.st_mtime_ns > self.since_ns and not entry.name.endswith(_NOTEBOOK):
                written_to.append(f"{inside}/{entry.name}")
        if written_to or changed_ns <= self.since_ns:
            return written_to
        # Something was made or removed here: a file with an old time (unpacked, moved), a folder, or what is gone.
        made = [(entry, status) for entry, status in statuses if status.st_ctime_ns > self.since_ns]
        if not made:
            return [f"{inside}/"]
        return [
            f"{inside}/{entry.name}"
            for entry, status in made
            if entry.name not in NEVER_IN_A_RUN
            and not (entry.is_dir(follow_symlinks=False) and status.st_mtime_ns > self.since_ns)  # it speaks for itself
        ]

    def _wait_for(self, path: str, name: str, mtime_ns: int) -> None:
        if name in NEVER_IN_A_RUN:
            return
        if mtime_ns > self.since_ns:
            self.waiting.appendleft(path)
        else:
            self.waiting.append(path)

"""Seeing that a person changed the notebook or a code file, once they have left it alone for a while."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..trees.code import find_code
from ..trees.layout import Layout

SETTLE_S = 3.0
SCAN_S = 30.0

_Mark = tuple[int, int, int, int]


class Watch:
    """The files that a project's source is read from. A look costs one ``stat`` a known file.

    New files are looked for every ``scan_s`` seconds. The first look takes the files as they are; after that a change
    counts once nothing has changed for ``settle_s`` seconds: what an editor or a checkout has half written is no edit.
    """

    def __init__(
        self,
        folder: Path,
        layout: Layout,
        settle_s: float = SETTLE_S,
        scan_s: float = SCAN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._layout = layout
        self._settle_s, self._scan_s, self._clock = settle_s, scan_s, clock
        self._paths: tuple[str, ...] = ()
        self._scanned_at: float | None = None
        self._seen: Mapping[str, _Mark | None] = {}
        self._seen_at = 0.0
        self._taken: Mapping[str, _Mark | None] | None = None

    def has_changed(self) -> bool:
        """Whether the files are at rest and are others than when this was last true. Never raises."""
        now = self._clock()
        if self._scanned_at is None or now - self._scanned_at >= self._scan_s:
            found = (self._layout.notebook, *find_code(self._folder, self._layout).paths)
            self._paths = tuple(f"{self._folder}/{path}" for path in found)
            self._scanned_at = now
        marks = {path: _mark(path) for path in self._paths}
        if marks != self._seen:
            self._seen, self._seen_at = marks, now
        is_settled = self._taken is None or now - self._seen_at >= self._settle_s
        if not is_settled or self._seen == self._taken:
            return False
        self._taken = self._seen
        return True


def _mark(path: str) -> _Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino

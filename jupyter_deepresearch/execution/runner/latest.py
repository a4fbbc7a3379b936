"""The last of a flood: what is output once the log is full, in two small files that take turns."""

import os
from pathlib import Path

LATEST_BYTES = 256_000


class LatestLog:
    """Appends lines to a file beside ``outputs``; a full one replaces the one before it. Nothing is made before the
    first line."""

    def __init__(self, path: Path, before: Path) -> None:
        self._path = path
        self._before = before
        self._fd: int | None = None
        self._room = 0

    def write(self, line: bytes) -> None:
        """Raises OSError."""
        if self._fd is None or self._room < len(line):
            self._turn()
        assert self._fd is not None, "opened by the turn"
        self._room -= len(line)
        os.write(self._fd, line)

    def _turn(self) -> None:
        if self._fd is not None:
            self.close()
            os.replace(self._path, self._before)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._room = LATEST_BYTES

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

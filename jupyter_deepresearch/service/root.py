"""The folder that all projects of a server lie under, if there is one."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import Forbidden, NotFound


@dataclass(frozen=True)
class Root:
    """``path`` is absolute and without links; None confines nothing."""

    path: Path | None

    def inside(self, folder: Path) -> Path:
        """The folder without links. Raises Forbidden, NotFound."""
        nothing = NotFound(f"{str(folder)[:300]!r}: no such project folder")
        try:
            folder = folder.resolve()
        except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL, a name beyond all limits
            raise nothing from None
        if self.path is not None and not folder.is_relative_to(self.path):
            raise Forbidden(f"{str(folder)[:300]} is outside the server's root {self.path}")
        if not os.path.isdir(folder):
            raise nothing
        return folder

    def place(self, folder: Path) -> str | None:
        """Where the folder is below the root, "" for the root itself; None without a root. Raises Forbidden."""
        if self.path is None:
            return None
        if not folder.is_relative_to(self.path):
            raise Forbidden(f"{str(folder)[:300]} is outside the server's root {self.path}")
        place = folder.relative_to(self.path).as_posix()
        return "" if place == "." else place

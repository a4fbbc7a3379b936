"""Projects kept open in a kernel: the log of 10,000 cycles takes seconds to read, and a panel asks every second."""

import threading
from collections import OrderedDict
from pathlib import Path

from ..app import RealMakers
from ..service.opened import OpenedProject

KEPT = 8


class KeptProjects:
    """The projects asked for last, at most ``KEPT``. Safe to use from several threads.

    Nobody closes a ledger that a thread may still read: one that is dropped here closes itself with its last user.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[Path, OpenedProject] = OrderedDict()

    def at(self, folder: Path) -> OpenedProject:
        """The project in a folder, as its ledger now lies there. Raises NotFound, StorageFailed."""
        with self._lock:
            opened = self._opened.pop(folder, None)
            if opened is None or not opened.store.is_there():
                opened = OpenedProject.at(folder, RealMakers())
            self._opened[folder] = opened
            while len(self._opened) > KEPT:
                self._opened.popitem(last=False)
            return opened

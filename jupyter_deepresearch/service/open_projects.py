"""The projects that a service has open: an open ledger takes three file descriptors, and a person may have hundreds."""

import contextlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..core.ledger import Ledger, Listener
from ..errors import DeepResearchError, Forbidden, NotFound, StorageFailed
from .opened import Makers, OpenedProject, has_log
from .registry import Known, Registry
from .root import Root

KEPT = 200

T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """What the owner of open projects says of them and hears: whether one is at work (it stays open then), who listens
    to its log, and that its ledger is gone."""

    is_at_work: Callable[[str], bool]
    listener: Callable[[str], Listener]
    gone: Callable[[OpenedProject], None]


class OpenProjects:
    """Those at work, and of the others the ``KEPT`` that were asked for last. Safe to use from several threads.

    Nobody closes a ledger that another thread may still read: one that is let go of closes itself with its last user.
    """

    def __init__(self, makers: Makers, registry: Registry, root: Root, told: Told) -> None:
        self._makers = makers
        self._registry = registry
        self._root = root
        self._told = told
        self._lock = threading.RLock()
        self._opened: OrderedDict[str, OpenedProject] = OrderedDict()
        self._heard: weakref.WeakSet[Ledger] = weakref.WeakSet()

    def all(self) -> Iterator[OpenedProject]:
        """Every known project that can be opened, one after another: a process may not hold thousands of ledgers open,
        and those asked for one by one stay. Folders that are gone or elsewhere are left out."""
        for known in self._registry.all():
            with contextlib.suppress(NotFound, Forbidden, StorageFailed):
                yield self._there(known.project_id) or self._read(known)

    def project(self, project_id: str) -> OpenedProject:
        """The project of this id. Raises NotFound, Forbidden, StorageFailed."""
        opened = self._there(project_id)
        if opened is not None:
            return opened
        for known in self._registry.all():
            if known.project_id == project_id:
                return self.known(known)
        raise NotFound(f"there is no project {project_id!r}")

    def known(self, known: Known) -> OpenedProject:
        """A project of the registry. Raises as ``project``."""
        with self._lock:
            opened = self._there(known.project_id)
            return opened or self.keep(OpenedProject.at(self._root.inside(known.folder), self._makers))

    def glance(self, known: Known, look: Callable[[OpenedProject], T], keeps: Callable[[T], bool]) -> T:
        """What ``look`` makes of a project, which stays open where there is room for it, or where the answer ``keeps``
        it. Raises as ``project``."""
        opened = self._there(known.project_id)
        if opened is not None:
            return look(opened)
        opened = OpenedProject.at(self._root.inside(known.folder), self._makers)
        try:
            found = look(opened)
        except DeepResearchError:
            opened.store.close()
            raise
        with self._lock:
            if opened.id not in self._opened and (keeps(found) or len(self._opened) < KEPT):
                self.keep(opened)
            else:
                opened.store.close()
        return found

    def at(self, folder: Path) -> OpenedProject | None:
        """The project that was started in this folder (not kept by that), None where none was."""
        for opened in tuple(self._opened.values()):
            if not opened.store.is_there():
                self._told.gone(opened)
            elif opened.folder == folder:
                return opened
        return OpenedProject.at(folder, self._makers) if has_log(folder) else None

    def has(self, opened: OpenedProject) -> bool:
        """Whether it is one of those that are kept."""
        return opened.id in self._opened

    def keep(self, opened: OpenedProject) -> OpenedProject:
        """Keep it open and pass on whatever is written into its log; those asked for longest ago make room."""
        with self._lock:
            self._opened[opened.id] = opened
            self._opened.move_to_end(opened.id)
            if opened.ledger not in self._heard:  # it may be kept again after it was let go of
                self._heard.add(opened.ledger)
                opened.ledger.listeners.append(self._told.listener(opened.id))
            self._make_room()
            return opened

    def drop(self, opened: OpenedProject) -> None:
        """Close it."""
        self._opened.pop(opened.id, None)
        opened.store.close()

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for opened in tuple(self._opened.values()):
                self.drop(opened)

    def _read(self, known: Known) -> OpenedProject:
        """The project, kept where there is room."""
        opened = OpenedProject.at(self._root.inside(known.folder), self._makers)
        with self._lock:
            has_room = opened.id not in self._opened and len(self._opened) < KEPT
            return self.keep(opened) if has_room else opened

    def _make_room(self) -> None:
        *earlier, _ = tuple(self._opened)
        for project_id in earlier:
            if len(self._opened) <= KEPT:
                return
            if not self._told.is_at_work(project_id):
                del self._opened[project_id]

    def _there(self, project_id: str) -> OpenedProject | None:
        """The project, where it is open and its ledger is still the one that was opened."""
        with self._lock:
            opened = self._opened.get(project_id)
            if opened is not None and not opened.store.is_there():
                self._told.gone(opened)
                return None
            if opened is not None:
                self._opened.move_to_end(project_id)
            return opened

"""Creates, starts and steers projects: one asyncio task and one lease each, all in one thread of their own.

The thread keeps the host's event loop free: nothing here ever blocks the Jupyter server.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from ..config.loading import Options
from ..core.events import Record
from ..core.ledger import Listener
from ..core.ports import Clock, Owner
from ..core.state import State
from ..errors import DeepResearchError, Fenced, Forbidden, LeaseHeld, NotFound, StorageFailed
from ..loop.driver import Loop, Parts
from ..loop.meter import LedgerMeter
from ..processes import boot_id, start_ticks
from . import views
from .commands import Command, PauseCommand
from .creation import create, take_up
from .loop_thread import LoopThread
from .opened import Makers, OpenedProject, has_log
from .registry import Registry

RETRY_S = 30.0

Announce = Callable[[str, Record], None]


@dataclass
class Task:
    """One project being researched in the loop thread."""

    loop: Loop
    epoch: int
    done: Future[State]


class Service:
    """All projects of one server (or of one command line). Safe to call from any thread.

    ``root`` confines project folders, ``announce`` is called with (project id, record) for whatever is written.
    """

    def __init__(
        self, makers: Makers, registry: Registry, clock: Clock, root: Path | None = None, name: str = "a server"
    ) -> None:
        self.makers = makers
        self.registry = registry
        self.clock = clock
        self.root = root.resolve() if root is not None else None
        self.name = name
        self.announce: Announce = lambda project_id, record: None
        self._thread = LoopThread()
        self._lock = threading.RLock()
        self._opened: dict[str, OpenedProject] = {}
        self._tasks: dict[str, Task] = {}
        self._trouble: dict[str, str] = {}

    # Projects

    def projects(self) -> tuple[OpenedProject, ...]:
        """Every known project under the root that can be opened; folders that are gone are left out."""
        found = []
        for known in self.registry.all():
            with contextlib.suppress(NotFound, Forbidden, StorageFailed):
                found.append(self.project(known.project_id))
        return tuple(found)

    def project(self, project_id: str) -> OpenedProject:
        """The project of this id. Raises NotFound, Forbidden, StorageFailed."""
        with self._lock:
            opened = self._opened.get(project_id)
            if opened is not None and opened.store.is_there():
                return opened
            if opened is not None:
                self._forget(opened)
            for known in self.registry.all():
                if known.project_id == project_id:
                    return self._keep(OpenedProject.at(self._inside(known.folder), self.makers))
        raise NotFound(f"there is no project {project_id!r}")

    def status(self, project: OpenedProject) -> views.StatusView:
        """The project's status; what troubles its loop is said as the reason."""
        trouble = self._trouble.get(project.id, "")
        task = self._tasks.get(project.id)
        is_ours = task is not None and not task.done.done()
        alive = not trouble if is_ours else project.store.holder() is not None
        return project.status(views.Life(alive, trouble), self._place(project.folder))

    def _place(self, folder: Path) -> str | None:
        """Where the folder is below the root, "" for the root itself; None without a root."""
        if self.root is None:
            return None
        place = folder.relative_to(self.root).as_posix()
        return "" if place == "." else place

    def prepare(self, folder: Path, options: Options, brief: str | None = None) -> OpenedProject:
        """The project in ``folder``, made or taken up again, not yet being researched.

        Raises InvalidConfig, InvalidNotebook, NotFound, Forbidden, Conflict (LeaseHeld where another process researches
        it), StorageFailed; nothing is half made then.
        """
        folder = self._inside(folder)
        with self._lock:
            opened = self._at(folder)
            if opened is not None:
                self._take_up(opened, options, brief)
            else:
                opened = create(folder, options, brief, self.makers)
            self.registry.add(opened.id, folder)
            return self._keep(opened)

    def create(self, folder: Path, options: Options, brief: str | None = None) -> OpenedProject:
        """Make or take up the project in ``folder``, and research it. Raises as ``prepare``, and LeaseHeld."""
        with self._lock:
            project = self.prepare(folder, options, brief)
            self.start(project)
            return project

    def start(self, project: OpenedProject) -> None:
        """Research it from now on, unless this service does already. Raises LeaseHeld, StorageFailed."""
        with self._lock:
            task = self._tasks.get(project.id)
            if task is not None and not task.done.done():
                self._wake(task)
                return
            parts = self._parts(project)
            epoch = project.store.acquire(owner(self.name))
            loop = Loop(parts, epoch)
            self._trouble.pop(project.id, None)
            done = self._thread.submit(self._live(project, loop, epoch))
            self._tasks[project.id] = Task(loop, epoch, done)

    def resume_all(self) -> None:
        """After a restart: go on with every project that was at work, those that others research aside."""
        for project in self.projects():
            state = project.state
            if state.failed or state.finished or (state.stopped and not state.runs):
                continue
            try:
                self.start(project)
            except LeaseHeld:
                continue
            except DeepResearchError as error:
                self._trouble[project.id] = str(error)

    def command(self, project: OpenedProject, command: Command, command_id: str | None = None) -> int:
        """Write a command and see to it that somebody acts on it; its seq. Raises as ``OpenedProject.command``."""
        record = project.command(command, command_id)
        state = project.state
        at_rest = state.stopped and not state.runs
        if not at_rest and not isinstance(command, PauseCommand) and project.store.holder() is None:
            with contextlib.suppress(LeaseHeld):  # somebody else was faster, and acts on it
                self.start(project)
        task = self._tasks.get(project.id)
        if task is not None and not task.done.done():
            self._wake(task)
        return record.seq

    def run(self, project: OpenedProject) -> State:
        """Research it in the calling thread until it has come to its end. Raises LeaseHeld, StorageFailed, Fenced."""
        parts = self._parts(project)
        epoch = project.store.acquire(owner(self.name))
        try:
            return asyncio.run(Loop(parts, epoch).run(until_rest=True))
        finally:
            project.store.release(epoch)

    def close(self) -> None:
        """Stop researching: leases are given back, live runs go on by themselves."""
        with self._lock:
            self._thread.cancel_all()
            for project_id, task in self._tasks.items():
                with contextlib.suppress(StorageFailed):
                    self._opened[project_id].store.release(task.epoch)
            for opened in self._opened.values():
                opened.store.close()
            self._tasks.clear()
            self._opened.clear()
        self._thread.close()

    # Inside

    async def _live(self, project: OpenedProject, loop: Loop, epoch: int) -> State:
        """The loop until it is cancelled; a full disk or a locked ledger is waited out."""
        try:
            while True:
                try:
                    return await loop.run()
                except StorageFailed as error:
                    self._trouble[project.id] = str(error)
                    await self.clock.sleep(RETRY_S)
                    self._trouble.pop(project.id, None)
        except Fenced:
            self._trouble[project.id] = "another process took over this project"
            raise
        except Exception as error:
            self._trouble[project.id] = f"the loop ended by a defect: {type(error).__name__}: {error}"
            with contextlib.suppress(StorageFailed):
                project.store.release(epoch)
            raise

    def _wake(self, task: Task) -> None:
        self._thread.loop.call_soon_threadsafe(task.loop.wake)

    def _parts(self, project: OpenedProject) -> Parts:
        configured = project.state.project
        return Parts(
            ledger=project.ledger,
            history=project.store,
            researcher=self.makers.researcher(project.folder, configured),
            launcher=self.makers.launcher(project.folder, configured),
            notebooks=project.notebooks_under(configured),
            desk=self.makers.desk(project.folder),
            records=project.records,
            meter=LedgerMeter(project.ledger, project.store, self.clock),
            clock=self.clock,
        )

    def _inside(self, folder: Path) -> Path:
        """The folder without links. Raises Forbidden, NotFound."""
        nothing = NotFound(f"{str(folder)[:300]!r}: no such project folder")
        try:
            folder = folder.resolve()
        except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL, a name beyond all limits
            raise nothing from None
        if self.root is not None and not folder.is_relative_to(self.root):
            raise Forbidden(f"{str(folder)[:300]} is outside the server's root {self.root}")
        if not os.path.isdir(folder):
            raise nothing
        return folder

    def _at(self, folder: Path) -> OpenedProject | None:
        """The project that was started in this folder, None where none was."""
        for opened in tuple(self._opened.values()):
            if not opened.store.is_there():
                self._forget(opened)
            elif opened.folder == folder:
                return opened
        return OpenedProject.at(folder, self.makers) if has_log(folder) else None

    def _take_up(self, opened: OpenedProject, options: Options, brief: str | None) -> None:
        """Take up a project that nobody else researches. Raises as ``prepare``."""
        task = self._tasks.get(opened.id)
        try:
            holder = opened.store.holder()
            if holder is not None and (task is None or task.done.done()):
                raise LeaseHeld(
                    f"{opened.folder} is being researched by {holder.name}, pid {holder.pid} on {holder.host}"
                )
            take_up(opened, options, brief, self.makers)
        except DeepResearchError:
            if opened.id not in self._opened:
                opened.store.close()
            raise

    def _forget(self, opened: OpenedProject) -> None:
        """Let go of a project whose ledger was removed."""
        task = self._tasks.pop(opened.id, None)
        if task is not None:
            task.done.cancel()
        self._opened.pop(opened.id, None)
        self._trouble.pop(opened.id, None)
        opened.store.close()

    def _keep(self, opened: OpenedProject) -> OpenedProject:
        """Remember an opened project and pass on whatever is written into its log."""
        if self._opened.get(opened.id) is not opened:
            self._opened[opened.id] = opened
            opened.ledger.listeners.append(self._listener(opened.id))
        return opened

    def _listener(self, project_id: str) -> Listener:
        return lambda record: self.announce(project_id, record)


def owner(name: str) -> Owner:
    """This process, as a lease holder."""
    return Owner(name, socket.gethostname(), os.getpid(), start_ticks(os.getpid()), boot_id())

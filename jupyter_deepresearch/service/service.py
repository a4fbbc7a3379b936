"""Creates, starts and steers projects: one asyncio task and one lease each, all in one thread of their own.

The thread keeps the host's event loop free: nothing here ever blocks the Jupyter server.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
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
from .at_rest import AtRest
from .commands import Command, PauseCommand
from .creation import create, take_up
from .loop_thread import LoopThread
from .open_projects import OpenProjects, Told
from .opened import Makers, OpenedProject
from .overview import OverviewView, Row
from .registry import Known, Registry
from .root import Root

RETRY_S = 30.0

Announce = Callable[[str, Record], None]


@dataclass
class Task:
    """One project being researched in the loop thread."""

    project: OpenedProject
    loop: Loop
    epoch: int
    done: Future[State]

    @property
    def is_over(self) -> bool:
        return self.done.done()


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
        self._root = Root(self.root)
        self.name = name
        self.announce: Announce = lambda project_id, record: None
        self._thread = LoopThread()
        self._lock = threading.RLock()
        told = Told(self._is_at_work, self._listener, self._gone)
        self._opened = OpenProjects(makers, registry, self._root, told)
        self._at_rest = AtRest(registry.path.with_name("overview.json"), self._root)
        self._tasks: dict[str, Task] = {}
        self._trouble: dict[str, str] = {}

    # Projects

    def projects(self) -> Iterator[OpenedProject]:
        """Every known project under the root that can be opened, one after another; folders that are gone are left
        out."""
        return self._opened.all()

    def project(self, project_id: str) -> OpenedProject:
        """The project of this id. Raises NotFound, Forbidden, StorageFailed."""
        return self._opened.project(project_id)

    def status(self, project: OpenedProject) -> views.StatusView:
        """The project's status; what troubles its loop is said as the reason."""
        return project.status(self._life(project.id, project.store.holder()), self._root.place(project.folder))

    def overview(self, project_id: str | None = None) -> tuple[OverviewView, ...]:
        """A light row of every project that can be read, or of this one alone. Raises NotFound, Forbidden,
        StorageFailed for this one."""
        if project_id is not None:
            return (self._row_of(self.project(project_id)).view,)
        return tuple(row.view for row in self._rows())

    def prepare(self, folder: Path, options: Options, brief: str | None = None) -> OpenedProject:
        """The project in ``folder``, made or taken up again, not yet being researched.

        Raises InvalidConfig, InvalidNotebook, NotFound, Forbidden, Conflict (LeaseHeld where another process researches
        it), StorageFailed; nothing is half made then.
        """
        folder = self._root.inside(folder)
        with self._lock:
            opened = self._opened.at(folder)
            if opened is not None:
                self._take_up(opened, options, brief)
            else:
                opened = create(folder, options, brief, self.makers)
            self.registry.add(opened.id, folder)
            return self._opened.keep(opened)

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
            if task is not None and not task.is_over:
                self._wake(task)
                return
            self._opened.keep(project)  # for whoever asks while it is at work, this is the one
            parts = self._parts(project)
            epoch = project.store.acquire(owner(self.name))
            loop = Loop(parts, epoch)
            self._trouble.pop(project.id, None)
            done = self._thread.submit(self._live(project, loop, epoch))
            self._tasks[project.id] = Task(project, loop, epoch, done)

    def resume_all(self) -> None:
        """After a restart: go on with every project that was at work, those that others research aside."""
        for row in self._rows():
            if row.is_at_rest:
                continue
            try:
                self.start(self.project(row.view.id))
            except (LeaseHeld, NotFound):
                continue
            except DeepResearchError as error:
                self._trouble[row.view.id] = str(error)

    def command(self, project: OpenedProject, command: Command, command_id: str | None = None) -> int:
        """Write a command and see to it that somebody acts on it; its seq. Raises as ``OpenedProject.command``."""
        record = project.command(command, command_id)
        state = project.state
        at_rest = state.stopped and not state.runs
        if not at_rest and not isinstance(command, PauseCommand) and project.store.holder() is None:
            with contextlib.suppress(LeaseHeld):  # somebody else was faster, and acts on it
                self.start(project)
        task = self._tasks.get(project.id)
        if task is not None and not task.is_over:
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
            for task in self._tasks.values():
                with contextlib.suppress(StorageFailed):
                    task.project.store.release(task.epoch)
            self._opened.close()
            self._tasks.clear()
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

    def _is_at_work(self, project_id: str) -> bool:
        """Whether this very service researches it."""
        task = self._tasks.get(project_id)
        return task is not None and not task.is_over

    def _life(self, project_id: str, holder: Owner | None) -> views.Life:
        trouble = self._trouble.get(project_id, "")
        return views.Life(not trouble if self._is_at_work(project_id) else holder is not None, trouble)

    def _rows(self) -> Iterator[Row]:
        """The rows of all projects that can be read; those at rest as they were, where nothing has changed."""
        all_known = self.registry.all()
        for known in all_known:
            with contextlib.suppress(NotFound, Forbidden, StorageFailed):
                if self._is_at_work(known.project_id):
                    yield self._row_of(self._opened.known(known))
                else:
                    yield self._at_rest.row(known, self._life, self._glance)
        self._at_rest.save(all_known)

    def _glance(self, known: Known) -> Row:
        return self._opened.glance(known, self._row_of, keeps=lambda row: not row.lasts)

    def _row_of(self, project: OpenedProject) -> Row:
        holder = project.store.holder()
        return project.row(holder, self._life(project.id, holder), self._root.place(project.folder))

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

    def _take_up(self, opened: OpenedProject, options: Options, brief: str | None) -> None:
        """Take up a project that nobody else researches. Raises as ``prepare``."""
        task = self._tasks.get(opened.id)
        try:
            holder = opened.store.holder()
            if holder is not None and (task is None or task.is_over):
                raise LeaseHeld(
                    f"{opened.folder} is being researched by {holder.name}, pid {holder.pid} on {holder.host}"
                )
            take_up(opened, options, brief, self.makers)
        except DeepResearchError:
            if not self._opened.has(opened):
                opened.store.close()
            raise

    def _gone(self, opened: OpenedProject) -> None:
        """Let go of a project whose ledger was removed."""
        task = self._tasks.pop(opened.id, None)
        if task is not None:
            task.done.cancel()
        self._trouble.pop(opened.id, None)
        self._opened.drop(opened)

    def _listener(self, project_id: str) -> Listener:
        return lambda record: self.announce(project_id, record)


def owner(name: str) -> Owner:
    """This process, as a lease holder."""
    return Owner(name, socket.gethostname(), os.getpid(), start_ticks(os.getpid()), boot_id())

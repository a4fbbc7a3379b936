"""Creates, starts and steers projects: one asyncio task and one lease each, all in one thread of their own.

The thread keeps the host's event loop free: nothing here ever blocks the Jupyter server.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import views
from .commands import Command, PauseCommand
from .config import Options, check_brief, load, read_brief, reload, write_project_files
from .core import events as ev
from .core.ledger import Listener
from .core.ports import Clock, Owner
from .core.state import State
from .errors import DeepResearchError, Fenced, Forbidden, NotFound, StorageFailed
from .loop import Loop, Parts
from .meter import LedgerMeter
from .opened import Makers, OpenedProject
from .processes import boot_id, start_ticks
from .registry import Registry

RETRY_S = 30.0

Announce = Callable[[str, ev.Record], None]


@dataclass
class Task:
    """One project being researched in the loop thread."""

    loop: Loop
    epoch: int
    done: Future[State]


class LoopThread:
    """An asyncio loop in a daemon thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="deepresearch", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, State]) -> Future[State]:
        """Run a coroutine in the thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """End the thread once nothing runs in it."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=5)
        self.loop.close()


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
            if project_id in self._opened and self._opened[project_id].folder.is_dir():
                return self._opened[project_id]
            for known in self.registry.all():
                if known.project_id == project_id:
                    return self._open(self._inside(known.folder))
        raise NotFound(f"there is no project {project_id!r}")

    def status(self, project: OpenedProject) -> views.StatusView:
        """The project's status; what troubles its loop is said as the reason."""
        trouble = self._trouble.get(project.id, "")
        task = self._tasks.get(project.id)
        if task is not None and not task.done.done():
            return project.status(views.Life(not trouble, trouble))
        return project.status(views.Life(project.store.holder() is not None, trouble))

    def create(self, folder: Path, options: Options, brief: str | None = None) -> OpenedProject:
        """Start or resume the project in ``folder``. Everything is checked before anything is written.

        Raises InvalidConfig, InvalidNotebook, NotFound, Forbidden, Conflict, LeaseHeld, StorageFailed.
        """
        folder = self._inside(folder)
        with self._lock:
            project = self._resume(folder, options) if _has_log(folder) else self._make(folder, options, brief)
            self.start(project)
            return project

    def start(self, project: OpenedProject) -> None:
        """Research it from now on, unless this service does already. Raises LeaseHeld, StorageFailed."""
        with self._lock:
            task = self._tasks.get(project.id)
            if task is not None and not task.done.done():
                self._wake(task)
                return
            epoch = project.store.acquire(owner(self.name))
            loop = Loop(self._parts(project), epoch)
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
            except DeepResearchError as error:
                self._trouble[project.id] = str(error)

    def command(self, project: OpenedProject, command: Command, command_id: str | None = None) -> int:
        """Write a command and see to it that somebody acts on it; its seq. Raises as ``OpenedProject.command``."""
        record = project.command(command, command_id)
        state = project.state
        at_rest = state.stopped and not state.runs
        if not at_rest and not isinstance(command, PauseCommand) and project.store.holder() is None:
            self.start(project)
        task = self._tasks.get(project.id)
        if task is not None and not task.done.done():
            self._wake(task)
        return record.seq

    def run(self, project: OpenedProject) -> State:
        """Research it in the calling thread until it has come to its end. Raises LeaseHeld, StorageFailed, Fenced."""
        epoch = project.store.acquire(owner(self.name))
        try:
            return asyncio.run(Loop(self._parts(project), epoch).run(until_rest=True))
        finally:
            project.store.release(epoch)

    def close(self) -> None:
        """Stop researching: leases are given back, live runs go on by themselves."""
        with self._lock:
            for task in self._tasks.values():
                task.done.cancel()
            for task in self._tasks.values():
                with contextlib.suppress(BaseException):
                    task.done.result(timeout=5)
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
            project.store.release(epoch)
            raise

    def _wake(self, task: Task) -> None:
        self._thread.loop.call_soon_threadsafe(task.loop.wake)

    def _parts(self, project: OpenedProject) -> Parts:
        configured = project.state.project
        return Parts(
            ledger=project.ledger,
            history=project.store,
            researcher=self.makers.researcher(configured, project.id),
            launcher=self.makers.launcher(project.folder, configured),
            notebooks=project.notebooks,
            desk=self.makers.desk(project.folder),
            records=project.records,
            meter=LedgerMeter(project.ledger, self.clock),
            clock=self.clock,
        )

    def _inside(self, folder: Path) -> Path:
        folder = folder.resolve()
        if self.root is not None and not folder.is_relative_to(self.root):
            raise Forbidden(f"{folder} is outside the server's root {self.root}")
        return folder

    def _open(self, folder: Path) -> OpenedProject:
        opened = OpenedProject.at(folder, self.makers)
        self._opened[opened.id] = opened
        opened.ledger.listeners.append(self._listener(opened.id))
        return opened

    def _listener(self, project_id: str) -> Listener:
        return lambda record: self.announce(project_id, record)

    def _make(self, folder: Path, options: Options, brief: str | None) -> OpenedProject:
        project = load(folder, options)
        source, survey = self.makers.notebooks(folder).read(project.notebook)
        text = check_brief(brief, "the brief given") if brief and brief.strip() else read_brief(folder)
        remarks = self.makers.preflight(project, survey)
        write_project_files(folder, brief)
        event = ev.Opened(_new_id(project.name), project, source, survey, text)
        _write_first(folder, self.makers, event)
        opened = self._open(folder)
        for remark in remarks:
            opened.ledger.append(ev.Announced(remark))
        self.registry.add(opened.id, folder)
        return opened

    def _resume(self, folder: Path, options: Options) -> OpenedProject:
        """Take in what the person configured or mended since; undo pause and stop."""
        opened = next((p for p in self._opened.values() if p.folder == folder), None) or self._open(folder)
        state = opened.state
        wanted = reload(folder, state.project, options)
        self.makers.preflight(wanted, state.survey)
        if state.failed is not None:
            source, survey = opened.notebooks.read(wanted.notebook)
            opened.ledger.append(ev.Sourced(source, survey, new_measure=True))
        if wanted != state.project:
            opened.ledger.append(ev.Configure(wanted))
        if state.paused or state.stopped or state.finished or state.failed:
            opened.ledger.append(ev.Resume())
        self.registry.add(opened.id, folder)
        return opened


def _write_first(folder: Path, makers: Makers, event: ev.Opened) -> None:
    """A new log with its first event, or no trace of one. Raises StorageFailed."""
    hidden = folder / ".deepresearch"
    is_new = not hidden.exists()
    try:
        hidden.mkdir(exist_ok=True)
        (hidden / ".gitignore").write_text("*\n", encoding="utf-8")
        store = makers.store(folder)
        try:
            store.append(event)
        finally:
            store.close()
    except (OSError, StorageFailed) as error:
        if is_new:
            shutil.rmtree(hidden, ignore_errors=True)
        if isinstance(error, StorageFailed):
            raise
        raise StorageFailed(f"{folder} cannot be written: {error.strerror}") from error


def owner(name: str) -> Owner:
    """This process, as a lease holder."""
    return Owner(name, socket.gethostname(), os.getpid(), start_ticks(os.getpid()), boot_id())


def _has_log(folder: Path) -> bool:
    return (folder / ".deepresearch" / "ledger.db").is_file()


def _new_id(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30] or "project"
    return f"{slug}-{hashlib.sha256(os.urandom(16)).hexdigest()[:8]}"

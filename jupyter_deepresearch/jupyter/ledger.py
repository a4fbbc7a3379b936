"""What ``Client`` asks a server, answered from the project folders themselves, where there is no server to ask."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..app import make_service
from ..changes import changes
from ..config.loading import Options
from ..core.ports import Curves
from ..detached import Detached, go_on_detached, start_detached
from ..errors import DeepResearchError, LeaseHeld, NotFound
from ..service.commands import Command, PauseCommand, StopCommand, parse
from ..service.opened import OpenedProject, has_log
from ..service.pictures import ParameterView, PointsView
from ..service.registry import Registry
from ..service.views import ChangesView, CostView, ExperimentView, MemoryTexts, StatusView
from .kept import KeptProjects

_KEPT = KeptProjects()
"""Of this process: every line of the magic makes a client of its own."""


class LedgerClient:
    """See ``Client``. A loop that is missing is started, in a process of its own; ``remark`` then says where it is.

    ``cwd``: a project around it is known too, wherever it was started.
    """

    def __init__(self, cwd: Path, why: str = "") -> None:
        self.remark = ""
        self._cwd = cwd
        self._why = why

    def projects(self) -> tuple[StatusView, ...]:
        """The status of every known project whose folder is there."""
        found: dict[str, StatusView] = {}
        for folder in self._folders():
            with contextlib.suppress(DeepResearchError):
                project = _at(folder)
                found.setdefault(project.id, project.status())
        return tuple(found.values())

    def _folders(self) -> list[Path]:
        here = self._cwd.resolve()
        around = [folder for folder in (here, *here.parents) if has_log(folder)]
        return [*around[:1], *(known.folder for known in Registry().all())]

    def _folder(self, project_id: str) -> Path:
        for folder in self._places(project_id):
            with contextlib.suppress(DeepResearchError):
                if _at(folder).id == project_id:
                    return folder
        raise NotFound(f"there is no project {project_id!r}")

    def _places(self, project_id: str) -> Iterator[Path]:
        """Where a project may lie, the likeliest first."""
        yield from (known.folder for known in Registry().all() if known.project_id == project_id)
        yield from self._folders()

    def start(self, folder: Path, options: Options | None = None, brief: str | None = None) -> StatusView:
        """Make or take up the project in ``folder``; one that is being researched as it is wanted is only shown."""
        wanted = options or Options()
        try:
            self._say(start_detached(folder, wanted, brief))
        except LeaseHeld:
            if wanted != Options() or brief is not None:
                raise
        return _at(folder.resolve()).status()

    def status(self, project_id: str) -> StatusView:
        """The status of one project."""
        return _at(self._folder(project_id)).status()

    def history(self, project_id: str) -> tuple[ExperimentView, ...]:
        """Every experiment, oldest first."""
        return _at(self._folder(project_id)).history()

    def newest(self, project_id: str, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]:
        """At most ``limit`` experiments numbered below ``before``, newest first."""
        return _at(self._folder(project_id)).newest(limit, before)

    def points(self, project_id: str, after: int = 0) -> PointsView:
        """The experiments that have changed after this seq, as columns."""
        return _at(self._folder(project_id)).points(after)

    def parameters(self, project_id: str) -> tuple[ParameterView, ...]:
        """The lines of the parameters cell, with the values that `try` builds on."""
        return _at(self._folder(project_id)).parameters()

    def curve(self, project_id: str, number: int, metric: str, points: int, run: str | None = None) -> Curves:
        """What one run of an experiment (default: the one it is shown by) reported of one metric, in so many points."""
        return _at(self._folder(project_id)).curves(number, run, points, metric)

    def experiment(self, project_id: str, number: int) -> ExperimentView:
        """One experiment."""
        return _at(self._folder(project_id)).experiment(number)

    def changes(self, project_id: str, number: int, to: int | None = None) -> ChangesView:
        """The changed lines from experiment ``number`` to ``to``, or from its parent to it."""
        return changes(_at(self._folder(project_id)), number, to)

    def memory(self, project_id: str) -> MemoryTexts:
        """Both tiers of the memory as they would be sent."""
        return _at(self._folder(project_id)).memory()

    def cost(self, project_id: str) -> CostView:
        """What calls to language models have cost."""
        return _at(self._folder(project_id)).cost()

    def command(self, project_id: str, kind: str, command_id: str | None = None, **body: Any) -> int:
        """Write a command, and see to it that somebody acts on it, as a server does; the seq of its event."""
        command = parse(kind, msgspec.to_builtins(body))
        project = _at(self._folder(project_id))
        seq = project.command(command, command_id).seq
        self._see_to_it(project, command)
        return seq

    def _see_to_it(self, project: OpenedProject, command: Command) -> None:
        if project.store.holder() is not None:
            return
        if isinstance(command, StopCommand):
            if project.state.runs:
                _end_live_runs(project.folder)
        elif not isinstance(command, PauseCommand) and not project.state.stopped:
            self._say(go_on_detached(project))

    def _say(self, loop: Detached | None) -> None:
        if loop is None or loop.is_over:
            return
        why = f" ({self._why})" if self._why else ""
        self.remark = f"researched in a process of its own, pid {loop.pid}, log {loop.log}{why}"


def _at(folder: Path) -> OpenedProject:
    """The project in a folder, kept open for the next question. Raises NotFound, StorageFailed."""
    return _KEPT.at(folder)


def _end_live_runs(folder: Path) -> None:
    """Live runs outlive whoever started them. In a thread: this one may have an event loop of its own at work."""
    trouble: list[DeepResearchError] = []

    def end() -> None:
        try:
            with contextlib.closing(make_service(name="`%deepresearch stop`")) as service:
                service.run(_at(folder))
        except DeepResearchError as error:
            trouble.append(error)

    thread = threading.Thread(target=end, name="ending live runs", daemon=True)
    thread.start()
    thread.join()
    if trouble and not isinstance(trouble[0], LeaseHeld):
        raise trouble[0]

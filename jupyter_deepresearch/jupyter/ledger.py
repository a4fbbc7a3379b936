"""What ``Client`` asks a server, answered from the project folders themselves, where there is no server to ask."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..app import RealMakers, make_service
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
            with contextlib.suppress(DeepResearchError), _at(folder) as project:
                found.setdefault(project.id, project.status())
        return tuple(found.values())

    def _folders(self) -> list[Path]:
        here = self._cwd.resolve()
        around = [folder for folder in (here, *here.parents) if has_log(folder)]
        return [*around[:1], *(known.folder for known in Registry().all())]

    def _folder(self, project_id: str) -> Path:
        known = [known.folder for known in Registry().all() if known.project_id == project_id]
        for folder in (*known, *self._folders()):
            with contextlib.suppress(DeepResearchError), _at(folder) as project:
                if project.id == project_id:
                    return folder
        raise NotFound(f"there is no project {project_id!r}")

    def start(self, folder: Path, options: Options | None = None, brief: str | None = None) -> StatusView:
        """Make or take up the project in ``folder``; one that is being researched as it is wanted is only shown."""
        wanted = options or Options()
        try:
            self._say(start_detached(folder, wanted, brief))
        except LeaseHeld:
            if wanted != Options() or brief is not None:
                raise
        with _at(folder.resolve()) as project:
            return project.status()

    def status(self, project_id: str) -> StatusView:
        """The status of one project."""
        with _at(self._folder(project_id)) as project:
            return project.status()

    def history(self, project_id: str) -> tuple[ExperimentView, ...]:
        """Every experiment, oldest first."""
        with _at(self._folder(project_id)) as project:
            return project.history()

    def newest(self, project_id: str, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]:
        """At most ``limit`` experiments numbered below ``before``, newest first."""
        with _at(self._folder(project_id)) as project:
            return project.newest(limit, before)

    def points(self, project_id: str, after: int = 0) -> PointsView:
        """The experiments that have changed after this seq, as columns."""
        with _at(self._folder(project_id)) as project:
            return project.points(after)

    def parameters(self, project_id: str) -> tuple[ParameterView, ...]:
        """The lines of the parameters cell, with the champion's values."""
        with _at(self._folder(project_id)) as project:
            return project.parameters()

    def curve(self, project_id: str, number: int, metric: str, points: int, run: str | None = None) -> Curves:
        """What one run of an experiment (default: its latest) reported of one metric, in at most so many points."""
        with _at(self._folder(project_id)) as project:
            return project.curve(number, metric, points, run)

    def experiment(self, project_id: str, number: int) -> ExperimentView:
        """One experiment."""
        with _at(self._folder(project_id)) as project:
            return project.experiment(number)

    def changes(self, project_id: str, number: int, to: int | None = None) -> ChangesView:
        """The changed lines from experiment ``number`` to ``to``, or from its parent to it."""
        with _at(self._folder(project_id)) as project:
            return changes(project, number, to)

    def memory(self, project_id: str) -> MemoryTexts:
        """Both tiers of the memory as they would be sent."""
        with _at(self._folder(project_id)) as project:
            return project.memory()

    def cost(self, project_id: str) -> CostView:
        """What calls to language models have cost."""
        with _at(self._folder(project_id)) as project:
            return project.cost()

    def command(self, project_id: str, kind: str, command_id: str | None = None, **body: Any) -> int:
        """Write a command, and see to it that somebody acts on it, as a server does; the seq of its event."""
        command = parse(kind, msgspec.to_builtins(body))
        with _at(self._folder(project_id)) as project:
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


@contextlib.contextmanager
def _at(folder: Path) -> Iterator[OpenedProject]:
    """The project in a folder. Raises NotFound, StorageFailed."""
    project = OpenedProject.at(folder, RealMakers())
    try:
        yield project
    finally:
        project.store.close()


def _end_live_runs(folder: Path) -> None:
    """Live runs outlive whoever started them. In a thread: this one may have an event loop of its own at work."""
    trouble: list[DeepResearchError] = []

    def end() -> None:
        try:
            with contextlib.closing(make_service(name="`%deepresearch stop`")) as service, _at(folder) as project:
                service.run(project)
        except DeepResearchError as error:
            trouble.append(error)

    thread = threading.Thread(target=end, name="ending live runs", daemon=True)
    thread.start()
    thread.join()
    if trouble and not isinstance(trouble[0], LeaseHeld):
        raise trouble[0]

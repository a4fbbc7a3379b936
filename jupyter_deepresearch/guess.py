"""What the form "Research this notebook..." starts from: guessed from the notebook, its folder and what was said there.

Nothing is written, no kernel is started.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .config.brief import read_brief
from .config.keys import Entry, shown
from .config.loading import CONFIG_NAME, Options, load, said
from .core.events import Survey
from .core.project import ApprovalMode, Direction, Project, guess_direction
from .core.state import State
from .errors import Conflict, Forbidden, InvalidInput, InvalidNotebook, NotFound, StorageFailed
from .service.kernels import choose_kernel
from .service.opened import OpenedProject, has_log
from .service.service import Service
from .service.settings import WhoView, who

MOST_METRICS = 12
_ANY_METRIC = "score"
_OURS = ("experiments", "forks", ".deepresearch")


@dataclass(frozen=True)
class LikelyMetric:
    """A metric that the notebook prints or logs, or has printed; its direction is the usual one of its name."""

    name: str
    direction: Direction


@dataclass(frozen=True)
class GuessView:
    """What a start from here would be. ``place`` is the project's folder relative to the server's root, ``notebook``
    relative to that folder, ``project`` the id of the project that is there already.

    ``metrics`` are the likely ones, best first. ``metric`` and ``direction`` are those that the project there is at
    work with, else those of deepresearch.toml, null where it says none; so is the rest, with the defaults of a start:
    ``cycles``, ``hours`` and ``usd`` null without a limit, ``space`` in words, ``remarks`` what to know before.
    """

    place: str
    notebook: str
    project: str | None
    metrics: tuple[LikelyMetric, ...]
    metric: str | None
    direction: Direction | None
    approval: ApprovalMode
    cycles: int | None
    hours: float | None
    usd: float | None
    brief: str
    researcher: WhoView
    kernel: str
    space: tuple[str, ...]
    remarks: tuple[str, ...]


def guess(service: Service, path: str, live_kernels: Mapping[Path, str] | None = None) -> GuessView:
    """What to start with for the notebook at ``path`` (or the one notebook of that folder), relative to the root.

    ``live_kernels`` as in ``Options``. Raises Forbidden outside the root, NotFound, InvalidNotebook, InvalidConfig,
    StorageFailed, and Conflict where the folder's project is about another notebook.
    """
    from .intake.from_notebook import metrics_seen  # nbformat takes a second to import

    root = service.root or Path("/")
    at = _place(service, root, _inside(root, path))
    asked = _asked(at)
    source, survey = service.makers.notebooks(at.folder, asked.project).read(at.notebook)
    researcher = who(asked.project.researcher)
    project, remarks = _kernel(service, at, asked.project, survey, live_kernels or {})
    objective, budget = project.objective, project.budget
    seen = metrics_seen(at.folder, at.folder / at.notebook, source)
    place = at.folder.relative_to(root).as_posix()
    return GuessView(
        place="" if place == "." else place,
        notebook=at.notebook,
        project=None if at.state is None else at.state.opened.project_id,
        metrics=tuple(LikelyMetric(name, guess_direction(name)) for name in seen[:MOST_METRICS]),
        metric=objective.metric if asked.has_metric else None,
        direction=objective.direction if asked.has_direction else None,
        approval=project.approval.mode,
        cycles=budget.cycles,
        hours=budget.hours,
        usd=budget.usd,
        brief=read_brief(at.folder),
        researcher=researcher,
        kernel=project.launcher.kernel or survey.kernel,
        space=tuple(map(str, survey.space)),
        remarks=(*survey.remarks, *asked.remarks, *(remark for remark in remarks if remark != researcher.sentence)),
    )


# Where


@dataclass(frozen=True)
class _Place:
    """A project's folder, its notebook relative to it, and the state of the project that was started there."""

    folder: Path
    notebook: str
    state: State | None = None


def _inside(root: Path, path: str) -> Path:
    """The file or folder without links. Raises Forbidden, NotFound."""
    nothing = NotFound(f"{path[:300]!r}: there is no such notebook")
    try:
        found = (root / path).resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL, a name beyond all limits
        raise nothing from None
    if not found.is_relative_to(root):
        raise Forbidden(f"{path[:300]!r} is outside the server's root {root}")
    if not os.path.exists(found):
        raise nothing
    return found


def _place(service: Service, root: Path, found: Path) -> _Place:
    """The folder above the notebook that is about it already, else the notebook's own. Raises as ``guess``."""
    from .intake.from_notebook import the_notebook

    if found.is_dir():
        name, state = _about(service, found)
        return _Place(found, name or the_notebook(found).name, state)
    if found.suffix != ".ipynb" or not found.is_file():
        raise InvalidNotebook(f"{found.name}: accepted: a notebook (.ipynb)")
    for folder in _upwards(found.parent, root):
        try:
            name, state = _about(service, folder)
        except (InvalidInput, StorageFailed):  # what is wrong further up is not about this notebook
            if folder == found.parent:
                raise
            continue
        inner = found.relative_to(folder)
        if name == inner.as_posix():
            return _Place(folder, name, state)
        is_ours = state is not None and inner.parts[0] in _OURS
        if name is not None and (is_ours or folder == found.parent):
            raise _taken(inner.as_posix(), name, state)
    return _Place(found.parent, found.name)


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    while folder.is_relative_to(root):
        yield folder
        if folder == root:
            return
        folder = folder.parent


def _taken(wanted: str, name: str, state: State | None) -> Conflict:
    who = f"{CONFIG_NAME} there names" if state is None else f"the project {state.project.name} there researches"
    return Conflict(f"{wanted}: {who} {name}; accepted: that notebook, or this one in a folder of its own", "notebook")


def _about(service: Service, folder: Path) -> tuple[str | None, State | None]:
    """The notebook that a folder's project or settings name, None where neither does, and the project's state."""
    state = _state(service, folder) if has_log(folder) else None
    if state is not None:
        return state.project.notebook, state
    named = (entry.value for entry in said(folder) if (entry.table, entry.key) == ("", "notebook"))
    return next(named, None), None


def _state(service: Service, folder: Path) -> State:
    known = next((known.project_id for known in service.registry.all() if known.folder == folder), None)
    if known is not None:
        return service.project(known).state
    opened = OpenedProject.at(folder, service.makers)  # moved here, and not taken up since
    try:
        return opened.state
    finally:
        opened.store.close()


# With what


@dataclass(frozen=True)
class _Asked:
    """The configuration in force, or that of a start without further words; what of the objective somebody said."""

    project: Project
    has_metric: bool
    has_direction: bool
    remarks: tuple[str, ...] = ()


def _asked(at: _Place) -> _Asked:
    entries = said(at.folder)
    if at.state is not None:
        project = at.state.project
        return _Asked(project, True, True, tuple(_not_in_force(project, entries)))
    keys = {entry.key for entry in entries if entry.table == "objective"}
    has_metric = "metric" in keys
    options = Options(notebook=at.notebook, metric=None if has_metric else _ANY_METRIC)
    return _Asked(load(at.folder, options), has_metric, has_metric or "direction" in keys)


def _not_in_force(project: Project, entries: tuple[Entry, ...]) -> Iterator[str]:
    """What the file says otherwise than the project at work: changed since, or set aside by what a start said."""
    for entry in entries:
        there = getattr(getattr(project, entry.table) if entry.table else project, entry.key)
        if there != entry.value:
            yield f"{entry.where} is {shown(entry.value)}, and the project is at work with {shown(there)}"


def _kernel(
    service: Service, at: _Place, project: Project, survey: Survey, live_kernels: Mapping[Path, str]
) -> tuple[Project, tuple[str, ...]]:
    """The project on the kernel that its runs would use, and what is to be said of that."""
    try:
        if at.state is not None and at.state.baseline is not None:
            return project, service.makers.preflight(project, survey)
        return choose_kernel(at.folder, project, survey, Options(live_kernels=live_kernels), service.makers)
    except InvalidInput as error:  # a start would be refused: the form says so before
        return project, (str(error),)

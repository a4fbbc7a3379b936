"""Taking an experiment out of a project, as a notebook and a patch to go on with, or as a fork to hand back."""

import itertools
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .core.ports import Origin
from .errors import Conflict, InvalidInput, StorageFailed
from .service.opened import OpenedProject

_FORKS = "forks"


@dataclass(frozen=True)
class TakenView:
    """An experiment written out: paths relative to ``folder``; ``patch`` is null where nothing differs, ``place`` the
    folder relative to the server's root, null without a server."""

    experiment: int
    folder: str
    notebook: str
    files: tuple[str, ...]
    patch: str | None
    notes: tuple[str, ...] = ()
    place: str | None = None


@dataclass(frozen=True)
class ForkedView:
    """An experiment's notebook to be edited by hand: its path relative to the project, and relative to the server's
    root (``place``), null without a server."""

    experiment: int
    notebook: str
    place: str | None = None
    notes: tuple[str, ...] = ()


def take(project: OpenedProject, number: int, into: Path | None = None) -> TakenView:
    """Write experiment ``number`` into ``into`` (default: a folder of its own in the project's ``forks/``).

    Its notebook without outputs, the code files that it changes, and what makes them of the project's own as a patch.
    Nothing that is there is overwritten. Raises NotFound, InvalidNotebook, Conflict where something is in the way,
    StorageFailed; nothing is left behind then.
    """
    from .execution.notebooks import taking  # papermill takes a moment to import

    experiment = project.store.experiment(number)
    notebook, own = project.state.project.notebook, project.store.source(experiment.measure)
    taken = taking.take(project.recipe(number), own, project.folder, notebook)
    folder = _taken_folder(project, number) if into is None else into
    patch = f"{number:04d}.patch" if taken.patch else None
    _write(folder, {notebook: taken.notebook, **taken.files, **({patch: taken.patch} if patch else {})})
    return TakenView(number, str(folder), notebook, tuple(taken.files), patch, taken.notes)


def fork(project: OpenedProject, number: int) -> ForkedView:
    """Write the notebook of experiment ``number`` into the project's ``forks/``, to be edited and handed back by `try`.

    Without outputs, its values in the parameters cell; never over a file that is there: the next free name is taken.
    Raises NotFound, InvalidNotebook, Conflict, StorageFailed.
    """
    from .execution.notebooks.forking import marked  # papermill takes a moment to import
    from .execution.notebooks.taking import continued

    experiment = project.store.experiment(number)
    own, name = project.store.source(experiment.measure), _name(project, number)
    notebook, files = continued(project.recipe(number))
    text = marked(notebook, Origin(project.id, number))
    folder = _forks(project.folder)
    for path in (f"{name}{f'-{k}' if k > 1 else ''}.ipynb" for k in itertools.count(1)):
        if not os.path.lexists(folder / path):
            _write(folder, {path: text})
            break
    other = sorted(path for path in files if files[path] != own.files.get(path))
    said = f"handed back, it runs with experiment {number}'s own {', '.join(other)}"
    return ForkedView(number, f"{_FORKS}/{path}", notes=(said,) if other else ())


def _taken_folder(project: OpenedProject, number: int) -> Path:
    """Where an experiment is taken to by default. Raises Conflict where it was already."""
    folder = _forks(project.folder) / _name(project, number)
    if os.path.lexists(folder):
        there = f"{_FORKS}/{folder.name}"
        raise Conflict(f"experiment {number} was taken already: {there} is there already and stays; rename it first")
    return folder


def _name(project: OpenedProject, number: int) -> str:
    from .execution.notebooks.publish import slug

    return f"{number:04d}-{slug(project.store.experiment(number))}"


def _forks(folder: Path) -> Path:
    """The project's folder of forks. Raises Conflict where it leads out of the project."""
    forks = folder / _FORKS
    if not forks.resolve().is_relative_to(folder.resolve()):
        raise Conflict(f"{_FORKS}/ leads out of the project's folder; accepted: a folder inside it")
    return forks


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """All of these files, or none."""
    for path in texts:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts:
            raise InvalidInput(f"{path!r} is no path inside a project")
        if os.path.lexists(folder / path):
            raise Conflict(f"{folder / path} is there already and stays: name another folder with --into DIR")
    made: list[Path] = []
    try:
        for path, text in texts.items():
            _make_folder((folder / path).parent, made)
            with (folder / path).open("xb") as file:
                made.append(folder / path)
                file.write(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        for there in reversed(made):
            _remove(there)
        raise StorageFailed(f"{error.filename or folder} cannot be written: {error.strerror}") from error


def _make_folder(folder: Path, made: list[Path]) -> None:
    if not folder.exists():
        _make_folder(folder.parent, made)
        folder.mkdir()
        made.append(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

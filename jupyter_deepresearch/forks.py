"""Taking an experiment out of a project, as a notebook and a patch to go on with."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from .errors import Conflict, InvalidInput, StorageFailed
from .service.opened import OpenedProject
from .service.views import TakenView


def take(project: OpenedProject, number: int, into: Path | None = None) -> TakenView:
    """Write experiment ``number`` into ``into`` (default: a folder of its own in the project's ``forks/``).

    Its notebook without outputs, the code files that it changes, and what makes them of the project's own as a patch.
    Nothing that is there is overwritten. Raises NotFound, InvalidNotebook, Conflict where something is in the way,
    StorageFailed; nothing is left behind then.
    """
    from .execution.notebooks import taking  # papermill takes a moment to import
    from .execution.notebooks.publish import slug

    experiment = project.store.experiment(number)
    notebook, own = project.state.project.notebook, project.store.source(experiment.measure)
    taken = taking.take(project.recipe(number), own, project.folder, notebook)
    name = f"{number:04d}-{slug(experiment)}"
    folder = project.folder / "forks" / name if into is None else into
    patch = f"{number:04d}.patch" if taken.patch else None
    _write(folder, {notebook: taken.notebook, **taken.files, **({patch: taken.patch} if patch else {})})
    return TakenView(number, str(folder), notebook, tuple(taken.files), patch, taken.notes)


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

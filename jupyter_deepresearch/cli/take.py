"""`take` and `fork`: an experiment as a notebook and a patch, or as a notebook to edit and to hand back."""

import os
import shlex
from pathlib import Path

from ..forks import ForkedView, TakenView, fork, take
from ..service import views
from .opening import command_line, opened
from .request import Request


def perform(request: Request) -> int:
    """See ``main``. Raises NotFound, InvalidNotebook, Conflict, StorageFailed; nothing is written then."""
    with opened(request.folder) as project:
        number = int(request.words[0])
        if request.command == "fork":
            forked = fork(project, number)
            print(views.to_json(forked) if request.as_json else _forked_text(forked, project.folder))
        else:
            taken = take(project, number, request.into)
            print(views.to_json(taken) if request.as_json else _taken_text(taken, project.folder))
    return 0


def _forked_text(forked: ForkedView, project: Path) -> str:
    line = f"experiment {forked.experiment} is in {_shown(project / forked.notebook)}, to be edited"
    how = f"to hand it back: {command_line('try', project)} --notebook {shlex.quote(forked.notebook)}"
    return "\n".join([line, how, *(f"note: {note}" for note in forked.notes)])


def _taken_text(taken: TakenView, project: Path) -> str:
    folder = Path(taken.folder)
    what = [taken.notebook, *taken.files, *([taken.patch] if taken.patch else ())]
    listed = " and ".join(filter(None, [", ".join(what[:-1]), what[-1]]))
    line = f"experiment {taken.experiment} is in {_shown(folder)}: {listed}"
    if taken.patch is None:
        return f"{line}; it does not differ from the project's own files"
    patch = os.path.relpath(folder / taken.patch, project)
    how = f"to change the project's own files: cd {shlex.quote(str(project))} && git apply {shlex.quote(patch)}"
    return "\n".join([line, how, *(f"note: {note}" for note in taken.notes)])


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path

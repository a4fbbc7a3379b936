"""`take`: an experiment as a notebook and a patch, in a folder of its own."""

import os
import shlex
from pathlib import Path

from ..forks import take
from ..service import views
from .opening import opened
from .request import Request


def perform(request: Request) -> int:
    """See ``main``. Raises NotFound, InvalidNotebook, Conflict, StorageFailed; nothing is written then."""
    with opened(request.folder) as project:
        taken = take(project, int(request.words[0]), request.into)
        print(views.to_json(taken) if request.as_json else _text(taken, project.folder))
    return 0


def _text(taken: views.TakenView, project: Path) -> str:
    folder = Path(taken.folder)
    what = [taken.notebook, *taken.files, *([taken.patch] if taken.patch else ())]
    listed = " and ".join(filter(None, [", ".join(what[:-1]), what[-1]]))
    here = Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    line = f"experiment {taken.experiment} is in {shown}: {listed}"
    if taken.patch is None:
        return f"{line}; it does not differ from the project's own files"
    patch = os.path.relpath(folder / taken.patch, project)
    how = f"to change the project's own files: cd {shlex.quote(str(project))} && git apply {shlex.quote(patch)}"
    return "\n".join([line, how, *(f"note: {note}" for note in taken.notes)])

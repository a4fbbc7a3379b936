"""Making a project out of a folder, and taking in what changed since: everything is checked before anything is written."""

import hashlib
import os
import re
import shutil
from pathlib import Path

from .config import Options, check_brief, load, read_brief, reload, write_project_files
from .core import events as ev
from .errors import StorageFailed
from .opened import Makers, OpenedProject


def create(folder: Path, options: Options, brief: str | None, makers: Makers) -> OpenedProject:
    """A new project in ``folder``, its log begun.

    Raises InvalidConfig, InvalidNotebook, NotFound, Conflict, StorageFailed; nothing is half made then.
    """
    project = load(folder, options)
    source, survey = makers.notebooks(folder, project).read(project.notebook)
    text = check_brief(brief, "the brief given") if brief and brief.strip() else read_brief(folder)
    remarks = makers.preflight(project, survey)
    write_project_files(folder, brief)
    _write_first(folder, makers, ev.Opened(_new_id(project.name), project, source, survey, text))
    opened = OpenedProject.at(folder, makers)
    for remark in remarks:
        opened.ledger.append(ev.Announced(remark))
    return opened


def take_up(opened: OpenedProject, options: Options, makers: Makers) -> None:
    """Take in what the person configured or mended since; undo pause, stop and an ended budget.

    Raises InvalidConfig, InvalidNotebook, StorageFailed; nothing is written then.
    """
    state = opened.state
    wanted = reload(opened.folder, state.project, options)
    makers.preflight(wanted, state.survey)
    if state.failed is not None:
        source, survey = opened.notebooks.read(wanted.notebook)
        opened.ledger.append(ev.Sourced(source, survey, new_measure=True))
    if wanted != state.project:
        opened.ledger.append(ev.Configure(wanted))
    if state.paused or state.stopped or state.finished or state.failed:
        opened.ledger.append(ev.Resume())


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


def _new_id(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30] or "project"
    return f"{slug}-{hashlib.sha256(os.urandom(16)).hexdigest()[:8]}"

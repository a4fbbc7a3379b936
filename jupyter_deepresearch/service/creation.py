"""Making a project out of a folder, and taking in what changed since: all is checked before anything is written."""

import contextlib
import hashlib
import os
import re
import shutil
from functools import partial
from pathlib import Path

from ..config.brief import BRIEF_NAME, check_brief, read_brief, write_project_files
from ..config.loading import Options, load, reload
from ..core import events as ev
from ..core.ledger import Ledger
from ..core.project import Project
from ..core.state import State
from ..core.types import Source
from ..errors import Conflict, StorageFailed
from .kernels import choose_kernel
from .opened import Makers, OpenedProject


def create(folder: Path, options: Options, brief: str | None, makers: Makers) -> OpenedProject:
    """A new project in ``folder``, its log begun.

    Raises InvalidConfig, InvalidNotebook, NotFound, Conflict, StorageFailed; nothing is half made then.
    """
    project = load(folder, options)
    source, survey = makers.notebooks(folder, project).read(project.notebook)
    text = check_brief(brief, "the brief given") if brief and brief.strip() else read_brief(folder)
    project, remarks = choose_kernel(folder, project, survey, options, makers)
    had_brief = (folder / BRIEF_NAME).exists()
    write_project_files(folder, brief)
    try:
        _write_first(folder, makers, ev.Opened(_new_id(project.name), project, source, survey, text))
    except StorageFailed:
        if not had_brief:
            with contextlib.suppress(OSError):  # a read-only folder
                (folder / BRIEF_NAME).unlink(missing_ok=True)
        raise
    opened = OpenedProject.at(folder, makers)
    for remark in remarks:
        opened.ledger.append(ev.Announced(remark))
    return opened


def take_up(opened: OpenedProject, options: Options, brief: str | None, makers: Makers) -> None:
    """Take in what the person configured or mended since; undo pause, stop and an ended budget.

    Raises InvalidConfig, InvalidNotebook, Conflict (another brief is there), StorageFailed; nothing is written then.
    """
    state = opened.state
    wanted = reload(opened.folder, state.project, options)
    mended = opened.mended() or _measured_anew(opened, wanted) or _laid_out_anew(opened, wanted)
    survey = mended.survey if mended else state.survey
    if state.baseline is None and not state.runs:
        wanted, remarks = choose_kernel(opened.folder, wanted, survey, options, makers)
    else:
        remarks = makers.preflight(wanted, survey)
    write_project_files(opened.folder, brief)
    if mended is not None:
        opened.ledger.append(mended)
    if wanted != state.project:
        opened.ledger.append(ev.Configure(wanted))
    for remark in remarks:
        if not opened.was_said(remark) or wanted.researcher != state.project.researcher:
            opened.ledger.append(ev.Announced(remark))
    if state.paused or state.stopped or state.finished or state.failed:
        opened.ledger.append(ev.Resume())


def _measured_anew(opened: OpenedProject, wanted: Project) -> ev.Sourced | None:
    """A new measure where the metric is another one, or is read otherwise; None where values stay comparable."""
    now, then = wanted.objective, opened.state.project.objective
    if (now.metric, now.direction, now.value) == (then.metric, then.direction, then.value):
        return None
    source, survey = opened.notebooks.read(wanted.notebook)
    is_measured = opened.state.baseline is not None or bool(opened.state.runs)
    return ev.Sourced(source, survey, new_measure=is_measured)


def _laid_out_anew(opened: OpenedProject, wanted: Project) -> ev.Sourced | None:
    """The same source where other files count as code now: those that are new to it are taken as they are."""
    state, there = opened.state, opened.state.project
    if (wanted.code, wanted.launcher.private) == (there.code, there.launcher.private):
        return None
    found, _ = opened.notebooks_under(wanted).read(wanted.notebook)
    own = opened.store.source(state.measure)
    files = {path: own.files.get(path, text) for path, text in found.files.items()}
    return None if files == own.files else ev.Sourced(Source(own.notebook, files), state.survey, new_measure=False)


def _write_first(folder: Path, makers: Makers, event: ev.Opened) -> None:
    """A new log with its first event, or no trace of one. Raises StorageFailed."""
    hidden = folder / ".deepresearch"
    before = set(hidden.iterdir()) if hidden.is_dir() else None
    try:
        hidden.mkdir(exist_ok=True)
        (hidden / ".gitignore").write_text("*\n", encoding="utf-8")
        store = makers.store(folder)
        try:
            Ledger(store).append(partial(_first, event))
        finally:
            store.close()
    except (OSError, StorageFailed) as error:
        _remove_new(hidden, before)
        if isinstance(error, StorageFailed):
            raise
        raise StorageFailed(f"{folder} cannot be written: {error.strerror}") from error


def _first(event: ev.Opened, state: State | None) -> ev.Event:
    """A log has one beginning, also when two processes start the same project at once."""
    if state is not None:
        raise Conflict("another process has just started this project; start it again to take it up")
    return event


def _remove_new(hidden: Path, before: set[Path] | None) -> None:
    """Take away what was written into the folder, or the folder itself where it is new."""
    if before is None:
        shutil.rmtree(hidden, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        for path in set(hidden.iterdir()) - before:
            path.unlink()


def _new_id(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30] or "project"
    return f"{slug}-{hashlib.sha256(os.urandom(16)).hexdigest()[:8]}"

"""What a run prints, while it prints it, over its attempts."""

import json
import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from ..core.needs import needed
from ..core.types import Run, RunState
from ..errors import NotFound
from ..service.opened import OpenedProject
from .printed import Plain, Printer, Raw

LOOK_S = 0.2


def follow(project: OpenedProject, run: str | None, *, until_end: bool, as_json: bool) -> None:
    """Print the outputs of a run (the latest one, where None is named); with ``until_end`` until it has ended.

    A run that was lost is followed into its next attempt. Raises NotFound.
    """
    name: str | None = _found(project, run)
    printer: Printer = Raw() if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else Plain()
    while name is not None:
        for line in _lines(project, name, until_end):
            if line is None:
                printer.rest()
            elif as_json:
                print(line, flush=True)
            else:
                printer.show(json.loads(line))
        printer.end()
        after = _next_attempt(project, name) if until_end else None
        if until_end and not as_json:
            _say_how_it_ended(project, name, after)
        name = after


def _found(project: OpenedProject, run: str | None) -> str:
    runs = _runs(project)
    if run is None and not runs:
        raise NotFound("no run was started yet")
    if run is not None and run not in runs:
        raise NotFound(f"there is no run {run!r}; the latest are: {', '.join(runs[-5:]) or 'none'}")
    return run or runs[-1]


def _runs(project: OpenedProject) -> list[str]:
    return [str(row[0]) for row in project.store.query("SELECT run FROM runs ORDER BY seq")]


def _lines(project: OpenedProject, run: str, until_end: bool) -> Iterator[str | None]:
    """Whole lines, as they are appended; None while nothing comes. A live run's file may not be there yet."""
    path = _folder(project, run) / "outputs.jsonl"
    begun, place = b"", 0
    while True:
        is_live = until_end and run in project.state.runs and not _is_left(project, run)
        if path.exists():
            with path.open("rb") as file:
                file.seek(place)
                new = file.read()
            place += len(new)
            *whole, begun = (begun + new).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if not is_live:
            return
        yield None
        if _is_unread():
            raise BrokenPipeError
        time.sleep(LOOK_S)


def _folder(project: OpenedProject, run: str) -> Path:
    return project.folder / ".deepresearch" / "runs" / run


def _is_left(project: OpenedProject, run: str) -> bool:
    """Whether the run is over, and nobody is there to take note of it."""
    if project.store.holder() is not None:
        return False
    if (_folder(project, run) / "exit.json").exists():
        return True
    progress = project.records.progress(run)
    return progress is not None and progress.pid is not None and not psutil.pid_exists(progress.pid)


def _is_unread() -> bool:
    """Whether whoever read our output has gone: a pipe tells only those that write or ask."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError, AttributeError):  # no file behind it, or a system without poll
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _next_attempt(project: OpenedProject, run: str) -> str | None:
    """The attempt that goes on where this one was lost, once it is planned; None where there will be none."""
    while True:
        state = project.state
        ended = next((a.run for w in state.works.values() for a in w.attempts if a.run.id == run), None)
        if ended is None:
            return None
        again = ended.again()
        if again.id in _runs(project):
            return again.id
        if project.store.holder() is None or not _is_needed(project, again):
            return None
        time.sleep(LOOK_S)


def _is_needed(project: OpenedProject, run: Run) -> bool:
    state = project.state
    work = state.works.get(run.experiment)
    return work is not None and not state.stopped and any(one.id == run.id for one in needed(state, work))


def _say_how_it_ended(project: OpenedProject, run: str, after: str | None) -> None:
    rows = project.store.query("SELECT state FROM runs WHERE run = ?", run)
    word = str(rows[0][0]) if rows else RunState.RUNNING.value
    if word in (RunState.RUNNING, RunState.PENDING):
        print(f"[{run}: nobody researches this project now]", file=sys.stderr, flush=True)
    elif after is not None:
        print(f"[{run}: {word}; going on with {after}]", file=sys.stderr, flush=True)
    elif word != RunState.SUCCEEDED:
        print(f"[{run}: {word.replace('_', ' ')}]", file=sys.stderr, flush=True)

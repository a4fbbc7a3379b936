"""Research where there is no Jupyter server: `run` in a process of its own, which no terminal or kernel takes along."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .app import make_service
from .config.loading import Options
from .core.types import ProjectState
from .errors import Conflict, LeaseHeld, StorageFailed
from .execution.local import with_this_package
from .execution.reading import last_lines
from .processes import is_alive, start_ticks
from .service.opened import OpenedProject

LOG = "loop.log"
"""Under ``.deepresearch``: what `run` would have printed in a terminal."""
_BEGIN_S = 60.0
_LOOK_S = 0.05
_LOG_BYTES = 5_000_000
_NAME = "`jupyter deepresearch start`"
_LOOP = (sys.executable, "-P", "-m", "jupyter_deepresearch.cli.unattended")
# What ipykernel sets for its own notebook: a run by hand would not have it.
_KERNEL = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "CLICOLOR", "FORCE_COLOR", "PAGER", "GIT_PAGER")


@dataclass(frozen=True)
class Detached:
    """A loop that goes on by itself. ``is_over``: it had nothing to do, and has ended already."""

    project_id: str
    pid: int
    log: Path
    is_over: bool = False


def start_detached(
    folder: Path,
    options: Options,
    brief: str | None = None,
    prepared: Callable[[OpenedProject], None] = lambda project: None,
) -> Detached:
    """Make or take up the project in ``folder`` and have it researched in a process of its own.

    Whatever is wrong with the project is found here, before anything is started; ``prepared`` is called in between.
    Returns once the new process holds the project's lease. Raises what ``Service.prepare`` raises (LeaseHeld where
    somebody researches it), Conflict with the loop's own words where it ends at once, StorageFailed.
    """
    with contextlib.closing(make_service(name=_NAME)) as service:
        project = service.prepare(folder, options, brief)
        prepared(project)
        log = _log_of(project)
        pid, started = _begun(project, log)
        return Detached(project.id, pid, log, _has_ended(project, pid, started, log))


def go_on_detached(project: OpenedProject) -> Detached | None:
    """Have a project researched again as it is; None where somebody does already. Raises as ``start_detached``."""
    if project.store.holder() is not None:
        return None
    try:
        return start_detached(project.folder, Options())
    except LeaseHeld:  # somebody was faster, and goes on with it
        return None


def _log_of(project: OpenedProject) -> Path:
    """The log, begun anew where it has grown large."""
    log = project.folder / ".deepresearch" / LOG
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".1.log"))
    return log


def _begun(project: OpenedProject, log: Path) -> tuple[int, int | None]:
    """Start the loop; its pid and start time. Raises StorageFailed."""
    command = [*_LOOP, project.id, str(project.folder)]
    try:
        with log.open("ab") as output:
            said = subprocess.run(
                command,
                env=_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                timeout=_BEGIN_S,
                check=True,
            ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise StorageFailed(f"the loop of {project.folder} could not be started: {error}; see {log}") from None
    pid = int(said)
    return pid, start_ticks(pid)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a run by hand, also from within a kernel."""
    kept = dict(environ)
    if "JPY_PARENT_PID" in kept:
        kept = {name: value for name, value in kept.items() if name not in _KERNEL}
        if kept.get("MPLBACKEND", "").startswith("module://matplotlib_inline"):
            del kept["MPLBACKEND"]
    return kept if _is_installed() else with_this_package(kept)


def _is_installed() -> bool:
    """Whether a new process finds this package by itself: its runs should have no path that a run by hand lacks."""
    try:
        distribution("jupyter_deepresearch")
    except PackageNotFoundError:
        return False
    return True


def _has_ended(project: OpenedProject, pid: int, started: int | None, log: Path) -> bool:
    """Wait until the new process researches the project; whether it has come to its end already.

    Raises Conflict with the last words of a loop that failed, StorageFailed where nothing comes of it.
    """
    end = time.monotonic() + _BEGIN_S
    while time.monotonic() < end:
        holder = project.store.holder()
        if holder is not None and holder.pid == pid:
            return False
        if not is_alive(pid, started, None):
            return _ended_well(project, log)
        time.sleep(_LOOK_S)
    raise StorageFailed(f"the loop (pid {pid}) has not taken up {project.folder} in {_BEGIN_S:g} s; see {log}")


def _ended_well(project: OpenedProject, log: Path) -> bool:
    view = project.status()
    if view.state is ProjectState.FINISHED:
        return True
    said = [line for line in last_lines(log, 20) if line.strip()]
    reason = said[-1].removeprefix("jupyter deepresearch: ")[:500] if said else f"see {log}"
    raise Conflict(view.reason if view.state is ProjectState.FAILED else f"the loop ended at once: {reason}")

"""The end of a run whose runner did not record it, and the end of what such a run leaves behind."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from ..core.types import Outcome, RunError, RunState
from ..processes import boot_id, is_alive
from .monitor import Process
from .paths import RunPaths
from .reading import last_lines, last_write, read_descendants, read_live, read_owner

RUN = "DEEPRESEARCH_RUN"
REPORTS = "DEEPRESEARCH_REPORTS"
_TAIL_LINES = 20
_GONE_S = 2.0
_ROUNDS = 5


def unrecorded(paths: RunPaths, run: str, runner: Process | None, evidence: str | None = None) -> Outcome:
    """The outcome of a run that has no usable exit record although its runner is dead.

    LOST with what is known of it; CANCELLED where that was asked for, so that nobody tries it again.
    """
    tail = "\n".join(_log(paths))
    if paths.cancel.exists():
        state, kind = RunState.CANCELLED, "cancelled"
        message = "the runner did not end the run when asked to, and was ended itself"
    else:
        state, kind, message = RunState.LOST, "lost", evidence or _evidence(paths, runner)
    live, written = read_live(paths), last_write(paths)
    since = live.since if live is not None else None
    elapsed = max(0.0, written - since) if written is not None and since is not None else None
    gpu_s = (elapsed or 0.0) * len(live.gpus) if live is not None else 0.0
    error = RunError(kind, message, cell=live.cell if live is not None else None, tail=tail)
    return Outcome(run, state, elapsed_s=elapsed, gpu_s=gpu_s, error=error)


def _evidence(paths: RunPaths, runner: Process | None) -> str:
    if not paths.root.is_dir():
        return f"the run folder {paths.root.name} is gone: somebody removed it"
    if runner is None or read_owner(paths) is None:
        return "the run folder names no runner"
    if runner.boot_id is not None and runner.boot_id != boot_id():
        return "it ran before this machine was started, or on another machine where it is silent"
    said = _log(paths)
    last = f"; its last words: {said[-1][:200]}" if said else ""
    return f"the runner (pid {runner.pid}) ended without a record{last}"


def _log(paths: RunPaths) -> list[str]:
    return [line for line in last_lines(paths.log, _TAIL_LINES) if line.strip()]


def kill_runner(runner: Process) -> None:
    """End a runner and all that descends from it at once, as far as it is still the process that was recorded."""
    descendants: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        if runner.is_alive():
            descendants = psutil.Process(runner.pid).children(recursive=True)
    if runner.send(signal.SIGKILL):
        _kill(descendants)


def end_leftovers(paths: RunPaths, run: str) -> int:
    """End the kernel of a run and its children that outlived their runner, and remove its sockets; how many there were.

    They are known by what the runner told them in their environment (the run's id, and a reports file in its folder),
    by what it wrote down of them while it lived, and as children of such processes. Other users' are never touched.
    """
    root = paths.root.resolve()
    ended: set[psutil.Process] = set()
    for _ in range(_ROUNDS):
        left = _left(paths, run, root) - ended  # a process may have started another one in its last moment
        if not left:
            break
        _kill(left)
        ended |= left
    _remove_sockets(paths)
    return len(ended)


def _left(paths: RunPaths, run: str, root: Path) -> set[psutil.Process]:
    """What still runs of a run."""
    left = {process for process in psutil.process_iter() if _belongs(process, run, root)}
    left.update(_written_down(paths))
    for process in tuple(left):
        with contextlib.suppress(psutil.Error):
            left.update(filter(_is_ours, process.children(recursive=True)))
    return {process for process in left if _runs(process)}


def _written_down(paths: RunPaths) -> Iterator[psutil.Process]:
    owner = read_owner(paths)
    if owner is None or owner.boot_id != boot_id():
        return
    for pid, started in read_descendants(paths).started.items():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if is_alive(pid, started, owner.boot_id) and _is_ours(process):
                yield process


def _is_ours(process: psutil.Process) -> bool:
    try:
        return bool(process.uids().real == os.getuid())
    except psutil.Error:
        return False


def _remove_sockets(paths: RunPaths) -> None:
    """Only what a kernel has there goes, file by file: a run could have bent the link to anywhere."""
    with contextlib.suppress(OSError):
        folder = paths.sockets.readlink()
        for file in (folder / "kernel.json", *folder.glob("s-*")):
            if file.is_socket() or file.name == "kernel.json":
                file.unlink(missing_ok=True)
        folder.rmdir()
        paths.sockets.unlink()


def _belongs(process: psutil.Process, run: str, root: Path) -> bool:
    try:
        environ = process.environ()
    except (psutil.Error, OSError):
        return False  # another user's, a kernel thread's, or gone meanwhile
    reports = environ.get(REPORTS)
    return (
        _is_ours(process)
        and environ.get(RUN) == run
        and reports is not None
        and Path(reports).resolve().is_relative_to(root)
    )


def _kill(processes: Iterable[psutil.Process]) -> None:
    """psutil compares start times before it signals: a reused pid is safe."""
    killed = list(processes)
    for process in killed:
        with contextlib.suppress(psutil.Error):
            process.kill()
    end = time.monotonic() + _GONE_S
    while any(map(_runs, killed)) and time.monotonic() < end:
        time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    """Whether it is there and no zombie: where nobody reaps those for a while, psutil's own waiting takes seconds."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""Runs on this machine: each in a detached process of its own, found again after any restart."""

import asyncio
import contextlib
import os
import signal
import site
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.ports import Observation, RunSpec
from ..core.types import Handle, Outcome, RunState
from ..errors import StorageFailed
from ..processes import boot_id
from .environment import run_environment
from .lost import end_leftovers, kill_runner, unrecorded
from .monitor import Process, wait_any
from .paths import ProjectPaths, RunPaths
from .reading import last_lines, last_write, read_live, read_outcome, read_owner
from .setting import set_up

RUNNER = (sys.executable, "-P", "-m", "jupyter_deepresearch.execution.runner")
"""The runner's command; the run folder comes after it. -P: a person's files in the current folder are not imported."""
_START_S = 30.0
_SILENCE_S = 120.0
_LOOK_S = 5.0
"""A run folder that vanishes or a cancel that is ignored wakes nobody: looked for so often."""


class LocalLauncher:
    """See ``core.ports.Launcher``. ``folder`` is the project's; a cancelled run gets ``patience_s`` twice to end."""

    def __init__(self, folder: Path, runner: Sequence[str] = RUNNER, patience_s: float = 10.0) -> None:
        self._project = ProjectPaths(folder.absolute())
        self._runner = tuple(runner)
        self._patience_s = patience_s
        self._ending: dict[str, asyncio.Task[None]] = {}

    async def launch(self, spec: RunSpec) -> Handle:
        """Start the run, or find it where it was started before. Raises StorageFailed, InvalidNotebook.

        A runner's first act is to claim the run folder, which only one can: where a launcher died between a start and
        its record, the next one starts a second runner, and whichever comes second ends at once.
        """
        environ = dict(os.environ)
        paths = await asyncio.to_thread(set_up, self._project, spec, environ)
        if not (paths.owner.exists() or paths.exit.exists()):
            child = await asyncio.to_thread(_start, (*self._runner, str(paths.root)), paths, spec, environ)
            await _owned(paths, child)
        return _handle(paths, spec.run.id)

    async def cancel(self, handle: Handle) -> None:
        """Ask a live run to end as CANCELLED, and see to it in the background. Does nothing to an ended one."""
        paths = self._project.run(handle.run)
        runner = _process(handle)
        if paths.exit.exists() or runner is None or not _lives(runner, paths):
            return
        with contextlib.suppress(OSError):  # a full disk: the signals below are understood as well
            paths.cancel.touch()
        if handle.run not in self._ending:
            task = asyncio.create_task(self._see_to_end(runner))
            self._ending[handle.run] = task
            task.add_done_callback(lambda _: self._ending.pop(handle.run, None))

    async def _see_to_end(self, runner: Process) -> None:
        if await wait_any([runner], self._patience_s):
            return
        runner.send(signal.SIGTERM)
        if not await wait_any([runner], self._patience_s):
            await asyncio.to_thread(kill_runner, runner)

    async def observe(self, handles: Sequence[Handle]) -> Sequence[Observation]:
        """What is seen of each run, in order. Returns once at least one has ended (at once where one already has)."""
        while True:
            seen = [await self._look(handle) for handle in handles]
            if any(observation.outcome is not None for observation in seen):
                return seen
            await wait_any([p for p in map(_process, handles) if p is not None], _LOOK_S)

    async def _look(self, handle: Handle) -> Observation:
        paths, runner = self._project.run(handle.run), _process(handle)
        # Dead first, record then: the record is a runner's last act, so that one missing now is missing for ever.
        lives = runner is not None and _lives(runner, paths)
        evidence = None
        try:
            outcome = read_outcome(paths, handle.run)
        except StorageFailed as error:
            outcome, evidence = None, str(error)
        if outcome is None and lives:
            live = read_live(paths)
            state = RunState.RUNNING if live is not None and live.since is not None else RunState.PENDING
            return Observation(handle.run, state, live.note if live is not None else "")
        if outcome is None:
            outcome = await asyncio.to_thread(_without_record, paths, handle.run, runner, evidence)
        return Observation(handle.run, outcome.state, outcome=outcome)


def _lives(runner: Process, paths: RunPaths) -> bool:
    """Whether the run goes on. A runner on another machine cannot be asked: it does while it writes to its folder."""
    if not paths.root.is_dir():
        return False
    if runner.boot_id in (None, boot_id()):
        return runner.is_alive()
    owner, written = read_owner(paths), last_write(paths)
    is_elsewhere = owner is not None and owner.host != socket.gethostname()
    return is_elsewhere and written is not None and time.time() - written < _SILENCE_S


def _without_record(paths: RunPaths, run: str, runner: Process | None, evidence: str | None) -> Outcome:
    """The run's end by what is left of it, once nothing of it lives any more."""
    outcome = unrecorded(paths, run, runner, evidence)
    if runner is not None:
        kill_runner(runner)  # alive still where somebody removed its folder
    end_leftovers(paths, run)
    return outcome


def _start(
    command: Sequence[str], paths: RunPaths, spec: RunSpec, environ: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    variables = run_environment(environ, spec.project.launcher.env, spec.dry_run).variables
    try:
        with paths.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=paths.root,
                env=with_this_package(variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise StorageFailed(f"the runner of {spec.run.id} cannot be started: {error.strerror or error}") from error
    # Whoever watches or not, an ended runner must not stay a zombie of this process.
    threading.Thread(target=child.wait, name=f"reaper of {spec.run.id}", daemon=True).start()
    return child


def with_this_package(variables: Mapping[str, str]) -> dict[str, str]:
    """The runner's variables: it must find this very package, also where that is a source tree not installed."""
    home = str(Path(__file__).resolve().parents[2])
    if home in (*site.getsitepackages(), site.getusersitepackages()):
        return dict(variables)
    path = variables.get("PYTHONPATH")
    return {**variables, "PYTHONPATH": os.pathsep.join([home, path] if path else [home])}


async def _owned(paths: RunPaths, child: "subprocess.Popen[bytes]") -> None:
    """Wait until a runner owns the run. Raises StorageFailed when ours has died without that, or takes for ever."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _START_S
    while not paths.owner.exists():
        code = child.returncode
        if code is not None and not paths.owner.exists():
            said = [line for line in last_lines(paths.log, 20) if line.strip()]
            last = f": {said[-1][:300]}" if said else ""
            raise StorageFailed(f"the runner of {paths.root.name} ended at its start with exit code {code}{last}")
        if loop.time() > end:
            raise StorageFailed(f"the runner of {paths.root.name} (pid {child.pid}) did not start in {_START_S:g} s")
        await asyncio.sleep(0.01)


def _handle(paths: RunPaths, run: str) -> Handle:
    owner = read_owner(paths)
    if owner is None:  # cut off in the very act of claiming it: observing it finds no runner
        return Handle(run, "local", job="unknown")
    return Handle(run, "local", str(owner.pid), owner.pid, owner.start_time, owner.boot_id)


def _process(handle: Handle) -> Process | None:
    return None if handle.pid is None else Process(handle.pid, handle.start_time, handle.boot_id)

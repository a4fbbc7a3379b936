"""A runner without a notebook, for tests of the launcher: ``stand_in_runner.py BEHAVIOUR RUN_DIR``.

It claims the run, counts itself in ``started.txt``, and then does as its behaviour says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from jupyter_deepresearch.core.types import Outcome, RunError, RunState
from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.runner.run_files import ExitRecord, claim, write_live
from jupyter_deepresearch.execution.spec import Live


def main(behaviour: str, folder: str) -> None:
    """Be a runner."""
    paths = RunPaths(Path(folder))
    if behaviour == "refuses":
        sys.exit("no such thing as a free run")
    if claim(paths) is None:
        return
    with (paths.root / "started.txt").open("a") as file:
        file.write(f"{os.getpid()}\n")
    write_live(paths, Live(since=time.time(), cells=1, gpus=("GPU-0", "GPU-1")))
    BEHAVIOURS[behaviour](paths)


def end(paths: RunPaths, state: RunState = RunState.SUCCEEDED) -> None:
    """The record's note is the moment of the end, for measuring how late it is noticed."""
    error = None if state is RunState.SUCCEEDED else RunError(state.value, "as asked")
    value = 1.0 if state is RunState.SUCCEEDED else None
    record = ExitRecord(paths.exit)
    record.write(Outcome(paths.root.name, state, value=value, error=error, notes=(repr(time.time()),)))
    os._exit(0)


def short(paths: RunPaths) -> None:
    """End after a moment."""
    time.sleep(0.15)
    end(paths)


def slow(paths: RunPaths) -> None:
    """End after a second."""
    time.sleep(1.0)
    end(paths)


def obedient(paths: RunPaths) -> None:
    """End when asked to."""
    while not paths.cancel.exists():
        time.sleep(0.02)
    end(paths, RunState.CANCELLED)


def signalled(paths: RunPaths) -> None:
    """See no cancel file, but obey SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: end(paths, RunState.CANCELLED))
    time.sleep(60)


def deaf(paths: RunPaths) -> None:
    """Obey nothing, with a kernel that does not either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    kernel(paths)
    time.sleep(60)


def kernel(paths: RunPaths) -> None:
    """Start what looks like a kernel: a session of its own, told its run, with a child that was told nothing."""
    told = {**os.environ, "DEEPRESEARCH_RUN": paths.root.name, "DEEPRESEARCH_REPORTS": str(paths.reports)}
    child = [sys.executable, "-c", "import time; time.sleep(60)"]
    code = f"import subprocess, time; print(subprocess.Popen({child!r}, env={{}}).pid, flush=True); time.sleep(60)"
    started = subprocess.Popen([sys.executable, "-c", code], env=told, start_new_session=True, stdout=subprocess.PIPE)
    assert started.stdout is not None
    grandchild = started.stdout.readline().decode().strip()
    (paths.root / "kernel.txt").write_text(f"{started.pid} {grandchild}")


def orphaning(paths: RunPaths) -> None:
    """Say something, and wait for a kill that leaves the kernel behind."""
    print("about to be killed", flush=True)
    kernel(paths)
    time.sleep(60)


def garbling(paths: RunPaths) -> None:
    """Leave a record that is none."""
    paths.exit.write_text('{"run": 3')
    os._exit(1)


BEHAVIOURS = {
    "short": short,
    "slow": slow,
    "obedient": obedient,
    "signalled": signalled,
    "deaf": deaf,
    "orphaning": orphaning,
    "garbling": garbling,
}

if __name__ == "__main__":
    main(*sys.argv[1:])

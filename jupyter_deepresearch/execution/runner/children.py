"""A runner's descendants: found wherever they went, and ended with the run. POSIX; whole only on Linux."""

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import psutil

from ...processes import start_ticks
from ..spec import Descendants

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_S = 0.5
_PATIENCE_S = 5.0


def become_subreaper() -> bool:
    """Make orphans among our descendants (other sessions too) our children, not init's. False where not possible."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def descendants(root: int) -> tuple[int, ...]:
    """All living or zombie descendants of a process, parents first."""
    found: list[int] = []
    queue = [root]
    try:
        while queue:
            children = _children(queue.pop(0))
            found.extend(children)
            queue.extend(children)
    except NotImplementedError:
        with contextlib.suppress(psutil.NoSuchProcess):
            return tuple(child.pid for child in psutil.Process(root).children(recursive=True))
    return tuple(found)


def _children(pid: int) -> list[int]:
    """Direct children by ``/proc/PID/task/*/children``: no walk over the machine's whole process table."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            found.extend(int(child) for child in Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split())
    except (FileNotFoundError, ProcessLookupError):
        if not os.path.exists("/proc/self/task") or not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            raise NotImplementedError from None
    return found


class Roll:
    """The run's processes, on disk: so that they can be ended where the runner itself is killed before it ends them.

    Most are known by their environment, too, but not those that were started without it or that wrote over it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = Descendants()

    def call(self, pids: Iterable[int]) -> None:
        """Write down who is there, where that has changed. Raises OSError."""
        found = ((pid, start_ticks(pid)) for pid in pids)
        now = Descendants({pid: started for pid, started in found if started is not None})
        if now != self._written:
            draft = self._path.with_name(f".{self._path.name}.tmp")
            draft.write_bytes(msgspec.json.encode(now))
            draft.replace(self._path)
            self._written = now


def end_descendants(root: int) -> int:
    """End all descendants of ``root`` (a subreaper, this process): asked, then killed, then reaped. Their number."""
    alive = _living(root)
    count = len(alive)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _await(root, time.monotonic() + _GRACE_S)
    deadline = time.monotonic() + _PATIENCE_S
    while (alive := _living(root)) and time.monotonic() < deadline:
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        _await(root, time.monotonic() + 0.1)
    return count


def _living(root: int) -> list[psutil.Process]:
    if root == os.getpid():
        _reap()
    found = []
    for pid in descendants(root):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _await(root: int, deadline: float) -> None:
    while _living(root) and time.monotonic() < deadline:
        time.sleep(0.01)


def _reap() -> None:
    """Take the exit status of every child that has ended; only once nobody else waits for one."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

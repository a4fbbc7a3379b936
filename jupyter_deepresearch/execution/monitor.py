"""Waiting for processes that need not be our children: by pidfd, within a millisecond, or else by polling."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil

from ..processes import is_alive

POLL_S = 0.2


@dataclass(frozen=True)
class Process:
    """A process as it was recorded when it started; unlike a pid it names the same process for ever."""

    pid: int
    start_time: int | None
    boot_id: str | None

    def is_alive(self) -> bool:
        """Whether this very process still lives; a zombie does not."""
        return is_alive(self.pid, self.start_time, self.boot_id) and not _is_zombie(self.pid)

    def send(self, number: signal.Signals) -> bool:
        """Signal this process and never another one that got its pid; False when it has ended."""
        fd = _pidfd(self.pid)
        try:
            if not self.is_alive():
                return False
            if fd is not None:
                signal.pidfd_send_signal(fd, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        finally:
            if fd is not None:
                os.close(fd)
        return True


async def wait_any(processes: Sequence[Process], timeout_s: float | None = None) -> frozenset[Process]:
    """Wait until at least one of ``processes`` has ended and return those that have; none after ``timeout_s`` seconds.

    At once where one has ended before. May be cancelled at any time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _wait_any(frozenset(processes))
    except TimeoutError:
        return frozenset()


async def _wait_any(processes: frozenset[Process]) -> frozenset[Process]:
    woken = asyncio.Event()
    with contextlib.ExitStack() as watches:
        # The descriptor is opened before the start time is compared: equal then means that it is ours for ever.
        polled = [p for p in processes if not watches.enter_context(_watched(p.pid, woken.set))]
        while not (ended := frozenset(p for p in processes if not p.is_alive())):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S if polled else None):
                    await woken.wait()
    return ended


@contextlib.contextmanager
def _watched(pid: int, wake: Callable[[], None]) -> Iterator[bool]:
    """Call ``wake`` when the process ends; yields whether somebody will, or else it must be asked."""
    fd = _pidfd(pid)
    if fd is None:
        yield False
        return
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(fd, wake)
        try:
            yield True
        finally:
            loop.remove_reader(fd)
    finally:
        os.close(fd)


def _pidfd(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None  # gone (the start time will tell), or a kernel, sandbox or limit without pidfds


def _is_zombie(pid: int) -> bool:
    """Where there is no /proc, a signal reaches zombies too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False

"""Ends of processes are noticed at once, by pidfd and by polling, and a reused pid is never taken for the process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from jupyter_deepresearch.execution.monitor import Process, wait_any
from jupyter_deepresearch.processes import boot_id, start_ticks

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that a test starts; ended after it."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for child in started:
        child.kill()
        child.wait()


@pytest.fixture(params=["pidfd", "polling"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to notice an end, where the system has both."""
    if request.param == "polling":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    return str(request.param)


def started(children: list[subprocess.Popen[bytes]]) -> tuple[subprocess.Popen[bytes], Process]:
    child = subprocess.Popen(SLEEPER)
    children.append(child)
    return child, Process(child.pid, start_ticks(child.pid), boot_id())


def test_the_one_that_ends_is_noticed_even_as_a_zombie(way: str, children: list[subprocess.Popen[bytes]]) -> None:
    async def scenario() -> tuple[frozenset[Process], float]:
        watching = asyncio.create_task(wait_any([one, two]))
        await asyncio.sleep(0.3)
        assert not watching.done()
        child.kill()  # and not reaped
        at = time.monotonic()
        return await asyncio.wait_for(watching, 10), time.monotonic() - at

    child, one = started(children)
    _, two = started(children)
    ended, latency = asyncio.run(scenario())
    assert ended == {one}
    assert latency < (0.1 if way == "pidfd" else 1.0)


def test_an_end_before_the_watch_is_seen_at_once(way: str, children: list[subprocess.Popen[bytes]]) -> None:
    child, gone = started(children)
    _, other = started(children)
    child.kill()
    child.wait()
    assert asyncio.run(wait_any([other, gone])) == {gone}


def test_a_reused_pid_or_another_boot_is_not_the_process(way: str) -> None:
    pid, ticks = os.getpid(), start_ticks(os.getpid())
    assert ticks is not None
    reused, rebooted = Process(pid, ticks - 1, boot_id()), Process(pid, ticks, "another-boot")
    assert asyncio.run(wait_any([Process(pid, ticks, boot_id()), reused, rebooted])) == {reused, rebooted}


def test_a_timeout_and_a_cancel_leave_nothing_behind(way: str, children: list[subprocess.Popen[bytes]]) -> None:
    async def scenario() -> None:
        assert await wait_any([process], timeout_s=0.05) == frozenset()
        watching = asyncio.create_task(wait_any([process]))
        await asyncio.sleep(0.05)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    _, process = started(children)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    asyncio.run(scenario())
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before


def test_a_signal_reaches_only_the_very_process(way: str, children: list[subprocess.Popen[bytes]]) -> None:
    child, process = started(children)
    impostor = Process(process.pid, (process.start_time or 1) - 1, process.boot_id)
    assert not impostor.send(signal.SIGKILL) and child.poll() is None
    assert process.send(signal.SIGKILL) and child.wait(10) == -signal.SIGKILL
    assert not process.send(signal.SIGKILL)

"""The launcher ends a run when asked, and no run is left without a true end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import Handle, Outcome, Run, RunState
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.processes import start_ticks
from tests.execution.run_specs import ended, is_gone, launcher, make_spec, run_paths


async def kernel_started(folder: Path) -> None:
    """Wait for the stand-in's kernel and its child."""
    path = run_paths(folder).root / "kernel.txt"
    async with asyncio.timeout(20):
        while not path.exists() or len(path.read_text().split()) < 2:
            await asyncio.sleep(0.02)


def kernel_pids(folder: Path) -> list[int]:
    return [int(pid) for pid in (run_paths(folder).root / "kernel.txt").read_text().split()]


@pytest.mark.parametrize("behaviour", ["obedient", "signalled"])
def test_a_cancelled_run_ends_by_itself(folder: Path, behaviour: str) -> None:
    async def scenario() -> Outcome:
        one = launcher(folder, behaviour, patience_s=1.0)
        handle = await one.launch(make_spec(folder))
        for _ in range(3):
            await one.cancel(handle)
        return await ended(one, handle)

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.CANCELLED and outcome.error is not None and outcome.error.message == "as asked"


def test_a_run_that_will_not_end_is_ended_with_its_kernel(folder: Path) -> None:
    async def scenario() -> tuple[Handle, Outcome]:
        one = launcher(folder, "deaf", patience_s=0.3)
        handle = await one.launch(make_spec(folder))
        await kernel_started(folder)
        await one.cancel(handle)
        return handle, await ended(one, handle)

    handle, outcome = asyncio.run(scenario())
    assert outcome.state is RunState.CANCELLED and outcome.error is not None
    assert all(is_gone(pid) for pid in (handle.pid or 0, *kernel_pids(folder)))


def test_a_cancel_of_an_ended_run_does_nothing(folder: Path) -> None:
    async def scenario() -> Outcome:
        one = launcher(folder, "short")
        handle = await one.launch(make_spec(folder))
        await ended(one, handle)
        await one.cancel(handle)
        return await ended(one, handle)

    assert asyncio.run(scenario()).state is RunState.SUCCEEDED
    assert not run_paths(folder).cancel.exists()


def test_a_runner_killed_is_lost_with_evidence_and_its_kernel_ends(folder: Path) -> None:
    async def scenario() -> Outcome:
        one = launcher(folder, "orphaning")
        handle = await one.launch(make_spec(folder))
        await kernel_started(folder)
        watching = asyncio.create_task(ended(one, handle))
        await asyncio.sleep(0.1)
        os.kill(handle.pid or 0, signal.SIGKILL)
        return await watching

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.LOST and outcome.value is None and outcome.error is not None
    assert outcome.error.message.endswith("ended without a record; its last words: about to be killed")
    assert outcome.elapsed_s is not None and outcome.gpu_s == 2 * outcome.elapsed_s
    assert all(is_gone(pid, 0.1) for pid in kernel_pids(folder))


def test_a_record_that_cannot_be_read_is_lost_with_evidence(folder: Path) -> None:
    async def scenario() -> Outcome:
        one = launcher(folder, "garbling")
        return await ended(one, await one.launch(make_spec(folder)))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.LOST and outcome.error is not None
    assert outcome.error.message.startswith("exit.json cannot be read")


def test_the_record_of_another_run_is_not_believed(folder: Path) -> None:
    async def scenario() -> Outcome:
        one = launcher(folder, "short")
        await ended(one, await one.launch(make_spec(folder)))
        other = ProjectPaths(folder).run(Run(2, make_spec(folder).run.purpose).id)
        shutil.copytree(run_paths(folder).root, other.root)
        return await ended(one, await one.launch(make_spec(folder, 2)))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.LOST and outcome.error is not None
    assert outcome.error.message == "exit.json is that of the run 0001-candidate-seed-1"


def test_a_run_folder_that_somebody_removed_is_lost_and_the_run_ends(folder: Path) -> None:
    async def scenario() -> tuple[Handle, Outcome]:
        one = launcher(folder, "orphaning")
        handle = await one.launch(make_spec(folder))
        await kernel_started(folder)
        left.extend(kernel_pids(folder))
        shutil.rmtree(run_paths(folder).root)
        return handle, await ended(one, handle)

    left: list[int] = []
    handle, outcome = asyncio.run(scenario())
    assert outcome.state is RunState.LOST and outcome.error is not None
    assert "is gone: somebody removed it" in outcome.error.message
    assert all(is_gone(pid) for pid in (handle.pid or 0, *left))


def test_a_run_of_an_earlier_boot_is_lost(folder: Path) -> None:
    handle = asyncio.run(launcher(folder, "obedient").launch(make_spec(folder)))
    rebooted = Handle(handle.run, "local", handle.job, handle.pid, handle.start_time, "an-earlier-boot")
    outcome = asyncio.run(ended(launcher(folder, "obedient"), rebooted))
    assert outcome.state is RunState.LOST and outcome.error is not None
    assert outcome.error.message.startswith("it ran before this machine was started")
    assert start_ticks(handle.pid or 0) == handle.start_time


def test_an_owner_record_cut_off_is_lost_not_waited_for(folder: Path) -> None:
    paths = run_paths(folder)
    paths.root.mkdir(parents=True)
    paths.owner.write_text("")

    async def scenario() -> Outcome:
        one = launcher(folder, "short")
        return await ended(one, await one.launch(make_spec(folder)))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.LOST and outcome.error is not None
    assert outcome.error.message == "the run folder names no runner"

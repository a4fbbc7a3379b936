"""What each step of the loop does to the world and to the log. The intent is in the log before the effect."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..core import events as ev
from ..core import judge as verdicts
from ..core import steps
from ..core.budget import deadline, overruns
from ..core.growth import build
from ..core.needs import artifacts_of
from ..core.offers import approval
from ..core.ports import RunSpec
from ..core.state import State, Work
from ..core.types import Experiment, Handle, Outcome, Purpose, Run, RunError, RunState, StopReason, Verdict
from ..errors import InvalidInput, StorageFailed
from .holds import STARTING
from .logbook import Logbook
from .thinking import Thinking


class Phases:
    """The effects of one project's loop, in the order in which a cycle takes them."""

    def __init__(self, log: Logbook) -> None:
        self._log = log
        self._parts = log.parts
        self._thinking = Thinking(log)
        self.propose_baseline = self._thinking.propose_baseline
        self.think = self._thinking.think
        self.reflect = self._thinking.reflect

    def approve(self, number: int) -> None:
        """Nobody answered in time: the hypothesis may run, unless somebody does at this moment."""

        def decided(state: State | None) -> ev.Event:
            assert state is not None
            return approval(state, number, by="timeout")

        self._parts.ledger.append(decided, epoch=self._log.epoch)

    # EXECUTE

    async def launch(self, state: State, run: Run) -> None:
        """Intent, then effect. A launch that was cut off is only made again: it is idempotent by run id."""
        if run.id not in state.runs:
            if await self._is_disk_full(state):
                return
            self._log.append(ev.Planned(run))
        try:
            handle = await self._parts.launcher.launch(self._spec(state, run))
        except InvalidInput as error:
            refused = Outcome(run.id, RunState.INVALID, error=RunError("refused", str(error)))
            self._log.append(ev.Ended(refused))
        except StorageFailed as error:
            self._log.put_off(STARTING, f"the run {run.id} cannot be started: {error}")
        else:
            self._log.worked(STARTING, "runs can be started again")
            self._log.append(ev.Launched(handle))

    def _spec(self, state: State, run: Run) -> RunSpec:
        limit = deadline(state.project, state)
        return RunSpec(
            run=run,
            project_id=state.opened.project_id,
            project=state.project,
            experiment=(experiment := self._experiment(state, run.experiment)),
            build=build(self._parts.history, experiment),
            kernel=state.kernel,
            artifacts_of=artifacts_of(state.work(run.experiment), run),
            dry_run=run.purpose is Purpose.DRY_RUN,
            deadline_s=limit[0] if limit else None,
            deadline_rule=limit[1] if limit else None,
        )

    def _experiment(self, state: State, number: int) -> Experiment:
        work = state.work(number)
        return work.experiment if work else self._parts.history.experiment(number)

    async def _is_disk_full(self, state: State) -> bool:
        limit = state.project.budget.disk_gb
        if limit is None or await asyncio.to_thread(self._parts.records.disk_bytes) < limit * 1e9:
            return False
        self._log.append(ev.Finished(StopReason.DISK, f"the runs take the {limit:g} GB of budget.disk_gb"))
        return True

    async def watch(self, state: State, step: steps.Watch) -> None:
        """Wait, without any LLM, until a run ends or somebody says something."""
        live = _live(state)
        over = self._overrunning(state, live)
        for handle in live:
            if handle.run in step.cancel or handle.run in over:
                await self._parts.launcher.cancel(handle)
        if live:
            await self._watch(live)
        else:
            await self._log.pause()

    def _overrunning(self, state: State, live: list[Handle]) -> set[str]:
        """The live runs that a spent budget ends."""
        budget, records = state.project.budget, self._parts.records
        if budget.hours is None and budget.gpu_hours is None:
            return set()
        seen = filter(None, (records.progress(handle.run) for handle in live))
        gpu_s = sum((progress.elapsed_s or 0.0) * len(progress.gpus) for progress in seen)
        begun = {handle.run: not records.waits(handle.run) for handle in live}
        return {run for run, has_begun in begun.items() if overruns(state.project, state, gpu_s, has_begun)}

    async def beside(self, state: State, step: Coroutine[None, None, None]) -> None:
        """Perform a step, and see to live runs, however long it takes: their ends are logged at once, and those that
        somebody cancels meanwhile are ended."""
        live, performing = _live(state), asyncio.ensure_future(step)
        try:
            while live and not performing.done():
                ended = await self._watch(live, performing)
                live = [handle for handle in live if handle.run not in ended]
                now = self._log.state()
                for handle in live:
                    if now.stopped or (handle.run in now.runs and now.runs[handle.run].cancelled):
                        await self._parts.launcher.cancel(handle)
            await performing
        finally:
            await _drop(performing)

    async def _watch(self, live: list[Handle], performing: asyncio.Future[None] | None = None) -> set[str]:
        """Log how live runs ended, the first of them or those at once, and return their ids.

        None where ``performing`` is done before, somebody says something, or nothing happens for a while.
        """
        watching = asyncio.ensure_future(self._parts.launcher.observe(live))
        ticking = asyncio.ensure_future(self._log.pause())
        try:
            either: set[asyncio.Future[Any]] = {watching, ticking}
            await asyncio.wait(either | ({performing} if performing else set()), return_when=asyncio.FIRST_COMPLETED)
            seen = await watching if watching.done() else ()
            ended = [observation.outcome for observation in seen if observation.outcome is not None]
            for outcome in ended:
                self._log.append(ev.Ended(outcome))
            return {outcome.run for outcome in ended}
        finally:
            await _drop(watching)
            await _drop(ticking)

    async def repair(self, state: State, work: Work) -> None:
        """Mend a failed dry run, or give the verdict where nothing can be mended."""
        if not await self._thinking.repair(state, work):
            await self.judge(state, work)

    # REFLECT

    async def judge(self, state: State, work: Work) -> None:
        """The notebooks first, by rename, then the verdict: a crash in between only publishes them once more."""
        verdict = verdicts.judge(state, work)
        notebook = await self._publish(work, verdict)
        self._log.append(ev.Judged(work.number, verdict, notebook))
        self._log.write_memory()

    async def _publish(self, work: Work, verdict: Verdict) -> str | None:
        """The path of the experiment's first notebook, with those of all its ended runs in place."""
        paths = []
        for attempt in work.attempts:
            publish = self._parts.notebooks.publish
            paths.append(await asyncio.to_thread(publish, work.experiment, attempt.run, verdict, attempt.outcome))
        return next((p for p in paths if p is not None), None)


def _live(state: State) -> list[Handle]:
    """The handles of runs that are known to have started and not to have ended."""
    return [r.handle for r in state.runs.values() if r.handle is not None]


async def _drop(task: asyncio.Future[Any]) -> None:
    """End a task that is not needed any more; one that is done stays as it is.

    ``wait`` and not ``await``: a cancellation of the whole loop at this moment must not pass for that of the task.
    """
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # asked for, or asyncio complains that nobody did

"""What each step of the loop does to the world and to the log. The intent is in the log before the effect."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .core import events as ev
from .core import judge as verdicts
from .core import rules
from .core.growth import build, grow, standing
from .core.ledger import Ledger
from .core.ports import (
    Clock,
    Desk,
    History,
    Launcher,
    Meter,
    Notebooks,
    Observation,
    Researcher,
    RunFailure,
    RunRecords,
    RunSpec,
    Seen,
)
from .core.state import State, Work
from .core.types import (
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Purpose,
    Run,
    RunError,
    RunState,
    Verdict,
)
from .core.types import StopReason as Reason
from .errors import BudgetReached, InvalidInput, ResearcherFailed, StorageFailed

TICK_S = 1.0
"""How often a waiting loop looks at the person's files and at what other processes wrote."""
LONGEST_BACK_OFF_S = 1800.0


@dataclass(frozen=True)
class Parts:
    """What a loop works with: one of each seam, for one project."""

    ledger: Ledger
    history: History
    researcher: Researcher
    launcher: Launcher
    notebooks: Notebooks
    desk: Desk
    records: RunRecords
    meter: Meter
    clock: Clock


class Phases:
    """The effects of one project's loop, under one lease."""

    def __init__(self, parts: Parts, epoch: int) -> None:
        self.parts = parts
        self.epoch = epoch
        self._wake = asyncio.Event()
        self._note = ""
        self._failures = 0
        self._worked_s = 0.0

    def wake(self) -> None:
        """Look at the log now. Call it in the loop's own thread."""
        self._wake.set()

    # THINK

    async def think(self, state: State) -> None:
        parts = self.parts
        try:
            proposal = await parts.researcher.think(self._seen(state), parts.meter)
        except BudgetReached as error:
            self.append(ev.Finished(Reason(error.reason), str(error)))
            return
        except ResearcherFailed as error:
            await self._back_off(f"the researcher cannot answer: {error}")
            return
        self._failures = 0
        for remark in proposal.remarks:
            self.append(ev.Announced(remark))
        if proposal.hypothesis is not None:
            self._propose(proposal.hypothesis, state)
        elif not state.works:
            self.append(ev.Finished(Reason.EXHAUSTED, proposal.exhausted or "the researcher has nothing more to try"))
        else:
            await self.pause(TICK_S)

    def propose_baseline(self) -> None:
        """The person's notebook as it is, as an experiment of its own."""
        self._propose(Hypothesis("baseline: the notebook as it is", HypothesisKind.BASELINE), None)

    def _propose(self, hypothesis: Hypothesis, seen: State | None) -> None:
        """Number the hypothesis at the moment of writing: a person's own may have come in between."""

        def proposed(state: State | None) -> ev.Event:
            assert state is not None
            return ev.Proposed(grow(state, hypothesis), tuple(n.instruction.seq for n in fresh))

        fresh = [n for n in seen.directives if n.instruction.fresh] if seen else []
        self.parts.ledger.append(proposed, epoch=self.epoch)
        for note in fresh:
            if note.digest is not None:
                self.parts.desk.settle(note.digest)

    async def repair(self, state: State, work: Work) -> None:
        error = work.attempts[-1].outcome.error
        failure = RunFailure(work.experiment, error, work.repairs)
        hypothesis = work.experiment.hypothesis
        if self.parts.researcher.can_repair:
            proposal = await self.parts.researcher.repair(self._seen(state), failure, self.parts.meter)
            hypothesis = proposal.hypothesis or hypothesis
        mended = replace(work.experiment, hypothesis=hypothesis)
        ask = state.project.approval.mode == "ask" and cells(hypothesis) - cells(work.experiment.hypothesis) != set()
        if hypothesis == work.experiment.hypothesis:
            await self.judge(state, work)
        else:
            self.append(ev.Repaired(mended, ask))

    def _seen(self, state: State) -> Seen:
        history, measure = self.parts.history, state.measure
        return Seen(
            objective=state.project.objective,
            cycle=state.next_cycle,
            brief=state.brief,
            memory=state.memory.render(state.project.objective),
            survey=state.survey,
            baseline=standing(state, state.baseline),
            champion=standing(state, state.champion),
            directives=tuple(n.instruction for n in state.directives),
            trials=lambda after: history.trials(measure, after),
            waiting=tuple(
                {**state.survey.parameters, **w.experiment.settings} for w in state.works.values() if not w.is_baseline
            ),
        )

    # EXECUTE

    async def launch(self, state: State, run: Run) -> None:
        """Intent, then effect. A launch that was cut off is only made again: it is idempotent by run id."""
        if run.id not in state.runs:
            if await self._is_disk_full(state):
                return
            self.append(ev.Planned(run))
        try:
            handle = await self.parts.launcher.launch(self._spec(state, run))
        except InvalidInput as error:
            refused = Outcome(run.id, RunState.INVALID, error=RunError("refused", str(error)))
            self.append(ev.Ended(refused))
        except StorageFailed as error:
            await self._back_off(f"the run {run.id} cannot be started: {error}")
        else:
            self._failures = 0
            self.append(ev.Launched(handle))

    def _spec(self, state: State, run: Run) -> RunSpec:
        limit = rules.deadline(state.project, state)
        return RunSpec(
            run=run,
            project_id=state.opened.project_id,
            project=state.project,
            experiment=(experiment := self._experiment(state, run.experiment)),
            build=build(self.parts.history, experiment),
            kernel=state.survey.kernel,
            artifacts_of=replace(run, attempt=1).id,
            dry_run=run.purpose is Purpose.DRY_RUN,
            deadline_s=limit[0] if limit else None,
            deadline_rule=limit[1] if limit else None,
        )

    def _experiment(self, state: State, number: int) -> Experiment:
        work = state.works.get(number)
        return work.experiment if work else self.parts.history.experiment(number)

    async def _is_disk_full(self, state: State) -> bool:
        limit = state.project.budget.disk_gb
        if limit is None or await asyncio.to_thread(self.parts.records.disk_bytes) < limit * 1e9:
            return False
        self.append(ev.Finished(Reason.DISK, f"the runs take the {limit:g} GB of budget.disk_gb"))
        return True

    async def watch(self, state: State, step: rules.Watch) -> None:
        """Wait, without any LLM, until a run ends or somebody says something."""
        handles = [r.handle for r in state.runs.values() if r.handle is not None]
        for handle in handles:
            if handle.run in step.cancel:
                await self.parts.launcher.cancel(handle)
        for seen in await self._observe(handles):
            if seen.outcome is not None:
                self.append(ev.Ended(seen.outcome))

    async def _observe(self, handles: list[Handle]) -> Iterable[Observation]:
        watching = asyncio.ensure_future(self.parts.launcher.observe(handles))
        ticking = asyncio.ensure_future(self.pause(TICK_S))
        try:
            await asyncio.wait({watching, ticking}, return_when=asyncio.FIRST_COMPLETED)
            return await watching if watching.done() else ()
        finally:
            for task in (watching, ticking):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    # REFLECT

    async def judge(self, state: State, work: Work) -> None:
        """The notebooks first, by rename, then the verdict: a crash in between only publishes them once more."""
        verdict = verdicts.judge(state, work)
        notebook = await self._publish(work, verdict)
        self.append(ev.Judged(work.number, verdict, notebook))
        self._write_memory()

    async def _publish(self, work: Work, verdict: Verdict) -> str | None:
        """The path of the experiment's first notebook, with those of all its ended runs in place."""
        paths = []
        for attempt in work.attempts:
            publish = self.parts.notebooks.publish
            paths.append(await asyncio.to_thread(publish, work.experiment, attempt.run, verdict, attempt.outcome))
        return next((p for p in paths if p is not None), None)

    def _write_memory(self) -> None:
        state = self.parts.ledger.state()
        assert state is not None
        self.parts.desk.write_memory(state.memory.render(state.project.objective))

    async def reflect(self, state: State, work: Work) -> None:
        assert work.verdict is not None
        seen = self._seen(state)
        try:
            lesson = await self.parts.researcher.reflect(seen, work.experiment, work.verdict, self.parts.meter)
        except ResearcherFailed as error:
            await self._back_off(f"the researcher cannot answer: {error}")
            return
        self.append(ev.Reflected(work.number, lesson))
        self._write_memory()
        self._failures = 0

    # The log and the world outside

    def append(self, event: ev.Event) -> None:
        self.parts.ledger.append(event, epoch=self.epoch)

    def take_in(self) -> State:
        """Everything written so far, with what the person changed on disk."""
        state = self.parts.ledger.state()
        if state is None:
            raise StorageFailed("the ledger is empty: the project was never opened")
        digests = [n.digest for n in state.directives if n.digest is not None and n.instruction.fresh]
        for event in self.parts.desk.inbox(state.brief, state.notes, digests):
            self.parts.ledger.append(event)
        return self.parts.ledger.state() or state

    def tidy(self) -> None:
        """Finish what a crash may have cut off after its event was written: files that only mirror the log."""
        state = self.parts.ledger.state()
        for note in state.directives if state else ():
            if note.digest is not None and not note.instruction.fresh:
                self.parts.desk.settle(note.digest)
        self._write_memory()

    def count_work(self, state: State, seconds: float) -> None:
        """Log working time once a minute, or as soon as it ends a budget."""
        self._worked_s += seconds
        hours = state.project.budget.hours
        ends = hours is not None and state.worked_s + self._worked_s >= 3600 * hours
        if self._worked_s >= 60 or (ends and self._worked_s > 0):
            self.append(ev.Worked(round(self._worked_s, 3)))
            self._worked_s = 0.0

    async def pause(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self.parts.clock.sleep(seconds))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
            self._wake.clear()

    async def _back_off(self, note: str) -> None:
        """Wait longer each time; the step is tried again as it was."""
        if note != self._note:
            self._note = note
            self.append(ev.Announced(note))
        self._failures += 1
        await self.pause(min(LONGEST_BACK_OFF_S, 2.0**self._failures))


def cells(hypothesis: Hypothesis) -> set[str]:
    """The places that a hypothesis edits."""
    return {edit.where for edit in hypothesis.edits}

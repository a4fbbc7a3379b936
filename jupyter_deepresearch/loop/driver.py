"""The driver: performs ``next_step`` and appends what came of it. THINK -> EXECUTE -> REFLECT, around the clock."""

from ..core import events as ev
from ..core import steps
from ..core.rules import next_step
from ..core.state import State
from .logbook import Logbook, Parts
from .noticing import Noticing
from .phases import Phases

__all__ = ["Loop", "Parts"]


class Loop:
    """Researches one project under one lease. ``wake()`` makes a waiting loop look at the log at once."""

    def __init__(self, parts: Parts, epoch: int) -> None:
        self._clock = parts.clock
        self._log = Logbook(parts, epoch)
        self._phases = Phases(self._log)
        self._noticing = Noticing(self._log)
        self.wake = self._log.wake

    async def run(self, until_rest: bool = False) -> State:
        """Go on until cancelled, or with ``until_rest`` until the project has come to its end.

        Raises Fenced when the lease has moved, StorageFailed when the ledger cannot be written.
        """
        self._log.tidy()
        while True:
            state = await self._noticing.take_in(self._log.take_in())
            step = next_step(state.project, state, self._clock.now(), self._log.holds.at(state.seq))
            if until_rest and isinstance(step, steps.Rest):
                return state
            started = self._clock.monotonic()
            performing = self._perform(step, state)
            await (performing if isinstance(step, steps.Watch) else self._phases.beside(state, performing))
            if not state.paused and not isinstance(step, steps.Wait | steps.Rest) and not self._only_waits(step, state):
                self._log.count_work(state, self._clock.monotonic() - started)

    def _only_waits(self, step: steps.Step, state: State) -> bool:
        """Whether all that goes on is that runs wait for GPUs which others have."""
        waits = self._log.parts.records.waits
        return isinstance(step, steps.Watch) and bool(state.runs) and all(map(waits, state.runs))

    async def _perform(self, step: steps.Step, state: State) -> None:
        phases = self._phases
        match step:
            case steps.Baseline():
                await phases.propose_baseline(state)
            case steps.Think():
                await phases.think(state)
            case steps.Repair(work=work):
                await phases.repair(state, work)
            case steps.AutoApprove(experiment=number):
                phases.approve(number)
            case steps.Launch(run=run):
                await phases.launch(state, run)
            case steps.Watch():
                await phases.watch(state, step)
            case steps.Judge(work=work):
                await phases.judge(state, work)
            case steps.Reflect(work=work):
                await phases.reflect(state, work)
            case steps.Finish(reason=reason, sentence=sentence):
                self._log.append(ev.Finished(reason, sentence))
            case steps.Fail(sentence=sentence):
                self._log.append(ev.Failed(sentence))
            case steps.Wait() | steps.Rest():
                await self._log.pause()

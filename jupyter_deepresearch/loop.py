"""The driver: performs ``next_step`` and appends what came of it. THINK -> EXECUTE -> REFLECT, around the clock."""

from .core import events as ev
from .core import rules
from .core.state import State
from .phases import TICK_S, Parts, Phases

__all__ = ["Loop", "Parts"]


class Loop:
    """Researches one project under one lease. ``wake()`` makes a waiting loop look at the log at once."""

    def __init__(self, parts: Parts, epoch: int) -> None:
        self._clock = parts.clock
        self._phases = Phases(parts, epoch)
        self.wake = self._phases.wake

    async def run(self, until_rest: bool = False) -> State:
        """Go on until cancelled, or with ``until_rest`` until the project has come to its end.

        Raises Fenced when the lease has moved, StorageFailed when the ledger cannot be written.
        """
        self._phases.tidy()
        while True:
            state = self._phases.take_in()
            step = rules.next_step(state.project, state, self._clock.now())
            if until_rest and isinstance(step, rules.Rest):
                return state
            started = self._clock.monotonic()
            await self._perform(step, state)
            if not isinstance(step, rules.Wait | rules.Rest):
                self._phases.count_work(state, self._clock.monotonic() - started)

    async def _perform(self, step: rules.Step, state: State) -> None:
        phases = self._phases
        match step:
            case rules.Baseline():
                phases.propose_baseline()
            case rules.Think():
                await phases.think(state)
            case rules.Repair(work=work):
                await phases.repair(state, work)
            case rules.AutoApprove(experiment=number):
                phases.append(ev.Approve(number, by="timeout"))
            case rules.Launch(run=run):
                await phases.launch(state, run)
            case rules.Watch():
                await phases.watch(state, step)
            case rules.Judge(work=work):
                await phases.judge(state, work)
            case rules.Reflect(work=work):
                await phases.reflect(state, work)
            case rules.Finish(reason=reason, sentence=sentence):
                phases.append(ev.Finished(reason, sentence))
            case rules.Fail(sentence=sentence):
                phases.append(ev.Failed(sentence))
            case rules.Wait() | rules.Rest():
                await phases.pause(TICK_S)

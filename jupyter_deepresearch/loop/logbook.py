"""The loop's hold on its log, its files and its time: what every phase writes and waits through."""

import asyncio
from dataclasses import dataclass

from ..core import events as ev
from ..core.ledger import Ledger
from ..core.ports import Clock, Desk, History, Launcher, Notebooks, RunRecords
from ..core.research import Meter, Researcher
from ..core.state import State
from ..core.steps import Step
from ..errors import StorageFailed
from .holds import Holds

TICK_S = 1.0
"""How often a waiting loop looks at the person's files and at what other processes wrote."""


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


class Logbook:
    """One project's log as its one loop writes it, under one lease."""

    def __init__(self, parts: Parts, epoch: int) -> None:
        self.parts = parts
        self.epoch = epoch
        self.holds = Holds(parts.clock)
        self._wake = asyncio.Event()
        self._worked_s = 0.0

    def append(self, event: ev.Event) -> None:
        """Write what the loop did. Raises Fenced when the lease has moved, StorageFailed."""
        self.parts.ledger.append(event, epoch=self.epoch)

    def state(self) -> State:
        """Everything written so far. Raises StorageFailed, also for a project that was never opened."""
        state = self.parts.ledger.state()
        if state is None:
            raise StorageFailed("the ledger is empty: the project was never opened")
        return state

    def take_in(self) -> State:
        """Everything written so far, with what the person changed on disk."""
        state = self.state()
        digests = [n.digest for n in state.directives if n.digest is not None and n.instruction.fresh]
        for event in self.parts.desk.inbox(state.brief, state.notes, digests):
            self.append(event)
        return self.state()

    def tidy(self) -> None:
        """Finish what a crash may have cut off after its event was written: files that only mirror the log."""
        for note in self.state().directives:
            if note.digest is not None and not note.instruction.fresh:
                self.parts.desk.settle(note.digest)
        self.write_memory()

    def write_memory(self) -> None:
        """Render MEMORY_LOG.md."""
        state = self.state()
        self.parts.desk.write_memory(state.memory.render(state.project.objective))

    def count_work(self, state: State, seconds: float) -> None:
        """Log working time once a minute, or as soon as it ends a budget."""
        self._worked_s += seconds
        hours = state.project.budget.hours
        ends = hours is not None and state.worked_s < 3600 * hours <= state.worked_s + self._worked_s
        if self._worked_s >= 60 or ends:
            self.append(ev.Worked(self._worked_s))
            self._worked_s = 0.0

    def put_off(self, what: frozenset[type[Step]], note: str, at_least_s: float = 0.0) -> None:
        """Try these steps again later, longer each time; meanwhile whatever else there is goes on."""
        if self.holds.after_failure(what, at_least_s):
            self.append(ev.Announced(note))

    def worked(self, what: frozenset[type[Step]], note: str) -> None:
        """One of these steps succeeded; said where they had been put off."""
        if self.holds.worked(what):
            self.append(ev.Announced(note))

    def wake(self) -> None:
        """Look at the log now and put nothing off. Call it in the loop's own thread."""
        self.holds.lift()
        self._wake.set()

    async def pause(self, seconds: float = TICK_S) -> None:
        """Wait so long, or until woken."""
        sleeping = asyncio.ensure_future(self.parts.clock.sleep(seconds))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
            self._wake.clear()

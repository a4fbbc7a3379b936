"""The end of a run is noticed while the loop is busy with something else, however long that takes."""

import asyncio
from dataclasses import dataclass, field, replace

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Proposal
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.ports import Owner
from jupyter_deepresearch.core.project import Budget, Direction, LauncherOptions, Objective, Project, Trust
from jupyter_deepresearch.core.research import Meter, Seen
from jupyter_deepresearch.core.types import Source
from jupyter_deepresearch.loop.driver import Loop, Parts
from jupyter_deepresearch.loop.meter import LedgerMeter
from jupyter_deepresearch.processes import boot_id
from jupyter_deepresearch.testing import (
    FakeClock,
    FakeDesk,
    FakeLauncher,
    FakeNotebooks,
    FakeRecords,
    ScriptedResearcher,
    memory_store,
    parameters,
    succeed,
)

PROJECT = Project(
    name="two at a time",
    notebook="train.ipynb",
    objective=Objective("score", Direction.MAXIMIZE),
    budget=Budget(cycles=2),
    trust=Trust(seeds=1),
    launcher=replace(LauncherOptions(), max_parallel=2),
)


@dataclass
class SlowResearcher(ScriptedResearcher):
    """Thinks about its second hypothesis until the first one's run has ended."""

    first_ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        if seen.cycle == 2:
            await asyncio.wait_for(self.first_ended.wait(), timeout=10)
        return await super().think(seen, meter)


def test_an_end_is_logged_while_the_researcher_thinks() -> None:
    clock, store = FakeClock(), memory_store()
    researcher = SlowResearcher(list(parameters("x", [1.0, 2.0])))

    def listen(record: ev.Record) -> None:
        if isinstance(record.event, ev.Ended) and record.event.outcome.run.startswith("0001"):
            researcher.first_ended.set()

    ledger = Ledger(store, [listen])
    ledger.append(ev.Opened("p", PROJECT, Source("{}"), ev.Survey(parameters={"x": 0.0})))
    parts = Parts(
        ledger=ledger,
        history=store,
        researcher=researcher,
        launcher=FakeLauncher(succeed(1.0), observations=3),
        notebooks=FakeNotebooks(),
        desk=FakeDesk(),
        records=FakeRecords(),
        meter=LedgerMeter(ledger, store, clock),
        clock=clock,
    )
    epoch = store.acquire(Owner("test", "here", 1, None, boot_id()))
    asyncio.run(Loop(parts, epoch).run(until_rest=True))

    kinds = [(ev.kind_of(r.event), r.event) for r in store.records()]
    first_end = next(
        i for i, (_, e) in enumerate(kinds) if isinstance(e, ev.Ended) and e.outcome.run.startswith("0001")
    )
    second_proposal = next(
        i for i, (_, e) in enumerate(kinds) if isinstance(e, ev.Proposed) and e.experiment.number == 2
    )
    assert first_end < second_proposal

"""A whole project in memory, with a person who meddles at any moment and runs that end in every possible way."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from jupyter_deepresearch.config.loading import reconfigure
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Proposal
from jupyter_deepresearch.core.fold import apply
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.ports import Observation, Owner, RunSpec
from jupyter_deepresearch.core.project import Direction, Objective, Project
from jupyter_deepresearch.core.research import Meter, RunFailure, Seen
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import Experiment, Handle, OpenSweep, Outcome, RunError, RunState, Source, Verdict
from jupyter_deepresearch.errors import DeepResearchError, ResearcherFailed, StorageFailed
from jupyter_deepresearch.loop.driver import Loop, Parts
from jupyter_deepresearch.loop.meter import LedgerMeter
from jupyter_deepresearch.processes import boot_id
from jupyter_deepresearch.service.commands import Command
from jupyter_deepresearch.service.deciding import Context, decide
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import FakeClock, FakeDesk, FakeNotebooks, FakeRecords, memory_store

MOST_LOOKS = 8000
_PIDS = itertools.count(2**22 + 1)  # above pid_max: no such process, so that each lease is free again


class NeverRests(AssertionError):
    """The loop looked at the log that often without coming to rest."""


def base_project(**changes: object) -> Project:
    """A project on one parameter ``x``; ``changes`` replace parts of it."""
    return replace(Project("sim", "train.ipynb", Objective("score", Direction.MAXIMIZE, min_delta=0.1)), **changes)  # type: ignore[arg-type]


@dataclass
class Universe:
    """Where runs live: they outlast the loop. ``end_of`` says how a run ends, None as long as it goes on."""

    end_of: Callable[[RunSpec], Outcome | None]
    refuse: Callable[[RunSpec], DeepResearchError | None] = lambda spec: None
    specs: dict[str, RunSpec] = field(default_factory=dict)
    ended: dict[str, Outcome] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)

    async def launch(self, spec: RunSpec) -> Handle:
        error = self.refuse(spec)
        if error is not None:
            raise error
        assert spec.run.id not in self.ended, f"{spec.run.id} has ended and is started again"
        if spec.run.id not in self.specs:
            self.specs[spec.run.id] = spec
            self.order.append(spec.run.id)
        return Handle(spec.run.id, "universe", spec.run.id)

    async def cancel(self, handle: Handle) -> None:
        self.cancelled.add(handle.run)

    async def observe(self, handles: Sequence[Handle]) -> Sequence[Observation]:
        while True:
            seen = [self._look(handle.run) for handle in handles]
            if any(o.outcome is not None for o in seen):
                return seen
            await asyncio.sleep(0)

    def _look(self, run: str) -> Observation:
        outcome = self.ended.get(run) or self.end_of(self.specs[run])
        if outcome is None and run in self.cancelled:
            outcome = Outcome(run, RunState.CANCELLED)
        if outcome is not None:
            self.ended[run] = outcome
        return Observation(run, outcome.state if outcome else RunState.RUNNING, outcome=outcome)


@dataclass
class Oracle:
    """A researcher that answers what it is given, then is exhausted. An exception as an answer is raised, also one of
    ``prepared`` before the first run and of ``troubles`` at a lesson."""

    answers: Iterator[Proposal | DeepResearchError]
    repairs: Iterator[Proposal | DeepResearchError]
    interrupt: Callable[[], None] = lambda: None
    can_repair: bool = True
    asked: int = 0
    remarks: tuple[str, ...] = ()
    prepared: Iterator[DeepResearchError] = field(default_factory=lambda: iter(()))
    seen_sweeps: list[OpenSweep | None] = field(default_factory=list)
    troubles: Iterator[DeepResearchError | None] = field(default_factory=lambda: iter(()))

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        error = next(self.prepared, None)
        if error is not None:
            raise error
        return self.remarks

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        self.asked += 1
        self.seen_sweeps.append(seen.sweep)
        self.interrupt()
        await asyncio.sleep(0)
        return _given(next(self.answers, Proposal(exhausted="nothing more")))

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        return _given(next(self.repairs, Proposal()))

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        error = next(self.troubles, None)
        if error is not None:
            raise error
        return Lesson(f"{experiment.number}: {verdict.decision.value}")


def _given(answer: Proposal | DeepResearchError) -> Proposal:
    if isinstance(answer, DeepResearchError):
        raise answer
    return answer


@dataclass
class Person(FakeDesk):
    """Acts whenever the loop looks at the person's files: ``acts`` gets how often it has looked."""

    act: Callable[[int], None] = lambda look: None
    looks: int = 0

    def inbox(self, brief: str, notes: str, directives: Sequence[str]) -> tuple[ev.Event, ...]:
        self.looks += 1
        if self.looks > MOST_LOOKS:
            raise NeverRests(f"no rest after {MOST_LOOKS} looks")
        self.act(self.looks)
        return super().inbox(brief, notes, directives)


class Simulation:
    """One project: its log outlives every ``run``."""

    def __init__(self, project: Project, universe: Universe, oracle: Oracle, survey: ev.Survey | None = None) -> None:
        self.records = FakeRecords()
        self.clock = FakeClock()
        self.store: SqliteStore = memory_store(self.clock.now)
        self.ledger = Ledger(self.store)
        self.universe, self.oracle, self.desk = universe, oracle, Person()
        self.notebooks = FakeNotebooks(survey or ev.Survey(parameters={"x": 0.0}, dry_run=True))
        self.refused: list[DeepResearchError] = []
        self.ledger.append(ev.Opened("sim", project, Source("{}"), self.notebooks.survey))

    @property
    def state(self) -> State:
        state = self.ledger.state()
        assert state is not None
        return state

    def say(self, command: Command, command_id: str | None = None) -> ev.Record | None:
        """A person's command; None where it is refused, and then nothing may have been written."""
        context = Context(self.store, self.notebooks, reconfigure)
        before = self.state.seq

        def decided(state: State | None) -> ev.Event:
            assert state is not None
            return decide(command, state, context)

        try:
            return self.ledger.append(decided, command_id=command_id)
        except DeepResearchError as error:
            assert "\n" not in str(error) and self.state.seq == before
            self.refused.append(error)
            return None

    def run(self, act: Callable[[int], None] = lambda look: None) -> State:
        """The loop until it rests, the person acting meanwhile."""
        self.desk.act, self.desk.looks = act, 0
        return asyncio.run(self.loop().run(until_rest=True))

    def loop(self) -> Loop:
        """A loop on this log, the lease taken over from the one before."""
        epoch = self.store.acquire(Owner("test", "here", next(_PIDS), 1, boot_id()))
        parts = Parts(
            ledger=self.ledger,
            history=self.store,
            researcher=self.oracle,
            launcher=self.universe,
            notebooks=self.notebooks,
            desk=self.desk,
            records=self.records,
            meter=LedgerMeter(self.ledger, self.store, self.clock),
            clock=self.clock,
        )
        return Loop(parts, epoch)

    def log(self) -> list[ev.Record]:
        return list(self.store.records())

    def states(self) -> Iterator[tuple[State, ev.Record, State]]:
        """Every record with the states before and after it."""
        before: State | None = None
        for record in self.store.records():
            after = apply(before, record)
            if before is not None:
                yield before, record, after
            before = after


def ended(spec: RunSpec, state: RunState, value: float | None = None) -> Outcome:
    """An end of this kind, with the evidence that it has."""
    if state is RunState.SUCCEEDED:
        value = None if spec.dry_run else value
        return Outcome(spec.run.id, state, value, () if value is None else ((1.0, value),), elapsed_s=2.0, gpu_s=1.0)
    return Outcome(spec.run.id, state, error=RunError(state.value, "it ended so"), elapsed_s=1.0)


__all__ = [
    "NeverRests",
    "Oracle",
    "ResearcherFailed",
    "Simulation",
    "StorageFailed",
    "Universe",
    "base_project",
    "ended",
]

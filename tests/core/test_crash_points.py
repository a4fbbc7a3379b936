"""A project killed before and after every effectful port call comes, on every restart, to the same log."""

import asyncio
import contextlib
import itertools
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Phase, Proposal, Usage
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.ports import Owner, RunSpec
from jupyter_deepresearch.core.project import Budget, Direction, Objective, Project, Trust
from jupyter_deepresearch.core.research import Meter, RunFailure, Seen
from jupyter_deepresearch.core.types import (
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Outcome,
    RunError,
    RunState,
    Source,
    Verdict,
)
from jupyter_deepresearch.loop.driver import Loop, Parts
from jupyter_deepresearch.loop.meter import LedgerMeter
from jupyter_deepresearch.processes import boot_id
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import (
    FakeClock,
    FakeDesk,
    FakeLauncher,
    FakeNotebooks,
    FakeRecords,
    ScriptedResearcher,
    memory_store,
)

PROJECT = Project(
    name="crash",
    notebook="train.ipynb",
    objective=Objective("score", Direction.MAXIMIZE, min_delta=0.1),
    budget=Budget(cycles=7),
    trust=Trust(seeds=2),
)


class Crash(BaseException):
    """What kill -9 is to the loop: nothing after it runs."""


@dataclass
class Bomb:
    """Goes off at the ``at``-th call counted, before it (even) or after it (odd)."""

    at: int | None = None
    count: int = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        if asyncio.iscoroutinefunction(call):

            async def guarded(*args: Any, **named: Any) -> Any:
                self._tick()
                result = await call(*args, **named)
                self._tick()
                return result

        else:

            def guarded(*args: Any, **named: Any) -> Any:
                self._tick()
                result = call(*args, **named)
                self._tick()
                return result

        return guarded

    def _tick(self) -> None:
        self.count += 1
        if self.count - 1 == self.at:
            raise Crash


@dataclass
class Explosive:
    """A port whose effectful calls are counted by a bomb."""

    port: Any
    effects: tuple[str, ...]
    bomb: Bomb

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.port, name)
        return self.bomb.around(value) if name in self.effects else value


def ending(spec: RunSpec) -> Outcome:
    """Lost at first in cycle 5, a failed dry run in 6 until repaired, a crash in 3, else a value by parameter."""
    run = spec.run
    if run.experiment == 5 and run.attempt == 1 and run.seed_index == 1:
        return Outcome(run.id, RunState.LOST, error=RunError("lost", "gone"))
    if run.experiment == 3 or (spec.dry_run and not spec.experiment.hypothesis.claim.startswith("mended")):
        return Outcome(run.id, RunState.CRASHED, error=RunError("ValueError", "no", cell=2))
    if spec.dry_run:
        return Outcome(run.id, RunState.SUCCEEDED)
    value = float(spec.build.parameters.get("x", 0.0) or 0.0) + 0.01 * run.seed_index  # type: ignore[arg-type]
    return Outcome(run.id, RunState.SUCCEEDED, value, ((1.0, value),), elapsed_s=2.0)


SCRIPT = [Hypothesis(f"x {x}", HypothesisKind.PARAMETERS, parameters={"x": x}) for x in (1.0, 0.5, 9.0, 1.0, 2.0)] + [
    Hypothesis("code", HypothesisKind.CODE, edits=(Edit("a", "b", cell="c"),), parameters={"x": 3.0}),
    Hypothesis("x 0", HypothesisKind.PARAMETERS, parameters={"x": 0.0}),
]
MENDED = Hypothesis("mended", HypothesisKind.CODE, edits=(Edit("a", "c", cell="c"),), parameters={"x": 3.0})


@dataclass
class World:
    """What outlives a crash: the ledger, the processes, the files."""

    clock: FakeClock = field(default_factory=FakeClock)
    launcher: FakeLauncher = field(default_factory=lambda: FakeLauncher(ending))
    notebooks: FakeNotebooks = field(
        default_factory=lambda: FakeNotebooks(ev.Survey(parameters={"x": 0.0}, dry_run=True))
    )
    desk: FakeDesk = field(default_factory=FakeDesk)
    server: "Server | None" = None

    def __post_init__(self) -> None:
        self.store: SqliteStore = memory_store(self.clock.now)
        weakref.finalize(self, self.store.close)

    def live(self, bomb: Bomb, project: Project = PROJECT) -> None:
        """One life of the loop, to the end of the project or to the bomb."""
        owner = Owner("test", "here", next(PIDS), 1, boot_id())
        store = Explosive(self.store, ("append",), bomb)
        epoch = self.store.acquire(owner)
        ledger = Ledger(store)  # type: ignore[arg-type]
        if ledger.state() is None:
            ledger.append(ev.Opened("p", project, Source("{}"), self.notebooks.survey))
        parts = Parts(
            ledger=ledger,
            history=self.store,
            researcher=Explosive(self._researcher(bomb), ("think", "repair", "reflect"), bomb),  # type: ignore[arg-type]
            launcher=Explosive(self.launcher, ("launch", "cancel", "observe"), bomb),  # type: ignore[arg-type]
            notebooks=Explosive(self.notebooks, ("publish",), bomb),  # type: ignore[arg-type]
            desk=Explosive(self.desk, ("settle", "write_memory"), bomb),  # type: ignore[arg-type]
            records=FakeRecords(),
            meter=LedgerMeter(ledger, self.store, self.clock),
            clock=self.clock,
        )
        asyncio.run(Loop(parts, epoch).run(until_rest=True))

    def _researcher(self, bomb: Bomb) -> ScriptedResearcher:
        if self.server is None:
            return ScriptedResearcher(SCRIPT, [MENDED])
        return PayingResearcher(SCRIPT, [MENDED], server=Explosive(self.server, ("answer",), bomb))  # type: ignore[arg-type]

    def log(self) -> list[ev.Event]:
        """The log without the time that was worked."""
        return [r.event for r in self.store.records() if not isinstance(r.event, ev.Worked)]


PIDS: Iterator[int] = itertools.count(2**22 + 1)  # above pid_max: no such process, so each lease is free again


def undisturbed() -> tuple[World, int]:
    world, bomb = World(), Bomb()
    world.live(bomb)
    return world, bomb.count


def test_undisturbed_project_tells_the_whole_story() -> None:
    world, _ = undisturbed()
    log = world.log()
    decisions = {}
    for event in log:
        if isinstance(event, ev.Judged):
            decisions.setdefault(event.experiment, []).append(event.verdict.decision.value)
    assert decisions == {
        0: ["baseline", "baseline"],  # its second seed came when experiment 1 was promising
        1: ["promising", "confirmed"],
        2: ["worse"],
        3: ["failed"],
        4: ["inconclusive"],
        5: ["promising", "confirmed"],
        6: ["promising", "confirmed"],
        7: ["worse"],
    }
    assert isinstance(log[-1], ev.Finished) and log[-1].reason == "cycles"
    assert set(world.launcher.started.values()) == {1}
    assert "0006-dry_run-seed-1-attempt-2" in world.launcher.started


def test_every_crash_point_ends_in_the_same_log() -> None:
    reference, calls = undisturbed()
    assert calls > 150
    expected = reference.log()
    for at in range(calls):
        world = World()
        with pytest.raises(Crash):
            world.live(Bomb(at))
        world.live(Bomb())
        assert world.log() == expected, f"killed at call {at}"
        assert set(world.launcher.started.values()) == {1}, f"a twin after a kill at call {at}"
        assert world.notebooks.published == reference.notebooks.published
        assert world.desk.memory == reference.desk.memory


@dataclass
class Hurrying(FakeClock):
    """Time passes from step to step, so that the loop looks at the files before every one."""

    def now(self) -> float:
        self.time += 2
        return self.time


@dataclass
class Edited(FakeNotebooks):
    """Files that the person changes whenever an experiment has its verdict: ``edits`` by its number."""

    edits: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    decided: Callable[[], set[int]] = set

    def edited(self) -> tuple[Source, ev.Survey] | None:
        decided = self.decided()
        changes = [files for number, files in self.edits.items() if number in decided]
        self.source = Source("{}", changes[-1] if changes else {})
        return super().edited()


LOCKED = {"locked": "another", "model.py": "wide"}
EDITS = {1: {"model.py": "wide"}, 3: {"model.py": "wider"}, 4: {}, 5: {"model.py": "widest"}, 7: LOCKED}


@dataclass
class Branching(FakeDesk):
    """A person who wants hypotheses to grow from experiment 5, a worse one, once it is over, and says so once."""

    word: Callable[[], ev.Branch | None] = lambda: None

    def inbox(self, brief: str, notes: str, directives: Sequence[str]) -> tuple[ev.Event, ...]:
        word = self.word()
        return (*super().inbox(brief, notes, directives), *([word] if word else []))


def branch_of(store: SqliteStore) -> ev.Branch | None:
    said = {row[0] for row in store.query("SELECT kind FROM events WHERE kind = 'branch'")}
    is_over = store.query("SELECT 1 FROM events WHERE kind = 'reflected' AND experiment = 5")
    return ev.Branch(store.experiment(5), store.values(5)) if is_over and not said else None


def meddled_with(bomb: Bomb) -> World:
    """A project whose files are edited: an offer is made, replaced, withdrawn, made again, and the measure changes;
    meanwhile hypotheses grow from where the person wants."""
    world = World(Hurrying())
    notebooks = Edited(world.notebooks.survey, edits=EDITS)
    judged = "SELECT DISTINCT experiment FROM events WHERE kind = 'judged'"
    notebooks.decided = lambda: {int(row[0]) for row in world.store.query(judged)}
    world.notebooks = notebooks
    world.desk = Branching(word=lambda: branch_of(world.store))
    with contextlib.suppress(Crash):
        world.live(bomb)
    return world


def test_edits_on_disk_come_to_the_same_log_whenever_the_loop_is_killed() -> None:
    bomb = Bomb()
    expected = meddled_with(bomb).log()
    offers = [
        (ev.kind_of(e), getattr(e, "by", ""))
        for e in expected
        if (isinstance(e, ev.Proposed) and e.experiment.source)
        or isinstance(e, ev.EditHypothesis | ev.Reject | ev.Sourced)
    ]
    assert offers == [
        *(("proposed", ""), ("edit", ""), ("reject", "files")),
        *(("proposed", ""), ("reject", "files"), ("sourced", "")),
    ]
    parents = [e.experiment.parent for e in expected if isinstance(e, ev.Proposed) and not e.experiment.source]
    assert parents == [None, 0, 1, 1, 4, 5, None, 8, 9], "7 grows from 5, the new measure from its own"
    assert bomb.count > 150
    for at in range(0, bomb.count, 7):
        world = meddled_with(Bomb(at))
        world.notebooks.seen = None  # a new process has seen nothing
        world.live(Bomb())
        assert world.log() == expected, f"killed at call {at}"
        assert set(world.launcher.started.values()) == {1}


def test_killed_again_and_again() -> None:
    expected = undisturbed()[0].log()
    world = World()
    for _ in range(500):
        try:
            world.live(Bomb(20))
            break
        except Crash:
            continue
    assert world.log() == expected


@dataclass
class Server:
    """Counts what it was paid for, by key; it outlives the loop."""

    paid: Counter[str] = field(default_factory=Counter)

    async def answer(self, key: str) -> tuple[str, Usage]:
        self.paid[key] += 1
        return f"the answer to {key}", Usage(Phase.PLAN, "model", 100, 10, usd=0.01, latency_s=1.0)


@dataclass
class PayingResearcher(ScriptedResearcher):
    """Asks a server before everything that it says, twice before a hypothesis."""

    server: Server = field(default_factory=Server)

    async def _ask(self, meter: Meter, key: str, experiment: int | None = None) -> None:
        answer = await meter.ask(
            key, Usage(Phase.PLAN, "model", 200, 50, usd=0.05), lambda: self.server.answer(key), experiment
        )
        assert answer == f"the answer to {key}"

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        await self._ask(meter, "probe")
        return ()

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        keys = (f"plan {seen.cycle}", f"patch {seen.cycle}")
        for key in keys:
            await self._ask(meter, key)
        return replace(await super().think(seen, meter), answers=keys)

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        await self._ask(meter, f"fix {failure.experiment.number}.{failure.repairs}", failure.experiment.number)
        return await super().repair(seen, failure, meter)

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        await self._ask(meter, f"reflect {experiment.number}", experiment.number)
        return await super().reflect(seen, experiment, verdict, meter)


def test_nothing_is_paid_twice_but_the_one_answer_that_a_kill_cut_off() -> None:
    reference, bomb = World(server=Server()), Bomb()
    reference.live(bomb)
    expected = reference.log()
    assert reference.server is not None and set(reference.server.paid.values()) == {1}
    assert sum(isinstance(event, ev.Answered) for event in expected) == len(reference.server.paid) == 24
    for at in range(0, bomb.count, 5):
        world = World(server=Server())
        with pytest.raises(Crash):
            world.live(Bomb(at))
        world.live(Bomb())
        assert world.log() == expected, f"killed at call {at}"
        assert world.server is not None and set(world.server.paid) == set(reference.server.paid)
        assert sum(world.server.paid.values()) <= len(world.server.paid) + 1, f"paid twice after a kill at call {at}"

"""The loop against doubles that fail, dawdle and interrupt: what it does meanwhile, and what it never does twice."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Proposal
from jupyter_deepresearch.core.ports import Observation, Owner, RunSpec
from jupyter_deepresearch.core.project import Approval, ApprovalMode, Budget, LauncherOptions, Trust
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    RunState,
    StopReason,
)
from jupyter_deepresearch.errors import BudgetReached, DeepResearchError, Fenced, ResearcherFailed, StorageFailed
from jupyter_deepresearch.loop.holds import LONGEST_BACK_OFF_S
from jupyter_deepresearch.processes import boot_id
from jupyter_deepresearch.service import commands as cmd
from tests.simulation import Oracle, Simulation, Universe, base_project, ended

PATIENT = base_project(trust=Trust(1))
TWO = replace(PATIENT, launcher=LauncherOptions(max_parallel=2))


def x(value: float) -> Proposal:
    return Proposal(Hypothesis(f"x {value:g}", HypothesisKind.PARAMETERS, parameters={"x": value}))


def code(name: str) -> Proposal:
    return Proposal(Hypothesis(name, HypothesisKind.CODE, edits=(Edit("a", name, cell="c"),)))


def by_x(spec: RunSpec) -> Outcome | None:
    """Every run succeeds with its x."""
    return ended(spec, RunState.SUCCEEDED, float(spec.build.parameters.get("x") or 0.0))


def simulation(*answers: Proposal | DeepResearchError, project: ev.Opened | object = PATIENT) -> Simulation:
    return Simulation(project, Universe(by_x), Oracle(iter(answers), iter(())))  # type: ignore[arg-type]


def kinds(sim: Simulation) -> Counter[str]:
    return Counter(ev.kind_of(r.event) for r in sim.log())


def said(sim: Simulation) -> list[str]:
    return [r.event.text for r in sim.log() if isinstance(r.event, ev.Announced)]


# Outages


def test_an_outage_of_the_researcher_is_said_once_and_waited_out_longer_each_time() -> None:
    sim = simulation(*[ResearcherFailed("no network")] * 5, x(1.0))
    began = sim.clock.time
    state = sim.run()
    assert state.champion is not None and state.champion.number == 1
    assert said(sim) == ["the researcher cannot answer: no network", "the researcher answers again"]
    assert sim.clock.time - began > 2 + 4 + 8 + 16 + 32


def test_the_wait_has_a_bound() -> None:
    sim = simulation(*[ResearcherFailed("no network")] * 12, x(1.0))
    asked: list[float] = []
    sim.oracle.interrupt = lambda: asked.append(sim.clock.time)
    sim.run()
    pauses = [after - before for before, after in itertools.pairwise(asked[:13])]
    assert pauses == sorted(pauses) and LONGEST_BACK_OFF_S <= pauses[-1] <= LONGEST_BACK_OFF_S + 2


def test_a_persons_word_ends_the_wait() -> None:
    sim = simulation(*[ResearcherFailed("no network")] * 12, x(1.0))
    loop = sim.loop()
    sim.desk.act = lambda look: loop.wake()
    began = sim.clock.time
    asyncio.run(loop.run(until_rest=True))
    assert sim.clock.time - began < 60 and sim.oracle.asked == 14


def test_live_runs_are_noticed_and_commands_obeyed_while_the_researcher_is_out() -> None:
    """A long back-off is no reason to miss the end of a run."""
    sim = simulation(x(1.0), *[ResearcherFailed("no network")] * 12, project=TWO)
    looks = {"0001-candidate-seed-1": 0}
    ends: dict[str, float] = {}

    def end_of(spec: RunSpec) -> Outcome | None:
        if spec.run.experiment != 1:
            return by_x(spec)
        looks[spec.run.id] += 1
        if looks[spec.run.id] < 60:
            return None
        ends.setdefault("over", sim.clock.time)
        return by_x(spec)

    sim.universe.end_of = end_of
    sim.run()
    noticed = next(r.at for r in sim.log() if isinstance(r.event, ev.Ended) and r.event.outcome.run in looks)
    assert noticed - ends["over"] <= 2.0


def test_a_launch_that_storage_refuses_is_made_again_and_no_hypotheses_pile_up() -> None:
    sim = simulation(*(x(float(n)) for n in range(1, 9)), project=TWO)
    refusals = iter([None, *[StorageFailed("the disk is full")] * 6])
    sim.universe.refuse = lambda spec: next(refusals, None)
    seen: list[int] = []

    def act(look: int) -> None:
        seen.append(len([w for w in sim.state.works.values() if not w.attempts and w.number]))

    sim.run(act)
    assert max(seen) <= 2
    outage = "the run 0001-candidate-seed-1 cannot be started: the disk is full"
    assert said(sim) == [outage, "runs can be started again"]
    assert kinds(sim)["planned"] == kinds(sim)["ended"] == 9


def test_a_refused_notebook_fails_its_experiment_alone() -> None:
    from jupyter_deepresearch.errors import InvalidNotebook

    sim = simulation(x(1.0), x(2.0))
    sim.universe.refuse = lambda spec: InvalidNotebook("no such cell") if spec.run.experiment == 1 else None
    state = sim.run()
    assert state.champion is not None and state.champion.number == 2
    verdict = sim.store.verdict(1)
    assert verdict is not None and verdict.decision is Decision.FAILED and "no such cell" in verdict.reason


# Budgets


def test_a_budget_that_refuses_a_thought_ends_the_project_and_open_work_is_finished() -> None:
    sim = simulation(x(1.0), BudgetReached("budget.usd of 1 does not allow 2", "usd"), project=TWO)
    state = sim.run()
    assert state.finished is not None and state.finished.reason is StopReason.USD
    assert state.works == {} and state.champion is not None and state.champion.number == 1


@dataclass
class Spent(Oracle):
    """No lesson and no repair is within the budget."""

    async def repair(self, *_: object) -> Proposal:
        raise BudgetReached("budget.usd of 1 does not allow 2", "usd")

    async def reflect(self, *_: object) -> object:  # type: ignore[override]
        raise BudgetReached("budget.usd of 1 does not allow 2", "usd")


def test_without_a_budget_for_it_the_lesson_is_the_reason_and_nothing_is_repaired() -> None:
    def end_of(spec: RunSpec) -> Outcome | None:
        return ended(spec, RunState.CRASHED) if spec.dry_run else by_x(spec)

    sim = Simulation(PATIENT, Universe(end_of), Spent(iter([code("b"), x(1.0)]), iter(())))
    state = sim.run()
    assert state.finished is not None and state.champion is not None and state.champion.number == 2
    lessons = [r.event.lesson.text for r in sim.log() if isinstance(r.event, ev.Reflected)]
    assert "crashed" in lessons[1] and "better by" in lessons[2]


def test_hours_are_working_time_and_end_a_project_in_time() -> None:
    project = replace(PATIENT, budget=Budget(hours=10 / 3600))
    sim = Simulation(project, Universe(lambda spec: None), Oracle(iter(()), iter(())))

    def end_of(spec: RunSpec) -> Outcome | None:
        assert spec.deadline_rule == "budget.hours" and spec.deadline_s == pytest.approx(10, abs=1)
        return ended(spec, RunState.TIMED_OUT) if sim.clock.time - began > 10 else None

    began = sim.clock.time
    sim.universe.end_of = end_of
    state = sim.run()
    assert state.failed is not None or (state.finished is not None and state.finished.reason is StopReason.HOURS)
    assert 10 <= state.worked_s <= 12
    assert kinds(sim)["worked"] == 1


def test_waiting_and_pausing_are_no_work() -> None:
    project = replace(PATIENT, approval=Approval(ApprovalMode.ASK, 20.0), budget=Budget(hours=1, cycles=1))
    sim = simulation(x(1.0), project=project)

    def act(look: int) -> None:
        if look == 5:
            sim.say(cmd.PauseCommand())
        if look == 300:
            sim.say(cmd.ResumeCommand())

    began = sim.clock.time
    state = sim.run(act)
    assert state.finished is not None and state.finished.reason is StopReason.CYCLES
    assert sim.clock.time - began > 1200 and state.worked_s < 60
    approvals = [r.event for r in sim.log() if isinstance(r.event, ev.Approve)]
    assert approvals == [ev.Approve(1, by="timeout")]


def test_waiting_for_gpus_that_others_have_is_no_work() -> None:
    sim = simulation(project=replace(PATIENT, budget=Budget(hours=0.1, cycles=0)))
    began = sim.clock.time

    def end_of(spec: RunSpec) -> Outcome | None:
        waited = sim.clock.time - began
        sim.records.waiting = {spec.run.id} if waited < 1200 else set()
        return by_x(spec) if waited > 1290 else None

    sim.universe.end_of = end_of
    state = sim.run()
    assert state.finished is not None and state.finished.reason is StopReason.CYCLES
    assert sim.clock.time - began > 1200 and 60 <= state.worked_s <= 120


@pytest.mark.parametrize("begins", [False, True])
def test_a_run_that_waited_for_gpus_does_not_outlive_the_hours(begins: bool) -> None:
    project = replace(PATIENT, budget=Budget(hours=0.1), launcher=LauncherOptions(max_parallel=2))
    sim = simulation(x(1.0), x(2.0), project=project)
    began = sim.clock.time

    def end_of(spec: RunSpec) -> Outcome | None:
        worked = sim.clock.time - began
        if spec.run.experiment == 0:
            return by_x(spec) if worked > 10 else None
        held_s = 350 if begins else 365  # experiment 1 has the GPU for nearly all of the hours, or for all of them
        if spec.run.experiment == 1:
            return by_x(spec) if worked > held_s else None
        sim.records.waiting = {spec.run.id} if worked <= held_s else set()
        return None

    sim.universe.end_of = end_of
    state = sim.run()
    assert state.finished is not None and state.finished.reason is StopReason.HOURS
    ends = {r.event.outcome.run: r.event.outcome.state for r in sim.log() if isinstance(r.event, ev.Ended)}
    assert ends["0002-candidate-seed-1"] is RunState.CANCELLED
    assert 360 <= state.worked_s <= 360 + 60 + 35


def test_long_work_is_logged_once_a_minute() -> None:
    sim = simulation()
    began = sim.clock.time
    sim.universe.end_of = lambda spec: by_x(spec) if sim.clock.time - began > 600 else None
    state = sim.run()
    assert 9 <= kinds(sim)["worked"] <= 11 and state.worked_s == pytest.approx(600, abs=61)


def test_a_full_disk_by_the_budget_plans_nothing() -> None:
    sim = simulation(x(1.0), project=replace(PATIENT, budget=Budget(disk_gb=0.0)))
    state = sim.run()
    assert state.finished is not None and state.finished.reason is StopReason.DISK
    assert kinds(sim)["planned"] == 0


# Exhausted, told, interrupted


def test_an_exhausted_researcher_is_asked_again_only_when_something_is_new() -> None:
    sim = simulation(x(1.0), *[Proposal(exhausted="nothing")] * 500, project=TWO)
    began = sim.clock.time
    sim.universe.end_of = lambda spec: by_x(spec) if spec.run.experiment == 0 or sim.clock.time > began + 500 else None
    state = sim.run()
    assert state.finished is not None and state.finished.reason is StopReason.EXHAUSTED
    news = kinds(sim)["worked"]
    assert sim.oracle.asked <= news + 6, "asked at every tick"


def test_remarks_are_said_once() -> None:
    remark = replace(x(1.0), remarks=("cannot use 'foo'",))
    sim = simulation(remark, replace(x(2.0), remarks=remark.remarks), x(3.0))
    sim.run()
    assert said(sim) == ["cannot use 'foo'"]


def test_a_persons_idea_during_a_thought_gets_the_number_and_the_thought_the_next() -> None:
    sim = simulation(x(1.0))
    sim.oracle.interrupt = lambda: sim.say(cmd.TryCommand({"x": 9.0}), "once") and None
    state = sim.run()
    numbers = {type(r.event): r.event.experiment.number for r in sim.log() if isinstance(r.event, ev.Try | ev.Proposed)}
    assert numbers == {ev.Try: 1, ev.Proposed: 2}
    assert state.champion is not None and state.champion.number == 1


def test_a_persons_idea_that_takes_the_last_cycle_leaves_none_for_the_thought() -> None:
    sim = simulation(x(1.0), x(2.0), project=replace(PATIENT, budget=Budget(cycles=1)))
    sim.oracle.interrupt = lambda: sim.say(cmd.TryCommand({"x": 9.0}), "once") and None
    state = sim.run()
    assert state.cycles == 1 and kinds(sim)["proposed"] == 1 and kinds(sim)["try"] == 1


def test_a_thought_for_the_old_measure_is_dropped() -> None:
    sim = simulation(x(1.0), x(2.0))
    sources = iter([ev.Sourced(sim.state.opened.source, sim.state.survey, new_measure=True)])

    def interrupt() -> None:
        for event in sources:
            sim.ledger.append(event)

    sim.oracle.interrupt = interrupt
    state = sim.run()
    proposals = [r.event.experiment for r in sim.log() if isinstance(r.event, ev.Proposed)]
    assert [(p.hypothesis.claim, p.measure) for p in proposals[1:]] == [
        ("baseline: the notebook as it is", 2),
        ("x 2", 2),
    ]
    assert state.measure == 2 and state.champion is not None


def test_a_directive_is_fresh_until_a_thought_that_read_it_succeeded() -> None:
    sim = simulation(ResearcherFailed("no"), Proposal(exhausted="nothing"), x(1.0), x(2.0), project=TWO)
    sim.desk.incoming = [ev.Directive("x below 3", "digest-1")]
    sim.universe.end_of = lambda spec: by_x(spec)
    sim.run()
    if sim.state.finished:
        sim.say(cmd.ResumeCommand())
        sim.run()
    used = [r.event.directives for r in sim.log() if isinstance(r.event, ev.Proposed)]
    assert used[1:] == [(2,), ()] and sim.desk.settled == ["digest-1"]


def test_a_run_is_cancelled_while_the_researcher_thinks() -> None:
    sim = simulation(x(1.0), x(2.0), project=TWO)
    run = "0001-candidate-seed-1"
    sim.universe.end_of = lambda spec: None if spec.run.id == run else by_x(spec)
    waited: list[int] = []
    think = sim.oracle.think

    async def slowly(*given: object) -> Proposal:
        if run in sim.state.runs:
            sim.say(cmd.CancelCommand(run), "once")
            while run in sim.state.runs and len(waited) < 500:
                waited.append(1)
                await asyncio.sleep(0)
        return await think(*given)  # type: ignore[arg-type]

    sim.oracle.think = slowly  # type: ignore[method-assign]
    sim.run()
    assert 0 < len(waited) < 500
    assert sim.universe.ended[run].state is RunState.CANCELLED


# One loop only


def test_a_loop_whose_lease_has_moved_writes_nothing_more() -> None:
    sim = simulation(x(1.0))
    moved: list[int] = []

    def act(look: int) -> None:
        if look == 4:
            sim.store.acquire(Owner("another", "here", 2**22 + 1, 1, boot_id()))
            moved.append(sim.state.seq)

    with pytest.raises(Fenced):
        sim.run(act)
    assert sim.state.seq == moved[0]


@dataclass
class Reluctant(Universe):
    """Takes its time to stop looking."""

    looked: list[int] = field(default_factory=list)

    async def observe(self, handles: Sequence[Handle]) -> Sequence[Observation]:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            for _ in range(3):
                await asyncio.sleep(0)
            raise
        return ()


@pytest.mark.parametrize("moment", range(0, 60, 1))
def test_a_loop_that_is_cancelled_at_any_moment_ends(moment: int) -> None:
    sim = Simulation(TWO, Reluctant(by_x), Oracle(iter([x(1.0)]), iter(())))

    async def live() -> None:
        task = asyncio.ensure_future(sim.loop().run())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done and task.cancelled()

    asyncio.run(live())

"""What comes next, state by state."""

from dataclasses import replace

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.budget import OVERRUN_S, deadline, overruns
from jupyter_deepresearch.core.needs import MAX_ATTEMPTS, artifacts_of
from jupyter_deepresearch.core.project import (
    Approval,
    ApprovalMode,
    Budget,
    Direction,
    LauncherOptions,
    Objective,
    Project,
    Trust,
)
from jupyter_deepresearch.core.rules import next_step
from jupyter_deepresearch.core.steps import (
    AutoApprove,
    Baseline,
    Fail,
    Finish,
    Judge,
    Launch,
    Reflect,
    Repair,
    Rest,
    Step,
    Think,
    Wait,
    Watch,
)
from jupyter_deepresearch.core.types import Decision, Purpose, Run, RunState, StopReason
from tests.core.logs import (
    BASELINE,
    NOW,
    baseline,
    candidate,
    end,
    experiment,
    folded,
    judged,
    live,
    proposed,
    ran,
    reflected,
    step,
)
from tests.simulation import base_project

ASK = base_project(approval=Approval(ApprovalMode.ASK))
TWO = base_project(launcher=LauncherOptions(max_parallel=2))
DRY = Run(1, Purpose.DRY_RUN)
LOST, CANCELLED, CRASHED = RunState.LOST, RunState.CANCELLED, RunState.CRASHED


def kind(found: Step) -> type[Step]:
    return type(found)


# The course of one cycle


def test_a_new_project_starts_with_its_baseline() -> None:
    first = Run(0, Purpose.BASELINE)
    assert step() == Baseline()
    assert step(ev.Proposed(BASELINE)) == Launch(first)
    assert step(ev.Proposed(BASELINE), ev.Planned(first)) == Launch(first), "a cut off launch is made again"
    assert step(ev.Proposed(BASELINE), *live(first)) == Watch((first.id,))
    assert kind(step(ev.Proposed(BASELINE), *ran(first, value=1.0))) is Judge
    told = baseline()
    assert kind(step(*told[:-1])) is Reflect
    assert step(*told) == Think()


def test_a_cycle_of_values() -> None:
    cycle = [*baseline(), proposed(1)]
    assert step(*cycle) == Launch(candidate(1))
    cycle += ran(candidate(1), value=0.0)
    assert kind(step(*cycle)) is Judge
    assert kind(step(*cycle, judged(1, Decision.WORSE, 0.0))) is Reflect
    assert step(*cycle, judged(1, Decision.WORSE, 0.0), reflected(1)) == Think()


def test_a_promising_candidate_waits_for_the_seeds_of_both_sides() -> None:
    cycle = [*baseline(), proposed(1), *ran(candidate(1), value=2.0), judged(1, Decision.PROMISING, 2.0)]
    for run in (Run(0, Purpose.CONFIRM, 2), Run(0, Purpose.CONFIRM, 3), candidate(1, 2)):
        assert step(*cycle) == Launch(run)
        cycle += ran(run, value=2.0)
        if run.experiment == 0:
            assert kind(step(*cycle)) is Judge, "the champion's value is now a mean of more"
            cycle += [judged(0, Decision.BASELINE, 1.5, run.seed_index)]
    assert kind(step(*cycle)) is Judge


def test_code_is_dry_run_repaired_twice_and_then_given_up() -> None:
    story = [*baseline(), proposed(1, code=True)]
    assert step(*story) == Launch(DRY)
    run = DRY
    for repair in (1, 2):
        story += ran(run, CRASHED)
        assert kind(step(*story)) is Repair
        story += [ev.Repaired(experiment(1, code=True))]
        run = run.again()
        assert step(*story) == Launch(run), repair
    assert step(*story, *ran(run)) == Launch(candidate(1)), "a dry run that passed"
    story += ran(run, CRASHED)
    assert kind(step(*story)) is Judge


def test_a_lost_dry_run_costs_no_repair() -> None:
    story = [*baseline(), proposed(1, code=True), *ran(DRY, LOST)]
    assert step(*story) == Launch(DRY.again())
    story += ran(DRY.again(), CRASHED)
    assert kind(step(*story)) is Repair
    story += [ev.Repaired(experiment(1, code=True))]
    third = DRY.again().again()
    assert step(*story) == Launch(third), "what was mended is tested before it is mended again"
    assert kind(step(*story, *ran(third, LOST))) is Judge, "lost for the second time"


def test_a_repair_beyond_what_was_approved_is_asked_again_and_waits_its_full_time() -> None:
    project = replace(ASK, approval=Approval(ApprovalMode.ASK, auto_after_minutes=1))
    story = [*baseline(), proposed(1, code=True), ev.Approve(1), *ran(DRY, CRASHED)]
    asked = [*story, ev.Repaired(experiment(1, code=True), ask=True)]
    at = NOW + len(asked) + 1
    assert step(*asked, project=project, now=at + 59) == Launch(Run(0, Purpose.CONFIRM, 2)), "its own run waits"
    assert step(*asked, project=project, now=at + 60) == AutoApprove(1)
    assert step(*asked, ev.Approve(1), project=project) == Launch(DRY.again())


# Runs that end by nobody's wish


@pytest.mark.parametrize("seed", [1, 2])
def test_a_lost_run_is_made_once_more_in_the_same_artifacts(seed: int) -> None:
    story = [*baseline(), proposed(1)]
    if seed == 2:
        story += [*ran(candidate(1), value=2.0), judged(1, Decision.PROMISING, 2.0)]
        story += [*ran(Run(0, Purpose.CONFIRM, 2), value=1.0), *ran(Run(0, Purpose.CONFIRM, 3), value=1.0)]
        story += [judged(0, Decision.BASELINE, 1.0, 3)]
    run = candidate(1, seed)
    story += ran(run, LOST)
    assert step(*story) == Launch(run.again())
    assert artifacts_of(folded(*story).work(1), run.again()) == run.id
    assert kind(step(*story, *ran(run.again(), LOST))) is Judge


def test_artifacts_are_new_after_a_run_that_came_to_its_own_end() -> None:
    state = folded(*baseline(), proposed(1, code=True), *ran(DRY, CRASHED), ev.Repaired(experiment(1, code=True)))
    assert artifacts_of(state.work(1), DRY.again()) == DRY.again().id
    assert artifacts_of(None, DRY) == DRY.id


def test_a_lost_seed_beside_one_that_ended_later_is_still_made_again() -> None:
    project = base_project(launcher=LauncherOptions(max_parallel=2), trust=Trust(3))
    story = [*baseline(), *ran(Run(0, Purpose.CONFIRM, 2), value=1.0), *ran(Run(0, Purpose.CONFIRM, 3), value=1.0)]
    story += [judged(0, Decision.BASELINE, 1.0, 3), proposed(1), *ran(candidate(1), value=2.0)]
    story += [judged(1, Decision.PROMISING, 2.0), *live(candidate(1, 2)), *live(candidate(1, 3))]
    story += [end(candidate(1, 2), LOST), end(candidate(1, 3), value=2.0)]
    assert step(*story, project=project) == Launch(candidate(1, 2, attempt=2))


def test_a_stop_is_always_made_good_and_a_persons_cancel_never() -> None:
    story = [*baseline(), proposed(1)]
    run = candidate(1)
    for _ in range(MAX_ATTEMPTS + 2):
        story += [*live(run), ev.Stop()]
        assert step(*story) == Watch((run.id,), (run.id,))
        story += [end(run, CANCELLED)]
        assert step(*story) == Rest()
        story += [ev.Resume()]
        run = run.again()
        assert step(*story) == Launch(run)
    story += [*live(run), ev.Cancel(run.id)]
    assert step(*story) == Watch((run.id,), (run.id,))
    for state in (CANCELLED, LOST):
        assert kind(step(*story, end(run, state))) is Judge


def test_cancelled_by_nobody_we_know_is_made_again_a_few_times() -> None:
    story, run = [*baseline(), proposed(1)], candidate(1)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert step(*story) == Launch(run), attempt
        story += ran(run, CANCELLED)
        run = run.again()
    assert kind(step(*story)) is Judge


# Several at once


def test_free_slots_are_filled_and_no_more() -> None:
    project = base_project(launcher=LauncherOptions(max_parallel=3))
    story = [*baseline(), proposed(1), *live(candidate(1))]
    assert step(*story, project=project) == Think()
    story += [proposed(2), *live(candidate(2)), proposed(3)]
    assert step(*story, project=project) == Launch(candidate(3))
    story += live(candidate(3))
    assert step(*story, project=project) == Watch(tuple(candidate(n).id for n in (1, 2, 3)))


def test_a_candidate_is_compared_only_when_the_champions_seeds_are_in() -> None:
    project = base_project(launcher=LauncherOptions(max_parallel=2), trust=Trust(2))
    champion = Run(0, Purpose.CONFIRM, 2)
    story = [*baseline(), proposed(1), *ran(candidate(1), value=2.0), judged(1, Decision.PROMISING, 2.0)]
    story += [*live(champion), *live(candidate(1, 2)), end(candidate(1, 2), value=2.0)]
    assert kind(step(*story, project=project)) is Think
    assert kind(step(*story, end(champion, value=1.0), project=project)) is Judge
    assert step(*story, end(champion, LOST), project=project) == Launch(champion.again())


def test_a_baseline_still_running_keeps_later_works_waiting() -> None:
    story = [ev.Proposed(BASELINE), *live(Run(0, Purpose.BASELINE)), ev.Try(experiment(1))]
    assert step(*story, project=TWO) == Watch(("0000-baseline-seed-1",))


def test_a_try_before_the_baseline_waits_for_it() -> None:
    assert step(ev.Try(experiment(0))) == Baseline()


# Persons


def test_one_hypothesis_waits_per_free_slot() -> None:
    three = replace(ASK, launcher=LauncherOptions(max_parallel=3))
    story = [*baseline()]
    for number in (1, 2, 3):
        assert step(*story, project=three) == Think()
        story += [proposed(number)]
    assert step(*story, project=three) == Launch(Run(0, Purpose.CONFIRM, 2)), "an idle slot gives the baseline seeds"
    assert step(*story, ev.Approve(2), project=three) == Launch(candidate(2))


def test_while_a_person_is_waited_for_the_baseline_gets_its_seeds() -> None:
    story = [*baseline(), proposed(1)]
    for seed in (2, 3):
        assert step(*story, project=ASK) == Launch(Run(0, Purpose.CONFIRM, seed))
        story += ran(Run(0, Purpose.CONFIRM, seed), value=1.0)
        assert kind(step(*story, project=ASK)) is Judge
        story += [judged(0, Decision.BASELINE, 1.0, seed)]
    assert step(*story, project=ASK) == Wait()


def test_nobody_answers_in_time() -> None:
    project = base_project(approval=Approval(ApprovalMode.ASK, 2.0), trust=Trust(1))
    story = [*baseline(), proposed(1)]
    at = NOW + len(story) + 1
    assert step(*story, project=project, now=at + 119) == Wait(at + 120)
    assert step(*story, project=project, now=at + 120) == AutoApprove(1)


def test_what_waits_is_approved_once_nobody_is_asked_any_more() -> None:
    story = [*baseline(), proposed(1), ev.Configure(base_project())]
    assert step(*story, project=ASK, now=NOW + 100) == AutoApprove(1)


def test_rejected_is_no_cycle() -> None:
    project = replace(ASK, budget=Budget(cycles=1), trust=Trust(1))
    story = [*baseline(), proposed(1)]
    assert step(*story, project=project) == Wait()
    assert step(*story, ev.Reject(1), project=project) == Think()


def test_pause_lets_live_runs_finish_and_starts_nothing() -> None:
    story = [*baseline(), proposed(1), *live(candidate(1)), ev.Pause()]
    assert step(*story) == Watch((candidate(1).id,))
    story += [end(candidate(1), value=5.0)]
    assert kind(step(*story)) is Judge
    story += [judged(1, Decision.PROMISING, 5.0)]
    assert step(*story) == Wait()
    assert step(*story, ev.Resume()) == Launch(Run(0, Purpose.CONFIRM, 2))


def test_stop_rests_and_try_goes_on() -> None:
    assert step(*baseline(), ev.Stop()) == Rest()
    assert step(*baseline(), ev.Stop(), ev.Try(experiment(1))) == Launch(candidate(1))
    assert step(*baseline(), ev.Stop(), ev.Resume()) == Think()


def test_reproduction_asks_for_more_seeds_with_runs_of_its_own() -> None:
    story = [*baseline(), proposed(1), *ran(candidate(1), value=0.0), judged(1, Decision.WORSE, 0.0), reflected(1)]
    again = ev.Reproduce(experiment(1), 2, {1: 0.0}, folded(*story[:-1]).works[1].verdict)
    runs = [Run(1, Purpose.REPRODUCE, seed) for seed in (2, 3)]
    assert step(*story, again) == Launch(runs[0])
    made = [*story, again, *ran(runs[0], CRASHED), *ran(runs[1], value=0.0)]
    assert kind(step(*made)) is Judge
    made += [judged(1, Decision.WORSE, 0.0, 2)]
    assert step(*made) == Think()
    once_more = ev.Reproduce(experiment(1), 1, {1: 0.0, 3: 0.0}, made=dict.fromkeys((2, 3), 1))
    assert step(*made, once_more) == Launch(Run(1, Purpose.REPRODUCE, 2, attempt=2)), "no id is used twice"


# Ends


def test_a_failed_baseline_needs_the_person() -> None:
    story = [ev.Proposed(BASELINE), *ran(Run(0, Purpose.BASELINE), CRASHED), judged(0, Decision.FAILED)]
    found = step(*story)
    assert found == Fail("the baseline failed: because")
    story += [ev.Failed("the baseline failed")]
    assert step(*story) == Rest()
    assert step(*story, ev.Try(experiment(1))) == Rest()
    assert step(*story, ev.Try(experiment(1)), ev.Resume()) == Baseline()


def decided(cycles: int, decision: Decision = Decision.WORSE, value: float = 0.0) -> list[ev.Event]:
    story = baseline()
    for number in range(1, cycles + 1):
        story += [proposed(number), *ran(candidate(number), value=value), judged(number, decision, value)]
        story += [reflected(number)]
    return story


@pytest.mark.parametrize(
    ("project", "story", "reason"),
    [
        (base_project(budget=Budget(cycles=2)), decided(2), StopReason.CYCLES),
        (base_project(budget=Budget(patience=3)), decided(3), StopReason.PATIENCE),
        (base_project(budget=Budget(hours=1)), [*baseline(), ev.Worked(3600.0)], StopReason.HOURS),
        (base_project(budget=Budget(gpu_hours=10 / 3600)), decided(1), StopReason.GPU_HOURS),
        (
            base_project(objective=Objective("s", Direction.MAXIMIZE, target=2.0)),
            decided(1, Decision.CONFIRMED, 2.0),
            StopReason.TARGET,
        ),
    ],
)
def test_budgets_end_a_project_and_resuming_alone_does_not_outwit_them(
    project: Project, story: list[ev.Event], reason: StopReason
) -> None:
    found = step(*story, project=project)
    assert isinstance(found, Finish) and found.reason is reason
    story = [*story, ev.Finished(found.reason, found.sentence)]
    assert step(*story, project=project) == Rest()
    assert step(*story, ev.Resume(), project=project) == found
    assert step(*story, ev.Configure(base_project()), project=project) == Think()


def test_a_baseline_that_reaches_the_target_is_not_a_confirmed_champion() -> None:
    assert (
        step(*baseline(5.0), project=base_project(objective=Objective("s", Direction.MAXIMIZE, target=2.0))) == Think()
    )


def test_spent_time_leaves_open_work_where_it_is() -> None:
    project = base_project(budget=Budget(hours=1))
    story = [*baseline(), proposed(1), ev.Worked(3601.0)]
    assert kind(step(*story, project=project)) is Finish
    story += [ev.Finished(StopReason.HOURS, "1 hour")]
    assert step(*story, project=project) == Rest()
    assert step(*story, ev.Configure(base_project()), ev.Resume(), project=project) == Launch(candidate(1))


def test_a_full_disk_ends_a_project_until_it_is_resumed() -> None:
    story = [*baseline(), proposed(1), ev.Finished(StopReason.DISK, "50 GB")]
    assert step(*story) == Rest()
    assert step(*story, ev.Resume()) == Launch(candidate(1))


def test_open_work_outlives_a_budget_of_money() -> None:
    story = [*baseline(), proposed(1), *live(candidate(1)), ev.Finished(StopReason.USD, "1 USD")]
    assert step(*story, project=TWO) == Watch((candidate(1).id,))
    story += [end(candidate(1), value=2.0), judged(1, Decision.PROMISING, 2.0)]
    assert step(*story, project=TWO) == Launch(Run(0, Purpose.CONFIRM, 2))


def test_new_words_open_an_exhausted_space() -> None:
    story = [*baseline(), ev.Finished(StopReason.EXHAUSTED, "all tried")]
    assert step(*story) == Rest()
    assert step(*story, ev.Directive("x: 0..9")) == Think()
    ended = [*baseline(), ev.Finished(StopReason.USD, "1 USD")]
    assert step(*ended, ev.Directive("x: 0..9")) == Rest()


@pytest.mark.parametrize("reason", ["target", "patience"])
def test_what_waits_when_the_goal_is_reached_needs_no_answer(reason: str) -> None:
    target = Objective("score", Direction.MAXIMIZE, target=2.0 if reason == "target" else None)
    budget = Budget(patience=1 if reason == "patience" else None)
    project = replace(ASK, objective=target, budget=budget, trust=Trust(1))
    won = reason == "target"
    story = [*baseline(), proposed(1), proposed(2), ev.Approve(1), *ran(candidate(1), value=2.0 if won else 0.0)]
    story += [judged(1, Decision.CONFIRMED if won else Decision.WORSE, 2.0 if won else 0.0), reflected(1)]
    found = step(*story, project=project)
    assert isinstance(found, Finish) and found.reason == reason
    story += [ev.Finished(found.reason, found.sentence)]
    assert step(*story, project=project) == Rest()
    assert step(*story, ev.Approve(2), project=project) == Launch(candidate(2)), "a person may still want it"


# Configuration and measures that change


def test_fewer_seeds_decide_what_was_promising() -> None:
    story = [*baseline(), proposed(1), *ran(candidate(1), value=2.0), judged(1, Decision.PROMISING, 2.0)]
    assert kind(step(*story, ev.Configure(base_project(trust=Trust(1))))) is Judge


def test_a_new_measure_begins_anew_and_ends_what_is_live_without_comparing_it() -> None:
    story = [*baseline(), proposed(1), *live(candidate(1)), ev.Sourced(folded().opened.source, folded().survey, True)]
    assert step(*story) == Watch((candidate(1).id,))
    assert step(*story, project=TWO) == Baseline()
    for outcome in (end(candidate(1), value=9.0), end(candidate(1), LOST)):
        assert kind(step(*story, outcome)) is Judge
    over = [*story, end(candidate(1), value=9.0), judged(1, Decision.INCONCLUSIVE, 9.0), reflected(1)]
    assert step(*over) == Baseline()


def test_a_baseline_of_the_old_measure_does_not_fail_the_new_one() -> None:
    run = Run(0, Purpose.BASELINE)
    story = [ev.Proposed(BASELINE), *live(run), ev.Sourced(folded().opened.source, folded().survey, True)]
    story += [end(run, CRASHED), judged(0, Decision.INCONCLUSIVE)]
    assert kind(step(*story)) is Reflect
    assert step(*story, reflected(0)) == Baseline()


# Steps that are put off


def test_what_is_put_off_leaves_room_for_what_else_there_is() -> None:
    waiting = folded(*baseline(), proposed(1), *live(candidate(1)), project=TWO)
    assert next_step(TWO, waiting, NOW) == Think()
    assert next_step(TWO, waiting, NOW, {Think}) == Watch((candidate(1).id,))
    planned = folded(*baseline(), proposed(1), ev.Planned(candidate(1)))
    assert next_step(planned.project, planned, NOW, {Launch, Think}) == Watch((candidate(1).id,))
    idle = folded(*baseline())
    assert next_step(idle.project, idle, NOW, {Think}) == Wait()


def test_the_time_that_a_run_may_take() -> None:
    def limit(budget: Budget, *events: ev.Event, parallel: int = 1) -> tuple[float, str] | None:
        project = base_project(budget=budget, launcher=LauncherOptions(max_parallel=parallel))
        return deadline(project, folded(*events, project=project))

    assert limit(Budget()) is None
    assert limit(Budget(run_minutes=2)) == (120.0, "budget.run_minutes")
    assert limit(Budget(run_minutes=90, hours=1), ev.Worked(600.0)) == (3000.0, "budget.hours")
    assert limit(Budget(hours=1), ev.Worked(9999.0)) == (1.0, "budget.hours")
    assert limit(Budget(gpu_hours=1), *baseline(), parallel=2) == (3595 / 2, "budget.gpu_hours")


def test_what_a_live_run_may_not_outlive() -> None:
    def over(budget: Budget, *events: ev.Event, live_gpu_s: float = 0.0, has_begun: bool = True, each: int = 1) -> bool:
        project = base_project(budget=budget, launcher=LauncherOptions(gpus_per_run=each))
        return overruns(project, folded(*events, project=project), live_gpu_s, has_begun)

    hour, waits = Budget(hours=1), {"has_begun": False}
    assert not over(Budget(), ev.Worked(1e9), live_gpu_s=1e9)
    assert not over(hour, ev.Worked(3599.0), **waits) and over(hour, ev.Worked(3600.0), **waits)
    assert not over(hour, ev.Worked(3600.0)) and over(hour, ev.Worked(3600.0 + OVERRUN_S))
    gpus, spent = Budget(gpu_hours=1), 5.0  # the GPU seconds of the baseline
    assert not over(gpus, *baseline(), live_gpu_s=3594.0, **waits)
    assert over(gpus, *baseline(), live_gpu_s=3600.0 - spent, **waits)
    assert not over(gpus, *baseline(), live_gpu_s=3600.0 - spent + 2 * OVERRUN_S - 1, each=2)
    assert over(gpus, *baseline(), live_gpu_s=3600.0 - spent + 2 * OVERRUN_S, each=2)

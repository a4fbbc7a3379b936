"""From a log to its state."""

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.fold import apply
from jupyter_deepresearch.core.project import Approval, ApprovalMode, Budget
from jupyter_deepresearch.core.state import DIRECTIVES_IN_FORCE
from jupyter_deepresearch.core.types import Decision, Purpose, Run, RunState, Source, StopReason, Verdict
from tests.core.logs import (
    BASELINE,
    SURVEY,
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
)
from tests.long_log import long_log
from tests.simulation import base_project

ASK = base_project(approval=Approval(ApprovalMode.ASK))
DAY = 86_400.0


def test_a_log_starts_with_opened_and_has_no_gap() -> None:
    with pytest.raises(ValueError, match="starts with 'opened', this one with 'pause'"):
        apply(None, ev.Record(1, 0.0, ev.Pause()))
    with pytest.raises(ValueError, match="record 3 does not follow 1"):
        apply(folded(), ev.Record(3, 0.0, ev.Pause()))


def test_the_fold_does_not_change_what_it_was_given() -> None:
    before = folded(*baseline(), proposed(1))
    works, runs = dict(before.works), dict(before.runs)
    apply(before, ev.Record(before.seq + 1, 0.0, ev.Planned(candidate(1))))
    assert (before.works, before.runs, before.seq) == (works, runs, len(baseline()) + 2)


def test_a_state_stays_small_however_long_the_log() -> None:
    def size(cycles: int) -> int:
        state = None
        for seq, event in enumerate(long_log(cycles), 1):
            state = apply(state, ev.Record(seq, 1e9 + seq, event))
        assert state is not None and state.cycles == cycles
        return len(repr(state))

    assert size(600) < 1.1 * size(150)


def test_the_course_of_a_project() -> None:
    assert folded(ev.Pause()).paused and folded(ev.Stop()).stopped
    over = folded(ev.Pause(), ev.Stop(), ev.Failed("no"), ev.Finished(StopReason.USD, "spent"), ev.Resume())
    assert not (over.paused or over.stopped or over.failed or over.finished)
    finished = folded(ev.Finished(StopReason.CYCLES, "done"))
    assert finished.finished is not None
    raised = base_project(budget=Budget(cycles=9))
    again = folded(ev.Finished(StopReason.CYCLES, "done"), ev.Configure(raised))
    assert again.finished is None and again.project == raised
    assert folded(ev.Briefed("new"), ev.Announced("x")).brief == "new"
    assert folded(ev.Worked(5.0), ev.Worked(2.5)).worked_s == 7.5


def test_hypotheses_are_counted_and_rejected_ones_are_not() -> None:
    state = folded(*baseline(), proposed(1), proposed(2), project=ASK)
    assert (state.cycles, state.next_cycle, state.next_experiment) == (2, 3, 3)
    assert [w.waiting for w in state.works.values()] == [True, True]
    state = folded(*baseline(), proposed(1), proposed(2), ev.Reject(1, "no"), ev.Approve(2), project=ASK)
    assert (state.cycles, state.next_cycle, list(state.works)) == (1, 3, [2])
    assert not state.works[2].waiting
    assert "claim 1" in state.memory.render(state.project.objective)


@pytest.mark.parametrize("late", [ev.Approve(1), ev.Reject(1), ev.EditHypothesis(experiment(1)), ev.Approve(7)])
def test_what_comes_too_late_changes_nothing(late: ev.Event) -> None:
    story = [*baseline(), proposed(1), *ran(candidate(1), value=0.0), judged(1, Decision.WORSE, 0.0), reflected(1)]
    before, after = folded(*story), folded(*story, late)
    assert (after.works, after.cycles, after.memory) == (before.works, before.cycles, before.memory)


@pytest.mark.parametrize(
    "stray", [ev.Launched, ev.Cancel, ev.Ended, ev.Judged, ev.Reflected, ev.Repaired], ids=lambda c: c.__name__
)
def test_events_about_nothing_open_change_nothing_but_the_seq(stray: type[ev.Event]) -> None:
    events: dict[type[ev.Event], ev.Event] = {
        ev.Launched: next(e for e in live(candidate(9)) if isinstance(e, ev.Launched)),
        ev.Cancel: ev.Cancel(candidate(9).id),
        ev.Ended: end(candidate(9), value=99.0),
        ev.Judged: judged(9, Decision.CONFIRMED, 99.0),
        ev.Reflected: reflected(9),
        ev.Repaired: ev.Repaired(experiment(9)),
    }
    before, after = folded(*baseline()), folded(*baseline(), events[stray])
    assert after.champion == before.champion and after.works == before.works and after.runs == before.runs


def test_a_run_from_its_plan_to_its_end() -> None:
    run = candidate(1)
    planned = folded(*baseline(), proposed(1), ev.Planned(run))
    assert planned.runs[run.id].handle is None
    started = folded(*baseline(), proposed(1), *live(run), ev.Cancel(run.id))
    assert started.runs[run.id].handle is not None and started.runs[run.id].cancelled
    over = folded(*baseline(), proposed(1), *live(run), ev.Cancel(run.id), end(run, RunState.CANCELLED))
    assert over.runs == {} and over.works[1].attempts[0].by_person and not over.works[1].attempts[0].by_stop
    stopped = folded(*baseline(), proposed(1), *live(run), ev.Stop(), end(run, RunState.CANCELLED))
    assert stopped.works[1].attempts[0].by_stop
    assert over.gpu_s == 10.0 and over.typical_s == 10.0


def test_seeds_of_champion_and_baseline_grow_after_their_lesson() -> None:
    state = folded(*baseline(1.0), *ran(Run(0, Purpose.CONFIRM, 2), value=3.0))
    assert state.baseline is not None and state.champion is not None
    assert dict(state.baseline.values) == dict(state.champion.values) == {1: 1.0, 2: 3.0}
    assert state.champion.is_outdated


def test_verdicts_crown_and_count() -> None:
    story = [*baseline(), proposed(1), *ran(candidate(1), value=2.0)]
    assert (champion := folded(*story, judged(1, Decision.PROMISING, 2.0)).champion) is not None
    assert champion.number == 0
    won = folded(*story, judged(1, Decision.PROMISING, 2.0), judged(1, Decision.CONFIRMED, 2.0))
    assert won.champion is not None and won.champion.number == 1 and won.since_gain == 0
    assert won.baseline is not None and won.baseline.number == 0
    lost = folded(*story, judged(1, Decision.PROMISING, 2.0), judged(1, Decision.RETRACTED, 2.0))
    assert lost.since_gain == 1


def test_reproduction_keeps_the_crown_where_it_is() -> None:
    story = [*baseline(), proposed(1), *ran(candidate(1), value=0.0), judged(1, Decision.WORSE, 0.0), reflected(1)]
    verdict = Verdict(Decision.WORSE, "because", 0.0, 1)
    again = [*story, ev.Reproduce(experiment(1), 1, {1: 0.0}, verdict), *ran(Run(1, Purpose.REPRODUCE, 2), value=9.0)]
    state = folded(*again, judged(1, Decision.WORSE, 4.5, 2))
    assert state.works == {} and state.champion is not None and state.champion.number == 0
    assert state.since_gain == 1, "counted once"


def test_a_failed_project_forgets_its_baseline_but_not_what_a_person_wants_to_try() -> None:
    state = folded(ev.Proposed(BASELINE), ev.Try(experiment(1)), judged(0, Decision.FAILED), ev.Failed("no"))
    assert list(state.works) == [1] and state.failed is not None
    mended = folded(
        ev.Proposed(BASELINE), ev.Try(experiment(1)), ev.Failed("no"), ev.Sourced(Source("{}"), SURVEY, False)
    )
    assert mended.failed is None and list(mended.works) == [1] and mended.measure == 1


def test_a_new_measure_forgets_ranks_and_gives_back_cycles_that_were_not_used() -> None:
    story = [*baseline(), proposed(1), *live(candidate(1)), proposed(2)]
    state = folded(*story, ev.Sourced(Source("{}"), SURVEY, new_measure=True))
    assert (state.measure, state.baseline, state.champion) == (2, None, None)
    assert list(state.works) == [1] and state.cycles == 1
    late = folded(
        *story,
        ev.Sourced(Source("{}"), SURVEY, True),
        end(candidate(1), value=99.0),
        judged(1, Decision.CONFIRMED, 99.0),
    )
    assert late.champion is None, "a value of the old measure never crowns"


def test_directives_stay_in_force_and_only_what_was_read_is_no_longer_fresh() -> None:
    told = [ev.Directive("one", "d1"), ev.Directive("two"), ev.Proposed(experiment(0), directives=(2,))]
    state = folded(*told)
    assert [(n.instruction.text, n.instruction.fresh, n.digest) for n in state.directives] == [
        ("one", False, "d1"),
        ("two", True, None),
    ]
    many = folded(*(ev.Directive(str(n)) for n in range(DIRECTIVES_IN_FORCE + 5)))
    assert [n.instruction.text for n in many.directives] == [str(n) for n in range(5, DIRECTIVES_IN_FORCE + 5)]


def test_the_bill_by_phase_and_by_utc_day() -> None:
    def answered(seq: int, at: float, phase: str, usd: float | None) -> ev.Record:
        return ev.Record(seq, at, ev.Answered(f"k{seq}", Usage(phase, "m", 10, 5, 2, usd), "text"))

    state = folded()
    for record in (
        answered(2, DAY - 1, "think", 0.25),
        answered(3, DAY, "think", 0.5),
        answered(4, DAY + 1, "reflect", None),
    ):
        state = apply(state, record)
    bill = state.bill
    assert (bill.total.calls, bill.total.tokens_in, bill.total.tokens_cached, bill.total.usd) == (3, 30, 6, 0.75)
    assert (bill.day, bill.today.calls, bill.today.usd) == ("1970-01-02", 2, 0.5)
    assert {k: v.usd for k, v in bill.by_phase.items()} == {"think": 0.75, "reflect": None}, "unknown is never zero"


def test_notes_are_kept_for_prompts() -> None:
    state = folded(ev.Noted("mind the gap"))
    assert state.notes == "mind the gap" and "mind the gap" in state.memory.render(state.project.objective)

"""From outcomes to verdicts, with arithmetic alone."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.judge import judge
from jupyter_deepresearch.core.project import Constraint, Direction, Objective, Trust
from jupyter_deepresearch.core.statistics import interval95, mean
from jupyter_deepresearch.core.types import Decision, Purpose, Run, RunState, Verdict
from tests.core.logs import baseline, candidate, end, experiment, folded, judged, live, proposed, ran, reflected
from tests.simulation import base_project

UP = Objective("score", Direction.MAXIMIZE, min_delta=0.1)
DOWN = Objective("loss", Direction.MINIMIZE, min_delta=0.1)


def verdict(*story: ev.Event, number: int = 1, objective: Objective = UP, seeds: int = 3) -> Verdict:
    state = folded(*story, project=base_project(objective=objective, trust=Trust(seeds)))
    work = state.work(number)
    assert work is not None
    return judge(state, work)


def first(value: float) -> list[ev.Event]:
    """A baseline of 1.0 and a first seed of this value."""
    return [*baseline(1.0), proposed(1), *ran(candidate(1), value=value)]


@pytest.mark.parametrize(
    ("value", "objective", "decision"),
    [
        (1.5, UP, Decision.PROMISING),
        (1.1 + 1e-9, UP, Decision.PROMISING),
        (1.05, UP, Decision.INCONCLUSIVE),
        (1.0, UP, Decision.INCONCLUSIVE),
        (0.95, UP, Decision.INCONCLUSIVE),
        (0.5, UP, Decision.WORSE),
        (0.5, DOWN, Decision.PROMISING),
        (0.95, DOWN, Decision.INCONCLUSIVE),
        (1.5, DOWN, Decision.WORSE),
        (1.0, replace(UP, min_delta=0.0), Decision.INCONCLUSIVE),
        (1.0 + 1e-12, replace(UP, min_delta=0.0), Decision.PROMISING),
    ],
)
def test_a_first_seed_against_the_champion(value: float, objective: Objective, decision: Decision) -> None:
    found = verdict(*first(value), objective=objective)
    assert found.decision is decision
    assert (found.value, found.seeds, found.interval, found.champion_before) == (value, 1, None, 1.0)
    assert found.state is RunState.SUCCEEDED and "experiment 0" in found.reason


def test_one_seed_is_enough_where_the_project_says_so() -> None:
    assert verdict(*first(1.5), seeds=1).decision is Decision.CONFIRMED


def further(*values: float, champion: float = 1.0) -> list[ev.Event]:
    """Seeds 2 and on of a promising experiment, and the champion's."""
    story = [*first(1.5), judged(1, Decision.PROMISING, 1.5)]
    for seed, value in enumerate(values, 2):
        story += ran(Run(0, Purpose.CONFIRM, seed), value=champion)
        story += ran(candidate(1, seed), value=value)
    return story


def test_further_seeds_confirm_or_retract() -> None:
    assert verdict(*further(1.5)).decision is Decision.PROMISING
    confirmed = verdict(*further(1.5, 1.6))
    assert confirmed.decision is Decision.CONFIRMED and confirmed.seeds == 3
    assert confirmed.value == pytest.approx(4.6 / 3) and confirmed.champion_before == 1.0
    low, high = confirmed.interval or (math.nan, math.nan)
    assert low < 4.6 / 3 < high
    assert verdict(*further(0.5)).decision is Decision.RETRACTED
    assert verdict(*further(1.5, 1.5, champion=1.9)).decision is Decision.RETRACTED


def test_seeds_are_compared_with_the_same_seeds() -> None:
    story = [*first(1.5), *ran(Run(0, Purpose.CONFIRM, 2), value=9.0)]
    assert verdict(*story).decision is Decision.PROMISING, "the champion's lucky second seed is not this one's"
    story = [*first(1.5), judged(1, Decision.PROMISING, 1.5), *ran(candidate(1, 2), value=1.5)]
    assert verdict(*story).champion_before == 1.0, "all of the champion's where it lacks one"


@pytest.mark.parametrize(
    "state", [s for s in RunState if not s.is_live and s is not RunState.SUCCEEDED], ids=lambda s: s.value
)
def test_a_failure_never_becomes_a_number(state: RunState) -> None:
    found = verdict(*baseline(), proposed(1), *ran(candidate(1), state))
    assert (found.decision, found.value, found.seeds, found.state) == (Decision.FAILED, None, 0, state)
    assert state.value.replace("_", " ") in found.reason
    assert verdict(*first(1.5), judged(1, Decision.PROMISING, 1.5), *ran(candidate(1, 2), state)).decision is (
        Decision.RETRACTED
    )


def test_a_run_that_succeeded_without_a_number_is_a_failure() -> None:
    assert verdict(*baseline(), proposed(1), *ran(candidate(1))).decision is Decision.FAILED
    story = [*first(1.5), judged(1, Decision.PROMISING, 1.5), *ran(candidate(1, 2))]
    assert verdict(*story).decision is Decision.RETRACTED


def test_what_was_lost_first_and_succeeded_then_counts() -> None:
    story = [*baseline(), proposed(1), *ran(candidate(1), RunState.LOST), *ran(candidate(1, attempt=2), value=1.5)]
    assert verdict(*story).decision is Decision.PROMISING


def test_a_dry_run_tells_nothing_but_failure() -> None:
    dry = Run(1, Purpose.DRY_RUN)
    story = [*baseline(), proposed(1, code=True), *ran(dry, RunState.CRASHED)]
    assert verdict(*story).decision is Decision.FAILED
    passed = [*baseline(), proposed(1, code=True), *ran(dry), *ran(candidate(1), value=1.5)]
    assert verdict(*passed).decision is Decision.PROMISING


def test_a_broken_constraint_is_never_promoted() -> None:
    objective = replace(UP, constraints=(Constraint("params_m", "<=", 10.0),))
    story = [*baseline(), proposed(1)]
    broken = verdict(*story, *ran(candidate(1), value=9.0, params_m=11.0), objective=objective)
    assert broken.decision is Decision.WORSE and "params_m <= 10 (found 11)" in broken.reason
    missing = verdict(*story, *ran(candidate(1), value=9.0), objective=objective)
    assert missing.decision is Decision.WORSE and "found nothing" in missing.reason
    kept = verdict(*story, *ran(candidate(1), value=9.0, params_m=10.0), objective=objective)
    assert kept.decision is Decision.PROMISING


def test_the_baseline_is_what_it_is() -> None:
    run = Run(0, Purpose.BASELINE)
    state = folded(*baseline()[:1], *ran(run, value=3.0))
    assert judge(state, state.works[0]).decision is Decision.BASELINE
    failed = folded(*baseline()[:1], *ran(run, RunState.CRASHED))
    assert judge(failed, failed.works[0]).decision is Decision.FAILED


def test_measuring_again_sharpens_the_value_and_keeps_the_verdict() -> None:
    story = [*first(0.5), judged(1, Decision.WORSE, 0.5), reflected(1)]
    old = Verdict(Decision.WORSE, "because", 0.5, 1, champion_before=1.0)
    again = [ev.Reproduce(experiment(1), 1, {1: 0.5}, old), *ran(Run(1, Purpose.REPRODUCE, 2), value=9.5)]
    found = verdict(*story, *again)
    assert (found.decision, found.value, found.seeds, found.champion_before) == (Decision.WORSE, 5.0, 2, 1.0)
    more = verdict(*baseline(), *ran(Run(0, Purpose.CONFIRM, 2), value=2.0), number=0)
    assert (more.decision, more.value, more.seeds) == (Decision.BASELINE, 1.5, 2)


def test_values_of_another_measure_are_not_compared() -> None:
    source = folded().opened.source
    story = [*baseline(), proposed(1), *live(candidate(1)), ev.Sourced(source, folded().survey, new_measure=True)]
    found = verdict(*story, end(candidate(1), value=99.0))
    assert found.decision is Decision.INCONCLUSIVE and "other locked cells" in found.reason


@settings(derandomize=True, database=None, max_examples=300)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_statistics_of_any_finite_numbers(values: list[float]) -> None:
    middle = mean(values)
    assert math.isfinite(middle)
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= middle <= max(values) + slack
    interval = interval95(values)
    if len(values) < 2:
        assert interval is None
    if interval is not None:
        assert interval[0] <= middle <= interval[1] and all(map(math.isfinite, interval))


def test_the_interval_is_students() -> None:
    low, high = interval95([1.0, 2.0, 3.0]) or (math.nan, math.nan)
    assert (low, high) == pytest.approx((2 - 4.303 / math.sqrt(3), 2 + 4.303 / math.sqrt(3)))
    low, high = interval95([float(n % 2) for n in range(100)]) or (math.nan, math.nan)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(25 / 99 / 100), rel=1e-3)
    with pytest.raises(ValueError):
        mean([])

"""When a run is ended early, as pure decisions."""

import math

import pytest

from jupyter_deepresearch.core.project import Direction, Guard, Objective
from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.execution.runner.guard import Activity, Rules, Stop

OBJECTIVE = Objective("acc", Direction.MAXIMIZE)


def rules(guard: Guard | None = None, **options: float | str) -> Rules:
    return Rules(guard or Guard(), OBJECTIVE, **options)  # type: ignore[arg-type]


def test_the_deadline_names_the_key_that_set_it() -> None:
    run = rules(deadline_s=1800, deadline_rule="gpu_hours")
    assert run.elapsed(1799) is None
    stop = run.elapsed(1800)
    assert stop is not None
    assert (stop.state, stop.rule) == (RunState.TIMED_OUT, "gpu_hours")
    assert stop.message == "ran 30 min, gpu_hours allowed 30 min"


def test_without_a_deadline_time_ends_nothing() -> None:
    assert rules().elapsed(1e9) is None


def test_a_dry_run_passes_by_its_time_but_not_beyond_a_deadline() -> None:
    run = rules(dry_run_s=300, deadline_s=400)
    assert run.elapsed(299) is None
    stop = run.elapsed(300)
    assert stop is not None and stop.state is RunState.SUCCEEDED
    late = rules(dry_run_s=300, deadline_s=200).elapsed(300)
    assert late is not None and late.state is RunState.TIMED_OUT


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_objective_that_is_not_finite_ends_the_run_at_once(value: float) -> None:
    stop = rules().reported({"acc": value, "train_loss": 0.5})
    assert stop is not None
    assert (stop.state, stop.rule) == (RunState.DIVERGED, "diverge")
    assert "acc" in stop.message and str(value) in stop.message


def test_a_loss_must_be_bad_three_times_running() -> None:
    run = rules()
    assert run.reported({"val/Loss": math.nan}) is None
    assert run.reported({"val/Loss": math.inf}) is None
    assert run.reported({"val/Loss": 1.0}) is None
    assert run.reported({"val/Loss": math.nan}) is None
    assert run.reported({"acc": 0.1}) is None
    assert run.reported({"val/Loss": math.nan}) is None
    stop = run.reported({"val/Loss": math.nan})
    assert stop is not None and "3 times running" in stop.message


def test_a_printed_objective_must_be_bad_three_times_running() -> None:
    run = rules()
    found = [run.reported({"acc": math.nan}, printed=True) for _ in range(3)]
    assert found[:2] == [None, None] and isinstance(found[2], Stop)


def test_other_metrics_may_be_anything_and_the_rule_may_be_off() -> None:
    run = rules()
    assert all(run.reported({"best_so_far": math.inf}) is None for _ in range(10))
    off = rules(Guard(diverge=False))
    assert all(off.reported({"acc": math.nan, "loss": math.nan}) is None for _ in range(10))


IDLE = Activity(output_bytes=10, cpu_s=1.0, io_bytes=1000, gpu_percent=0.0)


def test_silence_of_everything_is_a_stall() -> None:
    run = rules(Guard(stall_minutes=1))
    assert run.sampled(10, IDLE) is None
    assert run.sampled(69, IDLE) is None
    stop = run.sampled(70, IDLE)
    assert stop is not None
    assert (stop.state, stop.rule) == (RunState.STALLED, "stall_minutes")
    assert "60 s" in stop.message and "stall_minutes = 1" in stop.message


@pytest.mark.parametrize(
    "activity",
    [
        Activity(11, 1.0, 1000, 0.0),
        Activity(10, 2.0, 1000, 0.0),
        Activity(10, 1.0, 10_000_000, 0.0),
        Activity(10, 1.0, 1000, 3.0),
    ],
    ids=["output", "cpu", "io", "gpu"],
)
def test_any_activity_is_no_stall(activity: Activity) -> None:
    run = rules(Guard(stall_minutes=1))
    run.sampled(10, IDLE)
    assert run.sampled(65, activity) is None
    assert run.sampled(75, activity) is None, "the minute counts from the last activity"


def test_the_trickle_of_an_idle_kernel_is_a_stall() -> None:
    run = rules(Guard(stall_minutes=1))
    run.sampled(0, IDLE)
    trickle = [Activity(10, 1.0 + 0.003 * t, 1000 + 200 * t, None) for t in range(1, 62)]
    stops = [run.sampled(t, activity) for t, activity in enumerate(trickle, 1)]
    assert stops[58] is None and stops[60] is not None


def test_a_stall_ends_no_dry_run_and_none_where_the_rule_is_off() -> None:
    assert rules(Guard(stall_minutes=1), dry_run_s=300).sampled(1000, Activity()) is None
    assert rules(Guard(stall_minutes=None)).sampled(1e6, Activity()) is None

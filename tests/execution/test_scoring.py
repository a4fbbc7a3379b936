"""The value that counts, and the curve, out of reported lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_deepresearch.core.project import Direction, Objective, ValueRule
from jupyter_deepresearch.execution.metrics.scoring import CURVE_POINTS, Tally, downsample, score
from jupyter_deepresearch.execution.spec import MetricLine

LAST = Objective("acc", Direction.MAXIMIZE)
BEST = Objective("acc", Direction.MAXIMIZE, value=ValueRule.BEST)
LEAST = Objective("acc", Direction.MINIMIZE, value=ValueRule.BEST)


def line(
    value: float, step: float | None = None, cell: int = 0, source: str = "report", name: str = "acc"
) -> MetricLine:
    return MetricLine(0.0, cell, step, {name: value}, source)


@pytest.mark.parametrize(("objective", "value"), [(LAST, 0.5), (BEST, 0.9), (LEAST, 0.1)])
def test_last_or_best_counts(objective: Objective, value: float) -> None:
    assert score([line(0.1), line(0.9), line(0.5)], objective).value == value


def test_locked_cells_count_before_all_others_which_are_the_curve() -> None:
    lines = [line(0.1, 0, cell=1), line(0.99, 1, cell=1), line(0.7, 0, cell=2), line(0.98, 2, cell=3)]
    found = score(lines, BEST, locked_cells=(2,))
    assert (found.value, found.locked) == (0.7, True)
    assert found.curve == ((0, 0.1), (1, 0.99), (2, 0.98))


def test_without_reports_of_locked_cells_the_scorer_is_not_locked() -> None:
    found = score([line(0.5, cell=1), line(0.3, cell=2, name="loss")], LAST, locked_cells=(2,))
    assert (found.value, found.locked) == (0.5, False)


def test_locked_reports_alone_are_their_own_curve() -> None:
    found = score([line(0.1, 0, cell=2), line(0.2, 1, cell=2)], LAST, locked_cells=(2,))
    assert found.curve == ((0, 0.1), (1, 0.2))


def test_reported_values_go_before_printed_ones() -> None:
    found = score(
        [line(0.5), line(0.9, source="printed"), line(0.8, cell=2, source="printed")], BEST, locked_cells=(2,)
    )
    assert (found.value, found.locked, found.finals) == (0.5, False, {"acc": 0.5})
    assert score([line(0.9, source="printed")], LAST).value == 0.9
    assert score([line(0.9, source="printed"), line(0.4, source="wandb")], LAST).value == 0.4


def test_a_metric_that_is_not_there_has_no_value() -> None:
    found = score([line(0.5, name="loss"), line(math.nan, name="other")], LAST)
    assert (found.value, found.curve, found.finals, found.names) == (None, (), {"loss": 0.5}, ("loss", "other"))


def test_a_last_value_that_is_not_finite_is_told() -> None:
    found = score([line(0.5), line(math.nan)], LAST)
    assert found.value is not None and math.isnan(found.value)
    assert found.finals == {"acc": 0.5}
    assert score([line(0.5), line(math.inf)], BEST).value == 0.5
    assert score([line(math.inf)], BEST).value == math.inf


def test_a_report_without_a_step_makes_the_curve_one_by_index() -> None:
    assert score([line(0.1, 10), line(0.2), line(math.nan), line(0.3, 12)], LAST).curve == (
        (0, 0.1),
        (1, 0.2),
        (3, 0.3),
    )


def test_names_without_end_do_not_take_the_memory_or_the_objective() -> None:
    tally = Tally(LAST)
    for number in range(5000):
        tally.add(line(1.0, name=f"metric_{number}"))
    tally.add(line(0.5))
    found = tally.score()
    assert found.value == 0.5
    assert len(found.names) <= 1001 and len(found.finals) <= 1001


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=1500))
def test_a_curve_is_short_finite_in_order_and_keeps_its_ends_and_extremes(values: list[float]) -> None:
    curve = score([line(value, step) for step, value in enumerate(values)], LAST).curve
    finite = [(step, value) for step, value in enumerate(values) if math.isfinite(value)]
    assert len(curve) <= CURVE_POINTS
    assert set(curve) <= set(finite)
    assert list(curve) == sorted(curve, key=lambda point: point[0])
    if finite:
        assert (curve[0], curve[-1]) == (finite[0], finite[-1])
        assert min(v for _, v in curve) == min(v for _, v in finite)
        assert max(v for _, v in curve) == max(v for _, v in finite)


def test_few_points_stay_as_they_are() -> None:
    points = [(float(i), float(i % 3)) for i in range(200)]
    assert downsample(points, 200) == tuple(points)
    assert len(downsample([*points, (200.0, 0.0)], 200)) <= 200

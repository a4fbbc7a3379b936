"""What came of a run, in a bounded text that tells what matters."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.ports import Curves
from jupyter_deepresearch.core.project import Direction, Objective
from jupyter_deepresearch.core.research import Account
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Outcome,
    RunError,
    RunState,
    Verdict,
)
from jupyter_deepresearch.researchers.claude.blocks import block, last_lines
from jupyter_deepresearch.researchers.claude.curves import Point, gaps, shape
from jupyter_deepresearch.researchers.claude.digest import DIGEST_CHARS, TAIL_CHARS, digest

ACCURACY = Objective("val_accuracy", Direction.MAXIMIZE)
UP, DOWN = Direction.MAXIMIZE, Direction.MINIMIZE


def line(values: list[float]) -> tuple[Point, ...]:
    return tuple((float(i + 1), v) for i, v in enumerate(values))


def account(outcome: Outcome | None = None, verdict: Verdict | None = None, claim: str = "wider is better") -> Account:
    hypothesis = Hypothesis(claim, HypothesisKind.CODE, parameters={"width": 64}, edits=(Edit("a", "b", cell="model"),))
    return Account(Experiment(7, hypothesis), verdict, Lesson("a lesson"), None, outcome, 0.25)


def test_a_finished_experiment_is_told_with_its_interval_curve_gap_pace_and_memory() -> None:
    rising = [0.5 + 0.4 * (1 - math.exp(-i / 3)) for i in range(12)]
    series = {
        "val_accuracy": line(rising),
        "train_loss": line([1 / (i + 1) for i in range(12)]),
        "val_loss": line([0.3 + 1 / (i + 1) for i in range(12)]),
    }
    verdict = Verdict(Decision.CONFIRMED, "beats the champion by 0.012", 0.893, 3, (0.89, 0.896), 0.881)
    told = digest(
        account(Outcome("r", RunState.SUCCEEDED, 0.89, elapsed_s=31.4, peak_memory_bytes=1_200_000_000), verdict),
        Curves("r", series),
        ACCURACY,
    )
    first, *rest = told.splitlines()
    assert first == (
        "Experiment 7 (code): confirmed, val_accuracy 0.893 [0.89, 0.896] (3 seeds); champion before it 0.881"
    )
    assert "Why: beats the champion by 0.012" in rest
    assert "0.25 s a step, peak memory 1.2 GB, took 31.4 s" in rest
    assert "val_loss - train_loss at the end: +0.3 (0.38333, 0.083333)" in rest
    assert "Changed: width = 64; edits of cell model" in rest
    [own] = [text for text in rest if text.startswith("val_accuracy: ends at 0.88")]
    assert "a step over the last third" in own and "spike" not in own


def test_a_failed_run_is_told_by_its_error_cell_rule_and_last_lines() -> None:
    error = RunError("ValueError", "shapes do not fit", 4, "line\n" * 500 + "ValueError: shapes do not fit", rule="x")
    verdict = Verdict(Decision.FAILED, "the run crashed", state=RunState.CRASHED)
    told = digest(account(Outcome("r", RunState.CRASHED, error=error), verdict), Curves("r", {}), ACCURACY)
    assert "Experiment 7 (code): failed (crashed)" in told
    assert "Error: ValueError in cell 4: shapes do not fit (rule x)" in told
    assert told.count("ValueError: shapes do not fit") == 1
    assert len(told.split("Last lines:\n")[1].split("\nChanged")[0]) <= TAIL_CHARS + 60


def test_spikes_plateaus_divergence_and_slopes_are_found() -> None:
    calm = [2 - i / 50 for i in range(30)]
    spiked = [*calm[:10], 9.0, *calm[11:]]
    seen = shape(line(spiked), DOWN)
    assert seen is not None and (seen.spikes, seen.largest) == (1, (11.0, 9.0))
    flat = shape(line([0.1, 0.5, 0.8, 0.9] + [0.9] * 12), UP)
    assert flat is not None and flat.flat_since == 4.0 and flat.slope == 0.0
    rising = shape(line(calm), UP)
    assert rising is not None and rising.is_worse
    broken = shape(line([1.0, 0.5, math.nan, math.inf]), DOWN)
    assert broken is not None and (broken.broke_at, broken.last) == (3.0, (2.0, 0.5))
    steady = shape(line(calm), DOWN)
    assert steady is not None and steady.slope == pytest.approx(-0.02) and steady.flat_since is None
    assert shape(((1.0, math.nan),), UP) is None


def test_points_in_any_order_look_the_same() -> None:
    points = line([0.1, 0.4, 0.3, 0.6, 0.7, 0.65])
    assert shape(points[::-1], UP) == shape(points, UP)


@pytest.mark.parametrize(
    ("train", "held_out"),
    [("train_loss", "val_loss"), ("loss", "val_loss"), ("train/acc", "val/acc"), ("acc", "test_acc")],
)
def test_pairs_are_found_by_their_names(train: str, held_out: str) -> None:
    [gap] = gaps({train: line([0.9]), held_out: line([0.7]), "other": line([1.0])})
    assert (gap.train, gap.held_out) == (train, held_out) and gap.size == pytest.approx(-0.2)


def test_no_text_can_end_its_block() -> None:
    assert block("output", "a</output>b < /output>", 99) == "<output>\na< /output>b < /output>\n</output>"
    assert block("code", 'eos = "</s>"', 99) == '<code>\neos = "</s>"\n</code>'


def test_last_lines_are_whole_and_last() -> None:
    assert last_lines("one\ntwo\n\nthree\n", 9) == "two\nthree"
    assert last_lines("x" * 50, 10) == "x" * 10
    assert last_lines("\n\n", 10) == ""


ANY_TEXT = st.one_of(
    st.text(max_size=60), st.sampled_from(["x" * 10_000, "é🙂\u202e" * 3000, "</output>" * 900, "\n" * 99])
)
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
ANY_SERIES = st.lists(st.tuples(ANY_FLOAT, ANY_FLOAT), max_size=30).map(tuple)


@settings(max_examples=60, deadline=None)
@given(
    series=st.dictionaries(
        st.one_of(st.sampled_from(["val_accuracy", "val_loss", "loss"]), ANY_TEXT), ANY_SERIES, max_size=5
    ),
    claim=ANY_TEXT,
    message=ANY_TEXT,
    tail=ANY_TEXT,
    value=st.one_of(st.none(), ANY_FLOAT),
    pace=st.one_of(st.none(), ANY_FLOAT),
)
def test_a_digest_is_bounded_and_always_the_same(
    series: dict[str, tuple[Point, ...]],
    claim: str,
    message: str,
    tail: str,
    value: float | None,
    pace: float | None,
) -> None:
    error = RunError(message[:50], message, 3, tail, rule=message)
    verdict = Verdict(Decision.FAILED, message, value, 1, None if value is None else (value, value), value)
    made = Account(
        account(None, verdict, claim).experiment, verdict, None, None, Outcome("r", RunState.CRASHED, error=error), pace
    )
    objective = Objective(next(iter(series), "m") or "m", Direction.MINIMIZE)
    told = digest(made, Curves("r", series), objective)
    assert len(told) <= DIGEST_CHARS
    assert told.startswith("Experiment 7")
    assert told == digest(made, Curves("r", dict(reversed(series.items()))), objective)
    told.encode("utf-8")

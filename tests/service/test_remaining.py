"""How long a run will still take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.ports import Track
from jupyter_deepresearch.core.state import Work
from jupyter_deepresearch.execution.metrics.tracks import END_BYTES, tracks
from jupyter_deepresearch.service.cost import Reflections
from jupyter_deepresearch.service.remaining import Earlier, estimate, longer, remaining_s
from tests.core.logs import baseline, experiment, folded


def rising(first: float, last: float, lasted_s: float, reports: int | None = None, age_s: float = 0.0) -> Track:
    """Reports at every step."""
    count = round(last - first) + 1 if reports is None else reports
    return Track(count, first, last, lasted_s, age_s)


EPOCHS = {"val_loss": rising(1, 10, 90.0), "loss": rising(0, 999, 99.9)}


@pytest.mark.parametrize(
    ("live", "left"),
    [
        ({}, None),
        ({"val_loss": rising(1, 1, 0.0)}, None),  # one report says nothing of the pace
        ({"val_loss": rising(1, 1, 0.0), "loss": rising(0, 100, 10.0)}, 89.9),  # batches, before the second epoch
        ({"val_loss": rising(1, 4, 30.0), "loss": rising(0, 449, 40.0)}, 60.0),
        ({"val_loss": rising(1, 4, 60.0)}, 120.0),  # a slower machine
        ({"val_loss": rising(1, 4, 30.0), "loss": rising(0, 900, 40.0)}, 60.0),  # smaller batches, as many epochs
        ({"val_loss": rising(6, 8, 20.0)}, 20.0),  # went on from a checkpoint
        ({"val_loss": rising(1, 4, 30.0, age_s=4.0)}, 56.0),
        ({"val_loss": rising(1, 10, 90.0, age_s=500.0)}, 0.0),  # never negative
        ({"val_loss": rising(1, 12, 110.0)}, None),  # longer than any before: no one knows
        ({"other": rising(1, 4, 30.0)}, None),
    ],
)
def test_what_is_left_is_told_by_an_earlier_run(live: dict[str, Track], left: float | None) -> None:
    assert remaining_s(live, Earlier(EPOCHS)) == (None if left is None else pytest.approx(left))


def test_a_second_fit_begins_at_nought_again() -> None:
    twice = {"loss": Track(200, 0.0, 99.0, 199.0, rises=False)}
    in_first = {"loss": rising(0, 49, 49.0)}
    in_second = {"loss": Track(150, 0.0, 49.0, 149.0, rises=False)}
    assert remaining_s(in_first, Earlier(twice)) == pytest.approx(150.0)
    assert remaining_s(in_second, Earlier(twice)) == pytest.approx(50.0)
    assert remaining_s({"loss": Track(None, 0.0, 49.0, 149.0, rises=False)}, Earlier(twice)) is None


def test_what_was_reported_at_the_beginning_alone_says_nothing() -> None:
    earlier = {"params_m": rising(0, 1, 0.1), **EPOCHS}
    assert remaining_s({"params_m": rising(0, 1, 0.1)}, Earlier(earlier)) is None
    assert remaining_s({"loss": rising(0, 10, 1.0)}, None) is None


def test_more_epochs_take_longer() -> None:
    asked = longer({"epochs": 20, "lr": 0.1, "steps": 5}, {"epochs": 10, "lr": 0.01, "steps": 7})
    assert asked == 2.0
    assert longer({"max_steps": 50}, {"max_steps": 100}) == 0.5
    assert longer({"warmup_steps": 50, "eval_steps": 2}, {"warmup_steps": 100, "eval_steps": 4}) == 1.0
    assert longer({"epochs": 10**400}, {"epochs": 3.0}) == 1.0
    assert longer({"epochs": "many"}, {"epochs": 3}) == 1.0 and longer({"epochs": True}, {"epochs": 3}) == 1.0
    assert remaining_s({"val_loss": rising(1, 4, 30.0)}, Earlier(EPOCHS, asked)) == pytest.approx(160.0)
    from_nought = {"loss": rising(0, 9, 9.0)}
    assert remaining_s({"loss": rising(0, 5, 5.0)}, Earlier(from_nought, 0.5)) is None
    assert remaining_s({"loss": rising(0, 2, 2.0)}, Earlier(from_nought, 0.5)) == pytest.approx(2.0)


def test_an_estimate_says_what_it_is_made_of() -> None:
    state = folded(*baseline())
    state = replace(state, survey=replace(state.survey, parameters={"epochs": 10}))
    work = Work(replace(experiment(1), settings={"epochs": 25}), 0.0)
    found = estimate(state, work)
    assert found.minutes == round(25 / 60, 2)
    assert found.basis == (
        "the running mean of successful runs, 2.5 times as long by its epochs or steps;"
        " no reflection was paid for so far"
    )
    assert (found.usd, estimate(state, work, Reflections(None, 2)).usd) == (0.0, None)
    priced = estimate(state, work, Reflections(0.004, 3))
    assert priced.usd == 0.004 and priced.basis.endswith("; the mean price of reflecting on 3 experiments")
    assert estimate(replace(state, typical_s=None), work).minutes is None


def write(path: Path, count: int, padding: str = "") -> None:
    with path.open("w") as file:
        for i in range(count):
            values = {"loss": 1.0, **({"val": 1.0} if i % 10 == 0 else {})}
            line = {"t": 100.0 + i, "cell": 1, "step": i, "values": values, "source": f"report{padding}"}
            file.write(json.dumps(line) + "\n")


def test_tracks_are_read_from_what_was_reported(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert tracks(path) == {}
    write(path, 101)
    with path.open("a") as file:
        file.write('{"t": 300, "ce')
    found = tracks(path, now=207.0)
    assert found["loss"] == Track(101, 0.0, 100.0, 100.0, 7.0)
    assert found["val"] == Track(11, 0.0, 100.0, 100.0, 7.0)
    with path.open("a") as file:
        file.write('ll": 1}\n{"t": 201, "cell": 1, "step": 3, "values": {"loss": 1, "val": 1}}\n')
        file.write('{"t": 202, "cell": 1, "step": null, "values": {"late": NaN}}\n')
    found = tracks(path, now=207.0)
    assert (found["loss"].rises, found["loss"].last_step, found["late"].rises) == (False, 3.0, False)


def test_of_a_long_file_the_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, 3000, "x" * 100)
    assert path.stat().st_size > 2 * END_BYTES
    assert tracks(path, now=3100.0)["loss"] == Track(None, 0.0, 2999.0, 2999.0, 1.0)

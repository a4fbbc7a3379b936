"""The benchmarks run and print their tables. How fast things are is for `make bench` to say, not for tests."""

import importlib
import math
import sys

import pytest

from benchmarks import __main__ as command
from benchmarks.result import Result, Row, median, p99


def test_a_figure_over_its_must_is_broken_and_one_without_a_must_is_not() -> None:
    rows = (Row("fast", 0.05, "s", 0.3, 0.1), Row("slow", 0.5, "s", 0.3, 0.1), Row("large", 12.0, "MB"))
    assert [row.holds for row in rows] == [True, False, True]
    assert not Row("lost", math.nan, "", 1.0).holds and not Row("never seen", math.inf, "ms", 1000).holds
    lines = Result("Three things", rows, ("once each",)).table().splitlines()
    assert lines[0] == "Three things" and lines[1].split() == ["what", "measured", "must", "aim", "holds"]
    assert [line.split()[-1] for line in lines[2:5]] == ["yes", "NO", "MB"]
    assert lines[5].strip() == "once each"


def test_percentiles_are_measured_values() -> None:
    assert p99([float(n) for n in range(1, 201)]) == 198.0
    assert p99([1.0, 3.0, 2.0]) == 3.0 and median([3.0, 1.0, 2.0]) == 2.0
    assert math.isnan(median([]))


def test_every_name_is_a_benchmark() -> None:
    for name in command.NAMES:
        assert callable(importlib.import_module(f"benchmarks.{name}").measure)


QUICK = ("memory", "cycle", "tree", "hooks", "claude", pytest.param("panel", marks=pytest.mark.slow))


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_benchmark_finds_numbers_and_prints_them(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[Result] = []
    measure = importlib.import_module(f"benchmarks.{name}").measure

    def kept(quick: bool) -> Result:
        found.append(measure(quick))
        return found[-1]

    monkeypatch.setattr(f"benchmarks.{name}.measure", kept)
    monkeypatch.setattr(sys, "argv", ["benchmarks", name, "--quick"])
    code = command.main()
    printed = capsys.readouterr().out
    (result,) = found
    may_be_none = name in ("claude", "hooks", "panel")  # no calls at all; a difference of two noisy times; no CPU
    assert all(math.isfinite(row.measured) and (row.measured > 0 or may_be_none) for row in result.rows)
    assert result.table() in printed
    assert code == (0 if result.holds else 1) and ("every must holds" in printed) == result.holds


def test_an_unknown_name_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "speed"])
    with pytest.raises(SystemExit) as refused:
        command.main()
    assert refused.value.code == 2
    assert "no benchmark speed; accepted: memory, cycle," in capsys.readouterr().err.splitlines()[-1]

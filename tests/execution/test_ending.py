"""From what is known of a run to its outcome."""

import math
from typing import Any

import pytest

from jupyter_deepresearch.core.project import Direction, Guard, Objective
from jupyter_deepresearch.core.types import Purpose, RunError, RunState
from jupyter_deepresearch.execution.metrics.scoring import Score
from jupyter_deepresearch.execution.runner.ending import Death, Facts, outcome
from jupyter_deepresearch.execution.runner.guard import Stop
from jupyter_deepresearch.execution.runner.reports import ShellExit
from jupyter_deepresearch.execution.spec import RunnerSpec

GOOD = Score(0.5, ((0.0, 0.5),), {"acc": 0.5}, True, ("acc",))
NONE = Score(None, (), {}, False, ())


def facts(score: Score = GOOD, purpose: Purpose = Purpose.CANDIDATE, **known: Any) -> Facts:
    objective = Objective("acc", Direction.MAXIMIZE)
    spec = RunnerSpec("r", "/p", purpose, objective, Guard(), "python3", "/w", "/a", {})
    return Facts(spec, score, **{"code_cells": 3, "finished": 3, **known})


def test_all_cells_and_a_finite_value_are_a_success() -> None:
    found = outcome(facts(elapsed_s=2.0, notes=("a note",)))
    assert (found.state, found.value, found.locked_score, found.error) == (RunState.SUCCEEDED, 0.5, True, None)
    assert (found.elapsed_s, found.notes, found.curve) == (2.0, ("a note",), ((0.0, 0.5),))


BAD: dict[str, tuple[Facts, RunState, str]] = {
    "cells left": (facts(finished=2), RunState.CRASHED, "NotAllCellsRan"),
    "never reported": (facts(NONE), RunState.INVALID, "MetricMissing"),
    "nan": (facts(Score(math.nan, (), {}, False, ("acc",))), RunState.DIVERGED, "Diverged"),
    "exception": (facts(failure=RunError("KeyError", "'x'", 1)), RunState.CRASHED, "KeyError"),
    "shell": (facts(exits=(ShellExit(1, "make", 2),)), RunState.CRASHED, "ShellCommandFailed"),
    "killed": (facts(death=Death(-9)), RunState.CRASHED, "KernelDied"),
    "killed for memory": (facts(death=Death(-9, by_memory=True)), RunState.OUT_OF_MEMORY, "KernelDied"),
    "not started": (facts(NONE, error=RunError("KernelNotStarted", "why")), RunState.CRASHED, "KernelNotStarted"),
    "numpy memory": (
        facts(failure=RunError("_ArrayMemoryError", "Unable")),
        RunState.OUT_OF_MEMORY,
        "_ArrayMemoryError",
    ),
    "torch memory": (
        facts(failure=RunError("OutOfMemoryError", "CUDA out of memory. Tried to allocate")),
        RunState.OUT_OF_MEMORY,
        "OutOfMemoryError",
    ),
    "old torch memory": (
        facts(failure=RunError("RuntimeError", "CUDA error: out of memory\nCUDA kernel errors might")),
        RunState.OUT_OF_MEMORY,
        "RuntimeError",
    ),
    "memory of a script": (
        facts(exits=(ShellExit(1, "python train.py", 1),), tail="torch.OutOfMemoryError: CUDA out of memory."),
        RunState.OUT_OF_MEMORY,
        "ShellCommandFailed",
    ),
    "stopped": (facts(stop=Stop(RunState.STALLED, "Stalled", "stall_minutes", "quiet")), RunState.STALLED, "Stalled"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_no_success_and_has_no_value(name: str) -> None:
    known, state, kind = BAD[name]
    found = outcome(known)
    assert (found.state, found.value, found.locked_score) == (state, None, False)
    assert found.error is not None and found.error.kind == kind


def test_a_dry_run_needs_no_metric_and_has_no_value() -> None:
    assert outcome(facts(NONE, Purpose.DRY_RUN)).state is RunState.SUCCEEDED
    assert outcome(facts(GOOD, Purpose.DRY_RUN)).value is None
    passed = Stop(RunState.SUCCEEDED, "DryRunPassed", "dry_run_minutes", "alive")
    found = outcome(facts(NONE, Purpose.DRY_RUN, finished=1, stop=passed))
    assert (found.state, found.error) == (RunState.SUCCEEDED, None)
    assert outcome(facts(NONE, Purpose.DRY_RUN, finished=1)).state is RunState.CRASHED


def test_the_end_names_signal_exit_code_and_last_words() -> None:
    killed = outcome(facts(death=Death(-11), cell=2, finished=2, tail="\x1b[31mlast words\x1b[0m")).error
    assert killed is not None
    assert (killed.signal, killed.exit_code, killed.cell, killed.tail) == (11, None, 2, "last words")
    assert "signal 11 (SIGSEGV), after 2 of 3 code cells" in killed.message
    left = outcome(facts(death=Death(0))).error
    assert left is not None and (left.signal, left.exit_code) == (None, 0)


def test_a_rule_that_fired_is_named_with_where_the_run_was() -> None:
    stop = Stop(RunState.TIMED_OUT, "TimedOut", "run_minutes", "ran 30 min")
    error = outcome(facts(stop=stop, cell=1, failure=RunError("KeyboardInterrupt", "", 1, "in fit"))).error
    assert error is not None
    assert (error.kind, error.rule, error.cell, error.tail) == ("TimedOut", "run_minutes", 1, "in fit")

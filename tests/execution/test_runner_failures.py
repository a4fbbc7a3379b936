"""Runs that fail, each in its own way: every end has its state and its evidence, and none has a value."""

import os
import signal
from pathlib import Path

from jupyter_deepresearch.core.project import Guard
from jupyter_deepresearch.core.types import RunState
from tests.execution.one_run import REPORT, one_run, tagged, wait_for


def test_an_exception_ends_the_run_and_names_its_cell(tmp_path: Path) -> None:
    run = one_run(tmp_path, REPORT + "report(score=1.0)", "def broken():\n    1 / 0\nbroken()", "print('never')")
    outcome = run.execute()
    assert (outcome.state, outcome.value) == (RunState.CRASHED, None)
    assert outcome.error is not None
    assert outcome.error.line == "ZeroDivisionError in cell 1: division by zero"
    assert "broken()" in outcome.error.tail and "\x1b" not in outcome.error.tail
    notebook = run.notebook()
    assert len(notebook.cells) == 3, "papermill's marker cells would shift the indices"
    assert [cell.metadata.papermill.status for cell in notebook.cells] == ["completed", "failed", "pending"]


def test_sys_exit_in_the_middle_is_a_crash(tmp_path: Path) -> None:
    run = one_run(tmp_path, REPORT + "report(score=1.0)", "import sys\nsys.exit(0)", "print('never')")
    outcome = run.execute()
    assert (outcome.state, outcome.value) == (RunState.CRASHED, None)
    assert outcome.error is not None and outcome.error.cell == 1
    assert "sys.exit(0) after 1 of 3 code cells" in outcome.error.message


def test_a_kernel_that_exits_is_a_crash_with_its_exit_code(tmp_path: Path) -> None:
    outcome = one_run(
        tmp_path,
        REPORT + "report(score=1.0)",
        "import os, time\nprint('last words', flush=True)\ntime.sleep(0.5)\nos._exit(5)",
    ).execute()
    assert (outcome.state, outcome.value) == (RunState.CRASHED, None)
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.cell, outcome.error.exit_code) == ("KernelDied", 1, 5)
    assert "last words" in outcome.error.tail


def test_a_killed_kernel_is_a_crash_with_its_signal_noticed_at_once(tmp_path: Path) -> None:
    run = one_run(tmp_path, "import time\nprint('x', flush=True)\ntime.sleep(60)")
    with run.started() as runner:
        wait_for(lambda: run.lines(run.paths.outputs))
        kernel = run.live().kernel_pid
        assert kernel is not None
        os.kill(kernel, signal.SIGKILL)
        runner.wait(10)
    outcome = run.outcome()
    assert outcome.state is RunState.CRASHED
    assert outcome.error is not None and (outcome.error.signal, outcome.error.cell) == (signal.SIGKILL, 0)
    assert run.notebook().cells[0].metadata.papermill.status == "failed"


def test_too_little_memory_is_told_from_other_crashes(tmp_path: Path) -> None:
    outcome = one_run(tmp_path, "bytearray(1 << 60)").execute()
    assert outcome.state is RunState.OUT_OF_MEMORY
    assert outcome.error is not None and outcome.error.kind == "MemoryError"


def test_a_failed_shell_command_fails_the_run_unless_its_cell_may_fail(tmp_path: Path) -> None:
    bad = one_run(tmp_path / "bad", REPORT + "report(score=1.0)", "!echo out && exit 3\n!true", "print('never')")
    outcome = bad.execute()
    assert (outcome.state, outcome.value) == (RunState.CRASHED, None)
    assert outcome.error is not None
    assert (outcome.error.cell, outcome.error.exit_code) == (1, 3)
    assert outcome.error.message == "the command !echo out && exit 3 exited with 3"
    assert not bad.notebook().cells[2].outputs
    good = one_run(tmp_path / "good", tagged("!exit 3", "raises-exception"), REPORT + "report(score=1.0)")
    assert good.execute().value == 1.0


def test_a_metric_that_is_never_reported_makes_the_run_invalid(tmp_path: Path) -> None:
    outcome = one_run(tmp_path, REPORT + "report(accuracy=1.0, loss=2.0)").execute()
    assert (outcome.state, outcome.value) == (RunState.INVALID, None)
    assert outcome.error is not None
    assert outcome.error.message == "the metric 'score' was never reported; reported: accuracy, loss"


def test_nan_ends_the_run_at_once(tmp_path: Path) -> None:
    run = one_run(tmp_path, REPORT + "import time\nreport(score=float('nan'))\ntime.sleep(60)")
    outcome = run.execute()
    assert (outcome.state, outcome.value, outcome.curve) == (RunState.DIVERGED, None, ())
    assert outcome.error is not None and outcome.error.rule == "diverge"
    assert outcome.elapsed_s is not None and outcome.elapsed_s < 30


def test_the_deadline_ends_the_run_and_shows_where_it_was(tmp_path: Path) -> None:
    run = one_run(
        tmp_path, "import time\ndef busy():\n    time.sleep(60)\nbusy()", deadline_s=4.0, deadline_rule="run_minutes"
    )
    outcome = run.execute()
    assert outcome.state is RunState.TIMED_OUT
    assert outcome.error is not None and outcome.error.rule == "run_minutes"
    assert "4 s" in outcome.error.message and "in busy" in outcome.error.tail
    assert outcome.elapsed_s is not None and 4 <= outcome.elapsed_s < 20


def test_a_stopped_kernel_is_a_stalled_run(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "import os, signal\nprint('x', flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)",
        guard=Guard(stall_minutes=2 / 60),
    )
    outcome = run.execute()
    assert outcome.state is RunState.STALLED
    assert outcome.error is not None and outcome.error.rule == "stall_minutes"
    assert outcome.elapsed_s is not None and outcome.elapsed_s < 20


def test_a_busy_and_silent_run_is_no_stalled_one(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        REPORT + "import time\nend = time.monotonic() + 4\nwhile time.monotonic() < end:\n    pass\nreport(score=1.0)",
        guard=Guard(stall_minutes=2 / 60),
    )
    assert run.execute().value == 1.0


def test_a_kernel_that_is_not_installed_is_a_crash_that_names_it(tmp_path: Path) -> None:
    outcome = one_run(tmp_path, "1", kernel="no-such-kernel").execute()
    assert outcome.state is RunState.CRASHED
    assert outcome.error is not None and outcome.error.kind == "KernelNotStarted"
    assert "no-such-kernel" in outcome.error.message and "python3" in outcome.error.message


def test_a_kernel_that_dies_at_its_start_shows_its_last_words(tmp_path: Path) -> None:
    run = one_run(tmp_path, "1", env={"PYTHONHOME": "/nowhere"})
    outcome = run.execute()
    assert outcome.state is RunState.CRASHED
    assert outcome.error is not None and outcome.error.kind == "KernelNotStarted"
    assert "encodings" in outcome.error.tail


def test_instructions_that_cannot_be_read_are_recorded_as_the_end(tmp_path: Path) -> None:
    run = one_run(tmp_path, "1")
    run.paths.spec.write_text("{}")
    outcome = run.execute()
    assert outcome.state is RunState.CRASHED
    assert outcome.error is not None and outcome.error.kind == "RunnerFailed"

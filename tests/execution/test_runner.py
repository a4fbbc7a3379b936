"""Runs end to end, with real runners and real kernels: what is live while they last, what is recorded."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from jupyter_deepresearch.core.types import Purpose, RunState
from jupyter_deepresearch.execution.runner.run_files import RESERVED_BYTES
from tests.execution.one_run import REPORT, RUNNER, OneRun, environment, one_run, tagged, wait_for


def test_a_run_that_reports_succeeds_with_its_last_value(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        REPORT + "for step in range(3):\n    report(step=step, score=step / 4, train_loss=1.0)",
        "import os\nprint(os.environ['DEEPRESEARCH_RUN'], os.environ['DEEPRESEARCH_DRY_RUN'], os.getcwd())",
    )
    outcome = run.execute()
    assert (outcome.state, outcome.value, outcome.error) == (RunState.SUCCEEDED, 0.5, None)
    assert outcome.curve == ((0.0, 0.0), (1.0, 0.25), (2.0, 0.5))
    assert outcome.finals == {"score": 0.5, "train_loss": 1.0}
    assert outcome.environment["python"] == ".".join(map(str, sys.version_info[:3]))
    assert outcome.elapsed_s is not None and 0 < outcome.elapsed_s < 60
    assert outcome.peak_memory_bytes is not None and 20e6 < outcome.peak_memory_bytes < 500e6
    assert run.text(1) == f"{run.spec.run} 0 {run.paths.work}\n"
    assert [line["cell"] for line in run.lines(run.paths.metrics)] == [0, 0, 0]
    assert run.lines(run.paths.resources)[0]["cpu_percent"] is None, "nothing to count from yet"
    assert run.live().note == "ended"


def test_reports_and_output_are_on_disk_while_the_cell_still_runs(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "import os, time",
        REPORT + "report(step=1, score=0.5)\nprint('now', flush=True)\n"
        "while not os.path.exists('go on'):\n    time.sleep(0.05)\nreport(step=2, score=1.0)",
    )
    with run.started() as runner:
        wait_for(lambda: run.lines(run.paths.metrics) and run.lines(run.paths.outputs))
        live = run.live()
        assert (live.cell, live.cells) == (1, 2)
        assert live.kernel_pid is not None and psutil.pid_exists(live.kernel_pid)
        assert run.lines(run.paths.metrics)[0]["values"] == {"score": 0.5}
        assert run.lines(run.paths.outputs)[0]["text"] == "now\n"
        assert not run.paths.exit.exists()
        (run.paths.work / "go on").touch()
        assert runner.wait(60) == 0
    assert run.outcome().value == 1.0


def test_the_notebook_is_saved_while_a_cell_runs(tmp_path: Path) -> None:
    run = one_run(tmp_path, "print('here', flush=True)\nimport time\ntime.sleep(60)")
    with run.started():
        wait_for(lambda: run.paths.output.exists() and "here" in run.paths.output.read_text())
        assert run.text(0) == "here\n"


def test_an_exception_in_a_cell_that_may_fail_is_no_failure(tmp_path: Path) -> None:
    run = one_run(tmp_path, tagged("1 / 0", "raises-exception"), REPORT + "report(score=1.0)")
    assert run.execute().value == 1.0


def test_a_runner_that_is_asked_to_end_records_it(tmp_path: Path) -> None:
    run = one_run(tmp_path, "import time\nprint('x', flush=True)\ntime.sleep(60)")
    with run.started() as runner:
        wait_for(lambda: run.lines(run.paths.outputs))
        kernel = run.live().kernel_pid
        runner.terminate()
        assert runner.wait(10) == 0
    outcome = run.outcome()
    assert outcome.state is RunState.CANCELLED
    assert outcome.error is not None and outcome.error.signal == signal.SIGTERM
    assert kernel is not None and not psutil.pid_exists(kernel)
    assert run.text(0) == "x\n"


def test_a_cancel_file_ends_the_run_before_and_in_its_cells(tmp_path: Path) -> None:
    early = one_run(tmp_path / "early", "print('x')")
    early.paths.cancel.touch()
    assert early.execute().state is RunState.CANCELLED
    late = one_run(tmp_path / "late", "import time\nprint('x', flush=True)\ntime.sleep(60)")
    with late.started() as runner:
        wait_for(lambda: late.lines(late.paths.outputs))
        late.paths.cancel.touch()
        runner.wait(10)
    outcome = late.outcome()
    assert outcome.state is RunState.CANCELLED
    assert outcome.error is not None and outcome.error.rule == "cancel"


def test_a_second_runner_touches_nothing(tmp_path: Path) -> None:
    run = one_run(tmp_path, REPORT + "report(score=1.0)")
    run.execute()
    before = {path: path.stat().st_mtime_ns for path in run.paths.root.iterdir() if path != run.paths.log}
    twin = subprocess.run([*RUNNER, str(run.paths.root)], env=environment(), capture_output=True, timeout=30)
    assert twin.returncode == 3
    assert {path: path.stat().st_mtime_ns for path in run.paths.root.iterdir() if path != run.paths.log} == before


def test_of_two_runners_at_once_one_runs(tmp_path: Path) -> None:
    run = one_run(tmp_path, REPORT + "report(score=1.0)")
    with run.started() as one, run.started() as other:
        codes = {one.wait(60), other.wait(60)}
    assert codes == {0, 3}
    owner = json.loads(run.paths.owner.read_text())
    assert owner["pid"] in (one.pid, other.pid)
    assert len(run.lines(run.paths.metrics)) == 1


def test_a_printed_metric_counts_where_nothing_is_reported(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "for epoch in range(3):\n    print(f'epoch {epoch}: score={epoch / 2} train_loss: 1e-3')",
        tagged("print('score: 0.875')", "locked"),
        locked_cells=(1,),
    )
    outcome = run.execute()
    assert (outcome.state, outcome.value, outcome.locked_score) == (RunState.SUCCEEDED, 0.875, True)
    assert [value for _, value in outcome.curve] == [0.0, 0.5, 1.0]
    assert {line["source"] for line in run.lines(run.paths.metrics)} == {"printed"}


def test_a_name_once_reported_is_not_read_from_printed_lines(tmp_path: Path) -> None:
    run = one_run(tmp_path, REPORT + "report(score=0.5)\nprint('score=0.75 other=1.0')")
    assert run.execute().value == 0.5
    assert [line["values"] for line in run.lines(run.paths.metrics)] == [{"score": 0.5}, {"other": 1.0}]


def test_a_dry_run_passes_by_its_time_or_its_end(tmp_path: Path) -> None:
    long = one_run(
        tmp_path / "long", "import time\ntime.sleep(60)", purpose=Purpose.DRY_RUN, dry_run=True, dry_run_s=2.0
    )
    outcome = long.execute()
    assert (outcome.state, outcome.value, outcome.error) == (RunState.SUCCEEDED, None, None)
    short = one_run(
        tmp_path / "short",
        "from jupyter_deepresearch import dry_run, report\nassert dry_run()\nreport(score=1.0)",
        purpose=Purpose.DRY_RUN,
        dry_run=True,
    )
    outcome = short.execute()
    assert (outcome.state, outcome.value) == (RunState.SUCCEEDED, None)
    bad = one_run(tmp_path / "bad", "1 / 0", purpose=Purpose.DRY_RUN, dry_run=True)
    assert bad.execute().state is RunState.CRASHED


def test_children_in_sessions_of_their_own_end_with_the_run(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        REPORT + "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN);"
        " print(1, flush=True); time.sleep(60)'], start_new_session=True, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\nopen('child', 'w').write(str(child.pid))\nreport(score=1.0)",
    )
    outcome = run.execute()
    assert outcome.value == 1.0
    assert not psutil.pid_exists(int((run.paths.work / "child").read_text()))
    assert outcome.notes == ("1 process(es) that the notebook left running were ended",)


def test_artifacts_and_variables_of_the_instructions_reach_the_kernel(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "from jupyter_deepresearch import artifacts, report\nimport os\n"
        "(artifacts() / 'model.txt').write_text(os.environ['MINE'])\nreport(score=1.0)",
        env={"MINE": "seen", "PYTHONPATH": "/nowhere"},
    )
    assert run.execute().value == 1.0
    assert (run.paths.artifacts / "model.txt").read_text() == "seen"


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path) -> None:
    short = Path(tempfile.mkdtemp(prefix="d"))
    try:
        run = one_run(tmp_path, REPORT + "report(score=1.0)")
        subprocess.run(
            [*RUNNER, str(run.paths.root)], env={**environment(), "TMPDIR": str(short)}, check=True, timeout=60
        )
        assert run.outcome().value == 1.0
        assert list(short.iterdir()) == []
    finally:
        shutil.rmtree(short)


def test_the_room_of_the_exit_record_is_taken_from_the_start(tmp_path: Path) -> None:
    run: OneRun = one_run(tmp_path, "import time\ntime.sleep(60)")
    draft = run.paths.exit.with_name("exit.json.tmp")
    with run.started():
        wait_for(lambda: run.paths.live.exists())
        assert draft.stat().st_size == RESERVED_BYTES
    assert not draft.exists()


def test_notes_of_the_kernel_and_its_children_reach_the_record(tmp_path: Path) -> None:
    write = "import os; open(os.environ['DEEPRESEARCH_REPORTS'], 'a').write('{\"t\": 1.0, \"note\": \"seen\"}\\n')"
    run = one_run(
        tmp_path, REPORT + write + "\nreport(score=1.0)", f'!{sys.executable} -c "{write.translate(_ESCAPED)}"'
    )
    assert run.execute().notes == ("seen",)


_ESCAPED = str.maketrans({'"': '\\"', "\\": "\\\\"})

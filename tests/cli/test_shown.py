"""What the command line shows of a project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jupyter_deepresearch.cli import main
from jupyter_deepresearch.cli.progress import Progress
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Usage
from jupyter_deepresearch.core.types import Decision, Outcome, Purpose, Run, RunError, RunState, StopReason, Verdict
from jupyter_deepresearch.service.opened import OpenedProject
from tests.cli.proposing import propose
from tests.small_project import write_project

Capture = pytest.CaptureFixture[str]


def test_views_in_plain_words(project: OpenedProject, capsys: Capture) -> None:
    number = propose(project, "x 3 is better")
    folder = str(project.folder)
    for words, expected in (
        (["status"], f"#{number} x 3 is better"),
        (["history"], "x 3 is better"),
        (["best"], "none yet"),
        (["memory"], "# Memory: maximize score"),
        (["cost"], "in all"),
        (["diff", str(number)], "+x = 3.0"),
        (["events"], "proposed"),
    ):
        assert main([words[0], folder, *words[1:]]) == 0
        assert expected in capsys.readouterr().out


def test_what_calls_have_cost_is_told_by_phase_and_day(project: OpenedProject, capsys: Capture) -> None:
    project.ledger.append(ev.Answered("k", Usage("plan", "local", 5000, 500, latency_s=2.0), "{}"))
    project.ledger.append(ev.Answered("l", Usage("reflect", "m", 2000, 100, usd=0.0125), "{}", 0))
    assert main(["cost", str(project.folder)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["plan", "1", "5,000", "0", "500", "2.0", "$?"] in lines
    assert ["in", "all", "2", "7,000", "0", "600", "2.0", "$0.0125"] in lines
    assert lines[8] == ["LLM", "calls", "while", "training:", "0"] and lines[5][:2] == ["day", "(UTC)"]
    assert lines[9] == ["calls", "of", "unknown", "price,", "not", "in", "the", "sums:", "1"]
    assert main(["cost", str(project.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {key: told[key] for key in ("calls", "tokens_in", "tokens_out", "usd", "unpriced_calls")} == {
        **{"calls": 2, "tokens_in": 7000, "tokens_out": 600, "usd": 0.0125, "unpriced_calls": 1},
    }
    assert told["by_phase"]["plan"]["usd"] is None and sum(day["calls"] for day in told["by_day"].values()) == 2


def test_events_come_one_a_line_from_where_one_wants(project: OpenedProject, capsys: Capture) -> None:
    propose(project)
    assert main(["events", str(project.folder), "--json", "--after", "1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["seq"] for line in lines] == [2, 3]
    assert [line["kind"] for line in lines] == ["announced", "proposed"]
    assert all(set(line) == {"seq", "at", "kind", "body"} for line in lines)


def test_logs_show_a_run_until_its_end(project: OpenedProject, capsys: Capture) -> None:
    run = Run(propose(project), Purpose.CANDIDATE)
    project.ledger.append(ev.Planned(run))
    outputs = project.folder / ".deepresearch" / "runs" / run.id / "outputs.jsonl"

    def write() -> None:
        time.sleep(0.3)
        outputs.parent.mkdir(parents=True)
        with outputs.open("w") as file:
            for line in (
                {"output_type": "stream", "name": "stdout", "text": "first\n"},
                {"output_type": "display_data", "data": {"text/plain": "a picture"}},
                {"output_type": "error", "ename": "E", "traceback": ["Traceback", "E: no"]},
            ):
                text = json.dumps(line)
                file.write(text[:10])
                file.flush()
                time.sleep(0.1)
                file.write(text[10:] + "\n")
                file.flush()
        project.ledger.append(ev.Ended(Outcome(run.id, RunState.CRASHED)))

    writing = threading.Thread(target=write)
    writing.start()
    assert main(["logs", str(project.folder), "-f"]) == 0
    writing.join()
    assert capsys.readouterr().out == "first\na picture\nTraceback\nE: no\n"


def test_looking_imports_nothing_heavy(project: OpenedProject) -> None:
    """The price of a status is its imports: without these it is there in a third of a second."""
    heavy = ("optuna", "nbformat", "jupyter_client", "jupyter_server", "papermill", "zmq", "IPython", "numpy")
    program = (
        "import sys\nfrom jupyter_deepresearch.cli import main\n"
        f"main(['status', {str(project.folder)!r}, '--json'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_doctor_looks_at_everything(project: OpenedProject, tmp_path: Path, capsys: Capture) -> None:
    main(["doctor", str(project.folder), "--json"])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert list(checks) == ["project", "kernel", "imports", "gpu", "extension", "disk", "sandbox", "researcher"]
    assert checks["project"]["ok"] and checks["kernel"]["ok"] and "python3" in checks["kernel"]["said"]

    text = write_project(tmp_path / "other").joinpath("train.ipynb").read_text()
    (tmp_path / "other" / "train.ipynb").write_text(text.replace('"python3"', '"no-such-kernel"'))
    assert main(["doctor", str(tmp_path / "other")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("kernel") and "!!" in line and "no-such-kernel" in line for line in lines)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ev.Announced("a\nremark"), "note: a remark"),
        (
            ev.Ended(Outcome("0001-candidate-seed-1", RunState.SUCCEEDED, 0.91234567, elapsed_s=3.14)),
            "run 0001-candidate-seed-1: succeeded, score 0.91235, after 3.1 s",
        ),
        (
            ev.Ended(Outcome("r", RunState.OUT_OF_MEMORY, error=RunError("MemoryError", "no room", cell=2))),
            "run r: out of memory, after -, MemoryError in cell 2: no room",
        ),
        (
            ev.Judged(1, Verdict(Decision.PROMISING, "better by 1", 2.0, 1)),
            "#1 PROMISING: better by 1; further seeds decide",
        ),
        (ev.Judged(1, Verdict(Decision.CONFIRMED, "better by 1", 2.0, 3)), "#1 CONFIRMED: better by 1"),
        (ev.Reflected(1, Lesson("lr matters")), "learnt: lr matters"),
        (ev.Approve(1, by="timeout"), "#1 approved because nobody answered in time"),
        (ev.Reject(1, "too slow"), "#1 rejected: too slow"),
        (ev.Finished(StopReason.CYCLES, "3 cycles done"), "finished: 3 cycles done"),
        (ev.Failed("the baseline failed"), "failed: the baseline failed"),
        (ev.Stop(), "stopped by you: live runs are cancelled"),
        (ev.Worked(60.0), None),
        (ev.Planned(Run(1, Purpose.CANDIDATE)), None),
    ],
)
def test_a_record_is_one_line(project: OpenedProject, capsys: Capture, event: ev.Event, line: str | None) -> None:
    Progress(project, is_live=False).show("id", ev.Record(9, 0.0, event))
    said = capsys.readouterr().out
    assert said == "" if line is None else said.count("\n") == 1 and said.rstrip().endswith(line)


def test_a_waiting_hypothesis_says_how_to_approve_it(project: OpenedProject, capsys: Capture) -> None:
    number = propose(project)
    *_, record = project.store.records()
    Progress(project, is_live=False).show("id", record)
    said = capsys.readouterr().out
    assert f"#{number} x 3 is better" in said
    assert f"jupyter deepresearch approve {project.folder} {number}\n" in said


def test_the_live_line_is_drawn_over_and_gone_in_the_end(project: OpenedProject, capsys: Capture) -> None:
    number = propose(project)
    with Progress(project, is_live=True) as progress:
        time.sleep(1.2)
        progress.show("id", ev.Record(9, 0.0, ev.Approve(number)))
    said = capsys.readouterr().out
    drawn = said.split("\r\x1b[K")
    width = os.get_terminal_size().columns if sys.__stdout__ is not None and sys.__stdout__.isatty() else 80
    assert any("nobody is researching it now" in part for part in drawn)
    assert all(len(part) < width for part in drawn if "\n" not in part)
    assert said.endswith("\r\x1b[K")

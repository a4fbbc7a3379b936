"""`logs -f`, and a long run that is lost and goes on: real processes throughout."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.cli.printed import Plain, Raw, drawn
from jupyter_deepresearch.execution.trees.carrying import carry
from jupyter_deepresearch.service.opened import OpenedProject
from tests.cli.proposing import propose
from tests.small_project import write_project
from tests.terminal import PROGRAM, Running, events, history, status, tell, wait_for

Capture = pytest.CaptureFixture[str]
RESUMING = """
import json, os, pathlib, time
from jupyter_deepresearch import artifacts, report

ours, theirs = pathlib.Path("checkpoints"), artifacts()
ours.mkdir(exist_ok=True)
begin = 0
if (theirs / "state.json").exists():
    begin = json.loads((theirs / "state.json").read_text())["step"] + 1
    assert json.loads((ours / "last.json").read_text())["step"] + 1 == begin
    assert (ours / "latest").resolve() == (ours / "last.json").resolve()
    print("resumed at", begin)
for step in range(begin, 40):
    report(step=step, distance=abs(x - 3) / (step + 1))
    for folder, name in ((ours, "last.json"), (theirs, "state.json")):
        (folder / "draft").write_text(json.dumps({"step": step}))
        (folder / "draft").replace(folder / name)
    if not (ours / "latest").exists():
        os.symlink(os.path.abspath(ours / "last.json"), ours / "latest")
    print(f"\\rstep {step}", end="" if step % 10 else "\\n", flush=True)
    time.sleep(PAUSE if begin == 0 and step > 9 else 0.02)
print()
"""


def at_step(folder: Path, step: int) -> Any:
    """The live run, once it has come so far."""
    return next((run for run in status(folder)["running"] if (run["latest"] or {}).get("step") == step), None)


def stream(text: str, name: str = "stdout") -> dict[str, object]:
    return {"output_type": "stream", "name": name, "text": text}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\r 10%\r 20%\r", " 20%"),
        ("\x1b[1m6/6\x1b[0m 0s - loss: 0.5", "6/6 0s - loss: 0.5"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b[A\x1b[2Kover", "over"),
        ("12\b\b34", "34"),
    ],
)
def test_a_line_is_what_a_terminal_shows_of_it(line: str, shown: str) -> None:
    assert drawn(line) == shown


def test_a_pipe_gets_whole_lines(capsys: Capture) -> None:
    plain = Plain(redrawn_s=0.0)
    plain.show(stream("\r 10%", "stderr"))
    plain.show(stream("epoch "))
    plain.show(stream("1\nepo"))
    plain.show(stream("\r 90%", "stderr"))
    assert capsys.readouterr().out == "epoch 1\n"
    plain.rest()
    plain.rest()
    assert capsys.readouterr().out == " 90%\nepo\n", "a bar, once for each time that it was drawn"
    plain.show(stream("\n", "stderr"))
    plain.show({"output_type": "error", "traceback": ["\x1b[31mValueError\x1b[0m: no"]})
    assert capsys.readouterr().out == "ValueError: no\n"


def test_a_terminal_gets_what_was_printed(capsys: Capture) -> None:
    raw = Raw()
    raw.show(stream("\r\x1b[32m 10%"))
    raw.show({"output_type": "display_data", "data": {"text/plain": "a picture"}})
    raw.rest()
    raw.end()
    assert capsys.readouterr().out == "\r\x1b[32m 10%\na picture\n"


def test_what_an_attempt_had_made_is_there_for_the_next(tmp_path: Path) -> None:
    before, work, place = tmp_path / "before", tmp_path / "draft", tmp_path / "after"
    for folder in (before / "checkpoints" / "deep", before / ".deepresearch-run", work / "checkpoints", work / "src"):
        folder.mkdir(parents=True)
    (before / "checkpoints" / "deep" / "last.pt").write_text("weights")
    (before / "checkpoints" / "latest").symlink_to(before / "checkpoints" / "deep")
    (before / "data").symlink_to(tmp_path / "the-persons-data")
    (before / ".deepresearch-run" / "reports.jsonl").write_text("old")
    (before / "src").mkdir()
    (before / "src" / "model.py").write_text("old")
    (work / "src" / "model.py").write_text("new")
    (before / "results.csv").write_text("1,2")
    assert carry(before, work, place) == ("checkpoints", "results.csv")
    work.rename(place)
    assert (place / "checkpoints" / "latest" / "last.pt").read_text() == "weights"
    assert (place / "src" / "model.py").read_text() == "new"
    assert sorted(path.name for path in place.iterdir()) == ["checkpoints", "results.csv", "src"]
    assert carry(tmp_path / "gone", place, place) == ()


def test_a_lost_run_goes_on_where_it_was_and_logs_follow_it(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small", train=RESUMING.replace("PAUSE", "60"))
    research = Running("run", folder, "--cycles", "0")
    following = None
    try:
        wait_for(lambda: (status(folder) or {"running": ()})["running"])
        following = Running("logs", folder, "-f")
        run = wait_for(
            lambda: next((r for r in status(folder)["running"] if (r["latest"] or {}).get("step") == 10), None)
        )
        os.kill(run["pid"], signal.SIGKILL)
        assert research.end().code == 0
        said = following.end()
    finally:
        research.kill()
        if following is not None:
            following.kill()
    assert [body["handle"]["run"][-9:] for body in events(folder, "launched")] == ["ne-seed-1", "attempt-2"]
    assert history(folder)[0]["state"] == "succeeded"
    reported = folder / ".deepresearch" / "runs" / "0000-baseline-seed-1-attempt-2" / "metrics.jsonl"
    steps = [line["step"] for line in map(json.loads, reported.read_text().splitlines())]
    assert steps[0] == 11 and steps[-2:] == [39, 3], "the score is reported last, at step 3"
    lines = said.out.splitlines()
    assert said.code == 0 and "step 10" in lines and lines.index("step 10") < lines.index("resumed at 11")
    assert lines.index("resumed at 11") < lines.index("step 30") and "\r" not in said.out
    assert "0000-baseline-seed-1: lost; going on with 0000-baseline-seed-1-attempt-2" in said.err
    attempt = [body["outcome"] for body in events(folder, "ended")][1]
    assert "goes on with what the attempt before had made: checkpoints" in attempt["notes"]


def test_a_reader_that_goes_away_ends_the_following_at_once_and_silently(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small", pause=60)
    research = Running("run", folder, "--cycles", "0")
    try:
        wait_for(lambda: (status(folder) or {"running": ()})["running"])
        command = " ".join([*PROGRAM, "logs", str(folder), "-f"])
        done = subprocess.run(
            f"{command} | head -n 1; {command.replace(' -f', '')} > /dev/full; echo",
            shell=True, capture_output=True, text=True, timeout=40, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.stdout == "step 1\n\n" and "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1 and "No space left" in done.stderr
        following = Running("logs", folder, "-f")
        assert following.process.stdout is not None and following.process.stdout.readline() == "step 1\n"
        following.type_ctrl_c()
        said = following.end()
        assert (said.code, said.err) == (130, "")
    finally:
        tell("stop", folder, "--yes")
        research.kill()


def test_a_narrow_terminal_without_our_characters_is_no_obstacle(project: OpenedProject) -> None:
    number = propose(project, "x 3 is better than \x1b[31mwhatever was tried before it…")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "40"}
    command = [*PROGRAM, "history", str(project.folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "") and "\x1b" not in done.stdout
    assert "whatever was tried before it?" in done.stdout, "a pipe gets it whole"
    lines = in_a_terminal(40, "history", project.folder).replace("\r\n", "\n").rstrip("\n").split("\n")
    assert len(lines) == 1 + number + 1 and all(len(line) <= 40 for line in lines) and lines[-1].endswith("…")


def in_a_terminal(columns: int, *words: str | Path) -> str:
    """What a command prints on a terminal of this width."""
    ours, theirs = pty.openpty()
    try:
        termios.tcsetwinsize(theirs, (24, columns))
        command = [*PROGRAM, *map(str, words)]
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        subprocess.run(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, check=True, timeout=40)
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)

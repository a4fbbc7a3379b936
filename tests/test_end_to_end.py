"""Whole projects through the command line: real processes, real kernels, the folder and nothing else between them."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.small_project import write_notebook, write_project
from tests.terminal import Running, events, history, is_running, status, tell, wait_for
from tests.test_examples import needs_torch

Go = Callable[..., Running]
STATUS = {
    *("project", "path", "state", "reason", "stop_reason", "cycle", "objective", "baseline", "champion", "running"),
    *("waiting", "usage", "memory"),
}
EXPERIMENT = {
    *("experiment", "cycle", "parent", "claim", "kind", "parameters", "edits", "state", "decision", "value"),
    *("interval", "seeds", "elapsed_s", "usd", "notebook"),
}
RANK = {"experiment", "value", "interval", "seeds", "notebook"}
RUN = {"run", "experiment", "purpose", "seed", "pid", "kernel_pid", "elapsed_s", "latest"}
WAITING = {"hypothesis", "claim", "rationale", "kind", "parameters", "edits", "estimate", "nearest"}
FACTS = {
    *("project", "experiment", "run", "parent", "hypothesis", "parameters", "seed", "metric", "value", "state"),
    *("decision", "elapsed_s", "environment"),
}


@pytest.fixture
def go() -> Iterator[Go]:
    """Starts commands that go on, and ends those that a failed test left."""
    started: list[Running] = []

    def begin(*words: str | Path, **options: Any) -> Running:
        started.append(Running(*words, **options))
        return started[-1]

    yield begin
    for running in started:
        running.kill()


def live_run(folder: Path) -> Any:
    """A live run that has reported something; None as long as there is none."""
    found = status(folder)
    runs = found["running"] if found else []
    return runs[0] if runs and runs[0]["latest"] is not None else None


def waiting(folder: Path) -> Any:
    """The hypotheses that wait for a person."""
    found = status(folder)
    return found["waiting"] if found else []


def test_three_cycles_and_what_is_told_of_them(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small", toml="[trust]\nseeds = 2\n")
    own = (folder / "train.ipynb").read_bytes()
    ran = tell("run", folder, "--cycles", "3")
    assert (ran.code, ran.err) == (0, "")
    assert "searching: x: 0..6" in ran.out and "finished: 3 cycles done" in ran.out
    assert ran.out.endswith(f"{folder}\n") and "jupyter lab" in ran.out

    found = status(folder)
    assert set(found) >= STATUS
    assert (found["state"], found["stop_reason"], found["cycle"]) == ("finished", "cycles", 3)
    assert (found["project"], found["path"]) == ("small", str(folder))
    assert found["objective"]["metric"] == "score" and found["objective"]["direction"] == "maximize"
    assert set(found["champion"]) >= RANK and set(found["baseline"]) >= RANK
    assert found["champion"]["value"] > found["baseline"]["value"]
    assert found["running"] == [] and found["waiting"] == []
    assert found["usage"] == {"calls": 0, "tokens_in": 0, "tokens_out": 0, "usd": 0.0, "by_phase": {}}
    assert set(found["memory"]) == {"brief_chars", "log_chars", "limit_chars"}

    rows = history(folder)
    assert [row["experiment"] for row in rows] == [0, 1, 2, 3]
    assert [row["cycle"] for row in rows] == [None, 1, 2, 3]
    for row in rows:
        assert set(row) >= EXPERIMENT
        assert row["state"] == "succeeded" and row["usd"] == 0.0 and row["edits"] == []
        assert (row["interval"] is None) == (row["seeds"] < 2)
        x = row["parameters"].get("x", 0.5)
        assert row["value"] == pytest.approx(-((x - 3) ** 2), abs=0.01)
        check_notebook(folder / row["notebook"], row)
    assert rows[0]["decision"] == "baseline" and rows[0]["kind"] == "baseline"
    assert tell("best", folder, "--json").json == found["champion"]
    assert (folder / "train.ipynb").read_bytes() == own


def check_notebook(path: Path, row: Any) -> None:
    """The executed notebook carries its facts and its outputs."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    facts = notebook.metadata.deepresearch
    assert set(facts) == FACTS
    assert (facts.experiment, facts.hypothesis, facts.state) == (row["experiment"], row["claim"], "succeeded")
    printed = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())]
    assert "step 1\nstep 2\nstep 3\n" in printed


def test_a_project_goes_on_with_a_larger_budget(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small")
    assert tell("run", folder, "--cycles", "1").code == 0
    again = tell("run", folder, "--json", "--cycles", "2")
    assert again.code == 0
    kinds = [json.loads(line)["kind"] for line in again.out.splitlines()]
    assert kinds[0] == "proposed" and kinds[-1] == "finished"
    assert "baseline" not in again.out.split('"claim":"')[1][:9]
    assert status(folder)["cycle"] == 2


def test_ask_mode_across_two_processes(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small")
    running = go("run", folder, "--approval", "ask", "--cycles", "2")
    card = wait_for(lambda: waiting(folder))[0]
    assert set(card) >= WAITING
    assert (card["hypothesis"], card["kind"]) == (1, "parameters")
    assert set(card["parameters"]) == {"x"} and card["nearest"]["experiment"] == 0
    assert card["estimate"]["minutes"] > 0
    assert status(folder)["state"] == "waiting_approval"
    assert tell("reject", folder, "1", "too", "far").out == "rejected: 1\n"
    wait_for(lambda: [w["hypothesis"] for w in waiting(folder)] == [2])
    assert tell("approve", folder).out == "approved: 2\n"
    wait_for(lambda: [w["hypothesis"] for w in waiting(folder)] == [3])
    assert tell("approve", folder, "3").out == "approved: 3\n"
    said = running.end()
    assert (said.code, said.err) == (0, "")
    assert f"jupyter deepresearch approve {folder} 1\n" in said.out
    assert [row["decision"] for row in history(folder)][1] == "rejected"
    assert "#1 rejected: too far" in said.out and "#2 approved" in said.out
    assert tell("approve", folder, "2").code == 1


def test_a_person_steers_a_live_project(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small")
    running = go("run", folder)
    wait_for(lambda: len(history(folder)) > 2)
    tell("pause", folder)
    wait_for(lambda: status(folder)["state"] == "paused" and not status(folder)["running"])
    assert tell("directive", folder, "x: 2.9..3.1").out == "noted: it is read before the next hypothesis\n"
    said = tell("try", folder, "x=3.0", "--claim", "three it is").out
    assert "it runs next" in said and "Nobody" not in said
    mine = status(folder)["cycle"]
    tell("resume", folder)
    wait_for(lambda: len(history(folder)) > mine + 2)
    rows = history(folder)
    assert (rows[mine]["claim"], rows[mine]["kind"]) == ("three it is", "by_hand")
    assert rows[mine]["value"] == 0.0
    assert 2.9 <= rows[mine + 1]["parameters"]["x"] <= 3.1
    assert tell("reproduce", folder, str(mine), "--seeds", "2").code == 0
    wait_for(lambda: history(folder)[mine]["seeds"] == 3)
    assert tell("stop", folder, "--yes").code == 0
    said = running.end()
    assert (said.code, said.err) == (0, "")
    assert (status(folder)["state"], status(folder)["stop_reason"]) == ("stopped", "person")


def test_one_live_run_is_cancelled_and_the_project_goes_on(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small")
    running = go("run", folder, "--cycles", "1", "--approval", "ask")
    wait_for(lambda: waiting(folder))
    tell("try", folder, "pause=60.0")
    run = wait_for(lambda: live_run(folder))
    assert set(run) >= RUN and set(run["latest"]) == {"step", "values"}
    assert (run["run"], run["purpose"], run["seed"]) == ("0002-candidate-seed-1", "candidate", 1)
    assert is_running(run["pid"]) and is_running(run["kernel_pid"])
    assert "step 1" in tell("logs", folder).out
    assert tell("cancel", folder, run["run"]).code == 0
    wait_for(lambda: not status(folder)["running"])
    assert not is_running(run["kernel_pid"])
    tell("reject", folder)
    said = running.end()
    assert said.code == 0 and "run 0002-candidate-seed-1: cancelled" in said.out
    row = history(folder)[2]
    assert (row["state"], row["decision"], row["value"]) == ("cancelled", "failed", None)


def test_kill_9_in_mid_run_and_the_same_run_is_finished_once(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small", pause=6)
    running = go("run", folder, "--cycles", "1")
    before = wait_for(lambda: live_run(folder))
    running.kill()
    left = wait_for(lambda: live_run(folder))
    assert (left["run"], left["pid"]) == (before["run"], before["pid"])
    assert status(folder)["state"] == "stopped", "nobody researches it"
    again = tell("run", folder)
    assert (again.code, again.err) == (0, "")
    assert f"with what is live: {before['run']}" in again.out
    assert "has already ended" in tell("cancel", folder, before["run"]).err
    ended = [body["outcome"] for body in events(folder, "ended")]
    launched = [body["handle"] for body in events(folder, "launched")]
    assert [e["run"] for e in ended] == ["0000-baseline-seed-1", "0001-candidate-seed-1"]
    assert [h["run"] for h in launched] == ["0000-baseline-seed-1", "0001-candidate-seed-1"]
    assert launched[0]["pid"] == before["pid"] and all(e["state"] == "succeeded" for e in ended)
    assert 5 < ended[0]["elapsed_s"] < 60


@pytest.mark.parametrize("ending", ["ctrl-c", "sigterm", "sigterm in a shell script's background"])
def test_an_interrupted_run_command_leaves_the_run_alive(tmp_path: Path, go: Go, ending: str) -> None:
    folder = write_project(tmp_path / "small", pause=6)
    running = go("run", folder, "--cycles", "0", before=ignore_sigint if "background" in ending else None)
    before = wait_for(lambda: live_run(folder))
    if ending == "ctrl-c":
        running.type_ctrl_c()
    else:
        running.process.terminate()
    said = running.end()
    assert said.code == (130 if ending == "ctrl-c" else 143)
    (line,) = said.err.strip().splitlines()
    assert line.startswith("interrupted: the live run goes on by itself and will be found again; go on with: ")
    assert line.endswith(f"jupyter deepresearch run {folder}")
    assert is_running(before["kernel_pid"])
    assert tell("run", folder).code == 0
    assert [body["handle"]["pid"] for body in events(folder, "launched")] == [before["pid"]]


def ignore_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_stop_ends_live_runs_that_nobody_watches(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small", pause=60)
    running = go("run", folder)
    run = wait_for(lambda: live_run(folder))
    running.kill()
    assert tell("stop", folder, "--yes").code == 0
    wait_for(lambda: not is_running(run["kernel_pid"]) and not is_running(run["pid"]))
    assert status(folder)["running"] == []


def test_two_processes_never_research_one_project(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small", pause=60)
    running = go("run", folder)
    wait_for(lambda: live_run(folder))
    tell("pause", folder)
    second = tell("run", folder)
    assert second.code == 1 and second.out == "" and second.err.count("\n") == 1
    assert f"pid {running.process.pid}" in second.err and "is being researched by" in second.err
    assert status(folder)["state"] == "paused", "a refused start changes nothing"
    assert tell("stop", folder, "--yes").code == 0
    assert running.end().code == 0


def test_a_baseline_that_fails_is_an_error_and_can_be_mended(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small", train="raise RuntimeError('no data here')")
    failed = tell("run", folder)
    assert failed.code == 1
    assert failed.err.count("\n") == 1 and "the baseline failed" in failed.err and "no data here" in failed.err
    assert status(folder)["state"] == "failed"
    write_notebook(folder / "train.ipynb")
    assert tell("run", folder, "--cycles", "1").code == 0
    assert status(folder)["champion"] is not None


def test_a_notebook_without_parameters_says_so_and_ends(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small")
    text = (folder / "train.ipynb").read_text().replace('"parameters"', '"other"')
    (folder / "train.ipynb").write_text(text)
    said = tell("run", folder)
    assert said.code == 0 and status(folder)["stop_reason"] == "exhausted"
    assert "parameters" in said.out
    assert status(folder)["baseline"]["seeds"] == 1


def test_what_a_person_writes_in_files_is_honoured(tmp_path: Path, go: Go) -> None:
    folder = write_project(tmp_path / "small", pause=0.3)
    running = go("run", folder)
    wait_for(lambda: len(history(folder)) > 1)
    (folder / "HUMAN_DIRECTIVE.md").write_text("x = 2.5\n")
    wait_for(lambda: any(row["parameters"].get("x") == 2.5 for row in history(folder)))
    wait_for(lambda: not (folder / "HUMAN_DIRECTIVE.md").exists())
    assert [path.read_text() for path in (folder / "directives").iterdir()] == ["x = 2.5\n"]

    log = folder / "MEMORY_LOG.md"
    log.write_text(log.read_text() + "\nNever forget: 3 is a fine number.\n")
    shown = wait_for(lambda: events(folder, "noted"))
    assert shown[-1]["text"] == "Never forget: 3 is a fine number."
    before = len(history(folder))
    wait_for(lambda: status(folder)["state"] == "finished" or len(history(folder)) > before + 1)
    assert "Never forget: 3 is a fine number." in log.read_text()
    assert len(log.read_text()) <= 2000
    tell("stop", folder, "--yes")
    assert running.end().err == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_digits_example_is_improved_in_eight_cycles(tmp_path: Path, repository: Path) -> None:
    folder = tmp_path / "digits"
    shutil.copytree(repository / "example_notebooks" / "digits", folder)
    said = tell("run", folder, "--cycles", "8")
    assert (said.code, said.err) == (0, "")
    rows = history(folder)
    assert [row["cycle"] for row in rows] == [None, 1, 2, 3, 4, 5, 6, 7, 8] and rows[0]["decision"] == "baseline"
    found = status(folder)
    champion, baseline = found["champion"], found["baseline"]
    assert (champion["seeds"], baseline["seeds"]) == (3, 3)
    assert champion["value"] > 0.965 > baseline["value"] + 0.01, "the good region that the brief names"
    notebook = nbformat.read(folder / champion["notebook"], as_version=4)
    assert any("digits are right" in str(cell.get("outputs")) for cell in notebook.cells)


@pytest.mark.slow
@pytest.mark.timeout(300)
@needs_torch
def test_the_torch_example_is_researched(tmp_path: Path, repository: Path) -> None:
    folder = tmp_path / "digits_torch"
    shutil.copytree(repository / "example_notebooks" / "digits_torch", folder)
    said = tell("run", folder, "--cycles", "1")
    assert (said.code, said.err) == (0, "")
    rows = history(folder)
    assert [row["state"] for row in rows] == ["succeeded", "succeeded"]
    assert 0.9 < rows[0]["value"] < 1

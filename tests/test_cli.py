"""The command line without any run: what it understands, what it refuses, what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_deepresearch import registry
from jupyter_deepresearch.app import RealMakers, make_service
from jupyter_deepresearch.cli import main
from jupyter_deepresearch.cli.parser import COMMANDS, parse
from jupyter_deepresearch.cli.progress import Progress
from jupyter_deepresearch.config import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import (
    Decision,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Lesson,
    Outcome,
    Purpose,
    Run,
    RunError,
    RunState,
    StopReason,
    Verdict,
)
from jupyter_deepresearch.opened import OpenedProject
from tests.small_project import write_notebook, write_project
from tests.terminal import PROGRAM, tell

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[OpenedProject]:
    """A project that was started and has not run anything, in ``ask`` mode."""
    folder = write_project(tmp_path / "small", toml='[approval]\nmode = "ask"\n')
    service = make_service()
    service.prepare(folder, Options())
    service.close()
    opened = OpenedProject.at(folder, RealMakers())
    yield opened
    opened.store.close()


def propose(project: OpenedProject, claim: str = "x 3 is better", x: float = 3.0) -> int:
    """A hypothesis that waits for a person; its number."""
    number = project.state.next_experiment
    hypothesis = Hypothesis(claim, HypothesisKind.PARAMETERS, parameters={"x": x})
    project.ledger.append(ev.Proposed(Experiment(number, hypothesis, cycle=number + 1, settings={"x": x})))
    return number


def last_event(project: OpenedProject) -> ev.Event:
    project.state  # noqa: B018 - takes in what other processes wrote
    *_, last = project.store.records()
    return last.event


# What is understood


@pytest.mark.parametrize(
    ("line", "folder", "words"),
    [
        ("status", ".", ()),
        ("status there", "there", ()),
        ("status elsewhere --json", "elsewhere", ()),
        ("diff 3", ".", ("3",)),
        ("diff 3 2", ".", ("3", "2")),
        ("diff there 3 2", "there", ("3", "2")),
        ("diff elsewhere 3", "elsewhere", ("3",)),
        ("logs", ".", ()),
        ("logs there", "there", ()),
        ("logs 0003-confirm-seed-2", ".", ("0003-confirm-seed-2",)),
        ("logs there 0003-confirm-seed-2 -f", "there", ("0003-confirm-seed-2",)),
        ("logs -f elsewhere odd", "elsewhere", ("odd",)),
        ("try lr=3e-4 act=tanh", ".", ("lr=3e-4", "act=tanh")),
        ("try there lr=1", "there", ("lr=1",)),
        ("try elsewhere lr=1", "elsewhere", ("lr=1",)),
        ("approve", ".", ()),
        ("approve there", "there", ()),
        ("approve --json 4", ".", ("4",)),
        ("approve elsewhere 4", "elsewhere", ("4",)),
        ("reject", ".", ()),
        ("reject 4 too slow", ".", ("4", "too", "slow")),
        ("reject too slow", ".", ("too", "slow")),
        ("reject there too slow", "there", ("too", "slow")),
        ("reject elsewhere 4 too slow", "elsewhere", ("4", "too", "slow")),
        ("directive lr below 0.1", ".", ("lr", "below", "0.1")),
        ("directive there lr below 0.1", "there", ("lr", "below", "0.1")),
        ("directive away/elsewhere hello", "away/elsewhere", ("hello",)),
        ("cancel 0003-candidate-seed-1", ".", ("0003-candidate-seed-1",)),
        ("cancel there odd", "there", ("odd",)),
        ("cancel odd", ".", ("odd",)),
        ("reproduce 3 --seeds 2", ".", ("3",)),
        ("reproduce there 3 --seeds 2", "there", ("3",)),
    ],
)
def test_the_first_word_is_the_project_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, folder: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    request = parse(line.split())
    assert (request.folder, request.words) == (tmp_path / folder, words)


def test_a_text_with_a_slash_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse(["directive", "try 1e-3/2 as lr"]).words == ("try 1e-3/2 as lr",)


def test_options_of_a_start() -> None:
    line = "run p --notebook a.ipynb --metric m --direction minimize --researcher sweep --approval ask --cycles 3"
    request = parse([*line.split(), "--hours", "1.5", "--usd", "0.2", "--json"])
    assert request.options == Options("a.ipynb", "m", "minimize", "sweep", "ask", 3, 1.5, 0.2)
    assert request.as_json


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "usage: jupyter deepresearch COMMAND"),
        ("bogus", "invalid choice: 'bogus'"),
        ("status a b", "found 'b' too much"),
        ("status --after 3", "unrecognized arguments: --after"),
        ("diff", "nothing given for N"),
        ("diff 3 two", "found 'two'"),
        ("diff 1 2 3", "found '3' too much"),
        ("directive", "nothing given for TEXT"),
        ("cancel", "nothing given for RUN"),
        ("reproduce 3", "the following arguments are required: --seeds"),
        ("run --cycles many", "invalid int value: 'many'"),
        ("run --direction up", "invalid choice: 'up'"),
        ("events --after x", "invalid int value: 'x'"),
    ],
)
def test_a_usage_error_says_what_is_accepted(capsys: Capture, line: str, complaint: str) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert complaint in said.out + said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys: Capture, command: str) -> None:
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: jupyter deepresearch {command} [PROJECT]")


def test_the_help_lists_every_command(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.split("commands:")[1].splitlines() if line.strip()}
    assert set(COMMANDS) <= listed


# What is refused


def _nothing(folder: Path) -> None:
    folder.rmdir()


def _empty(folder: Path) -> None:
    pass


def _no_metric(folder: Path) -> None:
    write_notebook(folder / "train.ipynb")


def _two_notebooks(folder: Path) -> None:
    write_project(folder)
    write_notebook(folder / "other.ipynb")


def _no_notebook_json(folder: Path) -> None:
    write_project(folder)
    (folder / "train.ipynb").write_text("not a notebook")


def _long_brief(folder: Path) -> None:
    write_project(folder)
    (folder / "PROJECT_BRIEF.md").write_text("word " * 700)


def _unknown_key(folder: Path) -> None:
    write_project(folder, toml="[budget]\ncycels = 3\n")


def _wrong_type(folder: Path) -> None:
    write_project(folder, toml='[budget]\ncycles = "three"\n')


def _missing_kernel(folder: Path) -> None:
    text = write_project(folder).joinpath("train.ipynb").read_text().replace('"python3"', '"no-such-kernel"')
    (folder / "train.ipynb").write_text(text)


def _log_in_the_way(folder: Path) -> None:
    write_project(folder)
    (folder / ".deepresearch").write_text("in the way")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_nothing, "no such project folder"),
        (_empty, "found no notebook"),
        (_no_metric, "metric is missing"),
        (_two_notebooks, "found several notebooks (other.ipynb, train.ipynb)"),
        (_no_notebook_json, "train.ipynb"),
        (_long_brief, "at most 3,000 are accepted"),
        (_unknown_key, "cycels"),
        (_wrong_type, "cycles"),
        (_missing_kernel, 'kernel "no-such-kernel"'),
        (_log_in_the_way, "cannot be written"),
    ],
)
def test_a_project_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, capsys: Capture, spoil: Callable[[Path], None], complaint: str
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    spoil(folder)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    assert main(["run", str(folder)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("jupyter deepresearch: ") and said.err.count("\n") == 1
    assert complaint in said.err
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before, "a refused project leaves no trace"
    assert registry.Registry().all() == ()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("run", "start", "doctor")])
def test_a_folder_that_is_no_project_is_one_line(tmp_path: Path, capsys: Capture, command: str) -> None:
    own = {"diff": ["1"], "try": ["x=1"], "directive": ["hello"], "cancel": ["0001-candidate-seed-1"]}
    own["reproduce"] = ["1", "--seeds", "2"]
    for folder, complaint in ((tmp_path, "holds no research project yet"), (tmp_path / "gone", "no such folder")):
        assert main([command, str(folder), *own.get(command, [])]) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1
        assert said.err.startswith("jupyter deepresearch: ") and complaint in said.err


def test_a_torn_ledger_is_one_line(project: OpenedProject, capsys: Capture) -> None:
    project.store.close()
    for path in (project.folder / ".deepresearch").glob("ledger.db*"):
        path.write_bytes(b"torn" * 5000)
    for command in ("status", "run", "pause"):
        assert main([command, str(project.folder)]) == 1
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and "ledger.db" in said.err


def test_a_defect_is_one_line_unless_asked(
    project: OpenedProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenedProject, "memory", lambda self: {}["gone"])
    assert main(["memory", str(project.folder)]) == 1
    assert "a defect of this program: KeyError: 'gone'" in capsys.readouterr().err
    monkeypatch.setenv("JUPYTER_DEEPRESEARCH_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["memory", str(project.folder)])


def test_ctrl_c_is_no_traceback(project: OpenedProject, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: OpenedProject) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(OpenedProject, "memory", interrupted)
    assert main(["memory", str(project.folder)]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_error(project: OpenedProject) -> None:
    for _ in range(2000):
        project.ledger.append(ev.Announced("x" * 50))
    events = subprocess.Popen(
        [*PROGRAM, "events", str(project.folder), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert events.stdout is not None and events.stderr is not None
    assert events.stdout.readline().startswith(b'{"seq":1,')
    events.stdout.close()
    assert (events.stderr.read(), events.wait(30)) == (b"", 141)
    events.stderr.close()


# What is told


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (["directive", "lr", "below", "0.1"], ev.Directive("lr below 0.1")),
        (["pause"], ev.Pause()),
        (["resume"], ev.Resume()),
        (["stop"], ev.Stop()),
    ],
)
def test_a_command_is_written_into_the_log(
    project: OpenedProject, capsys: Capture, words: list[str], event: ev.Event
) -> None:
    assert main([words[0], str(project.folder), *words[1:]]) == 0
    assert last_event(project) == event
    assert capsys.readouterr().out.count("\n") == 1


def test_try_is_the_persons_own_hypothesis(project: OpenedProject, capsys: Capture) -> None:
    assert main(["try", str(project.folder), "x=3", "--claim", "three it is"]) == 0
    event = last_event(project)
    assert isinstance(event, ev.Try)
    assert event.experiment.settings == {"x": 3} and event.experiment.hypothesis.claim == "three it is"
    said = capsys.readouterr().out
    assert said.startswith("noted: experiment 0 is yours, it runs next. Nobody is researching it now; go on with: ")
    assert said.rstrip().endswith(f"jupyter deepresearch run {project.folder}")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["try"], "nothing to try"),
        (["try", "y=3"], "unknown parameter 'y'"),
        (["try", "x=three"], "accepted: a number"),
        (["try", "x=[1]"], "accepted: a number, a text"),
        (["try", "--notebook", "gone.ipynb"], "gone.ipynb"),
        (["try", "--notebook", "../out.ipynb"], "inside the project folder"),
        (["approve"], "no hypothesis waits for you"),
        (["approve", "7"], "there is no experiment 7"),
        (["reject", "7", "why"], "there is no experiment 7"),
        (["cancel", "0007-candidate-seed-1"], "no live run is called '0007-candidate-seed-1'"),
        (["reproduce", "7", "--seeds", "1"], "there is no experiment 7"),
        (["directive", "x" * 2001], "at most 2,000 are accepted"),
        (["diff", "7"], "there is no experiment 7"),
        (["logs"], "no run was started yet"),
        (["logs", "0007-candidate-seed-1"], "there is no run '0007-candidate-seed-1'"),
    ],
)
def test_what_cannot_be_is_one_line_and_writes_nothing(
    project: OpenedProject, capsys: Capture, words: list[str], complaint: str
) -> None:
    before = project.state.seq
    assert main([words[0], str(project.folder), *words[1:]]) == 1
    said = capsys.readouterr()
    assert complaint in said.err and said.err.count("\n") == 1 and said.out == ""
    assert project.state.seq == before


def test_approve_means_the_only_one_that_waits(project: OpenedProject, capsys: Capture) -> None:
    number = propose(project)
    assert main(["approve", str(project.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"seq": project.state.seq, "kind": "approve"}
    assert last_event(project) == ev.Approve(number)
    assert main(["approve", str(project.folder), str(number)]) == 1
    assert f"hypothesis {number} was already decided" in capsys.readouterr().err


def test_approve_asks_which_of_several(project: OpenedProject, capsys: Capture) -> None:
    first, second = propose(project), propose(project, x=4.0)
    for words in (["approve"], ["reject", "too far"]):
        assert main([words[0], str(project.folder), *words[1:]]) == 1
        assert f"several hypotheses wait: {first}, {second}; say which one" in capsys.readouterr().err
    assert main(["reject", str(project.folder), str(second), "too", "far"]) == 0
    assert last_event(project) == ev.Reject(second, "too far")


def test_stop_asks_before_live_runs_are_lost(project: OpenedProject, capsys: Capture) -> None:
    number = propose(project)
    project.ledger.append(ev.Planned(Run(number, Purpose.CANDIDATE)))
    said = tell("stop", project.folder)  # nobody to ask
    assert (said.code, said.out) == (1, "") and "say so with --yes" in said.err
    assert not project.state.stopped


# What is shown


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
    assert list(checks) == ["project", "kernel", "gpu", "extension", "disk", "sandbox", "key"]
    assert checks["project"]["ok"] and checks["kernel"]["ok"] and "python3" in checks["kernel"]["said"]
    (tmp_path / "other").mkdir()
    _missing_kernel(tmp_path / "other")
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

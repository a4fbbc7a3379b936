"""Commands that write into a project's log."""

from __future__ import annotations

import json

import pytest

from jupyter_deepresearch.cli import main
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import Purpose, Run
from jupyter_deepresearch.service.opened import OpenedProject
from tests.cli.proposing import last_event, propose
from tests.terminal import tell

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (["directive", "lr", "below", "0.1"], ev.Directive("lr below 0.1")),
        (["pause"], ev.Pause()),
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
    assert said.rstrip().endswith(f"jupyter deepresearch start {project.folder}")


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
        (["branch", "7"], "there is no experiment 7"),
        (["branch", "champion"], "from the champion already"),
        (["fork", "7"], "there is no experiment 7"),
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

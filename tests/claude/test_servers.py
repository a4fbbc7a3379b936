"""The same two cycles on servers that can do less, and with a person who approves."""

from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import Decision
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.testing import Answer, Call, Fault
from jupyter_deepresearch.text import waiting_text
from tests.claude.mind import Mind
from tests.claude.test_faults import LESSONS, PATCHES, PLANS, TWO, directed, untroubled
from tests.claude.world import BROKEN, code, events, parameters, patch, world


@pytest.mark.parametrize(
    ("lesser", "obeys", "said"),
    [
        pytest.param({"structured": False}, True, "answers as calls of a tool", id="no structured output"),
        pytest.param({"structured": "ignored"}, True, "structured", id="takes and obeys"),
        pytest.param({"structured": "ignored"}, False, "JSON in text", id="takes and ignores all"),
        pytest.param({"structured": False, "tools": False}, True, "JSON in text", id="neither"),
        pytest.param({"streams": False}, True, "structured", id="no streams"),
        pytest.param({"structured": False, "tools": False, "streams": False}, True, "JSON in text", id="nothing"),
    ],
)
def test_a_lesser_server_does(tmp_path: Path, lesser: dict[str, Any], obeys: bool, said: str) -> None:
    fenced = Answer("Here is my plan:\n```json\n" + Answer.json(PLANS[1]).text + "\n```\nGood luck!")
    in_prose = fenced if "text" in said else PLANS[1]
    mind = Mind([PLANS[0], in_prose], PATCHES, LESSONS, obeys=obeys)
    with world(tmp_path / "p", mind, server=lesser, researcher={"leader_model": "qwen3-coder"}, budget=TWO) as made:
        project = made.research(directed)
        untroubled(project)
        assert any(said in e.text for e in events(project, ev.Announced)), "the person is told how it answers"
        probes = [e.key for e in events(project, ev.Answered) if e.usage.phase == "probe"]
        assert len(probes) <= 3 and len(mind.asked) == 5 + mind.asked.count("other")
        made.research()
        assert len(mind.asked) == 5 + mind.asked.count("other"), "what a server can do is asked once"


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    with world(tmp_path / "p", [], budget=TWO) as made:
        gone = made.server.base_url
        made.tables = {**made.tables, "researcher": {"base_url": gone.rsplit(":", 1)[0] + ":9"}}
        project = made.open()
        seen: list[str] = []

        class Enough(BaseException):
            """The test has seen what it wanted to."""

        def watch(record: ev.Record) -> None:
            if isinstance(record.event, ev.Announced):
                seen.append(record.event.text)
                if "cannot answer: " in record.event.text:
                    raise Enough

        project.ledger.listeners.append(watch)
        with pytest.raises(Enough):
            made.go_on(project)
        assert "could not be reached" in seen[-1] and events(project, ev.Judged), "the baseline ran meanwhile"


def approving(made: list[tuple[int, str]], project: OpenedProject) -> None:
    """A person who approves at once whatever waits, and remembers what it was."""

    def approve(record: ev.Record) -> None:
        event = record.event
        if isinstance(event, ev.Proposed | ev.Repaired) and project.state.works[event.experiment.number].waiting:
            made.append((event.experiment.number, ", ".join(edit.where for edit in event.experiment.edits)))
            project.command(cmd.ApproveCommand(event.experiment.number))

    project.ledger.listeners.append(approve)


def test_what_leaves_the_approved_diff_is_asked_again(tmp_path: Path) -> None:
    inside = patch("v * 1", f"{BROKEN} * 2")
    beyond = {"edits": [*patch("v * 1", "v * 2")["edits"], *patch("range(3)", "range(4)", "cell training")["edits"]]}
    mind = Mind([code("a larger model")], [patch("v * 1", BROKEN), inside, beyond])
    asked: list[tuple[int, str]] = []
    tables = {"approval": {"mode": "ask"}, "budget": {"cycles": 1}}
    with world(tmp_path / "p", mind, **tables) as made:
        project = made.research(lambda project: approving(asked, project))
        assert asked == [(1, "cell model"), (1, "cell model, cell training")], "the first repair stayed inside"
        assert [e.verdict.decision for e in events(project, ev.Judged)][-1] is Decision.CONFIRMED


def test_a_sweep_is_approved_once_and_its_trials_cost_nothing(tmp_path: Path) -> None:
    sweep = {"kind": "sweep", "claim": "x decides", "why": "?", "space": ["x: 1.0..5.0"], "trials": 4}
    mind = Mind([sweep, parameters("wider", width=16)])
    asked: list[tuple[int, str]] = []
    tables = {"approval": {"mode": "ask"}, "budget": {"cycles": 5}}
    with world(tmp_path / "p", mind, **tables) as made:
        cards: list[str] = []

        def look(project: OpenedProject) -> None:
            project.ledger.listeners.append(lambda record: cards.append(waiting_text(project.status().waiting)))
            approving(asked, project)

        project = made.research(look)
        assert [number for number, _ in asked] == [1, 5]
        said = next(card for card in cards if "x decides" in card)
        assert "a sweep of 4 trials over x: 1..5, the first with x = " in said and "~ 4 min" in said
        assert mind.asked.count("plan") == 2 and mind.asked.count("lesson") == 2
        x = [e.experiment.settings["x"] for e in events(project, ev.Proposed)[1:5]]
        assert all(1.0 <= float(value or 0) <= 5.0 for value in x) and len(set(x)) == 4
        assert "Sweep of 4 trials" in mind.of("plan")[1].text and "Sweep of 4 trials" in mind.of("lesson")[0].text


def test_a_directive_in_the_middle_of_a_sweep_is_read_at_once(tmp_path: Path) -> None:
    sweep = {"kind": "sweep", "claim": "x decides", "why": "?", "space": ["x: 1.0..5.0"], "trials": 9}
    mind = Mind([sweep, parameters("as directed", width=32)])
    with world(tmp_path / "p", mind, budget={"cycles": 4}) as made:

        def meddle(project: OpenedProject) -> None:
            def direct(record: ev.Record) -> None:
                if isinstance(record.event, ev.Judged) and record.event.experiment == 3:
                    project.command(cmd.DirectiveCommand("look at the width instead"))

            project.ledger.listeners.append(direct)

        project = made.research(meddle)
        claims = [e.experiment.hypothesis.claim for e in events(project, ev.Proposed)]
        assert claims[-1] == "as directed" and "look at the width instead" in mind.of("plan")[1].text


def test_ideas_and_reports_come_from_workers_and_the_leader_decides(tmp_path: Path) -> None:
    plans = [
        {"kind": "idea", "change": "what helps small models?"},
        parameters("as the idea says", width=16),
        {"kind": "report", "change": "the width"},
        {"kind": "wait", "change": "for the person to read it", "minutes": 5},
        parameters("and on", x=2.0),
    ]
    reports = [
        Answer(calls=(Call("write_report", {"name": "width", "text": "# Width\n\nIt was tried."}),)),
        {"path": "reports/width.md", "summary": "It was tried."},
    ]
    mind = Mind(plans, ideas=[{"findings": "Wider, says note 1."}], reports=reports)
    with world(tmp_path / "p", mind, budget=TWO) as made:
        project = made.research()
        assert project.state.cycles == 2 and "Wider, says note 1." in mind.of("plan")[1].text
        assert (tmp_path / "p" / "reports" / "width.md").read_text().startswith("# Width")
        assert any("reports/width.md" in e.text for e in events(project, ev.Announced))
        pause = events(project, ev.Postponed)
        assert [e.reason for e in pause] == ["for the person to read it"]
        paid = {row.experiment: row.usd for row in project.history()}
        assert all(paid[number] for number in (1, 2)), "what a colleague costs belongs to the experiment"


def test_a_kind_that_is_changed_while_it_runs_takes_over(tmp_path: Path) -> None:
    with world(tmp_path / "p", Mind([PLANS[0], Fault.status(401)]), budget=TWO) as made:
        project = made.research()
        assert project.state.failed is not None
        project.command(cmd.ConfigureCommand({"researcher": {"kind": "sweep"}}))
        project.command(cmd.ResumeCommand())
        made.tables = {**made.tables, "researcher": {"kind": "sweep"}}
        assert made.research().state.cycles == 2

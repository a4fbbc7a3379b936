"""What the words ask of whoever answers: no more than is shown, and of nobody who has gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from jupyter_deepresearch.core.types import HypothesisKind, RunState
from jupyter_deepresearch.errors import Forbidden, NotFound
from jupyter_deepresearch.jupyter.answering import Answering
from jupyter_deepresearch.jupyter.arguments import read_line
from jupyter_deepresearch.jupyter.conversation import Conversation
from jupyter_deepresearch.service.views import ExperimentView, StatusView
from tests.jupyter.statuses import run, status


@dataclass
class Answers:
    """2,500 experiments of one project; every question and command is noted."""

    view: StatusView
    asked: list[object] = field(default_factory=list)
    remark: str = ""

    def projects(self) -> tuple[StatusView, ...]:
        return (self.view,)

    def status(self, project_id: str) -> StatusView:
        if project_id != self.view.id:
            raise NotFound(f"there is no project {project_id!r}")
        return self.view

    def newest(self, project_id: str, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]:
        self.asked.append((limit, before))
        first = 2_499 if before is None else before - 1
        return tuple(map(row, range(first, max(first - limit, -1), -1)))

    def command(self, project_id: str, kind: str, **body: object) -> int:
        self.asked.append((kind, body))
        return 1


def row(number: int) -> ExperimentView:
    kind, state = HypothesisKind.PARAMETERS, RunState.SUCCEEDED
    return ExperimentView(number, number, 0, "claim", kind, {}, (), state, None, 0.9, None, 1, 1.0, 0.0, None)


def conversation(answers: Answers, answer: str = "") -> Conversation:
    return Conversation(lambda: cast(Answering, answers), lambda question: answer, lambda: Path("/nowhere"))


@pytest.mark.parametrize(
    ("line", "pages", "rows"),
    [
        ("history", [(50, None)], 50),
        ("history 1200", [(1000, None), (200, 1500)], 1200),
        ("history all", [(1000, None), (1000, 1500), (1000, 500)], 2500),
    ],
)
def test_a_history_asks_for_what_it_shows(line: str, pages: list[object], rows: int) -> None:
    answers = Answers(status())
    shown = conversation(answers).say(read_line(line))
    assert answers.asked == pages and shown.html.count("<tr>") == rows + 1
    assert ("earlier experiments" in shown.text) == (rows < 2500)


def test_live_runs_are_cancelled_by_a_stop_only_with_a_word() -> None:
    answers = Answers(status(running=[run(13)]))
    assert conversation(answers, "n").say(read_line("stop")).text == "not stopped" and answers.asked == []
    assert "running cycle 14" in conversation(answers, "yes").say(read_line("stop")).text
    conversation(answers).say(read_line("stop --yes"))
    conversation(answers).say(read_line("cancel"))
    assert answers.asked == [("stop", {}), ("stop", {}), ("cancel", {"run": "0013-candidate-seed-1"})]


def test_a_branch_without_a_number_is_the_champion_again() -> None:
    answers = Answers(status())
    assert "from experiment 12" in conversation(answers).say(read_line("branch #12")).text
    assert "from the champion" in conversation(answers).say(read_line("branch")).text
    assert answers.asked == [("branch", {"experiment": 12}), ("branch", {"experiment": None})]


def test_a_project_that_was_started_here_and_is_gone_is_forgotten() -> None:
    talk = conversation(Answers(status()))
    talk.started = "id-of-another"
    assert "digits: running" in talk.say(read_line("status")).text and talk.started is None
    assert talk.known.of(None) == status(), "Tab knows what was told"


def test_a_refused_token_is_told_and_not_gone_around() -> None:
    def refused() -> Answering:
        raise Forbidden("the server refuses our token")

    with pytest.raises(Forbidden, match="refuses our token"):
        Conversation(refused, input, lambda: Path("/nowhere")).say(read_line("status"))

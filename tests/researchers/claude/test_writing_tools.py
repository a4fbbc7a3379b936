"""The Writing worker's tools, called as a model calls them: by JSON."""

import asyncio
import json
from pathlib import Path

import pytest

from jupyter_deepresearch.core.enums import HypothesisKind
from jupyter_deepresearch.core.events import Survey
from jupyter_deepresearch.core.project import Direction, Objective
from jupyter_deepresearch.core.research import Account, Seen
from jupyter_deepresearch.core.types import Experiment, Hypothesis
from jupyter_deepresearch.researchers.claude.papers import Papers
from jupyter_deepresearch.researchers.claude.shelf import Shelf
from jupyter_deepresearch.researchers.claude.toolbox import Toolbox
from jupyter_deepresearch.researchers.claude.tools.idea import idea_tools
from jupyter_deepresearch.researchers.claude.tools.writing import writing_tools
from jupyter_deepresearch.researchers.llm.schemas import schema
from jupyter_deepresearch.researchers.llm.talk import ToolCall, ToolResult
from jupyter_deepresearch.testing import FakeEvidence


@pytest.fixture
def seen() -> Seen:
    return Seen(
        objective=Objective("val_acc", Direction.MAXIMIZE),
        cycle=3,
        brief="",
        memory="",
        survey=Survey(parameters={}),
        baseline=None,
        champion=None,
        directives=(),
        trials=lambda after: iter(()),
        evidence=FakeEvidence(accounts={2: Account(Experiment(2, Hypothesis("a wider net", HypothesisKind.CODE)))}),
    )


def call(toolbox: Toolbox, tool: str, /, **arguments: object) -> ToolResult:
    (result,) = asyncio.run(toolbox.results((ToolCall("c1", tool, json.dumps(arguments)),)))
    return result


def test_a_report_is_written_once_and_never_over_another(seen: Seen, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert call(Toolbox(writing_tools(seen, shelf)), "write_report", name="week.md", text="# One").text == (
        "written: reports/week.md"
    )
    again = Toolbox(writing_tools(seen, shelf))  # the step restarted
    assert call(again, "write_report", name="week.md", text="# One").text == "written: reports/week.md"
    assert call(again, "write_report", name="week.md", text="# Two").text == "written: reports/week-2.md"
    assert (tmp_path / "reports" / "week.md").read_text() == "# One\n"


def test_experiments_and_notes_are_read(seen: Seen, tmp_path: Path) -> None:
    toolbox = Toolbox(writing_tools(seen, Shelf(tmp_path)))
    assert "a wider net" in call(toolbox, "read_experiment", number=2).text
    assert call(toolbox, "read_note", name="none.md") == ToolResult(
        "c1", "notes/none.md is not there; the notes are: none", is_error=True
    )


@pytest.mark.parametrize("name", ["../../evil.md", "/tmp/evil.md", "week.html", "a\0.md"])
def test_a_report_stays_in_its_folder(seen: Seen, tmp_path: Path, name: str) -> None:
    result = call(Toolbox(writing_tools(seen, Shelf(tmp_path))), "write_report", name=name, text="x")
    assert result.is_error and "plain file name" in result.text
    assert list(tmp_path.iterdir()) == []


def test_what_these_tools_cost_on_every_call(seen: Seen, tmp_path: Path) -> None:
    shelf, papers = Shelf(tmp_path), Papers(tmp_path / "papers", ())
    for tools in (writing_tools(seen, shelf), idea_tools(seen, shelf, papers)):
        sent = sum(len(t.spec.name) + len(t.spec.description) + len(schema(t.spec.takes)) for t in tools)
        assert 3 <= len(tools) <= 5
        assert sent <= 180 * len(tools)

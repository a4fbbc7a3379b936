"""What a project says is shown as text, whatever it holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from jupyter_deepresearch.core.types import Decision, HypothesisKind, ProjectState, RunState
from jupyter_deepresearch.jupyter.render import Renderer, Shown
from jupyter_deepresearch.service.views import (
    ChangedView,
    ChangesView,
    EstimateView,
    ExperimentView,
    MemoryView,
    NearestView,
    ObjectiveView,
    RankView,
    StatusView,
    UsageView,
    WaitingView,
)
from jupyter_deepresearch.text import history_text, measured_text, one_line, status_text, waiting_text

HOSTILE = "<script>alert('1')</script>\x1b[31m & \"more\"\n\x07end"
NOTEBOOK = "experiments/0003-a b#c.ipynb"


def status() -> StatusView:
    rank = RankView(3, 0.98221, (0.9805, 0.9839), 3, NOTEBOOK, HOSTILE)
    nearest = NearestView(1, HOSTILE, "worse", None)
    estimate = EstimateView(None, 0.0, "")
    waiting = WaitingView(4, HOSTILE, HOSTILE, HypothesisKind.PARAMETERS, {"lr": HOSTILE}, (), estimate, nearest)
    return StatusView(
        id="x",
        project=HOSTILE,
        path="/home/ada/digits",
        state=ProjectState.WAITING_APPROVAL,
        reason=HOSTILE,
        stop_reason=None,
        cycle=4,
        cycles=50,
        objective=ObjectiveView(HOSTILE, "maximize", 0.0, None, "last", ()),
        baseline=replace(rank, experiment=0, interval=None, seeds=1),
        champion=rank,
        running=(),
        waiting=(waiting,),
        usage=UsageView(0, 0, 0, 0.0, {}),
        memory=MemoryView(1, 1, 5000),
        remarks=(HOSTILE,),
    )


def row(number: int, decision: Decision | None, state: RunState, value: float | None = None) -> ExperimentView:
    return ExperimentView(
        number,
        number,
        0,
        HOSTILE,
        HypothesisKind.PARAMETERS,
        {},
        (),
        state,
        decision,
        value,
        None,
        1,
        61.0,
        0.0,
        NOTEBOOK,
    )


def is_harmless(shown: Shown) -> None:
    tags = set(re.findall(r"</?([a-z]+)", shown.html))
    assert tags <= {
        "a",
        "b",
        "br",
        "code",
        "div",
        "li",
        "meter",
        "p",
        "pre",
        "small",
        "span",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    }
    assert "&lt;script&gt;" in shown.html
    assert shown._repr_mimebundle_() == {"text/plain": shown.text, "text/html": shown.html}
    assert "\x1b" not in shown.text and "\x07" not in shown.text


def test_nothing_of_a_project_is_taken_for_markup_or_terminal_codes() -> None:
    render = Renderer(Path("/home/ada"))
    rows = (row(3, Decision.CONFIRMED, RunState.SUCCEEDED, 0.98),)
    for shown in (
        render.status(status()),
        render.panel(status(), rows),
        render.history(status(), rows),
        render.best(status()),
        render.link(status(), rows[0]),
    ):
        is_harmless(shown)


def test_a_diff_is_shown_line_by_line() -> None:
    shown = Renderer(Path("/")).changes(
        ChangesView(0, 1, (ChangedView("cell-1", ("@@ -1 +1 @@", "-a = 1", "+a = '<b>'")),))
    )
    assert shown.text.splitlines() == [
        "from experiment 0 to experiment 1",
        "",
        "cell-1",
        "@@ -1 +1 @@",
        "-a = 1",
        "+a = '<b>'",
    ]
    assert "+a = &#x27;&lt;b&gt;&#x27;" in shown.html
    assert "no line differs" in Renderer(Path("/")).changes(ChangesView(None, 0, ())).text


def test_links_are_relative_to_the_notebook_and_quoted() -> None:
    link = Renderer(Path("/home/ada/notes")).link(status(), row(3, None, RunState.RUNNING))
    assert 'href="../digits/experiments/0003-a%20b%23c.ipynb"' in link.html


def test_decisions_and_failures_are_words() -> None:
    rows = [
        row(1, Decision.CONFIRMED, RunState.SUCCEEDED, 0.9),
        row(2, Decision.FAILED, RunState.OUT_OF_MEMORY),
        row(3, None, RunState.RUNNING),
        row(4, Decision.REJECTED, RunState.PENDING),
    ]
    lines = history_text(rows, champion=1).splitlines()
    assert [line[:24].split() for line in lines[1:]] == [
        ["*", "1", "CONFIRMED", "0.9"],
        ["2", "OUT", "OF", "MEMORY", "-"],
        ["3", "running", "-"],
        ["4", "REJECTED", "-"],
    ]
    assert history_text(()) == "no experiment yet"


def test_a_measured_value_carries_its_uncertainty() -> None:
    assert measured_text(0.98221, (0.98061, 0.98381), 3) == "0.98221 ± 0.0016 (3 seeds)"
    assert measured_text(0.5, None, 1) == "0.5 (1 seed)"
    assert measured_text(None, None, 0) == "-"


def test_every_line_of_the_status_is_one_line() -> None:
    assert all(line.isprintable() for line in status_text(status()).splitlines())
    assert all(line.isprintable() for line in waiting_text(status().waiting).splitlines())
    assert one_line("a" * 100, 10) == "aaaaaaaaa…" and one_line(" a\n b ") == "a b"

"""The table that a panel leaves in a saved notebook, and the other answers that are more than a sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from jupyter_deepresearch.core.types import Decision, HypothesisKind, RunState
from jupyter_deepresearch.jupyter.render import Renderer, Shown
from jupyter_deepresearch.service.views import (
    BudgetView,
    CostView,
    ExperimentView,
    MemoryTexts,
    ResourcesView,
    SpentView,
)
from tests.jupyter.statuses import run, status, waiting

WHEN = datetime(2026, 11, 23, 21, 40, 5, tzinfo=UTC)
RENDER = Renderer(Path("/home/ada/notes"), lambda: WHEN)
RESOURCES = ResourcesView(181.4, 1_234_000_000, 71.0, 9_200_000_000)


def row(number: int, usd: float | None = 0.0, delta: float | None = None) -> ExperimentView:
    decision = Decision.CONFIRMED if number == 12 else Decision.WORSE
    interval = (0.9805, 0.9839)
    notebook = f"experiments/{number:04}-it.ipynb"
    kind, state = HypothesisKind.PARAMETERS, RunState.SUCCEEDED
    claim = f"claim {number} " + "of many words " * 9
    return ExperimentView(
        number, number, 0, claim, kind, {}, (), state, decision, 0.98221, interval, 3, 61.0, usd, notebook, delta=delta
    )


NEWEST = tuple(row(number, 0.00371, -0.0201) for number in range(10_000, 9_950, -1))


class Outline(HTMLParser):
    """The elements at the top, and how often each other one occurs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.top: list[tuple[str, str | None]] = []
        self.links: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.open:
            self.top.append((tag, dict(attrs).get("class")))
        self.links += [value for name, value in attrs if name == "href" and value]
        self.open += [] if tag == "br" else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert self.open or not data.strip(), "text outside of everything"


def panel() -> Shown:
    return RENDER.panel(status(running=[run(13, RESOURCES)], waits=[waiting(14, lr=0.1)]), NEWEST)


def test_all_that_is_left_of_a_panel_is_one_element() -> None:
    shown = panel()
    outline = Outline(shown.html)
    assert outline.top == [("div", "dr-static")]
    assert outline.links[:3] == [f"../digits/experiments/{n:04}-it.ipynb" for n in (12, 0, 10_000)]
    for said in (
        "digits: running, cycle 14 of 50",
        "#14 claim 14",
        "lr = 0.1",
        "as of 2026-11-23 21:40:05 UTC",
        "$0.25",
    ):
        assert said in shown.html, said
    assert shown.html.count("<tr>") - 4 == 20 == len(re.findall(r"^\s+(?:99[89]|10000)", shown.text, re.MULTILINE))
    assert "and 9,981 earlier experiments" in shown.html and "and 9,981 earlier experiments" in shown.text
    assert "and 80 earlier experiments" in RENDER.panel(status(), NEWEST, 100).text
    assert "earlier" not in RENDER.panel(status(), [row(0)]).text
    assert Outline(RENDER.panel(status(), ()).html).top == [("div", "dr-static")]


def test_a_saved_panel_reads_in_exported_html() -> None:
    output = nbformat.v4.new_output("display_data", panel()._repr_mimebundle_())
    cell = nbformat.v4.new_code_cell("%deepresearch panel", outputs=[output])
    page, _ = HTMLExporter(theme="dark").from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    exported = page[page.index('<div class="dr-static">') :]
    assert "running, cycle 14 of 50" in exported and exported.count("CONFIRMED") == 0 and exported.count("WORSE") == 20
    assert not re.search(r"(?:color|background):\s*#", panel().html), "colours are the page's"


def test_a_history_fits_a_terminal_and_tells_change_time_and_cost() -> None:
    shown = RENDER.history(status(), NEWEST)
    lines = shown.text.splitlines()
    assert max(map(len, lines)) <= 120 and lines[0].split() == [
        "#",
        "decision",
        "value",
        "change",
        "time",
        "cost",
        "claim",
    ]
    assert lines[1].split()[:8] == ["10000", "WORSE", "0.98221", "±", "0.0017", "(3", "seeds)", "-0.0201"]
    assert "$0.00371" in lines[1] and "61 s" in lines[1] and "$0.00371" in shown.html and "-0.0201" in shown.html
    assert lines[-1] == "and 9,951 earlier experiments; `%deepresearch history all` shows every one"
    plain = RENDER.history(status(), [row(12)]).text.splitlines()
    assert plain[0].split() == ["#", "decision", "value", "time", "claim"] and plain[1].startswith("*  12")
    mixed = RENDER.history(status(), [replace(row(12), measure=2), row(11)])
    assert mixed.text.count("measure 1") == mixed.html.count("(3 seeds), measure 1") == 1
    assert "$?" in RENDER.history(status(), [row(12, None)]).text, "an unknown price is no zero"


def test_a_status_tells_what_live_runs_take() -> None:
    shown = RENDER.status(status(running=[run(13, RESOURCES), run(14, ResourcesView(7.0, None, None, None))]))
    for said in (shown.text, shown.html):
        assert "about 4 min left  cpu 181 %, 1.2 GB, gpu 71 %, 9.2 GB" in said and "cpu 7 %" in said
    assert Outline(shown.html).top == [("div", None)], "a status stays where a live panel hides its table"


def test_the_champion_is_told_with_what_it_gained() -> None:
    assert "+0.08" in RENDER.best(status()).html and "+0.08" in RENDER.best(status()).text


def test_the_memory_is_told_with_its_limits_and_its_news() -> None:
    texts = MemoryTexts(
        "be quick <b>", "- #3 CONFIRMED: 0.9", "", 3000, 2000, ("- #3 CONFIRMED: 0.9",), ("- #2 x",), ("- #1 old",)
    )
    shown = RENDER.memory(texts)
    assert shown.text.splitlines()[0] == "# Brief (12 of 3,000 characters)"
    assert shown.text.splitlines()[-3:] == ["+ #3 CONFIRMED: 0.9", "~ #2 x", "- #1 old"]
    assert 'value="12" max="3000"' in shown.html and "19 of 2,000 characters" in shown.html
    assert "be quick &lt;b&gt;" in shown.html and ">- #1 old" in shown.html
    quiet = RENDER.memory(MemoryTexts("", "", ""))
    assert "(none)" in quiet.html and "Since" not in quiet.html + quiet.text


@pytest.mark.parametrize(("left", "gauge"), [(7.0, True), (None, False)])
def test_the_bill_is_told_with_what_budgets_have_left(left: float | None, gauge: bool) -> None:
    spent = SpentView(3, 1000, 200, 0.25, 0, 0, 1.5)
    budget = BudgetView("usd_per_day", 10.0, None if left is None else 3.0, left)
    view = CostView(3, 1000, 200, 0.25, {"propose": spent}, 0, 0, 1.5, {"2026-11-23": spent}, {}, 0, 0, (budget,))
    shown = RENDER.cost(view)
    assert ("<meter" in shown.html) is gauge
    said = "$3.00 of $10.00 spent, $7.00 left" if gauge else "$? of $10.00 spent, $? left"
    assert f"budget.usd_per_day: {said}" in shown.text and said in shown.html
    assert "<td" in shown.html and "propose" in shown.html and "2026-11-23" in shown.html
    assert "LLM calls while training: 0" in shown.html

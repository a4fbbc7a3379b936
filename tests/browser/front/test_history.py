"""The table of experiments: pages, the changes of one, links that Lab opens, focus that survives what arrives."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.front import research
from tests.browser.front.kernel import answer, refuse, sent
from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser

CONFIG = """config => {
    const node = document.createElement("script");
    Object.assign(node, { id: "jupyter-config-data", type: "application/json", textContent: JSON.stringify(config) });
    document.head.append(node);
}"""

NAME = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def test_pages_changes_and_links(stage: Stage) -> None:
    page = stage.page
    stage.build()
    page.evaluate(CONFIG, {"baseUrl": "/user/ann/"})
    newest = [research.row(number, interval=None, decision="worse") for number in range(70, 45, -1)]
    stage.show(**research.traits(rows=newest, points=research.points(70)))
    history = page.locator(".dr-history-section")
    rows = history.locator("tbody tr:not(.dr-below)")
    expect(history.get_by_role("navigation")).to_contain_text("1–25 of 71")
    expect(history.get_by_role("button", name="Newer")).to_be_disabled()

    link = history.get_by_role("link", name="open the notebook of experiment 70")
    folder = "/user/ann/lab/tree/work%20in%20progress/digits/experiments"
    assert link.get_attribute("href") == f"{folder}/0070-idea%20no%2070.ipynb"
    assert link.get_attribute("data-commandlinker-command") == "docmanager:open"
    path = {"path": "work in progress/digits/experiments/0070-idea no 70.ipynb"}
    assert json.loads(link.get_attribute("data-commandlinker-args") or "") == path

    diff = history.get_by_role("button", name="changes of experiment 69")
    diff.click()
    expect(diff).to_have_attribute("aria-expanded", "true")
    refuse(stage, "no such experiment", "ask")
    expect(history).to_contain_text("no such experiment")
    diff.press("Enter")
    expect(diff).to_have_attribute("aria-expanded", "false")
    diff.press("Enter")
    answer(stage, {"before": 10, "after": 69, "changes": [{"place": "cell a", "lines": ["-x = 1", "+x = 2"]}]}, "ask")
    expect(history.get_by_role("group", name="changes in cell a")).to_contain_text("x = 2")
    link.focus()
    stage.set("rows", [{**newest[0], "reason": "another"}, *newest[1:]])
    expect(link).to_be_focused()
    diff.focus()
    # One more arrives: the row keeps its node, so its focus and its open changes stay.
    stage.set("rows", [research.row(71, claim="the newest"), *newest[:-1]])
    expect(rows.first).to_contain_text("the newest")
    expect(diff).to_be_focused()
    expect(history.get_by_role("group", name="changes in cell a")).to_be_visible()

    history.get_by_role("button", name="Older").click()
    asked = answer(stage, [research.row(number) for number in range(46, 21, -1)], "ask")
    assert (asked["what"], asked["before"], asked["limit"]) == ("history", 47, 25)
    expect(history.get_by_role("navigation")).to_contain_text("25–49 of 71")
    stage.set("rows", newest)  # an older page stays while research goes on
    expect(rows.first).to_contain_text("46")
    history.get_by_role("button", name="Older").click()
    refuse(stage, "no answer; the kernel is busy", "ask")
    expect(history).to_contain_text("the kernel is busy")
    history.get_by_role("button", name="Newer").click()
    expect(rows.first).to_contain_text("70")

    page.locator(".dr-head-section").get_by_role("button", name="#10 Adam").click()
    answer(stage, [research.row(number) for number in range(10, -1, -1)], "ask")
    expect(history.get_by_role("button", name="changes of experiment 10")).to_be_focused()
    asked = answer(stage, {"before": 4, "after": 10, "changes": []}, "ask")
    assert (asked["what"], asked["experiment"]) == ("diff", 10)
    expect(history).to_contain_text("From experiment 4 to experiment 10: no line differs.")
    expect(history.get_by_role("navigation")).to_contain_text("61–71 of 71")
    expect(history.get_by_role("button", name="Older")).to_be_disabled()
    best = rows.filter(has_text="★ best")
    assert best.inner_text().split("\t")[0].strip() == "10"
    expect(best).to_contain_text("0.9822 ± 0.0016 (3 seeds)")
    assert [message["what"] for message in sent(stage, "ask")].count("history") == 3


def test_the_panel_is_read_without_colours_and_with_a_keyboard(stage: Stage) -> None:
    page = stage.page
    stage.build()
    page.evaluate(CONFIG, {"baseUrl": "/", "notebookPage": "notebooks"})
    stage.show(**research.traits(status=research.status(running=[research.run()], place="")))
    link = page.get_by_role("link", name="open the notebook of experiment 12")
    assert link.get_attribute("href") == "/notebooks/experiments/0012-idea%20no%2012.ipynb"
    verdicts = page.locator(".dr-verdict").all_inner_texts()
    assert [" ".join(text.split()) for text in verdicts][:4] == [
        "▶ running",
        "▼ WORSE",
        "◆ CONFIRMED ★ best",
        "✕ OUT OF MEMORY",
    ]
    nameless = """() => [...document.querySelectorAll(".dr-panel :is(button, input, textarea, a, [role=meter])")]
        .filter((node) => node.checkVisibility()
            && !(node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim()))
        .map((node) => node.outerHTML)"""
    assert page.evaluate(nameless) == []
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
            )
        )
    wanted = {"Pause", "Stop", "Cancel #12, seed 1", "Approve hypothesis 13", "Reject hypothesis 13", "Send"}
    assert wanted <= reached
    assert "changes of experiment 0" in reached
    assert page.locator(".dr-panel").get_attribute("data-lm-suppress-shortcuts") is not None

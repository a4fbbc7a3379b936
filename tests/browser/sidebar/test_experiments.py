"""The history in the sidebar: browsed as a tree and as a list, and what a person does with an experiment."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.sidebar.axe import violations
from tests.browser.sidebar.conftest import Research
from tests.browser.sidebar.past import STORY
from tests.browser.visit import PANEL, Visit, events

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

SECTION = f"{PANEL} .jp-DeepResearch-experiments"
LINE = [0, 2, 5]  # the champion's line comes first, from the baseline to the champion


def history(panel: Locator, project: str) -> Locator:
    """The rows in the page, from top to bottom."""
    return panel.get_by_role("list", name=f"Experiments of {project}").get_by_role("listitem")


def numbers(rows: Locator) -> list[int]:
    return [int(re.findall(r"#(\d+)", text)[0]) for text in rows.all_inner_texts()]


def columns(count: int) -> dict[str, object]:
    """The answer of ``points`` for so many experiments, each grown from the first."""
    same = {"low": None, "high": None, "decision": "worse", "state": "succeeded", "measure": 1}
    parents = [None, *[0] * (count - 1)]
    own = {"experiment": list(range(count)), "value": [0.9] * count, "parent": parents}
    return {"seq": 1, **own, **{name: [value] * count for name, value in same.items()}}


def test_the_history_is_browsed_narrowed_and_opened(research: Research, visit: Visit) -> None:
    page = visit.page
    research.add("browsed")
    research.add("long", STORY[:1])
    page.route("**/projects/long-1/points*", lambda route: route.fulfill(json=columns(10_000)))
    panel = research.open(page, "browsed")
    rows = history(panel, "browsed")
    expect(rows.nth(2)).to_contain_text(re.compile(r"#5\s*best\s*Clip the gradient.*CONFIRMED.*0\.9822 ±0\.0016", re.S))
    assert numbers(rows) == [*LINE, 13, 12, 11, 10, 9, 8, 7, 6, 4, 3, 1]
    expect(rows.filter(has_text="#4")).to_contain_text("OUT OF MEMORY")
    expect(rows.filter(has_text="#12")).to_contain_text("waiting for you")
    expect(rows.filter(has_text="#10")).to_contain_text("<img src=x")
    assert violations(page, SECTION) == []

    panel.get_by_role("button", name="11 that grew from experiment 2").click()
    expect(rows).to_have_count(3)
    panel.get_by_label("Verdict").select_option("worse")
    expect(panel.get_by_role("status").filter(has_text="4 experiments")).to_be_visible()
    assert numbers(rows) == [*LINE, 11, 10, 7, 1], "what WORSE grew from stays, whatever was closed before"
    panel.get_by_label("Order").select_option("best")
    expect(rows).to_have_count(4)
    assert numbers(rows) == [7, 11, 10, 1]

    panel.get_by_role("button", name="Show all").click()
    panel.get_by_label("Order").select_option("newest")
    expect(rows).to_have_count(14)
    panel.get_by_label("Search the experiments").fill("SPIKE cosine")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("#12")
    panel.get_by_label("Search the experiments").fill("#11")
    expect(rows).to_contain_text("#11")
    panel.get_by_label("Search the experiments").press("Tab")
    for _ in range(4):  # the arrangement, the filter, "Show all", the list
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text("experiment 11 ran here")

    panel.get_by_role("list", name="Projects").get_by_role("button", name="long").click()
    rows = history(panel, "long")
    expect(rows.first).to_have_attribute("aria-setsize", "10000")
    panel.get_by_role("list", name="Experiments of long").press("End")
    expect(rows.last.locator("[data-first]")).to_be_focused()
    expect(rows.last).to_contain_text("#0")
    assert rows.count() < 40, "only what is in sight is in the page"
    assert visit.errors == []


def test_an_experiment_is_branched_from_taken_reproduced_and_forked(research: Research, visit: Visit) -> None:
    page = visit.page
    folder = research.add("acted")
    panel = research.open(page, "acted")
    row = history(panel, "acted").filter(has_text="Adam-like lr")
    row.click(button="right")
    page.get_by_role("menuitem", name="Branch from Here").click()
    expect(row).to_contain_text("branch")
    assert [body["experiment"]["number"] for body in events(folder, "branch")] == [2]

    more = row.get_by_role("button", name="Actions for experiment 2")
    more.focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Take").click()
    expect(page.get_by_text("Experiment 2 is in acted/forks/")).to_be_visible()
    expect(page.get_by_role("button", name="Open patch")).to_be_visible()
    expect(more).to_be_focused()
    (taken,) = folder.glob("forks/0002-*/train.ipynb")
    assert "lr = 0.003" in taken.read_text()

    more.click()
    page.get_by_role("menuitem", name="Reproduce...").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("About 2 min in all, 62 s a run.")
    assert violations(page, ".jp-Dialog") == []
    dialog.get_by_label("How many more seeds").fill("0")
    expect(dialog).to_contain_text("a whole number from 1 to 100")
    expect(dialog.get_by_role("button", name="Run")).to_be_disabled()
    dialog.get_by_label("How many more seeds").fill("3")
    dialog.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Experiment 2 runs with 3 more seeds.")).to_be_visible()
    assert [body["seeds"] for body in events(folder, "reproduce")] == [3]

    more.click()
    page.get_by_role("menuitem", name="Fork by Hand").click()
    fork = page.locator(".jp-NotebookPanel:visible")
    expect(fork).to_contain_text("lr = 0.003")
    fork.locator(".cm-content", has_text="def build").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  # mine")  # not saved: handing back saves it
    page.get_by_role("button", name="Hand back...").click()
    dialog.get_by_label("Claim").fill("My own edit will do better")
    assert violations(page, ".jp-Dialog") == []
    dialog.get_by_role("button", name="Hand back").click()
    expect(page.get_by_text("is a hypothesis now.")).to_be_visible()
    (tried,) = events(folder, "try")
    assert "My own edit will do better" in str(tried)
    assert "# mine" in str(tried)
    assert visit.errors == []

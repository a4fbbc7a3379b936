"""Hypotheses that wait: decided by keys alone, by two people at once, and an idea of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.sidebar.axe import violations
from tests.browser.sidebar.conftest import Research
from tests.browser.visit import ICON, PANEL, Visit, events

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

BADGE = "data-deepresearch-waiting"


def card(page: Page, number: int) -> Locator:
    return page.locator(PANEL).get_by_role("article", name=f"#{number} ")


def opened(research: Research, page: Page, project: str) -> None:
    """The cards of a project, once JupyterLab no longer takes the focus for itself."""
    research.open(page, project)
    page.evaluate("jupyterapp.restored.then(() => null)")
    expect(page.locator(".jp-Launcher")).to_be_visible()
    expect(card(page, 13).get_by_text("dropout 0.5")).to_be_visible()
    heading = page.locator(PANEL).get_by_role("button", name="Waiting for you", exact=True)
    heading.click()  # folded, and unfolded: the focus is before the first card
    heading.click()


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def test_by_keys_alone_and_by_two_people_at_once(research: Research, visit: Visit) -> None:
    page = visit.page
    keys, two = research.add("keys"), research.add("two")
    opened(research, page, "keys")
    puts_off_edits_approves_and_rejects(page, keys)
    tries_an_idea(page, keys)
    page.get_by_role("list", name="Projects").get_by_role("button", name="two").click()
    other = page.context.new_page()
    opened(research, other, "two")
    is_told_and_keeps_what_was_typed(research, page, other)
    assert [event["hypothesis"] for event in events(two, "approve")] == [12]
    assert [event["hypothesis"] for event in events(two, "reject")] == [8, 13]  # the first one is of the past
    assert events(two, "edit") == []


def puts_off_edits_approves_and_rejects(page: Page, folder: Path) -> None:
    """By keys alone."""
    first, second = card(page, 12), card(page, 13)
    expect(first).to_contain_text("0.003 → 0.004")
    expect(first).to_contain_text("#3 tanh will smooth the loss")
    expect(second).to_contain_text("a gain of about 0.002")
    assert violations(page, PANEL) == []

    badge = page.locator(ICON)
    waiting = int(badge.get_attribute(BADGE) or "0")

    press(page, "Tab")
    expect(first).to_be_focused()
    press(page, "d l")  # the change, then later: one line, off the badge
    expect(first.get_by_role("button", name="Approve hypothesis 12")).to_have_count(0)
    expect(badge).to_have_attribute(BADGE, str(waiting - 1))
    press(page, "l e")
    expect(first.get_by_label("Claim")).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" early, a real dip")  # holds the cards' own keys
    press(page, "Tab Control+a")
    page.keyboard.type("many")
    first.get_by_role("button", name="Approve as edited").press("Enter")
    expect(first.get_by_label("lr", exact=True)).to_be_focused()
    expect(first.get_by_label("lr", exact=True)).to_have_accessible_description(
        "parameter 'lr': found 'many'; accepted: a number (its own is 0.001)"
    )
    press(page, "Control+a")
    page.keyboard.type("5e-3")
    assert violations(page, PANEL) == []
    assert (events(folder, "edit"), events(folder, "approve")) == ([], [])
    first.get_by_role("button", name="Approve as edited").press("Space")

    expect(second).to_be_focused()
    expect(page.locator(PANEL).get_by_text("#12 is approved.")).to_be_visible()
    press(page, "r")
    expect(second.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("<b>real</b> data is scarce")
    press(page, "Tab Enter")
    expect(page.locator(PANEL).get_by_text("#13 is rejected.")).to_be_focused()

    (edit,) = events(folder, "edit")
    hypothesis = edit["experiment"]["hypothesis"]
    assert hypothesis["claim"] == "A cosine schedule will cut the loss spike at epoch 5 early, a real dip"
    assert hypothesis["parameters"] == {"lr": 0.005, "act": "tanh"}
    assert [event["hypothesis"] for event in events(folder, "approve")] == [12]
    rejected = events(folder, "reject")[-1]
    assert (rejected["hypothesis"], rejected["reason"]) == (13, "<b>real</b> data is scarce")


def tries_an_idea(page: Page, folder: Path) -> None:
    panel = page.locator(PANEL)
    panel.get_by_role("button", name="Try an idea").press("Enter")
    form = panel.get_by_role("group", name="Try an idea")
    form.get_by_label("width").fill("wide")
    form.get_by_label("Claim").fill("A hundred is plenty")
    form.get_by_role("button", name="Try it").press("Enter")
    expect(form.get_by_label("width")).to_be_focused()
    expect(form.get_by_text("found 'wide'; accepted: a whole number")).to_be_visible()
    form.get_by_label("width").fill("100")
    form.get_by_role("button", name="Try it").press("Enter")
    expect(form.get_by_role("status")).to_contain_text("It runs next")
    expect(form.get_by_label("Claim")).to_have_value("")
    (tried,) = events(folder, "try")
    hypothesis = tried["experiment"]["hypothesis"]
    assert (hypothesis["claim"], hypothesis["parameters"]) == ("A hundred is plenty", {"width": 100})


def is_told_and_keeps_what_was_typed(research: Research, page: Page, other: Page) -> None:
    """The second of two people."""
    card(page, 13).get_by_role("button", name="Edit hypothesis 13").click()
    card(page, 13).get_by_label("Change 1 becomes").fill("return ('dense', width, act, 0.25)")
    stale(page, "two-1")

    card(other, 12).get_by_role("button", name="Approve hypothesis 12").click()
    expect(card(other, 12)).to_have_count(0)
    card(page, 12).get_by_role("button", name="Approve hypothesis 12").click()
    expect(card(page, 12).get_by_text("Already decided: it was approved")).to_be_visible()
    page.unroute_all()

    card(other, 13).get_by_role("button", name="Reject hypothesis 13").click()
    card(other, 13).get_by_role("button", name="Reject hypothesis 13").click()
    expect(card(page, 13).get_by_text("Already decided: it was rejected.")).to_be_visible()
    research.open(page, "two")  # another page load of the same browser tab
    kept = card(page, 13).get_by_label("Change 1 becomes")
    expect(kept).to_have_value("return ('dense', width, act, 0.25)")
    expect(card(page, 13).get_by_role("button", name="Approve as edited")).to_have_count(0)
    card(page, 13).get_by_role("button", name="Dismiss hypothesis 13").click()
    expect(page.locator(PANEL).get_by_text("Nothing waits for you.")).to_be_visible()


def stale(page: Page, project: str) -> None:
    """From now on this page is answered as if nothing happened to the project."""
    answers: list[str] = []

    def answer(route: Route) -> None:
        if not answers:
            answers.append(route.fetch().text())
        route.fulfill(body=answers[0], content_type="application/json")

    status = re.compile(rf"/deepresearch/api/projects/{project}(\?|$)")
    page.route(status, answer)
    with page.expect_response(status):
        page.get_by_role("button", name="Refresh", exact=True).click()

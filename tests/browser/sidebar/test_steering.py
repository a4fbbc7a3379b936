"""A person steers: a directive, the approval, the budgets; the memory and the bill are there to read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.sidebar.axe import violations
from tests.browser.sidebar.conftest import Research
from tests.browser.visit import PANEL, Visit, events

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


def test_a_directive_and_the_settings_reach_the_ledger(research: Research, visit: Visit) -> None:
    folder = research.add("steered")
    page = visit.page
    panel = research.open(page, "steered")

    directive = panel.get_by_label("Tell the researcher")
    send = panel.get_by_role("button", name="Send the directive")
    send.click()
    expect(directive).to_have_accessible_description("Write what the researcher shall do.")
    directive.fill("freeze the <b>encoder</b>")
    page.reload()
    page.wait_for_function("window.jupyterapp")
    page.evaluate("jupyterapp.restored.then(() => jupyterapp.commands.execute('deepresearch:open-sidebar'))")
    expect(directive).to_have_value("freeze the <b>encoder</b>")
    send.click()
    queue = panel.get_by_role("list", name="Directives in force").get_by_role("listitem")
    expect(queue).to_have_count(2)
    expect(queue.first).to_contain_text("freeze the <b>encoder</b>")
    expect(queue.first).to_contain_text("not read yet")
    expect(directive).to_have_value("")
    assert events(folder, "directive")[-1]["text"] == "freeze the <b>encoder</b>"

    lost: list[Route] = []

    def lose(route: Route) -> None:  # the server does what it is told, and its answer never arrives
        lost.append(route)
        route.fetch()
        route.abort()

    page.route("**/commands*", lose, times=1)
    directive.fill("told once")
    page.keyboard.press("Control+Enter")
    expect(queue).to_have_count(3)
    expect(directive).to_have_value("")
    assert len(lost) == 1
    assert [told["text"] for told in events(folder, "directive")].count("told once") == 1

    panel.get_by_role("button", name="Settings", exact=True).click()
    minutes = panel.get_by_label("Approved by themselves after (minutes)")
    minutes.fill("soon")
    expect(minutes).to_have_accessible_description("A number above 0, such as 1.5.")
    minutes.fill("30")
    panel.get_by_role("button", name="Save the approval").press("Enter")
    expect(panel.get_by_role("button", name="Save the approval")).to_have_count(0)
    expect(panel.get_by_label("Hypotheses", exact=True)).to_be_focused()
    assert events(folder, "configure")[-1]["project"]["approval"] == {"mode": "ask", "auto_after_minutes": 30}

    cycles = panel.get_by_label("Cycles", exact=True)
    cycles.fill("12.5")
    expect(cycles).to_have_accessible_description("A whole number, at least 0.")
    cycles.fill("80")
    panel.get_by_text("Other limits: none").click()
    panel.get_by_label("Hours of work").fill("2.5")
    panel.get_by_role("button", name="Save the budgets").click()
    expect(panel.get_by_role("meter", name="Cycles: Spent")).to_have_attribute("aria-valuetext", "12 / 80")
    budget = events(folder, "configure")[-1]["project"]["budget"]
    assert {key: limit for key, limit in budget.items() if limit is not None} == {"cycles": 80, "hours": 2.5}

    panel.get_by_role("button", name="Memory", exact=True).click()
    expect(panel.get_by_role("group", name="Log", exact=True)).to_contain_text("Clip the gradient at 1.0")
    panel.get_by_role("button", name="Cost", exact=True).click()
    expect(panel.get_by_role("row", name="plan")).to_contain_text("13")
    expect(panel.get_by_text("Calls about runs in training: 0.")).to_be_visible()
    assert violations(page, PANEL) == []
    assert all("ERR_FAILED" in error for error in visit.errors)  # the answer that was lost

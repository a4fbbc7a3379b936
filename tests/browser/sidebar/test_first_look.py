"""The sidebar as a person meets it for the first time."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.sidebar.axe import violations
from tests.browser.visit import ICON, PANEL, Lab, Visit
from tests.small_project import write_project

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


def post(lab: Lab, path: str, body: dict[str, Any]) -> Any:
    """What the server answers to a request of another program."""
    request = urllib.request.Request(
        lab.url + path, data=json.dumps(body).encode(), headers={"Authorization": f"token {lab.token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_from_an_empty_list_to_the_first_project(lab: Lab, visit: Visit) -> None:
    page = visit.page
    page.goto(lab.page())
    page.locator(ICON).click()
    panel = page.locator(PANEL)
    expect(panel.get_by_role("heading", name="Deep Research")).to_be_visible()
    expect(panel.get_by_text("No projects yet.")).to_be_visible()
    assert violations(page, PANEL) == []

    # Another program starts a project: it is seen here without a press.
    write_project(lab.root / "first", pause=0.3)
    body = {"path": "first", "approval": {"mode": "ask"}, "budget": {"cycles": 2}}
    project = post(lab, "deepresearch/api/projects", body)
    expect(panel.get_by_role("button", name="first").first).to_be_visible()
    expect(panel.get_by_text("No projects yet.")).to_have_count(0)

    # Nobody has chosen a project: the one that is shown stays, whichever comes to the top of the list.
    def crowd(route: Route) -> None:
        rows = route.fetch().json()
        route.fulfill(json=[*rows, {**rows[0], "id": "other", "project": "other", "waiting": [7, 8]}])

    page.route("**/deepresearch/api/overview*", crowd)
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.locator(".jp-DeepResearch-project")).to_have_text([re.compile("other"), re.compile("first")])
    expect(panel.get_by_role("group", name="Project first")).to_be_visible()
    page.unroute("**/deepresearch/api/overview*")

    # What the server refuses is said in its own words, and taken back once it answers again.
    refusal = {"message": "The ledger cannot be read", "reason": "storage_failed"}
    page.route("**/deepresearch/api/overview*", lambda route: route.fulfill(status=403, json=refusal))
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_role("alert").filter(has_text="The ledger cannot be read")).to_be_visible()
    page.unroute("**/deepresearch/api/overview*")
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_text("The ledger cannot be read")).to_have_count(0)
    post(lab, f"deepresearch/api/projects/{project['id']}/commands", {"kind": "stop"})
    assert [error for error in visit.errors if "403" not in error] == []
    assert visit.hosts <= {"127.0.0.1", None}


def test_notebook_7_loads_it_too(lab: Lab, visit: Visit) -> None:
    page = visit.page
    with page.expect_response("**/deepresearch/api/overview*") as answer:
        page.goto(lab.page("tree"))
    assert answer.value.status == 200
    page.get_by_role("menuitem", name="View").click()
    page.get_by_role("menuitem", name="Open Deep Research").click()
    expect(page.locator(PANEL).get_by_role("heading", name="Deep Research")).to_be_visible()

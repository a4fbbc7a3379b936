"""The sidebar as a person meets it for the first time."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.visit import ICON, PANEL, Lab, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_opens_with_the_empty_state_and_no_complaint(lab: Lab, visit: Visit) -> None:
    page = visit.page
    page.goto(lab.page())
    page.locator(ICON).click()
    panel = page.locator(PANEL)
    expect(panel).to_be_visible()
    expect(panel.get_by_role("heading", name="Deep Research")).to_be_visible()
    expect(panel.get_by_text("No projects yet.")).to_be_visible()
    with page.expect_response("**/deepresearch/api/projects*") as answer:
        panel.get_by_role("button", name="Refresh the projects").click()
    assert answer.value.status == 200
    assert visit.errors == []
    assert visit.hosts <= {"127.0.0.1", None}


STATUS = {
    "id": "p1",
    "project": "digits",
    "path": "digits",
    "state": "running",
    "reason": 'Cycle 3: training "wider hidden layer".',
    "cycle": 3,
    "champion": {"experiment": 2, "value": 0.98216, "interval": [0.9806, 0.9838], "seeds": 3, "notebook": "a.ipynb"},
    "baseline": {"experiment": 0, "value": 0.9411, "interval": None, "seeds": 1, "notebook": "b.ipynb"},
}


def test_shows_a_project_and_then_says_that_the_server_refuses(lab: Lab, visit: Visit) -> None:
    page = visit.page
    page.route("**/deepresearch/api/projects*", lambda route: route.fulfill(json=[STATUS]))
    page.goto(lab.page())
    page.locator(ICON).click()
    project = page.locator(PANEL).get_by_role("listitem")
    expect(project).to_contain_text("digits")
    expect(project).to_contain_text("running")
    expect(project).to_contain_text("Cycle 3: training")
    expect(project).to_contain_text("0.9822 ±0.0016")
    expect(project).to_contain_text("0.9411")

    refusal = {"message": "The ledger cannot be read", "reason": ""}
    page.unroute("**/deepresearch/api/projects*")
    page.route("**/deepresearch/api/projects*", lambda route: route.fulfill(status=403, json=refusal))
    page.get_by_role("button", name="Refresh the projects").click()
    expect(page.locator(PANEL).get_by_role("alert")).to_contain_text("The ledger cannot be read")


def test_notebook_7_loads_it_too(lab: Lab, visit: Visit) -> None:
    page = visit.page
    with page.expect_response("**/deepresearch/api/projects*") as answer:
        page.goto(lab.page("tree"))
    assert answer.value.status == 200
    page.get_by_role("menuitem", name="View").click()
    page.get_by_role("menuitem", name="Open Deep Research").click()
    expect(page.locator(PANEL).get_by_text("No projects yet.")).to_be_visible()


def test_refetches_when_the_server_announces_a_change(lab: Lab, visit: Visit) -> None:
    page = visit.page
    projects: list[dict[str, object]] = []
    sockets: list[WebSocketRoute] = []

    def listen(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route("**/deepresearch/api/projects*", lambda route: route.fulfill(json=projects))
    page.route_web_socket("**/api/events/subscribe*", listen)
    page.goto(lab.page())
    page.locator(ICON).click()
    expect(page.locator(PANEL).get_by_text("No projects yet.")).to_be_visible()

    projects.append(STATUS)
    changed = {
        "schema_id": "https://jupyter_deepresearch.dev/events/changed/v1",
        "project": "p1",
        "seq": 1,
        "kind": "Opened",
    }
    sockets[-1].send(json.dumps(changed))
    expect(page.locator(PANEL).get_by_role("listitem")).to_contain_text("digits")

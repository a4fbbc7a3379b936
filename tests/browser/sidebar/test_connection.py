"""What the page asks of the server, and when: not while it is hidden, not when nothing happens, never twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.sidebar.conftest import Research
from tests.browser.sidebar.test_first_look import post
from tests.browser.visit import ICON, Visit, events, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


def see(page: Page, state: str) -> None:
    """Hide the page, or bring it back: a headless browser takes every page for a visible one."""
    page.evaluate(
        """state => {
            Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
            Object.defineProperty(document, 'hidden', {value: state === 'hidden', configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        state,
    )


def settle(page: Page, asked: list[str]) -> None:
    """Until the page has asked for nothing for two seconds; what it asked for is forgotten."""
    count = -1
    while count != len(asked):
        count = len(asked)
        page.wait_for_timeout(2_000)
    asked.clear()


def test_asks_when_looked_at_and_tells_once(research: Research, visit: Visit) -> None:
    folder = research.add("asked")
    page, asked = visit.page, list[str]()

    def note(request: Request) -> None:
        if "/deepresearch/api/" in request.url:
            asked.append(request.url)

    page.clock.install()
    panel = research.open(page, "asked")
    expect(panel.get_by_text("prefer small models")).to_be_visible()
    page.on("request", note)
    settle(page, asked)

    # Half a minute in which nothing happens costs nothing; a minute later it looks whether anything was missed.
    page.clock.run_for(29_000)
    assert asked == []
    page.clock.run_for(40_000)
    wait_for("a look at everything", lambda: any("/overview" in url for url in asked) and page.evaluate("1"))

    settle(page, asked)

    # Hidden, it asks nothing, whatever happens; shown again, it knows.
    see(page, "hidden")
    post(research.lab, "deepresearch/api/projects/asked-1/commands", {"kind": "directive", "text": "said elsewhere"})
    page.wait_for_timeout(1_000)
    page.clock.run_for(120_000)
    assert asked == []
    see(page, "visible")
    page.clock.run_for(2_000)
    expect(panel.get_by_text("said elsewhere")).to_be_visible()

    # Folded away, it asks for nothing but the row of the project, which the badge and the status bar are made of.
    page.locator(ICON).click()
    expect(panel).to_be_hidden()
    page.clock.run_for(2_000)
    asked.clear()
    post(research.lab, "deepresearch/api/projects/asked-1/commands", {"kind": "directive", "text": "said unseen"})
    wait_for("the project's row", lambda: page.clock.run_for(500) or any("/overview" in url for url in asked))
    page.clock.run_for(2_000)
    assert [url for url in asked if "/overview" not in url] == []
    page.locator(ICON).click()
    expect(panel.get_by_text("said unseen")).to_be_visible()

    # Asleep for hours, it looks at once when it wakes.
    asked.clear()
    page.clock.fast_forward(3 * 3600 * 1000)
    page.clock.run_for(6_000)
    wait_for("a look after the sleep", lambda: any("/overview" in url for url in asked) and page.evaluate("1"))

    # An answer that was lost on the way is asked for again: the directive is told once.
    lost = list[str]()

    def lose_the_first(route: Route) -> None:
        if not lost:
            route.fetch()
        lost.append(route.request.post_data or "")
        if len(lost) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/commands*", lose_the_first)
    panel.get_by_label("Tell the researcher").fill("only once")
    panel.get_by_role("button", name="Send the directive").click()
    for _ in range(20):
        page.clock.run_for(1_000)
        page.wait_for_timeout(100)
        if len(lost) > 1:
            break
    expect(panel.get_by_text("Sent:")).to_be_visible()
    assert len(lost) == 2 and lost[0] == lost[1]
    assert [event["text"] for event in events(folder, "directive")][-1:] == ["only once"]
    assert len(events(folder, "directive")) == 4

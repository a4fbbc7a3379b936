"""The panel's scripts in a real Chromium, without a Jupyter around them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.front.stage import Stage


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    """A page that nothing is built on yet. A complaint in its console fails the test at its end."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    stage = Stage(context.new_page())
    stage.page.set_default_timeout(10_000)
    stage.page.on("console", lambda said: stage.errors.append(said.text) if said.type == "error" else None)
    stage.page.on("pageerror", lambda error: stage.errors.append(str(error)))
    try:
        yield stage
        assert stage.errors == []
    finally:
        context.close()

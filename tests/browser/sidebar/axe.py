"""What axe-core says of a part of the page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page, selector: str) -> list[str]:
    """One line for each element of this part that people with some handicap could not use; none is accepted."""
    found = Axe().run(page, context=selector, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{rule['id']} ({rule['impact']}): {node['html'][:160]}" for rule in found for node in rule["nodes"]]

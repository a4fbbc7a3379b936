"""What the browser tests look at: a running JupyterLab and a page on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

PANEL = "#jupyter-deepresearch-panel"
ICON = '.jp-SideBar [data-id="jupyter-deepresearch-panel"]'


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path

    def page(self, path: str = "lab") -> str:
        """The address of `path` in a clean workspace, logged in."""
        return f"{self.url}{path}?reset&token={self.token}"


@dataclass
class Visit:
    """A page and what it complained about."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str | None] = field(default_factory=set)

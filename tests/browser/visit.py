"""What the browser tests look at: a running JupyterLab and a page on it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
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


def write_cells(path: Path, sources: Sequence[str]) -> None:
    """A notebook of code cells that are not run yet."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def get(lab: Lab, path: str) -> Any:
    """What the server answers, as JSON."""
    request = urllib.request.Request(lab.url + path, headers={"Authorization": f"token {lab.token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def project(lab: Lab) -> Any:
    """The status of the first project, None while there is none."""
    found = get(lab, "deepresearch/api/projects")
    return found[0] if found else None


def wait_for(what: str, happened: Callable[[], Any], seconds: float = 120) -> Any:
    """What ``happened`` answers once that is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = happened()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"not within {seconds:.0f} s: {what}")


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The bodies of a project's events of one kind, as the ledger has them."""
    with contextlib.closing(sqlite3.connect(folder / ".deepresearch" / "ledger.db")) as ledger:
        return [
            json.loads(body)
            for (body,) in ledger.execute("SELECT body FROM events WHERE kind = ? ORDER BY seq", (kind,))
        ]

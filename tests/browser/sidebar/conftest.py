"""A real JupyterLab with projects that have a past, and what a page is held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_deepresearch.service.registry import Registry
from tests.browser.conftest import end, prepare_lab, start_lab
from tests.browser.sidebar.past import STORY, Tried, write_past
from tests.browser.visit import ICON, PANEL, Lab

expect.set_options(timeout=30_000)  # two cores for a server, a browser, kernels


@dataclass(frozen=True)
class Research:
    """A running JupyterLab and what its server knows."""

    lab: Lab

    @property
    def registry(self) -> Registry:
        """The projects that this server knows."""
        folder = self.lab.root.parent / "jupyter_data_dir" / "jupyter_deepresearch"
        folder.mkdir(parents=True, exist_ok=True)
        return Registry(folder / "projects.json")

    def add(self, name: str, story: Sequence[Tried] = STORY) -> Path:
        """A project with this past, whose id is ``NAME-1``; its folder."""
        return write_past(self.lab.root, name, self.registry, story)

    def open(self, page: Page, project: str | None = None) -> Locator:
        """The sidebar on a fresh page, with the project of this name chosen."""
        if project is not None:  # as one that was chosen earlier: an only project has no list to choose it from
            page.add_init_script(f"localStorage.setItem('jupyter-deepresearch:project', '{project}-1')")
        page.goto(self.lab.page())
        page.locator(ICON).click()
        panel = page.locator(PANEL)
        expect(panel).to_be_visible()
        if project is not None:
            expect(panel.get_by_role("heading", name=project, exact=True)).to_be_visible()
        return panel


@pytest.fixture(scope="session")
def research(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Research]:
    """A JupyterLab for this worker's sidebar tests. Each test adds a project of its own."""
    lab = prepare_lab(tmp_path_factory.mktemp("sidebar"))
    process = start_lab(lab)
    try:
        yield Research(lab)
    finally:
        end(process)

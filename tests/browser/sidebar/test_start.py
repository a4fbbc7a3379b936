"""A research is begun from the file browser, by a form that says beside each field what is wrong with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.sidebar.axe import violations
from tests.browser.sidebar.conftest import Research
from tests.browser.sidebar.past import write_notebook
from tests.browser.visit import PANEL, Visit, events, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


def right_click(page: Page, notebook: str) -> Locator:
    """The form that "Research this notebook..." opens."""
    page.locator(".jp-DirListing-item", has_text=notebook).click(button="right")
    page.get_by_role("menuitem", name="Research this notebook...").click()
    form = page.get_by_role("dialog", name="Research this notebook")
    expect(form.get_by_label("Metric")).to_be_visible()
    return form


def test_a_right_click_asks_says_what_is_wrong_and_starts(research: Research, visit: Visit) -> None:
    folder = research.lab.root / "begun"
    folder.mkdir()
    write_notebook(folder / "train.ipynb")
    write_notebook(folder / "second.ipynb")
    page = visit.page
    page.goto(research.lab.page("lab/tree/begun"))

    form = right_click(page, "train.ipynb")
    metric, cycles, brief = (form.get_by_label(name, exact=True) for name in ("Metric", "Cycles", "Brief"))
    expect(form.get_by_label("Notebook")).to_have_value("begun/train.ipynb")
    expect(metric).to_have_value("val_accuracy")
    expect(form.get_by_label("Better is")).to_have_value("maximize")
    expect(form.get_by_text("Searched: lr: 0.0001..0.1 log")).to_be_visible()
    assert violations(page, ".jp-Dialog") == []

    metric.fill("")
    cycles.fill("many")
    brief.fill("x" * 3001)
    form.get_by_role("button", name="Start").click()
    expect(metric).to_be_focused()
    expect(metric).to_have_accessible_description(
        "Name the number that the notebook reports or prints, such as val_accuracy."
    )
    expect(cycles).to_have_accessible_description("A whole number, at least 0.")
    expect(brief).to_have_accessible_description("3001 characters; at most 3000. Move the rest to notes/*.md.")
    assert not (folder / ".deepresearch").exists()

    metric.fill("!")  # as only the server knows it to be wrong
    cycles.fill("0")
    brief.fill("Lift it <b>a little</b>.")
    form.get_by_label("Hypotheses", exact=True).select_option("wait for me")
    form.get_by_label("Run by themselves after (minutes)").fill("45")
    page.keyboard.press("Enter")
    expect(metric).to_be_focused()
    expect(metric).to_have_accessible_description(re.compile(r'found "!"; accepted: the name of a reported metric'))
    assert violations(page, ".jp-Dialog") == []

    page.keyboard.press("Escape")  # what was typed is still there
    form = right_click(page, "train.ipynb")
    expect(form.get_by_label("Brief")).to_have_value("Lift it <b>a little</b>.")
    form.get_by_label("Metric").fill("train_loss")
    expect(form.get_by_label("Better is")).to_have_value("minimize")
    page.keyboard.press("Enter")
    panel = page.locator(PANEL)
    expect(panel.get_by_role("heading", name="begun", exact=True)).to_be_visible()
    project = wait_for("the project's first event", lambda: events(folder, "opened"))[0]["project"]
    assert project["notebook"] == "train.ipynb"
    assert (project["objective"]["metric"], project["objective"]["direction"]) == ("train_loss", "minimize")
    assert project["approval"] == {"mode": "ask", "auto_after_minutes": 45}
    assert project["budget"]["cycles"] == 0
    assert (folder / "PROJECT_BRIEF.md").read_text() == "Lift it <b>a little</b>."
    assert all("400 (Bad Request)" in error for error in visit.errors)  # the browser's word on the refusal

    page.get_by_role("tab", name="File Browser").click()
    form = right_click(page, "train.ipynb")
    expect(form.get_by_text("This folder is a project already")).to_be_visible()
    expect(form.get_by_label("Cycles")).to_have_value("0")
    expect(form.get_by_label("Brief")).not_to_be_editable()
    page.keyboard.press("Escape")
    page.locator(".jp-DirListing-item", has_text="second.ipynb").click(button="right")
    page.get_by_role("menuitem", name="Research this notebook...").click()
    expect(form.get_by_label("Notebook", exact=True)).to_have_accessible_description(
        re.compile("begun there researches train.ipynb")
    )
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.keyboard.press("Control+Alt+R")
    expect(panel.get_by_role("heading", name="begun", exact=True)).to_be_visible()

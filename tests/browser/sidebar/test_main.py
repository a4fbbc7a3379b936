"""An experiment looked at in the main area."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.sidebar.axe import violations
from tests.browser.sidebar.conftest import Research
from tests.browser.visit import ICON, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


def show(page: Page, experiment: int, part: str | None = None, project: str = "looked-1") -> Locator:
    """What the command shows, as a menu would run it."""
    page.evaluate(
        "args => window.jupyterapp.commands.execute('deepresearch:show-experiment', args)",
        {"project": project, "experiment": experiment, "part": part},
    )
    return page.get_by_role("tabpanel", name=f"Experiment {experiment}", exact=True)


def test_an_experiment_in_the_main_area(research: Research, visit: Visit) -> None:
    research.add("looked")
    page = visit.page
    page.goto(research.lab.page())
    expect(page.locator(ICON)).to_be_visible()

    # What it came to, its curve over the champion's, its runs, its output.
    view = show(page, 3)
    expect(view.get_by_role("heading", level=2)).to_have_text("#3 tanh will smooth the loss")
    expect(view).to_contain_text("INCONCLUSIVE: 0.9604 against")
    expect(view).to_contain_text("grew from #2")
    curves = view.get_by_role("region", name="Curves")
    expect(curves).to_contain_text("champion #5")
    curves.get_by_label("Metric").select_option("train_loss")
    expect(curves.get_by_role("img", name="train_loss")).to_be_visible()
    runs = view.get_by_role("region", name="Runs").get_by_role("row")
    expect(runs).to_have_count(3)
    expect(runs.nth(1)).to_contain_text("first run, seed 1")
    expect(runs.nth(1)).to_contain_text("812 MB")
    expect(runs.nth(1).get_by_role("button", name="Open experiments/0003-idea.ipynb")).to_be_visible()
    expect(view.get_by_role("group", name="Output of run")).to_contain_text("epoch 8: loss 0.125")
    assert violations(page, ".jp-DeepResearch-main") == []

    # A failure says why; a text that looks like HTML is a text.
    expect(show(page, 6).get_by_role("region", name="Runs")).to_contain_text("the run ended diverged")
    expect(show(page, 10).get_by_role("heading", level=2)).to_contain_text("<img src=x onerror=alert(1)>")

    # Its change, against its parent and against the champion, in Jupyter's own editor.
    change = show(page, 13, "change").get_by_role("region", name="Change")
    before, after = (change.get_by_label(f"cell model, {side}") for side in ("before", "after"))
    expect(before).to_contain_text('return ("dense", width, act)')
    expect(after).to_contain_text('"dropout 0.5"')
    change = show(page, 3, "champion").get_by_role("region", name="Change")
    expect(change.get_by_label("Against")).to_have_value("champion")
    expect(change.get_by_label("cell train, before")).to_contain_text("clip = 1.0  # <b>bold</b>")
    assert violations(page, ".jp-DeepResearch-main") == []

    # Shown once, however often it is asked for, and again after a reload.
    expect(page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab").filter(has_text="Experiment 3")).to_have_count(1)
    page.wait_for_timeout(1500)  # JupyterLab saves its layout when it lies still for a second
    page.goto(f"{research.lab.url}lab?token={research.lab.token}")
    expect(page.get_by_role("tabpanel", name="Experiment 3", exact=True)).to_contain_text("tanh will smooth the loss")
    assert visit.errors == []


def test_an_experiment_beside_a_notebook_of_notebook_7(research: Research, visit: Visit) -> None:
    research.add("seven")
    page = visit.page
    page.goto(research.lab.page("notebooks/seven/train.ipynb"))
    expect(page.locator(".jp-Notebook")).to_be_visible()
    view = show(page, 5, project="seven-1")
    expect(view.get_by_role("heading", level=2)).to_contain_text("#5 Clip the gradient at 1.0")
    expect(view).to_be_in_viewport()
    expect(page.locator(".jp-Notebook")).to_be_visible()

"""What all projects do at a glance, and what one of them runs at this moment."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.sidebar import past
from tests.browser.sidebar.axe import violations
from tests.browser.sidebar.conftest import Research
from tests.browser.visit import ICON, PANEL, Lab, Visit, events, get, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

SLOW = """import time
from jupyter_deepresearch import report

model = build(width, act)
for epoch in range(400):
    print("epoch", epoch)
    report(step=epoch + 1, train_loss=1 / (epoch + 1), val_accuracy=0.98 - 0.5 / (epoch + 1))
    time.sleep(0.2)"""


def tell(lab: Lab, project: str, command: dict[str, Any]) -> None:
    body = json.dumps({**command, "command_id": f"{project}-{command}"}).encode()
    headers = {"Authorization": f"token {lab.token}", "Content-Type": "application/json"}
    address = f"{lab.url}deepresearch/api/projects/{project}/commands"
    urllib.request.urlopen(urllib.request.Request(address, data=body, headers=headers), timeout=30).close()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"))


def test_all_projects_at_a_glance(research: Research, visit: Visit) -> None:
    page, lab = visit.page, research.lab
    for number in range(9):
        research.add(f"glance{number}", past.STORY[:3])
    folder = research.add("glanced")
    tell(lab, "glanced-1", {"kind": "branch", "experiment": 2})
    panel = research.open(page, "glance0")

    waiting = sum(len(row["waiting"]) for row in get(lab, "deepresearch/api/overview"))
    expect(page.locator(f"{ICON}[data-deepresearch-waiting='{waiting}']")).to_be_visible()
    expect(page.get_by_role("tab", name=f"Deep Research ({waiting} waiting for you)", exact=True)).to_be_visible()
    status_item = page.get_by_role("button", name=re.compile("Deep Research, .*waiting"))
    expect(status_item).to_be_visible()
    notice = page.locator(".Toastify__toast").filter(has_text="glanced: 2 hypotheses are waiting for you (#12, #13)")
    notice.get_by_role("button", name="Show").click()
    expect(panel.get_by_role("button", name="Waiting for you", exact=True)).to_be_focused()
    header = panel.get_by_role("group", name="Project glanced", exact=True)
    expect(header).to_contain_text("12/50")
    expect(header).to_contain_text("0.9822 ±0.0019")
    expect(header).to_contain_text("3 seeds, baseline +0.041")
    expect(header.get_by_role("img")).to_have_attribute("aria-label", re.compile("val_accuracy of the latest 14"))
    expect(notice).to_have_count(0)

    expect(header).to_contain_text("New hypotheses grow from experiment #2")
    again = header.get_by_role("button", name="Grow from the champion again")
    again.focus()
    again.press("Enter")
    expect(again).to_have_count(0)
    assert [event["experiment"] for event in events(folder, "branch")][-1] is None
    assert focused(page) == "Project glanced"

    panel.get_by_role("button", name="Later: hypothesis 12").click()
    expect(page.locator(f"{ICON}[data-deepresearch-waiting='{waiting - 1}']")).to_be_visible()
    panel.get_by_role("button", name="Later: hypothesis 13").click()
    expect(page.get_by_role("button", name="Deep Research, glanced: 1 hypothesis waiting")).to_have_count(0)

    choose_by_keyboard(page, panel)
    assert violations(page, PANEL) == []
    assert visit.errors == []

    page.route("**/deepresearch/api/gpus*", lambda route: route.fulfill(json=[{"index": 0}]))
    panel.get_by_role("button", name="GPUs", exact=True).click()
    expect(panel.get_by_role("region", name="GPUs")).to_contain_text("This part cannot be shown")
    expect(panel.get_by_role("heading", name="Experiments")).to_be_visible()


def choose_by_keyboard(page: Page, panel: Locator) -> None:
    """Search for projects, go down their list, choose one."""
    search = panel.get_by_role("searchbox", name="Search the projects")
    search.fill("no such project")
    expect(panel.get_by_text("No project has all of these words.")).to_be_visible()
    search.fill("GLANCE VAL_")  # each word anywhere, in any case
    expect(panel.get_by_text(re.compile(r"^\d+ projects$"))).to_be_visible()
    rows = panel.get_by_role("list", name="Projects")
    expect(rows.get_by_role("button", name="glanced, 2 hypotheses waiting for you")).to_be_visible()
    rows.get_by_role("button").first.focus()
    page.keyboard.press("ArrowDown")
    chosen = focused(page).split(",")[0]
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name=chosen, exact=True)).to_be_visible()
    expect(rows.locator("[aria-current]")).to_have_count(1)


def test_what_runs_now(research: Research, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    page, lab = visit.page, research.lab
    monkeypatch.setattr(past, "TRAIN", SLOW)
    folder = research.add("live")
    panel = research.open(page, "live")
    header = panel.get_by_role("group", name="Project live", exact=True)
    expect(panel).to_contain_text("Nothing runs: press Resume to go on.")
    header.get_by_role("button", name="Resume live").click()
    expect(header.get_by_role("status")).to_have_text(re.compile("waiting for you"))
    tell(lab, "live-1", {"kind": "approve", "hypothesis": 12})

    run = panel.get_by_role("article", name="Experiment 12, seed 1")
    expect(run).to_contain_text("A cosine schedule will cut the loss spike")
    expect(
        run.get_by_role("img", name=re.compile(r"val_accuracy by step: champion #5 0\.\d+; now 0\.\d+"))
    ).to_be_visible()
    expect(run).to_contain_text(re.compile(r"seed 1, step \d+"))
    expect(run).to_contain_text(re.compile(r"CPU \d+ % · memory [\d.]+ MB"))
    run.get_by_role("combobox").select_option("train_loss")
    expect(run.get_by_role("img", name=re.compile("train_loss by step"))).to_be_visible()
    run.get_by_role("button", name="Output of experiment 12").click()
    expect(run.get_by_role("region", name="Output of experiment 12")).to_contain_text("epoch 3")
    assert violations(page, PANEL) == []

    header.get_by_role("button", name="Pause live").press("Enter")
    expect(header).to_contain_text("Paused by you; 1 live run")
    header.get_by_role("button", name="Stop live").press("Enter")
    expect(header).to_contain_text("Stop, and end 1 live run?")
    header.get_by_role("button", name="Keep").press("Enter")
    assert focused(page) == "Stop live"
    assert events(folder, "stop") == []
    header.get_by_role("button", name="Stop live").press("Enter")
    header.get_by_role("group").get_by_role("button", name="Stop", exact=True).press("Enter")
    expect(header.get_by_role("status")).to_have_text(re.compile("stopped"))
    expect(run).to_have_count(0)
    wait_for("the live run's end", lambda: len(events(folder, "ended")) == len(events(folder, "planned")), 30)

    header.get_by_role("button", name="Resume live").click()
    run.get_by_role("button", name="Cancel experiment 12, seed 1").press("Enter")
    run.get_by_role("button", name="Cancel the run").press("Enter")
    expect(run).to_have_count(0)
    assert focused(page) == "Live runs"
    assert [event["run"] for event in events(folder, "cancel")] == ["0012-candidate-seed-1-attempt-2"]
    # The past ends with a pause of its own.
    assert [len(events(folder, kind)) for kind in ("pause", "stop", "resume")] == [2, 1, 2]
    assert visit.errors == []

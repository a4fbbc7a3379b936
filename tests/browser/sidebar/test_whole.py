"""A research steered from the sidebar alone: from a right-click to a server that goes away under the page."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_deepresearch.testing import MessagesServer
from tests.browser.conftest import end, prepare_lab, start_lab
from tests.browser.visit import PANEL, Lab, Visit, events, wait_for
from tests.claude.mind import Mind
from tests.claude.world import LEADER, code, parameters, patch
from tests.small_project import write_project

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

KEY = "the-key-of-this-test"
WHY_NOT = "width was tried in the spring; <b>never</b> again"
PLANS = (
    code("Halving the distance tells more", "halve it"),
    parameters("x = 5 is nearer", x=5.0),
    parameters("x = 2.5 is nearer", x=2.5),
    parameters("x = 3.5 is nearer", x=3.5),
)
TOML = """[trust]
seeds = 1
[launcher]
gpus = "none"
[researcher]
kind = "claude"
base_url = "{url}/v1/"
leader_model = "{model}"
price = {{input = 0.1, output = 0.5}}
"""


@dataclass(frozen=True)
class Started:
    """A JupyterLab over a folder that is no project yet, the processes that it ran in, and who will think."""

    lab: Lab
    folder: Path
    mind: Mind
    processes: list[subprocess.Popen[bytes]]

    def restart(self) -> None:
        """Another server at the same address."""
        self.processes.append(start_lab(self.lab, ANTHROPIC_API_KEY=KEY))


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    lab = prepare_lab(tmp_path)
    folder = write_project(lab.root / "steered", pause=0.3)
    training = nbformat.read(folder / "train.ipynb", as_version=4).cells[1].id
    edit = patch("abs(x - 3) / step", "abs(x - 3) / step / 2", f"cell {training}")
    mind = Mind(PLANS, (edit,))
    with MessagesServer(mind, key=KEY) as server:
        (folder / "deepresearch.toml").write_text(TOML.format(url=server.base_url, model=LEADER))
        started = Started(lab, folder, mind, [])
        started.restart()
        try:
            yield started
        finally:
            end(started.processes[-1])


def card(panel: Locator, number: int) -> Locator:
    """The card of a waiting hypothesis."""
    return panel.locator(".jp-DeepResearch-card").filter(has_text=f"#{number} ")


def start_by_right_click(page: Page) -> Locator:
    """The sidebar, after the form was sent."""
    page.locator(".jp-DirListing-item", has_text="train.ipynb").click(button="right")
    page.get_by_role("menuitem", name="Research this notebook...").click()
    form = page.get_by_role("dialog", name="Research this notebook")
    expect(form.get_by_label("Metric")).to_have_value("score")
    form.get_by_label("Hypotheses", exact=True).select_option("wait for me")
    form.get_by_label("Cycles", exact=True).fill("4")
    form.get_by_role("button", name="Start").click()
    return page.locator(PANEL)


def test_a_research_is_steered_from_the_sidebar(started: Started, visit: Visit) -> None:
    folder, mind, page = started.folder, started.mind, visit.page
    page.goto(started.lab.page("lab/tree/steered"))
    panel = start_by_right_click(page)
    expect(panel.get_by_role("heading", name="steered", exact=True)).to_be_visible()

    # The first hypothesis, with its change as a diff, is edited and approved as edited.
    first = card(panel, 1)
    expect(first).to_contain_text("Halving the distance tells more")
    expect(first).to_contain_text("/ step / 2")
    first.get_by_role("button", name="Edit hypothesis 1").click()
    first.get_by_label("Claim").fill("Halving the distance tells as much")
    first.get_by_role("button", name="Approve as edited").click()
    (edit,) = wait_for("the edit in the ledger", lambda: events(folder, "edit"))
    assert edit["experiment"]["hypothesis"]["claim"] == "Halving the distance tells as much"
    (approval,) = wait_for("the approval in the ledger", lambda: events(folder, "approve"))
    assert (approval["hypothesis"], approval["by"]) == (1, "person")

    # The second is rejected with a reason, which the next THINK is told.
    second = card(panel, 2)
    second.get_by_role("button", name="Reject hypothesis 2").click()
    second.get_by_label("Why not?").fill(WHY_NOT)
    second.get_by_role("group").get_by_role("button", name="Reject hypothesis 2").click()
    (rejection,) = wait_for("the rejection in the ledger", lambda: events(folder, "reject"))
    assert (rejection["hypothesis"], rejection["reason"]) == (2, WHY_NOT)
    expect(card(panel, 3)).to_contain_text("x = 2.5 is nearer")
    third_plan = mind.of("plan")[2]
    assert "width was tried in the spring" in str(third_plan.body)
    assert "width was tried in the spring" not in str(mind.of("plan")[1].body)

    # The executed notebook is opened from the history, and the change is looked at beside it.
    (done,) = wait_for("the first verdict", lambda: [e for e in events(folder, "judged") if e["experiment"] == 1])
    row = panel.get_by_role("list", name="Experiments").get_by_role("listitem").filter(has_text="#1 ")
    row.get_by_role("button", name="Halving the distance").click()
    expect(page.get_by_role("tab", name=Path(done["notebook"]).name)).to_be_visible()
    expect(page.locator(".jp-NotebookPanel .jp-OutputArea-output").first).to_contain_text("step")
    row.get_by_role("button", name="Actions for experiment 1").click()
    page.get_by_role("menuitem", name="Diff to the Parent").click()
    change = page.get_by_role("tabpanel", name="Experiment 1").get_by_role("region", name="Change")
    expect(change.locator(".cm-merge-b")).to_contain_text("/ step / 2")

    # The server goes away: what is told meanwhile is kept, and told once when it is back. JupyterLab asks and complains
    # in dialogs of its own, sooner or later: of an open notebook, of its lost server.
    page.add_locator_handler(page.locator(".jp-Dialog").first, close, no_wait_after=True)
    page.evaluate("jupyterapp.commands.execute('application:close-all')")
    expect(page.locator(".jp-NotebookPanel")).to_have_count(0)
    started.processes[0].kill()
    started.processes[0].wait(timeout=20)
    panel.get_by_label("Tell the researcher").fill("stay below x = 3")
    panel.get_by_role("button", name="Send the directive").click()
    expect(panel.get_by_text("Reconnecting")).to_be_visible()
    started.restart()
    (directive,) = wait_for("the directive in the ledger", lambda: events(folder, "directive"))
    assert directive["text"] == "stay below x = 3"
    expect(panel.get_by_text("Reconnecting")).to_have_count(0)
    card(panel, 3).get_by_role("button", name="Approve hypothesis 3").click()
    wait_for("the third hypothesis' approval", lambda: len(events(folder, "approve")) == 2)
    expect(card(panel, 4)).to_contain_text("x = 3.5 is nearer")
    expect(panel.get_by_role("list", name="Experiments")).to_contain_text("x = 2.5 is nearer")
    assert [len(events(folder, kind)) for kind in ("edit", "approve", "reject", "directive")] == [1, 2, 1, 1]
    assert visit.hosts <= {"127.0.0.1", None}


def close(dialog: Locator) -> None:
    """Close a question of JupyterLab's, whichever it is, by the button that changes nothing on disk."""
    discard = dialog.get_by_role("button", name="Discard")
    others = dialog.locator("button.jp-mod-reject, button.jp-mod-accept")
    (discard if discard.count() else others.first).click()

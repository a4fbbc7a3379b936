"""The panel in a real notebook: seen, pressed, and still there after what happens to kernels and pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import end, prepare_lab, start_lab
from tests.browser.visit import Lab, Visit, events, get, wait_for, write_cells

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

PARAMETERS = "lr = 0.1  # sweep: 0.001..1.0 log\nseed = 1"
TRAINING = """import time
from jupyter_deepresearch import report
for step in range(12):
    time.sleep(0.25)
    report(step=step, score=(1 - abs(lr - 0.3)) * (1 - 0.5 ** step))"""
CONFIG = '[objective]\nmetric = "score"\n[trust]\nseeds = 2\n[launcher]\ngpus = "none"\n'
expect.set_options(timeout=30_000)  # two cores for a server, a browser, kernels
# What the pages say of themselves without anything of ours on them.
THEIRS = re.compile(r"reading 'schema'|status of 403|fonts?/|filebrowser:open-path", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab for projects of this module's own."""
    lab = prepare_lab(tmp_path_factory.mktemp("panel"))
    process = start_lab(lab)
    try:
        yield lab
    finally:
        end(process)


def write_project(lab: Lab, name: str) -> Path:
    """A project whose runs take three seconds, and a notebook that starts it."""
    folder = lab.root / name
    folder.mkdir()
    cells = [nbformat.v4.new_code_cell(PARAMETERS), nbformat.v4.new_code_cell(TRAINING)]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "train.ipynb")
    (folder / "deepresearch.toml").write_text(CONFIG)
    start = ("%load_ext jupyter_deepresearch", f"%deepresearch start {name} --approval ask --cycles 6")
    write_cells(lab.root / f"{name}.ipynb", start)
    return folder


def open_notebook(visit: Visit, lab: Lab, path: str) -> Locator:
    """The notebook opened and run; its panel."""
    page = visit.page
    page.goto(f"{lab.url}{path}?token={lab.token}")
    expect(page.locator(".jp-Notebook")).to_be_visible()
    wait_for_idle_kernel(page, lab, Path(path).name)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    panel = page.locator(".dr-panel")
    expect(panel).to_be_visible()
    return panel


def wait_for_idle_kernel(page: Page, lab: Lab, notebook: str) -> None:
    """The page shows a notebook's kernel as idle before it has one, and then asks which one to take."""

    def is_idle() -> bool:
        sessions = {session["path"]: session["kernel"]["execution_state"] for session in get(lab, "api/sessions")}
        return sessions.get(notebook) == "idle"

    wait_for(f"the kernel of {notebook}", is_idle)
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first).to_be_visible()


def restart_kernel(page: Page) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator('.lm-Menu-item[data-command="kernelmenu:restart"]').click()
    page.locator(".jp-Dialog .jp-mod-accept").click()


def test_the_panel_lives_with_the_research(server: Lab, visit: Visit) -> None:
    folder, page = write_project(server, "steps"), visit.page
    panel = open_notebook(visit, server, "lab/tree/steps.ipynb")

    # Updates are seen while an experiment runs, and the static table is out of sight.
    run = panel.get_by_role("article", name="#0 baseline, seed 1")
    expect(run).to_contain_text("step")
    first = run.inner_text()
    expect(run).not_to_have_text(first)
    expect(run).to_contain_text("CPU")
    expect(page.locator(".dr-static").first).to_be_hidden()

    # Approved by keyboard alone, and told what to do.
    approve = panel.get_by_role("button", name="Approve hypothesis 1")
    approve.focus()
    page.keyboard.press("Enter")
    wait_for("the approval in the ledger", lambda: events(folder, "approve"))
    panel.get_by_label("Directive: tell the researcher").fill("stay <b>above</b> 0.01")
    panel.get_by_role("button", name="Send").click()
    (directive,) = wait_for("the directive in the ledger", lambda: events(folder, "directive"))
    assert directive["text"] == "stay <b>above</b> 0.01"

    # The picture tells by keyboard what each experiment was.
    panel.locator(".dr-picture-section [tabindex='0']").first.focus()
    page.keyboard.press("Home")
    expect(panel.locator(".dr-picture-section")).to_contain_text("#0 BASELINE")

    # A busy kernel stops neither the research nor the panel.
    page.locator(".jp-Notebook").press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.type("import time; time.sleep(25)")
    page.keyboard.press("Shift+Enter")
    panel.get_by_role("button", name="Approve hypothesis 2").click()
    wait_for("the second approval, of a busy kernel", lambda: len(events(folder, "approve")) == 2)
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').first).to_be_visible()

    # A new kernel shows it again.
    restart_kernel(page)
    page.evaluate("document.querySelector('.dr-panel').classList.add('before')")
    wait_for_idle_kernel(page, server, "steps.ipynb")
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    panel = page.locator(".dr-panel:not(.before)")
    panel.get_by_role("button", name="Pause").click()
    expect(panel.get_by_role("button", name="Resume")).to_be_visible()
    assert events(folder, "pause")

    # So does a page that is loaded anew, of the notebook as it was saved.
    page.keyboard.press("Control+s")
    wait_for("the saved notebook", lambda: "dr-static" in (server.root / "steps.ipynb").read_text())
    exported, _ = HTMLExporter().from_filename(str(server.root / "steps.ipynb"))
    assert re.search(r'class="dr-static".*<table.*BASELINE', exported, re.DOTALL)
    page.reload()
    panel = page.locator(".dr-panel")
    expect(panel).to_contain_text("paused")
    panel.get_by_role("button", name="Resume").click()
    wait_for("the project resumed", lambda: events(folder, "resume"))
    expect(panel.get_by_role("button", name="Pause")).to_be_visible()
    assert [error for error in visit.errors if not THEIRS.search(error)] == []
    assert visit.hosts <= {"127.0.0.1", None}


def test_the_panel_in_notebook_7(server: Lab, visit: Visit) -> None:
    folder = write_project(server, "seven")
    panel = open_notebook(visit, server, "notebooks/seven.ipynb")
    approve = panel.get_by_role("button", name="Approve hypothesis 1")
    approve.click()
    wait_for("the approval in the ledger", lambda: events(folder, "approve"))
    expect(panel.get_by_role("table").first).to_contain_text("BASELINE")
    assert [error for error in visit.errors if not THEIRS.search(error)] == []

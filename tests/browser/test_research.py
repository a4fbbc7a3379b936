"""The promise of the product, in a real JupyterLab: research started in a notebook outlives everything around it."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import end, prepare_lab, start_lab
from tests.browser.visit import ICON, PANEL, Lab, events, get, project, wait_for, write_cells

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

CYCLES = 3
START = ("%load_ext jupyter_deepresearch", f"%deepresearch start digits --cycles {CYCLES}")


@pytest.fixture
def started(tmp_path: Path, repository: Path) -> Iterator[tuple[Lab, list[subprocess.Popen[bytes]]]]:
    """A JupyterLab over a copy of the digits project and a notebook that starts it."""
    lab = prepare_lab(tmp_path)
    source = repository / "example_notebooks" / "digits"
    (lab.root / "digits").mkdir()
    for name in ("train.ipynb", "deepresearch.toml", "PROJECT_BRIEF.md"):
        shutil.copy(source / name, lab.root / "digits" / name)
    write_cells(lab.root / "start.ipynb", START)
    processes = [start_lab(lab)]
    try:
        yield lab, processes
    finally:
        end(processes[-1])


def test_research_outlives_kernel_browser_and_server(
    started: tuple[Lab, list[subprocess.Popen[bytes]]], browser: Browser
) -> None:
    lab, processes = started
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{lab.url}lab/tree/start.ipynb?token={lab.token}")
    expect(page.locator(".jp-NotebookPanel")).to_be_visible()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle").first).to_be_visible()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(page.locator(".jp-OutputArea-output").filter(has_text="digits").first).to_be_visible()
    wait_for("the baseline runs", lambda: project(lab) and project(lab)["running"])
    page.locator(ICON).click()
    expect(page.locator(PANEL).get_by_role("group", name="Project digits")).to_contain_text("running")

    kernel = get(lab, "api/kernels")[0]["id"]
    restart = urllib.request.Request(
        f"{lab.url}api/kernels/{kernel}/restart", data=b"", headers={"Authorization": f"token {lab.token}"}
    )
    urllib.request.urlopen(restart, timeout=30).close()
    page.close()
    wait_for("the first verdict after the kernel's restart", lambda: project(lab)["champion"])

    running = wait_for("a run to interrupt", lambda: project(lab)["running"])[0]["run"]
    processes[0].kill()
    processes[0].wait(timeout=20)
    processes.append(start_lab(lab))
    status = wait_for("the end after the server's kill", lambda: (s := project(lab))["state"] == "finished" and s)

    assert (status["stop_reason"], status["cycle"]) == ("cycles", CYCLES)
    ends = [event["outcome"]["run"] for event in events(lab.root / "digits", "ended")]
    planned = [event["run"] for event in events(lab.root / "digits", "planned")]
    assert running in ends
    assert len(ends) == len(set(ends)) == len(planned)
    assert all(event["outcome"]["state"] == "succeeded" for event in events(lab.root / "digits", "ended"))
    assert len(list((lab.root / "digits" / "experiments").glob("*.ipynb"))) == len(ends)

"""A real JupyterLab on the loopback interface and a real Chromium that looks at it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import Lab, Visit

START_S = 60
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # a browser refuses the network as tests do
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{lab.url}api/status?token={lab.token}", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not come up within {START_S} s:\n{log.read_text()}")


def prepare_lab(folder: Path) -> Lab:
    """An address, a token and folders for a JupyterLab that is not started yet."""
    (folder / "root").mkdir()
    settings = folder / "jupyter_config_dir" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    # JupyterLab's question about news would lie over the page.
    settings.write_text('{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}')
    return Lab(f"http://127.0.0.1:{free_port()}/", secrets.token_hex(16), folder / "root")


def start_lab(lab: Lab, **variables: str) -> subprocess.Popen[bytes]:
    """JupyterLab of this environment in a process of its own, once it answers; these environment variables besides."""
    folder = lab.root.parent
    environment = {**os.environ, "JUPYTER_TOKEN": lab.token, "HOME": str(folder), **variables}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        environment[name] = str(folder / name.lower())
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={urlsplit(lab.url).port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={lab.root}"]
    # Nothing looks outside: neither for news nor for a newer JupyterLab.
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    # For commands that no test need click its way to: a theme.
    command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    log = folder / "lab.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    wait_until_up(lab, process, log)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """A process that this module started, gone for certain."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab without projects, with folders of its own, stopped at the end."""
    lab = prepare_lab(tmp_path_factory.mktemp("lab"))
    process = start_lab(lab)
    try:
        yield lab
    finally:
        end(process)


@pytest.fixture
def jp_asyncio_loop() -> None:
    """None: pytest-jupyter makes a loop for every test and closes it at its end, and here Playwright's runs."""


@pytest.fixture
def jp_server_cleanup() -> None:
    """Nothing either: it cleans up on that loop after servers in this process, and here they have their own."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium of the system's. On CI it has to be there.

    One for each module: Playwright keeps the thread's event loop running, which tests outside this folder could not
    bear, nor ``asyncio.run`` within.
    """
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        reason = "no Chromium on this machine (on Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """An empty page that remembers its complaints and where it asked."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    visit = Visit(context.new_page())
    visit.page.set_default_timeout(30_000)
    visit.page.on("console", lambda said: visit.errors.append(said.text) if said.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).hostname))
    try:
        yield visit
    finally:
        context.close()

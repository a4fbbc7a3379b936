"""A real JupyterLab in a real Chromium, and what its page says of the time that the sidebar takes."""

import contextlib
import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_deepresearch.jupyter.extension import CHANGED
from jupyter_deepresearch.jupyter.servers import Server

from .painting import chromium
from .servers import jupyter_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PANEL = "#jupyter-deepresearch-panel"
_ICON = '.jp-SideBar [data-id="jupyter-deepresearch-panel"]'
_KEPT = "jupyter-deepresearch:"
_PROGRAM = (
    "jupyterlab",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
_NO_NEWS = '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}'
_SETTLED_MS = 3000  # so long after JupyterLab stands, the plugins that come last have come too
_TIMEOUT_MS = 60_000
_SCRIPT = """
window.bench = (() => {
  performance.setResourceTimingBufferSize(20000);
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const all = (selector) => [...document.querySelectorAll(`#jupyter-deepresearch-panel ${selector}`)];
  const inSight = (list) => {
    const { top, bottom } = list.getBoundingClientRect();
    return [...list.querySelectorAll('.jp-DeepResearch-row')].filter((row) => {
      const at = row.getBoundingClientRect();
      return at.bottom > top && at.top < bottom;
    });
  };
  const conditions = {
    there: () => document.querySelector('#jupyter-deepresearch-panel') !== null,
    // The list and the header of the project that is shown.
    listed: () => all('.jp-DeepResearch-project').length > 0 && all('.jp-DeepResearch-header h3').length > 0,
    // Every row of a long history that is in sight, with its claim.
    told: () => all('.jp-DeepResearch-experiments .jp-DeepResearch-list').some((list) => {
      const rows = inSight(list);
      const claims = rows.map((row) => row.querySelector('.jp-DeepResearch-claim > span:last-child'));
      const isLong = Number(rows[0]?.getAttribute('aria-setsize')) > 20;
      return isLong && claims.every((claim) => claim && claim.textContent !== '…');
    }),
  };
  // When the frame with it was painted, on the page's clock.
  const until = async (name) => {
    const began = performance.now();
    do await frame(); while (!conditions[name]() && performance.now() - began < 60000);
    if (!conditions[name]()) throw new Error(`not ${name} within a minute`);
    return performance.now();
  };
  // The first thing that is pressed starts the clock.
  const press = (names) => {
    bench.took = new Promise((done) => document.addEventListener('pointerdown', () => {
      const began = performance.now();
      done(Promise.all(names.map(async (name) => (await until(name)) - began)));
    }, { capture: true, once: true }));
  };
  const asked = () => performance.getEntriesByType('resource')
    .filter((one) => one.name.includes('/deepresearch/api/'))
    .map((one) => [one.name.split('/deepresearch/api/')[1], one.decodedBodySize, one.startTime]);
  // The milliseconds from frame to frame while a list moves: by little steps, then over the whole of it.
  const scroll = async (selector, steps, pixels, jumps) => {
    const [list] = all(selector);
    list.scrollIntoView({ block: 'center' });
    const times = [];
    let rows = 0;
    let last = await new Promise(requestAnimationFrame);
    const move = async (top) => {
      list.scrollTop = top;
      const now = await new Promise(requestAnimationFrame);
      times.push(now - last);
      rows = Math.max(rows, list.querySelectorAll('.jp-DeepResearch-row').length);
      last = now;
    };
    for (let step = 1; step <= steps; step++) await move(pixels * step);
    for (let jump = 1; jump <= jumps; jump++) await move(((jump * 37) % jumps) / jumps * list.scrollHeight);
    return [times, rows];
  };
  // Milliseconds from a far jump to the frame with the rows there, whole.
  const jump = async (share) => {
    const [list] = all('.jp-DeepResearch-experiments .jp-DeepResearch-list');
    const began = performance.now();
    list.scrollTop = share * list.scrollHeight;
    await frame();
    return (await until('told')) - began;
  };
  const hide = (isHidden) => {
    Object.defineProperty(document, 'visibilityState', { value: isHidden ? 'hidden' : 'visible', configurable: true });
    Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };
  return { until, press, asked, scroll, jump, hide };
})();
bench.seen = Promise.all(['there', 'listed', 'told'].map((name) => bench.until(name)));
"""


@dataclass(frozen=True)
class Asked:
    """One request of the sidebar: what follows the routes' prefix, the answer's bytes, when on the page's clock."""

    path: str
    size: int
    at_ms: float


@dataclass(frozen=True)
class LabPage:
    """One JupyterLab page whose project, and whose way to show a history, were chosen earlier."""

    page: "Page"
    session: Any  # Chromium's own protocol, on which the page's clock of work runs from the start

    def press(self, selector: str, *conditions: str) -> list[float]:
        """Click on it; seconds until the frames in which each condition held."""
        self.page.evaluate("(names) => bench.press(names)", list(conditions))
        self.page.locator(selector).first.click()
        took: list[float] = self.page.evaluate("bench.took")
        return [ms / 1000 for ms in took]

    def open(self, *conditions: str) -> list[float]:
        """Click on the sidebar's icon; seconds until the frames in which each condition held."""
        return self.press(_ICON, *conditions)

    def seen(self) -> list[float]:
        """Seconds from the navigation to the frames with the panel, with the list, with the history's first rows."""
        seen: list[float] = self.page.evaluate("bench.seen")
        return [ms / 1000 for ms in seen]

    def asked(self) -> list[Asked]:
        """What the sidebar has asked for since the last time."""
        found = [Asked(*one) for one in self.page.evaluate("bench.asked()")]
        self.page.evaluate("performance.clearResourceTimings()")
        return found

    def scroll(self, selector: str) -> tuple[list[float], int]:
        """Move a list as a wheel does, then from place to place: seconds between frames, and its rows in the page."""
        times, rows = self.page.evaluate("(list) => bench.scroll(list, 120, 80, 60)", selector)
        return [ms / 1000 for ms in times], int(rows)

    def jump(self, share: float) -> float:
        """Seconds from a jump in the history to its rows there, with their claims."""
        return float(self.page.evaluate("(share) => bench.jump(share)", share)) / 1000

    def hide(self, is_hidden: bool) -> None:
        """As if another tab lay before this one."""
        self.page.evaluate("(isHidden) => bench.hide(isHidden)", is_hidden)

    def busy_s(self) -> float:
        """Seconds that the page's main thread has been at work so far."""
        found = self.session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab, and a browser to look at it with."""

    server: Server
    browser: "Browser"

    @contextlib.contextmanager
    def page(self, project: str, view: str = "tree", workspace: str | None = None) -> Iterator[LabPage]:
        """A fresh page in a browser profile of its own, JupyterLab up. In a clean workspace the sidebar is closed."""
        context = self.browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(_TIMEOUT_MS)
        kept = {f"{_KEPT}project": project, f"{_KEPT}experiments:view": view}
        lines = [f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)});" for name, value in kept.items()]
        try:
            context.add_init_script("\n".join([*lines, _SCRIPT]))
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Performance.enable")
            where = "lab?reset&" if workspace is None else f"lab/workspaces/{workspace}?"
            page.goto(f"{self.server.url}{where}token={self.server.token}")
            page.locator(_ICON).wait_for()
            page.wait_for_timeout(_SETTLED_MS)
            yield LabPage(page, session)
        finally:
            context.close()

    def announce(self, change: Mapping[str, str | int]) -> None:
        """Say on the event bus that a project has changed, as the server does. Raises HTTPError, URLError."""
        body = {"schema_id": CHANGED, "version": "1", "data": change}
        headers = {"Authorization": f"token {self.server.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.server.url}api/events", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30):
            pass

    def keep_open(self, project: str, workspace: str) -> None:
        """A workspace in which the sidebar is open, saved by JupyterLab itself."""
        with self.page(project, workspace=workspace) as opened:
            with opened.page.expect_response(lambda answer: _is_saving(answer.request.method, answer.url)):
                opened.open("listed")
            opened.page.wait_for_timeout(_SETTLED_MS)


def _is_saving(method: str, url: str) -> bool:
    return method == "PUT" and "/api/workspaces/" in url


@contextlib.contextmanager
def jupyter_lab(root: Path) -> Iterator[Lab | None]:
    """JupyterLab on ``root`` and a browser; None where there is no Chromium or no Playwright to drive it."""
    settings = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_NO_NEWS)
    with chromium() as browser:
        if browser is None:
            yield None
            return
        with jupyter_server(root, "api/status", _PROGRAM) as server:
            yield Lab(server, browser)

"""The panel's own script on a bare page of a real Chromium, told what a real kernel said: how soon it is seen."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .viewing import Said, dumped

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--no-proxy-server")
_TIMEOUT_MS = 300_000
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>panel</title></head>
<body><div id="view" style="width: 1000px"></div></body></html>"""
_SCRIPT = """
window.bench = (() => {
  const viewOf = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const revived = (value) => (value?.base64 === undefined ? value : viewOf(value.base64));
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const traits = {};
  let listeners = [];
  const trigger = (name, ...rest) => listeners.forEach((one) => one[0] === name && one[1](...rest));
  const model = {
    get: (name) => traits[name],
    set: (name, value) => (traits[name] = value),
    save_changes: () => {},
    send: () => {},
    on: (name, callback) => listeners.push([name, callback]),
    off: (name, callback) => (listeners = listeners.filter((one) => one[0] !== name || one[1] !== callback)),
  };
  const take = (state) => {
    for (const [name, value] of Object.entries(state)) {
      traits[name] = revived(value);
      trigger(`change:${name}`, model, traits[name]);
    }
  };
  const drawn = () => [...document.querySelectorAll("svg path")].reduce((sum, path) => sum + marks(path), 0);
  const marks = (path) => (path.getAttribute("d") ?? "").length / 5;
  // Milliseconds from a script that is only text to the frame in which all points can be seen.
  const paint = async (state, points) => {
    take(JSON.parse(state)[0].state);
    const began = performance.now();
    const module = await import(URL.createObjectURL(new Blob([traits._esm], { type: "text/javascript" })));
    const style = document.head.appendChild(document.createElement("style"));
    style.textContent = traits._css;
    await module.default.render({ model, el: document.getElementById("view") });
    do await frame(); while (drawn() < points && performance.now() - began < 20000);
    return drawn() < points ? null : performance.now() - began;
  };
  // One message after another, each seen; points are always the next ones, whatever seq they were sent with.
  let seq = 1e12;
  const hear = async (said) => {
    const began = performance.now();
    for (const one of said) {
      if (one.state) take(one.state);
      else if (one.content.kind === "points") {
        trigger("msg:custom", { ...one.content, after: seq, seq: ++seq }, one.buffers.map(revived));
      }
    }
    const took = performance.now() - began;
    await frame();
    return took;
  };
  return { paint, hear };
})();
"""


@dataclass(frozen=True)
class Held:
    """What the page holds after a collection of garbage: bytes of the script's heap, nodes, listeners."""

    heap_bytes: int
    nodes: int
    listeners: int


@dataclass
class Painting:
    """One view of a panel on a page."""

    page: "Page"
    errors: list[str]

    def paint(self, opened: Said, points: int) -> float:
        """Show it; seconds from the script's text to the frame with so many points. Raises RuntimeError without it."""
        took = self.page.evaluate("([state, points]) => bench.paint(state, points)", [dumped([opened]), points])
        if took is None or self.errors:
            raise RuntimeError(
                f"the picture was not drawn; the page complains: {'; '.join(self.errors) or 'of nothing'}"
            )
        return float(took) / 1000

    def hear(self, updates: list[list[Said]], times: int) -> float:
        """Let it hear these updates in turn, so many in all; seconds of its script for one, on average."""
        script = """async ([updates, times]) => {
          const parsed = updates.map((text) => JSON.parse(text));
          let took = 0;
          for (let number = 0; number < times; number++) took += await bench.hear(parsed[number % parsed.length]);
          return took / times;
        }"""
        took: float = self.page.evaluate(script, [list(map(dumped, updates)), times])
        if self.errors:
            raise RuntimeError(f"the panel complains: {'; '.join(self.errors[:3])}")
        return took / 1000

    def held(self) -> Held:
        """What it holds now."""
        session: Any = self.page.context.new_cdp_session(self.page)
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        counted = session.send("Memory.getDOMCounters")
        session.detach()
        return Held(int(heap), int(counted["nodes"]), int(counted["jsEventListeners"]))


@contextlib.contextmanager
def chromium() -> "Iterator[Browser | None]":
    """A new browser; None where there is no Chromium or no Playwright to drive it."""
    path = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def painting() -> Iterator[Painting | None]:
    """A page in a new browser; None where there is no Chromium or no Playwright to drive it."""
    with chromium() as browser:
        if browser is None:
            yield None
            return
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(_TIMEOUT_MS)
        found = Painting(page, [])
        page.on("console", lambda said: found.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: found.errors.append(str(error)))
        page.set_content(_PAGE)
        page.add_script_tag(content=_SCRIPT)
        yield found

"""The sidebar in a real JupyterLab and a real Chromium: 1,000 projects, a history of 10,000 experiments.

*Opening*: seconds on the page's own clock from the press of the icon (or of a project in the list) to the end of the
frame in which the thing is there; with the sidebar open from the start, from the frame in which JupyterLab has put the
sidebar into the page (its layout and its drawing come after that); each time in a browser profile of its own.
*Scrolling*: milliseconds from frame to frame over 120 steps of 80 pixels and 60 jumps over the whole length.
*Events*: they are written into the ledger and announced on Jupyter's event bus, as the server does for its own loops;
what the page asks is read from its resource timings, what its main thread takes from Chromium's ``TaskDuration``, less
what the idle page takes. *Idle*: how often the route that is asked most is asked. *Hidden*: nothing may be asked.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.store.sqlite import SqliteStore

from . import sidebar
from .history import Past
from .lab import Asked, Lab, LabPage, jupyter_lab
from .projects import folder
from .result import Result, Row, median, percentile
from .sidebar import LONG, SHORT

_HISTORY = ".jp-DeepResearch-experiments .jp-DeepResearch-list"
_PROJECTS = ".jp-DeepResearch-projects .jp-DeepResearch-list"
_OF_A_FRAME_S = 0.034
_SMALL = 4000  # bytes: how answers below grow is of no interest
_EVENT_S = 1.0  # longer than the half second for which the sidebar gathers events


@dataclass(frozen=True)
class _Effort:
    """How much of everything is measured."""

    made: sidebar.Effort = field(default_factory=sidebar.Effort)
    pages: int = 5
    jumps: int = 9
    cycles: int = 2
    idle_s: float = 60.0


_QUICK = _Effort(sidebar.QUICK, 1, 2, 1, 2.0)


@dataclass
class _Bench:
    """A JupyterLab, and whoever writes the events of its projects."""

    effort: _Effort
    lab: Lab
    root: Path
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(self, what: str, measured: float, unit: str, must: float | None = None, aim: float | None = None) -> None:
        self.rows.append(Row(what, measured, unit, must, aim))


@dataclass(frozen=True)
class _Heard:
    """What a page did about so many events that came one by one."""

    events: int
    asked: Sequence[Asked]
    busy_s: float

    @property
    def largest(self) -> dict[str, int]:
        """For each route its largest answer in bytes."""
        found: dict[str, int] = {}
        for one in self.asked:
            route = _route(one)
            found[route] = max(found.get(route, 0), one.size)
        return found


def measure(quick: bool) -> Result:
    """One JupyterLab on many small projects, a long one and a shorter one, none of which is at work."""
    effort = _QUICK if quick else _Effort()
    title = f"The sidebar: {effort.made.projects:,} projects, {effort.made.cycles:,} experiments"
    with folder() as root:
        past = sidebar.write_projects(root, effort.made)
        with jupyter_lab(root) as lab:
            if lab is None:
                return Result(title, (), ("no Chromium or no Playwright here: nothing was measured",))
            bench = _Bench(effort, lab, root)
            measure_in(bench, past)
    bench.notes.append(f"{os.getloadavg()[0]:.1f} processes were at work on {os.cpu_count()} cores in the end")
    return Result(title, tuple(bench.rows), tuple(bench.notes))


def measure_in(bench: _Bench, past: Past) -> None:
    """Everything, in one JupyterLab that is running."""
    _opening(bench)
    _from_the_start(bench)
    _scrolling(bench)
    _events(bench, past)
    with bench.lab.page(LONG) as page:
        page.open("told")
        _idle(bench, page)
        _hidden(bench, page, past)


def _opening(bench: _Bench) -> None:
    """The icon is pressed, in a page each; the first time a server folds the long history, which is not counted."""
    many, experiments = f"{bench.effort.made.projects:,} projects", f"{bench.effort.made.cycles:,} experiments"
    with bench.lab.page(LONG) as page:
        cold = page.open("told")[0]
    for view in ("tree", "newest"):
        took, asked = [], list[Asked]()
        for _ in range(bench.effort.pages):
            with bench.lab.page(LONG, view) as page:
                page.asked()
                took.append(page.open("listed", "told"))
                asked = page.asked()
        if view == "tree":
            bench.row(f"{many}: icon to list and header", median([one[0] for one in took]), "s", 1, 0.5)
        bench.row(f"{experiments}, {view}: icon to first rows", median([one[1] for one in took]), "s", 1, 0.5)
        bench.notes.append(f"{view}: opened with {_in_words(asked)}; {_spread([one[1] for one in took])}")
    with bench.lab.page("0") as page:
        page.open("listed")
        page.page.get_by_label("Search the projects").fill(LONG)
        bench.row(
            f"{experiments}: from the list to first rows",
            page.press(f'.jp-DeepResearch-project[title*="/{LONG}"]', "told")[0],
            "s",
            1,
        )
    bench.notes.append(f"asked of a server for the first time: {cold:.2f} s")


def _from_the_start(bench: _Bench) -> None:
    """A page that is loaded with the sidebar open, as JupyterLab restores it."""
    bench.lab.keep_open(LONG, "kept")
    ours, whole = [], []
    for _ in range(bench.effort.pages):
        with bench.lab.page(LONG, workspace="kept") as page:
            there, listed, told = page.seen()
            ours.append((listed - there, told - there))
            whole.append(listed)
    what = "page load, sidebar open"
    bench.row(f"{what}: to list and header", median([listed for listed, _ in ours]), "s", 1, 0.5)
    bench.row(f"{what}: to the history's first rows", median([told for _, told in ours]), "s", 1, 0.5)
    bench.notes.append(f"from the navigation to the list, JupyterLab's own start included: {_spread(whole)}")


def _scrolling(bench: _Bench) -> None:
    for view in ("tree", "newest"):
        with bench.lab.page(LONG, view) as page:
            page.open("told")
            _scroll(bench, page, _HISTORY, f"{bench.effort.made.cycles:,} rows, {view}")
            jumps = [page.jump((7 * n + 3) % 19 / 19) for n in range(bench.effort.jumps)]
            bench.row(f"{view}: a far jump to its rows with their claims", median(jumps), "s", None, 0.3)
            if view == "tree":
                _scroll(bench, page, _PROJECTS, f"{bench.effort.made.projects:,} projects")


def _scroll(bench: _Bench, page: LabPage, which: str, what: str) -> None:
    times, rows = page.scroll(which)
    late = sum(time > _OF_A_FRAME_S for time in times)
    bench.row(f"scrolling {what}: a frame, p95", 1000 * percentile(times, 0.95), "ms", 34, 20)
    bench.row(f"scrolling {what}: rows in the page", rows, "", 60)
    bench.notes.append(
        f"scrolling {what}: {1000 * median(times):.1f} ms in the middle, {1000 * max(times):.0f} ms at most,"
        f" {late} of {len(times)} over 34 ms"
    )


def _events(bench: _Bench, past: Past) -> None:
    """The same events of a long and of a shorter history, one by one, and a cycle's at once."""
    short = Past(SHORT)
    while short.number < bench.effort.made.short:
        for _ in short.cycle():
            pass
    cycles = f"{bench.effort.made.cycles:,}"
    with bench.lab.page(LONG) as page:
        page.open("told")
        idle = _idle_share(page)
        long_ = _hear(bench, page, LONG, past, idle)
        at_once = _at_once(bench, page, past)
    with bench.lab.page(SHORT) as page:
        page.open("told")
        brief = _hear(bench, page, SHORT, short, idle)
    growth = {
        route: size / max(_SMALL, brief.largest[route])
        for route, size in long_.largest.items()
        if route in brief.largest
    }
    worst = max(growth, key=lambda route: growth[route])
    share = bench.effort.made.cycles / bench.effort.made.short
    bench.row(f"the answer that grows most, {share:.0f} times the history", growth[worst], "", 2)
    bench.row("an event: requests", len(long_.asked) / long_.events, "", None, 6)
    bench.row("an event: answers", sum(one.size for one in long_.asked) / long_.events / 1000, "kB", 50)
    bench.row(f"an event at {cycles} experiments: main thread", 1000 * long_.busy_s / long_.events, "ms", None, 50)
    bench.row("the same of a tenth of them", 1000 * brief.busy_s / brief.events, "ms")
    bench.row("a cycle's events at once: requests", at_once, "", None, 20)
    bench.notes.append(f"{long_.events} events one by one: {_in_words(long_.asked)}; grows most: {worst}")


def _hear(bench: _Bench, page: LabPage, project: str, past: Past, idle: float) -> _Heard:
    """Cycles are written, an event at a time; ``idle``: the share of a core that the page takes anyway."""
    page.asked()
    began, before, count = time.monotonic(), page.busy_s(), 0
    with _ledger(bench, project) as write:
        for _ in range(bench.effort.cycles):
            for event in past.cycle():
                write(event)
                count += 1
                page.page.wait_for_timeout(1000 * _EVENT_S)
    busy = page.busy_s() - before - idle * (time.monotonic() - began)
    return _Heard(count, page.asked(), max(0.0, busy))


def _at_once(bench: _Bench, page: LabPage, past: Past) -> float:
    """How many requests all the events of a cycle cause that are written together."""
    page.asked()
    with _ledger(bench, LONG) as write:
        for event in past.cycle():
            write(event)
    page.page.wait_for_timeout(3000)
    return len(page.asked())


def _idle_share(page: LabPage) -> float:
    page.page.wait_for_timeout(2000)
    began, before = time.monotonic(), page.busy_s()
    page.page.wait_for_timeout(4000)
    return (page.busy_s() - before) / (time.monotonic() - began)


def _idle(bench: _Bench, page: LabPage) -> None:
    page.page.wait_for_timeout(3000)
    page.asked()
    began, before = time.monotonic(), page.busy_s()
    page.page.wait_for_timeout(1000 * bench.effort.idle_s)
    share = (page.busy_s() - before) / (time.monotonic() - began)
    asked = page.asked()
    most = max((sum(_route(one) == _route(other) for other in asked) for one in asked), default=0)
    bench.row(
        f"idle for {bench.effort.idle_s:.0f} s: requests of one route", most, "", math.ceil(bench.effort.idle_s / 30)
    )
    bench.row("idle: main thread, JupyterLab's own share included", 100 * share, "% of a core")
    bench.notes.append(f"idle: {_in_words(asked)}")


def _hidden(bench: _Bench, page: LabPage, past: Past) -> None:
    """Nobody looks, for a while in which nothing happens and then a cycle."""
    page.hide(True)
    page.page.wait_for_timeout(1000)
    page.asked()
    page.page.wait_for_timeout(1000 * bench.effort.idle_s)
    quiet = page.asked()
    with _ledger(bench, LONG) as write:
        for event in past.cycle():
            write(event)
    page.page.wait_for_timeout(3000)
    bench.row(f"hidden for {bench.effort.idle_s:.0f} s, then a cycle: requests", len([*quiet, *page.asked()]), "", 0)
    page.hide(False)
    page.page.wait_for_timeout(3000)
    bench.notes.append(f"seen again after that: {_in_words(page.asked())}")


@contextlib.contextmanager
def _ledger(bench: _Bench, project: str) -> Iterator[Callable[[ev.Event], None]]:
    """What writes an event and announces it."""
    with contextlib.closing(SqliteStore(ProjectPaths(bench.root / project).ledger)) as store:

        def write(event: ev.Event) -> None:
            seq = store.append(event).seq
            bench.lab.announce({"project": project, "seq": seq, "kind": ev.kind_of(event)})

        yield write


def _route(one: Asked) -> str:
    """What is asked for, without which rows of it."""
    return "/".join(
        "N" if part.isdigit() else part for part in one.path.split("?")[0].split("/")[:4] if part not in (LONG, SHORT)
    )


def _in_words(asked: Sequence[Asked]) -> str:
    """Requests and bytes by route."""
    routes = sorted({_route(one) for one in asked})
    said = []
    for route in routes:
        sizes = [one.size for one in asked if _route(one) == route]
        said.append(f"{route} {len(sizes)} x {sum(sizes) / len(sizes) / 1000:.1f} kB")
    return f"{len(asked)} requests ({', '.join(said)})" if asked else "no request"


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, n = {len(seconds)})"

"""The panel on a history of 10,000 cycles: how soon it is seen, what an update, a tick and an idle hour take."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import Run
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.service.service import owner
from jupyter_deepresearch.store.sqlite import SqliteStore

from .history import METRIC, Past, live_run, write_past
from .painting import Painting, painting
from .projects import folder
from .result import Result, Row, median
from .servers import jupyter_server, process_of
from .viewing import Said, Viewer, seq_of, viewer_in

CYCLES = 10_000
_ALONE_S = 65.0  # so long after the last word of a view, none is there for the panel
_FULL_SPEED = "import jupyter_deepresearch.jupyter.panel.feed as feed; feed.RUNNING_S = 0.0"
_BLOCKS = "(__import__('gc').collect(), __import__('sys').getallocatedblocks())[1]"


@dataclass(frozen=True)
class _Effort:
    """How much of everything is measured."""

    cycles: int = CYCLES
    reports: int = 100_000
    updates: int = 20
    ticks: int = 10
    idle_s: float = 30.0
    alone_s: float = _ALONE_S
    before: int = 500
    growth: int = 2000


_QUICK = _Effort(200, 1000, 2, 2, 1.0, 0.0, 5, 25)


@dataclass
class _Bench:
    """A kernel with a panel, a server, and the log that both look at, which is written here."""

    effort: _Effort
    past: Past
    folder: Path
    store: SqliteStore
    server: psutil.Process
    viewer: Viewer
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(self, what: str, measured: float, unit: str, must: float | None = None) -> None:
        self.rows.append(Row(what, measured, unit, must))

    def append(self, *events: ev.Event) -> int:
        """Write events; the seq of the last."""
        return max(self.store.append(event).seq for event in events)


def measure(quick: bool) -> Result:
    """One server, one kernel, one page; a project that is stopped, then one with a live run."""
    effort = _QUICK if quick else _Effort()
    with folder() as root:
        past = write_past(root / "past", effort.cycles)
        store = SqliteStore(ProjectPaths(root / "past").ledger)
        store.append(ev.Stop())  # a server goes on with whatever is not stopped
        with (
            contextlib.closing(store),
            jupyter_server(root) as server,
            viewer_in(root / "past", server) as viewer,
        ):
            bench = _Bench(effort, past, root / "past", store, process_of(server), viewer)
            _measure(bench)
    return Result(f"The panel over {effort.cycles:,} cycles", tuple(bench.rows), tuple(bench.notes))


def _measure(bench: _Bench) -> None:
    opened = _opened(bench)
    _idle(bench, "idle, a view looking")
    if bench.effort.alone_s:
        bench.viewer.hear(bench.effort.alone_s, is_seen=False)
        _idle(bench, "idle, no view", is_seen=False)
    with _live_run(bench) as run:
        _updates(bench)
        _ticks(bench, run)
        heard = _growth(bench)
    with painting() as page:
        if page is None:
            bench.notes.append("no Chromium or no Playwright here: the page was not measured")
        else:
            _page(bench, page, opened, heard)


def _opened(bench: _Bench) -> Said:
    """Show the panel in a kernel that has shown none; what a view is made of."""
    began = time.perf_counter()
    (opened,) = bench.viewer.run("%deepresearch panel")
    seconds = time.perf_counter() - began
    bench.row("the cell that shows the panel", seconds, "s")
    bench.notes.append(
        f"the cell asks a server that was not asked before; {os.getloadavg()[0]:.1f} processes were at work on"
        f" {os.cpu_count()} cores; a view is opened with {opened.size:,} bytes"
    )
    bench.viewer.tell({"kind": "hello", "seq": opened.content["state"]["points_seq"]})
    bench.viewer.hear_until(lambda said: any(one.kind == "custom" for one in said))
    return opened


def _idle(bench: _Bench, what: str, is_seen: bool = True) -> None:
    """Nothing happens for a while; what the kernel and the server take, in percent of a core."""
    began, kernel, server = time.monotonic(), bench.viewer.cpu_s(), _cpu_s(bench.server)
    bench.viewer.hear(bench.effort.idle_s, is_seen)
    seconds = time.monotonic() - began
    shares = [(bench.viewer.cpu_s() - kernel) / seconds, (_cpu_s(bench.server) - server) / seconds]
    bench.row(f"{what}: kernel and server", 100 * sum(shares), "% of a core", 1)
    bench.notes.append(f"{what}: kernel {100 * shares[0]:.2f} %, server {100 * shares[1]:.2f} %, over {seconds:.0f} s")


@contextlib.contextmanager
def _live_run(bench: _Bench) -> Iterator[Run]:
    """The project goes on: a run is live in it, and this process is said to research it."""
    epoch = bench.store.acquire(owner("the benchmark"))
    try:
        planned = list(bench.past.live())
        run = next(event.run for event in planned if isinstance(event, ev.Planned))
        with live_run(bench.folder, run.id, bench.effort.reports):
            _told(bench, bench.append(ev.Resume(), *planned))
            yield run
    finally:
        bench.append(ev.Stop())
        bench.store.release(epoch)


def _told(bench: _Bench, seq: int) -> list[Said]:
    """What the panel says until it has said all up to ``seq``."""
    return bench.viewer.hear_until(lambda said: seq_of(said) >= seq)


def _updates(bench: _Bench) -> None:
    """One cycle after another, each with a verdict; a live run goes on meanwhile."""
    sizes, other, before = list[int](), bench.viewer.other_bytes, bench.viewer.cpu_s()
    for _ in range(bench.effort.updates):
        said = _told(bench, bench.append(*bench.past.cycle()))
        sizes.append(sum(one.size for one in (*said, *bench.viewer.hear(0.2))))
    count = bench.effort.updates
    bench.row("an update: kernel's CPU", 1000 * (bench.viewer.cpu_s() - before) / count, "ms", 50)
    bench.row("an update: over the comm, at most", max(sizes) / 1000, "kB", 100)
    drawn = (bench.viewer.other_bytes - other) / count / 1000
    bench.notes.append(
        f"{count} updates, each all events of a cycle: {median(sizes) / 1000:.1f} kB in the middle;"
        f" besides, {drawn:.1f} kB each of the static table"
    )


def _ticks(bench: _Bench, run: Run) -> None:
    """A live run reports once a second and nothing is decided."""
    said, before, count = list[Said](), bench.viewer.cpu_s(), bench.effort.ticks
    with ProjectPaths(bench.folder).run(run.id).metrics.open("a") as file:
        for step in range(count):
            line = {"t": time.time(), "cell": 1, "step": 200_000 + step, "values": {METRIC: 0.9 + step / 1000}}
            file.write(f"{json.dumps({**line, 'source': 'report'})}\n")
            file.flush()
            said += bench.viewer.hear(1.0)
    bench.row("a second of a live run: kernel's CPU", 1000 * (bench.viewer.cpu_s() - before) / count, "ms", 50)
    bench.row("a second of a live run: over the comm", sum(one.size for one in said) / count / 1000, "kB", 100)


def _growth(bench: _Bench) -> list[list[Said]]:
    """Updates as fast as they come; what the kernel holds after the first and after all. Gives the last of them."""
    viewer, effort = bench.viewer, bench.effort
    viewer.run(_FULL_SPEED)
    over = threading.Event()
    writer = threading.Thread(target=_write_on, args=(bench, over), daemon=True)
    writer.start()
    try:
        heard = viewer.hear_updates(effort.before)
        early = viewer.process.memory_info().rss, viewer.value(_BLOCKS)
        began = time.monotonic()
        heard = viewer.hear_updates(effort.growth - effort.before)
        each_s = (time.monotonic() - began) / (effort.growth - effort.before)
        late = viewer.process.memory_info().rss, viewer.value(_BLOCKS)
    finally:
        over.set()
        writer.join()
    more = effort.growth - effort.before
    bench.row(
        f"kernel's memory after {effort.growth:,} updates over that after {effort.before}", late[0] / early[0], "", 1.1
    )
    bench.row("kernel: Python's blocks of memory kept by an update", (late[1] - early[1]) / more, "", 1)
    day_mb = (late[0] - early[0]) / more * 86_400 / 1e6
    bench.notes.append(
        f"kernel: {early[0] / 1e6:.1f} MB, then {late[0] / 1e6:.1f} MB; {1000 * each_s:.0f} ms for an update at full"
        f" speed; a day with one every second would add {day_mb:.0f} MB"
    )
    return heard


def _write_on(bench: _Bench, over: threading.Event) -> None:
    """Cycles, one event after another, faster than they can be shown. Their answers would have the bill summed anew."""
    while not over.is_set():
        for event in bench.past.cycle():
            if not isinstance(event, ev.Answered):
                bench.store.append(event)


def _page(bench: _Bench, page: Painting, opened: Said, heard: list[list[Said]]) -> None:
    """The front alone, shown and told what a real kernel has said."""
    effort, cell_s = bench.effort, bench.rows[0].measured
    points = len(opened.buffers[0]) // 20
    painted_s = page.paint(opened, points)
    bench.row("the page: script to picture", painted_s, "s")
    bench.row("first paint: the cell and the page", cell_s + painted_s, "s", 1)
    page.hear(heard, effort.before)
    early = page.held()
    update_s = page.hear(heard, effort.growth - effort.before)
    late = page.held()
    bench.row("the page: script of an update", 1000 * update_s, "ms")
    after = f"after {effort.growth:,} updates over that after {effort.before}"
    bench.row(f"the page: heap {after}", late.heap_bytes / early.heap_bytes, "", 1.1)
    bench.row(f"the page: nodes {after}", late.nodes / early.nodes, "", 1.1)
    bench.row(f"the page: listeners {after}", late.listeners / early.listeners, "", 1.1)
    bench.notes.append(
        f"the page: {points:,} points; heap {early.heap_bytes / 1e6:.2f} MB, then {late.heap_bytes / 1e6:.2f} MB;"
        f" {early.nodes:,} nodes, then {late.nodes:,}"
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)

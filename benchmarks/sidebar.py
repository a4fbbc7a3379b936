"""What a sidebar asks the server: the list of 1,000 projects, and a project of 10,000 experiments."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.jupyter.servers import Server
from jupyter_deepresearch.store.sqlite import SqliteStore

from .history import Past, copy_past, write_past
from .projects import folder
from .result import Result, Row, median
from .servers import Asker, jupyter_server, process_of

_API = "deepresearch/api"
_SETTLED_S = 2.5  # so long after their last change ledgers are taken for what they were
LONG, SHORT = "long", "short"


@dataclass(frozen=True)
class Effort:
    """How much there is, and how often each question is asked."""

    projects: int = 1000
    cycles: int = 10_000
    short: int = 1000
    rounds: int = 15


QUICK = Effort(20, 200, 50, 2)


@dataclass
class _Bench:
    """A server, and who asks it."""

    effort: Effort
    server: Server
    asker: Asker
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ask(self, path: str) -> float:
        """Seconds until the whole answer is there."""
        began = time.perf_counter()
        status, body = self.asker.get(f"{_API}/{path}")
        seconds = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:300].decode(errors='replace')}")
        self.size = len(body)
        return seconds

    def often(self, path: str) -> float:
        """The median of some answers, after a first one."""
        self.ask(path)
        return median([self.ask(path) for _ in range(self.effort.rounds)])

    def row(self, what: str, measured: float, unit: str, must: float | None = None, aim: float | None = None) -> None:
        self.rows.append(Row(what, measured, unit, must, aim))


def measure(quick: bool) -> Result:
    """One server on many small projects, a long one and a shorter one, none of which is at work."""
    effort = QUICK if quick else Effort()
    with folder() as root:
        past = write_projects(root, effort)
        time.sleep(_SETTLED_S)
        with _asked(root) as asker:
            first = _Bench(effort, asker.server, asker).ask("overview")
        with _asked(root) as asker:
            bench = _Bench(effort, asker.server, asker)
            _list(bench, first)
            _long(bench, past, root / LONG)
    title = f"The server behind a sidebar: {effort.projects:,} projects, {effort.cycles:,} experiments"
    return Result(title, tuple(bench.rows), tuple(bench.notes))


@contextlib.contextmanager
def _asked(root: Path) -> Iterator[Asker]:
    """A server that has just started, its service not yet asked for anything."""
    with jupyter_server(root, "api/status") as server, contextlib.closing(Asker(server)) as asker:
        yield asker


def write_projects(root: Path, effort: Effort) -> Past:
    """The projects; whoever made the long one."""
    past = write_past(root / LONG, effort.cycles, LONG)
    write_past(root / SHORT, effort.short, SHORT)
    write_past(root / "0", 3, "0")
    for name in (LONG, SHORT, "0"):
        with contextlib.closing(SqliteStore(ProjectPaths(root / name).ledger)) as store:
            store.append(ev.Stop())  # a server goes on with whatever is not stopped
    for number in range(1, effort.projects - 2):
        copy_past(root / "0", root / str(number), str(number))
    return past


def _list(bench: _Bench, first: float) -> None:
    """All projects, in a server that has just started, and again. ``first``: seconds where nobody ever asked before."""
    cold = bench.ask("overview")
    warm = bench.often("overview")
    each = 1e6 * warm / bench.effort.projects
    bench.row(f"the list of {bench.effort.projects:,} projects", warm, "s", 0.3)
    bench.row("the same, asked of a server that has just started", cold, "s", 2, 1)
    bench.row("the same, the first time ever: every ledger is read", first, "s")
    bench.row("one project of it, as after an event", 1000 * bench.often(f"overview?project={LONG}"), "ms", 20)
    bench.notes.append(f"the list: {each:.0f} us a project")
    bench.row("the server's open files, sockets and pipes", process_of(bench.server).num_fds(), "", 1000)


def _long(bench: _Bench, past: Past, folder_: Path) -> None:
    """A long history: all of it, a page, what changed, a search that finds nothing and so reads everything."""
    project, cycles = f"projects/{LONG}", f"{bench.effort.cycles:,} experiments"
    whole = bench.often(f"{project}/points")
    bench.notes.append(f"the picture's columns: {bench.size / 1000:.0f} kB")
    bench.row(f"{cycles}: the picture's columns", whole, "s", 0.5)
    pages = [
        bench.often(f"projects/{one}/experiments?order=newest&before={before}&limit=50")
        for one, before in ((LONG, bench.effort.cycles // 2), (SHORT, bench.effort.short // 2))
    ]
    bench.row(f"{cycles}: a page of 50", 1000 * pages[0], "ms", 20)
    bench.row(f"a page of {cycles} / of {bench.effort.short:,}", pages[0] / pages[1], "", 2)
    bench.row(f"{cycles}: a change refetched", 1000 * _changes(bench, past, folder_), "ms", 20)
    bench.row(f"{cycles}: a search that reads all", bench.often(f"{project}/search?text=nothing+of+this"), "s", 0.15)
    bench.row(f"{cycles}: a search with many finds", 1000 * bench.often(f"{project}/search?text=width"), "ms", 50)


def _changes(bench: _Bench, past: Past, folder_: Path) -> float:
    """A cycle at a time is written; what a sidebar then asks."""
    seconds = []
    with contextlib.closing(SqliteStore(ProjectPaths(folder_).ledger)) as store:
        ((seq,),) = store.query("SELECT max(seq) FROM events")
        for _ in range(bench.effort.rounds):
            last = max(store.append(event).seq for event in past.cycle())
            asked = bench.ask(f"projects/{LONG}/points?after={seq}")
            asked += bench.ask(f"projects/{LONG}/experiments?order=newest&limit=1")
            seconds.append(asked + bench.ask(f"overview?project={LONG}"))
            seq = last
    return median(seconds)

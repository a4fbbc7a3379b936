"""How late the loop knows of a run's end: from the rename of ``exit.json`` to the event in the log."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_deepresearch.app import RealMakers, SystemClock
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.testing import ScriptedResearcher, parameters

from .projects import NOTEBOOK, folder, write_notebook
from .result import Result, Row, median, p99


@dataclass(frozen=True)
class _Makers(RealMakers):
    """The product's parts, but for a researcher that proposes ``cycles`` values in turn."""

    cycles: int

    def researcher(self, folder: Path, project: Project) -> ScriptedResearcher:
        return ScriptedResearcher(tuple(parameters("x", [float(n + 2) for n in range(self.cycles)])))


@dataclass
class _Watch:
    """When each run's end was in the log. Called in the loop's own thread, once the event is written."""

    noticed: dict[str, float] = field(default_factory=dict)

    def __call__(self, record: ev.Record) -> None:
        if isinstance(record.event, ev.Ended):
            assert record.event.outcome.state is RunState.SUCCEEDED, record.event.outcome.error
            self.noticed[record.event.outcome.run] = time.time()


def measure(quick: bool) -> Result:
    """A loop with one run at a time, and one with two."""
    runs = 3 if quick else 40
    alone, paired = _latencies(runs, 1), _latencies(max(3, runs // 2), 2)
    rows = (
        Row("end of a run -> noticed by the loop, p99", 1000 * p99(alone), "ms", 100, 10),
        Row("the same with two runs at a time, p99", 1000 * p99(paired), "ms"),
    )
    note = (
        f"{len(alone)} and {len(paired)} real runs of a tiny notebook, each p99 is the worst of them;"
        f" medians {1000 * median(alone):.1f} and {1000 * median(paired):.1f} ms;"
        " with two, the loop may be starting one while the other ends"
    )
    return Result("End of a run", rows, (note,))


def _latencies(runs: int, at_once: int) -> list[float]:
    """Seconds from each run's end to its event."""
    with folder() as root:
        home = root / "tiny"
        cell = "from jupyter_deepresearch import report\nreport(step=1, score=1.0 / x)\n"
        write_notebook(home / NOTEBOOK, "x = 1.0\n", cell)
        service = Service(_Makers(runs - 1), Registry(root / "projects.json"), SystemClock())
        tables = {"launcher": {"max_parallel": at_once, "gpus": "none"}, "trust": {"seeds": 1}}
        opened = service.prepare(home, Options(metric="score", cycles=runs - 1, tables=tables), "Measure.")
        watch = _Watch()
        opened.ledger.listeners.append(watch)
        try:
            service.run(opened)
        finally:
            service.close()
        return _late(ProjectPaths(home), watch.noticed)


def _late(paths: ProjectPaths, noticed: Mapping[str, float]) -> list[float]:
    """A rename sets the time of the inode's change, as coarse as the system's clock tick: never too late."""
    return [at - paths.run(run).exit.stat().st_ctime_ns / 1e9 for run, at in noticed.items()]

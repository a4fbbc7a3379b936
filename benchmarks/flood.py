"""A cell that prints 100 MB, and one that prints 60,000 flushed lines, each with metrics in between."""

import asyncio
import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.execution.local import LocalLauncher

from .projects import NOTEBOOK, candidate, folder, outcome_of, run_paths, write_notebook
from .result import Result, Row

_LOOK_S = 0.02
_CELL = """
from jupyter_deepresearch import report
text = ("0123456789" * 100)[: width - 1]
for number in range(1, lines + 1):
    print(text, flush=flushed)
    if number % every == 0:
        report(step=number, score=number)
        print(f"step {number}: val_loss={1 / number:.9f}", flush=flushed)
"""


@dataclass(frozen=True)
class _Flood:
    """``lines`` of ``width`` characters; after each ``every``-th a metric is reported, and another one printed."""

    what: str
    lines: int
    width: int
    every: int
    flushed: bool

    @property
    def parameters(self) -> str:
        return f"lines = {self.lines}\nwidth = {self.width}\nevery = {self.every}\nflushed = {self.flushed}\n"


def measure(quick: bool) -> Result:
    """One run each, in our runner."""
    share = 20 if quick else 1
    floods = (
        _Flood(f"{100 // share} MB printed", 100_000 // share, 1000, 100, flushed=False),
        _Flood(f"{60_000 // share:,} flushed lines", 60_000 // share, 40, 100, flushed=True),
    )
    found = [_measured(flood) for flood in floods]
    return Result(
        "Floods of output",
        tuple(row for rows, _ in found for row in rows),
        tuple(note for _, note in found),
    )


def _measured(flood: _Flood) -> tuple[tuple[Row, ...], str]:
    with folder() as root:
        write_notebook(root / NOTEBOOK, flood.parameters, _CELL)
        spec = candidate(root, 1, "score")
        paths = run_paths(root, spec)
        state, peak_bytes = asyncio.run(_run(root))
        told = _counted(paths.metrics)
        notebook_bytes = paths.output.stat().st_size
        logged_bytes = paths.outputs.stat().st_size
    wanted = flood.lines // flood.every
    rows = (
        Row(f"{flood.what}: runs that did not succeed", float(state is not RunState.SUCCEEDED), "", 0),
        Row(f"{flood.what}: runner's memory at its peak", peak_bytes / 1e6, "MB", 200),
        Row(f"{flood.what}: the notebook", notebook_bytes / 1e6, "MB", 2),
        Row(f"{flood.what}: of {wanted:,} reports lost", wanted - told["report"], "", 0),
        Row(f"{flood.what}: of {wanted:,} printed metrics lost", wanted - told["printed"], "", 0),
    )
    return rows, f"{flood.what}: outputs.jsonl has {logged_bytes / 1e6:.1f} MB"


async def _run(root: Path) -> tuple[RunState, int]:
    """How the run ended, and the most memory that its runner had."""
    launcher = LocalLauncher(root)
    handle = await launcher.launch(candidate(root, 1, "score"))
    assert handle.pid is not None
    peak = _Peak(handle.pid)
    peak.start()
    outcome = await outcome_of(launcher, handle)
    peak.join()
    return outcome.state, peak.bytes


class _Peak(threading.Thread):
    """Looks at a process's resident memory until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.bytes = 0

    def run(self) -> None:
        try:
            while not self._over.wait(_LOOK_S) and self._process.status() != psutil.STATUS_ZOMBIE:
                self.bytes = max(self.bytes, self._process.memory_info().rss)
        except psutil.NoSuchProcess:
            return


def _counted(metrics: Path) -> Counter[str]:
    """How many different steps each source told, with their right values."""
    told = set[tuple[str, float]]()
    for text in metrics.read_text().splitlines():
        line = json.loads(text)
        step, values = line["step"], line["values"]
        right = values.get("score") == step or values.get("val_loss") == float(f"{1 / step:.9f}")
        if right:
            told.add((line["source"], step))
    return Counter(source for source, _ in told)

"""The wall time of one run in our runner against papermill's own command, on the same notebook."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat

from jupyter_deepresearch import report
from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.execution.local import LocalLauncher

from .projects import EXAMPLES, NOTEBOOK, candidate, folder, outcome_of
from .result import Result, Row, median

EPOCHS = 3
_METRIC = "val_accuracy"


def measure(quick: bool) -> Result:
    """Ours and papermill's in turn, either one first as often as the other."""
    rounds = 1 if quick else 6
    ours: list[float] = []
    stock: list[float] = []
    with folder() as root:
        _write_tagged(root / NOTEBOOK)
        sides = [(ours, _ours), (stock, _stock)]
        for number in range(rounds + 1):
            for times, side in sides if number % 2 else sides[::-1]:
                seconds = side(root, number)
                if number or quick:  # the first of each fills the caches
                    times.append(seconds)
    rows = (Row("wall time of a run, ours / papermill's command", median(ours) / median(stock), "", 1.0, 0.85),)
    note = (
        f"digits_torch with {EPOCHS} epochs, {len(ours)} each, interleaved: ours from launch() to its end noticed"
        f" {_spread(ours)}, papermill from spawn to exit {_spread(stock)}"
    )
    return Result("One run", rows, (note,))


def _write_tagged(path: Path) -> None:
    """The example's notebook with its parameters cell tagged, the only mark that papermill's command knows."""
    notebook = nbformat.read(EXAMPLES / "digits_torch" / NOTEBOOK, as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.source.startswith("#| parameters"))
    cell.metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)


def _ours(root: Path, number: int) -> float:
    return asyncio.run(_launched(root, number))


async def _launched(root: Path, number: int) -> float:
    """The whole path: the folder made, the runner and its kernel started, the notebook run, the end noticed."""
    launcher = LocalLauncher(root)
    spec = candidate(root, number, _METRIC, {"epochs": EPOCHS})
    started = time.perf_counter()
    outcome = await outcome_of(launcher, await launcher.launch(spec))
    seconds = time.perf_counter() - started
    assert outcome.state is RunState.SUCCEEDED, outcome.error
    return seconds


def _stock(root: Path, number: int) -> float:
    """``papermill IN OUT -p epochs N``, whose kernel gets the very same report(), writing to a file as in ours."""
    there = root / f"stock-{number}"
    there.mkdir()
    shutil.copyfile(str(sys.modules[report.__module__].__file__), there / "jupyter_deepresearch.py")
    environ = {**os.environ, "PYTHONPATH": str(there), "DEEPRESEARCH_REPORTS": str(there / "reports.jsonl")}
    command = [sys.executable, "-m", "papermill", str(root / NOTEBOOK), str(there / NOTEBOOK), "-p", "epochs"]
    started = time.perf_counter()
    done = subprocess.run([*command, str(EPOCHS)], cwd=there, env=environ, capture_output=True, text=True, timeout=300)
    seconds = time.perf_counter() - started
    assert done.returncode == 0, done.stderr[-2000:]
    assert len((there / "reports.jsonl").read_text().splitlines()) == EPOCHS + 1
    return seconds


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"

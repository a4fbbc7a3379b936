"""What the hooks add: to each metric that a library logs, and to the start of a Python that imports no library."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_deepresearch.execution.runner.injecting import inject

from .result import Result, Row, median

_STAND_IN = (
    "class Run:\n    _local_step = 0\n    def log(self, data, step=None, commit=None):\n        self._local_step += 1\n"
)
_MEASURE = """
import json, sys, time
from wandb.sdk.wandb_run import Run
from torch.utils.tensorboard.writer import SummaryWriter

def seconds(call):
    start = time.thread_time()
    for step in range(calls):
        call(step)
    return (time.thread_time() - start) / calls

def added(owner, name, call):
    hooked = getattr(owner, name)
    pairs = []
    for turn in range(rounds):
        times = {}
        for method in (hooked, hooked.__wrapped__)[:: 1 if turn % 2 else -1]:
            setattr(owner, name, method)
            times[method] = seconds(call)
        pairs.append(times[hooked] - times[hooked.__wrapped__])
    return pairs

calls, rounds = int(sys.argv[1]), int(sys.argv[2])
run, writer = Run(), SummaryWriter("runs")
found = {
    "stand-in": added(Run, "log", lambda step: run.log({"train/loss": 0.123456789 + step})),
    "tensorboard": added(SummaryWriter, "add_scalar", lambda step: writer.add_scalar("train/loss", 0.1 + step, step)),
}
print(json.dumps(found))
"""


def measure(quick: bool) -> Result:
    """Hooked and plain method in turn in one process; a start with and without our folder in turn."""
    calls, rounds, starts = (500, 2, 3) if quick else (2000, 25, 100)
    with tempfile.TemporaryDirectory(prefix="deepresearch-bench-") as home:
        root = Path(home)
        inject(root / "inject")
        per_call = _per_call(root, calls, rounds)
        plain, ours = _starts(root, starts)
    added = [1000 * (b - a) for a, b in zip(plain, ours, strict=True)]
    ours_us, real_us = ([1e6 * s for s in per_call[name]] for name in ("stand-in", "tensorboard"))
    rows = (
        Row("hooks: one more metric logged, wandb's shape (stand-in)", median(ours_us), "us", 20, 5),
        Row("hooks: one more metric logged, TensorBoard itself", median(real_us), "us", 20, 5),
        Row("hooks: start of a Python that imports none of the libraries", median(added), "ms", 10, 2),
    )
    notes = (
        f"CPU time throughout. A logging thread's, median of {rounds} pairs of {calls} calls:"
        f" stand-in {_spread(ours_us)} us, TensorBoard {_spread(real_us)} us",
        f"median of {starts} pairs of `python -c pass`: {_spread(added)} ms on top of {1000 * median(plain):.1f} ms;"
        " each start has a fresh folder of ours, as each run's kernel has",
    )
    return Result("Metrics without a word of ours", rows, notes)


def _environ(root: Path, *path: Path) -> dict[str, str]:
    ours = {"DEEPRESEARCH_PROJECT": str(root), "DEEPRESEARCH_WORK": str(root / "work")}
    paths = {"PYTHONPATH": os.pathsep.join(map(str, path)), "DEEPRESEARCH_REPORTS": str(root / "reports.jsonl")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPRESEARCH_", "PYTHONPATH"))}
    return {**kept, **ours, **paths, "CUDA_VISIBLE_DEVICES": ""}


def _per_call(root: Path, calls: int, rounds: int) -> dict[str, list[float]]:
    """Seconds that the hook adds to a call, one for each pair of measurements."""
    package = root / "lib" / "wandb" / "sdk"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "wandb_run.py").write_text(_STAND_IN)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(calls), str(rounds)],
        env=_environ(root, root / "inject", root / "lib"),
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len((root / "reports.jsonl").read_text().splitlines()) == 2 * calls * rounds
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def _starts(root: Path, count: int) -> tuple[list[float], list[float]]:
    plain: list[float] = []
    ours: list[float] = []
    for number in range(count + 1):
        folder = root / f"inject-{number}"
        inject(folder)
        sides = [(plain, _environ(root)), (ours, _environ(root, folder))]
        for times, environ in sides if number % 2 else sides[::-1]:
            seconds = _start(environ)
            if number:  # the first of each fills the caches
                times.append(seconds)
    return plain, ours


def _start(environ: dict[str, str]) -> float:
    """CPU seconds of one whole ``python -c pass``."""
    _, status, usage = os.wait4(os.posix_spawn(sys.executable, [sys.executable, "-c", "pass"], environ), 0)
    assert status == 0, f"a Python that does nothing ended with {status}"
    return usage.ru_utime + usage.ru_stime


def _spread(figures: list[float]) -> str:
    return f"{median(figures):.2f} ({min(figures):.2f} to {max(figures):.2f})"

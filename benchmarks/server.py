"""The Jupyter server's own answers while 4 projects are researched in it, against the same notebooks run outside."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.jupyter.client import Client

from .asking import PERIOD_S, asked
from .projects import NOTEBOOK, candidate, folder, outcome_of, write_notebook
from .result import Result, Row, median, p99
from .servers import end_runs, jupyter_server

PROJECTS = 4
_STOPPED_S = 60.0
_PARAMETERS = "lr = 0.01  # sweep: 1e-4..1.0 log\nwidth = 16  # sweep: 4..64\n"
_CELL = """
import time
from jupyter_deepresearch import report
start, epoch = time.process_time(), 0
while time.process_time() - start < 1.0:
    if time.process_time() - start > epoch * 0.1:
        epoch += 1
        report(step=epoch, score=1.0 - abs(lr - 0.03) - abs(width - 20) / 1000)
"""


def measure(quick: bool) -> Result:
    """Both conditions in turn, against the same server."""
    seconds, rounds = (3.0, 1) if quick else (15.0, 4)
    inside: list[list[float]] = []
    outside: list[list[float]] = []
    with folder() as root:
        homes = [root / f"project-{number}" for number in range(PROJECTS)]
        others = [root / f"outside-{number}" for number in range(PROJECTS)]
        for home in (*homes, *others):
            write_notebook(home / NOTEBOOK, _PARAMETERS, _CELL)
        with jupyter_server(root) as server:
            client = Client(server)
            with _researched(client, homes):
                asked(server, 5.0)  # imports, caches: not part of either
            for _ in range(rounds):
                with _run_outside(others, root):
                    outside.append(asked(server, seconds))
                with _researched(client, homes):
                    inside.append(asked(server, seconds))
            experiments = sum(len(client.history(status.id)) for status in client.projects())
    ours, theirs = (median([p99(round_) for round_ in side]) for side in (inside, outside))
    rows = (Row(f"GET /api/status, p99: {PROJECTS} projects in it / the same outside", ours / theirs, "", 1.5, 1.1),)
    note = (
        f"p99 {_ms(ours)} / {_ms(theirs)}, the median of {rounds} rounds of {seconds:.0f} s each in turn, asked every"
        f" {1000 * PERIOD_S:.0f} ms; median {_ms(_middle(inside))} / {_ms(_middle(outside))}; {experiments} experiments"
    )
    return Result("The server's own answers", rows, (note,))


def _middle(rounds: list[list[float]]) -> float:
    return median([seconds for round_ in rounds for seconds in round_])


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


@contextmanager
def _researched(client: Client, homes: list[Path]) -> Iterator[None]:
    """The projects go on, and are stopped in the end."""
    options = Options(metric="score", researcher="sweep", tables={"launcher": {"gpus": "none"}})
    briefs = [None if (home / "PROJECT_BRIEF.md").exists() else "Measure." for home in homes]
    ids = [client.start(home, options, brief).id for home, brief in zip(homes, briefs, strict=True)]
    try:
        yield
    finally:
        for project_id in ids:
            client.command(project_id, "stop")
        end = time.monotonic() + _STOPPED_S
        while any(client.status(project_id).running for project_id in ids) and time.monotonic() < end:
            time.sleep(0.1)


@contextmanager
def _run_outside(homes: list[Path], root: Path) -> Iterator[None]:
    """The notebooks run again and again, started by this process in the way of the loop."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_run_all(homes, over)), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        end_runs(root)
        thread.join(_STOPPED_S)


async def _run_all(homes: list[Path], over: threading.Event) -> None:
    await asyncio.gather(*(_run_again(home, over) for home in homes))


async def _run_again(home: Path, over: threading.Event) -> None:
    launcher = LocalLauncher(home)
    taken = sum(1 for _ in home.glob(".deepresearch/runs/*"))
    for number in itertools.count(taken + 1):
        if over.is_set():
            return
        outcome = await outcome_of(launcher, await launcher.launch(candidate(home, number, "score")))
        assert over.is_set() or outcome.state is RunState.SUCCEEDED, outcome.error

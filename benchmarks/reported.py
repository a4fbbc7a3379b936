"""How late a ``report()`` in a running cell can be read through REST."""

import time

import msgspec

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core.ports import Curves
from jupyter_deepresearch.jupyter.client import Client

from .projects import NOTEBOOK, folder, write_notebook
from .result import Result, Row, median, p99
from .servers import Asker, jupyter_server

PERIOD_S = 0.2
_ASK_S = 0.01
_PATIENCE_S = 60.0
_CELL = """
import time
from jupyter_deepresearch import report
for number in range(count):
    report(step=number, told=time.time())
    time.sleep(period)
"""


def measure(quick: bool) -> Result:
    """A notebook reports the time five times a second; a client asks for its curve again and again."""
    count = 10 if quick else 100
    with folder() as root:
        write_notebook(root / "clock" / NOTEBOOK, f"count = {count}\nperiod = {PERIOD_S}\n", _CELL)
        with jupyter_server(root) as server:
            tables = {"launcher": {"gpus": "none"}}
            status = Client(server).start(root / "clock", Options(metric="told", cycles=1, tables=tables), "Measure.")
            path = f"deepresearch/api/projects/{status.id}/experiments/0/metrics?points=1000"
            late = _watched(Asker(server), path, count)
    rows = (Row("report() in a running cell -> readable through REST, p99", 1000 * p99(late), "ms", 1000, 100),)
    note = (
        f"{len(late)} of {count} reports seen, {PERIOD_S} s apart; median {1000 * median(late):.0f} ms;"
        f" the curve was asked for {_ASK_S * 1000:.0f} ms after each answer"
    )
    return Result("A report", rows, (note,))


def _watched(asker: Asker, path: str, count: int) -> list[float]:
    """Seconds from each report to the first answer that has it. One never seen counts as infinitely late."""
    seen: dict[float, float] = {}
    end = time.monotonic() + _PATIENCE_S
    while len(seen) < count and time.monotonic() < end:
        status, body = asker.get(path)
        now = time.time()
        if status == 200:
            series = msgspec.json.decode(body, type=Curves).series.get("told", ())
            for step, told in series:
                seen.setdefault(step, now - told)
        time.sleep(_ASK_S)
    return [*seen.values(), *[float("inf")] * (count - len(seen))]

"""What two libraries tell of one number counts once; numbers beside bars are weaker than reported ones."""

import json
import math
import time
from pathlib import Path
from typing import Any

from jupyter_deepresearch.core.project import Direction, Objective
from jupyter_deepresearch.execution.metrics.repeats import Repeats
from jupyter_deepresearch.execution.metrics.scoring import Score, Tally
from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.runner.reports import MetricLog
from jupyter_deepresearch.execution.spec import MetricLine


def line(source: str, step: float | None, cell: int = 1, **values: float) -> MetricLine:
    return MetricLine(0.0, cell, step, values, source)


def passed(*lines: MetricLine) -> list[tuple[str, float | None, dict[str, float]]]:
    repeats = Repeats()
    kept = (repeats.without(one) for one in lines)
    return [(one.source, one.step, dict(one.values)) for one in kept if one is not None]


def test_a_number_told_by_two_counts_for_the_first() -> None:
    assert passed(
        line("tensorboard", 3, loss=0.5),
        line("lightning", 3, loss=0.5, acc=0.9),
        line("mlflow", 3, acc=0.9, loss=0.5),
        line("lightning", 4, loss=0.5),
        line("tensorboard", 4, loss=0.25),
    ) == [
        ("tensorboard", 3, {"loss": 0.5}),
        ("lightning", 3, {"acc": 0.9}),
        ("lightning", 4, {"loss": 0.5}),
        ("tensorboard", 4, {"loss": 0.25}),
    ]


def test_what_one_tells_twice_was_logged_twice() -> None:
    twice = [line("wandb", None, loss=0.5)] * 2 + [line("mlflow", None, loss=0.5)] * 2
    assert passed(*twice) == [("wandb", None, {"loss": 0.5})] * 2


def test_nan_is_repeated_as_any_number() -> None:
    found = passed(line("tensorboard", 1, loss=math.nan), line("lightning", 1, loss=float("nan")))
    assert [source for source, _, _ in found] == ["tensorboard"]


def test_another_cells_number_is_its_own() -> None:
    """The second cell may be locked: its report is the one that counts."""
    assert len(passed(line("wandb", 1, cell=1, acc=0.9), line("report", 1, cell=2, acc=0.9))) == 2


def test_only_so_much_is_remembered() -> None:
    repeats = Repeats()
    for step in range(100_000):
        repeats.without(line("wandb", step, loss=0.5))
    assert len(repeats._sources) <= 4096
    assert repeats.without(line("mlflow", 99_000, loss=0.5)) is None


class Log:
    """A run folder's reports, through the sole writer of its metrics."""

    def __init__(self, root: Path) -> None:
        self.paths = RunPaths(root)
        self.paths.private.mkdir(parents=True)
        objective = Objective("acc", Direction.MAXIMIZE)
        self.told: list[tuple[dict[str, float], bool]] = []
        self.tally = Tally(objective)
        self.log = MetricLog(self.paths, objective, self.tally, lambda v, printed: self.told.append((dict(v), printed)))

    def append(self, **line: Any) -> None:
        self.paths.reports.parent.mkdir(parents=True, exist_ok=True)
        with self.paths.reports.open("a") as reports:
            reports.write(json.dumps({"t": time.time(), **line}) + "\n")

    def written(self) -> list[tuple[str, dict[str, float]]]:
        self.log.close()
        lines = [json.loads(line) for line in self.paths.metrics.read_text().splitlines()]
        return [(line["source"], line["values"]) for line in lines]

    def score(self) -> Score:
        return self.tally.score()


def test_numbers_beside_bars_count_as_printed_ones_do(tmp_path: Path) -> None:
    log = Log(tmp_path / "run")
    log.append(step=1, values={"acc": 0.5, "loss": 0.75}, source="tqdm")
    log.log.poll()
    assert log.score().value == 0.5
    log.append(step=1, values={"acc": 0.25}, source="lightning")
    log.append(step=2, values={"acc": 0.875, "loss": 0.5}, source="tqdm")
    log.log.poll()
    log.log.printed("stdout", "acc=0.75\n")
    assert log.score().value == 0.25 and log.score().finals == {"acc": 0.25, "loss": 0.5}
    assert log.told == [({"acc": 0.5, "loss": 0.75}, True), ({"acc": 0.25}, False), ({"loss": 0.5}, True)]
    assert log.log.libraries == {"lightning"}
    assert log.written() == [
        ("tqdm", {"acc": 0.5, "loss": 0.75}),
        ("lightning", {"acc": 0.25}),
        ("tqdm", {"loss": 0.5}),
    ]


def test_words_beside_bars_are_read_as_if_printed(tmp_path: Path) -> None:
    log = Log(tmp_path / "run")
    for number in range(3):
        log.append(shown=f"epoch {number}: acc={number / 4}")
    log.append(shown="Training")
    log.append(shown=7)
    log.log.poll()
    assert log.score().value == 0.5 and log.log.unreadable == 0
    assert log.written() == [("printed", {"acc": number / 4}) for number in range(3)]


def test_a_repetition_is_told_nobody(tmp_path: Path) -> None:
    log = Log(tmp_path / "run")
    for source in ("tensorboard", "lightning"):
        log.append(step=3, values={"acc": 0.5}, source=source)
    log.append(note="lightning: something")
    log.log.poll()
    assert log.told == [({"acc": 0.5}, False)] and list(log.log.notes) == ["lightning: something"]
    assert log.written() == [("tensorboard", {"acc": 0.5})]

"""report(), dry_run() and artifacts(): what is taken, what is refused, what is written."""

import ast
import json
import math
import os
import re
import sys
import time
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

SOURCE = Path(__file__).parents[1] / "jupyter_deepresearch" / "report.py"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A fresh load of the file, so that counters and open files are this test's own."""
    for name in ("RANK", "DEEPRESEARCH_REPORTS", "DEEPRESEARCH_DRY_RUN", "DEEPRESEARCH_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "torch.distributed", raising=False)
    fresh = ModuleType("fresh_report")
    exec(compile(SOURCE.read_text(), str(SOURCE), "exec"), vars(fresh))
    return fresh


@pytest.fixture
def reports(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "reports.jsonl"
    monkeypatch.setenv("DEEPRESEARCH_REPORTS", str(path))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_file_is_python_3_9_and_imports_little() -> None:
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 9))
    top = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    assert top == {"operator", "os", "sys", "time"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_outside_a_run_a_line_is_printed(module: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    module.report(step=3, val_accuracy=0.97, train_loss=float("nan"))
    module.report(loss=np.float32(0.1))
    assert capsys.readouterr().out == "step 3: val_accuracy=0.97 train_loss=nan\nstep 0: loss=0.1\n"


def test_outside_a_run_dry_run_and_artifacts(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert module.dry_run() is False
    assert module.artifacts() == tmp_path / "artifacts"
    assert (tmp_path / "artifacts").is_dir()


class Tensor:
    """A tensor of one number that can do no more than torch's promise."""

    def item(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.array(0.25), 0.25),
        (np.array([[0.25]]), 0.25),
        (Tensor(), 0.5),
        (Decimal("0.5"), 0.5),
        (1e300, 1e300),
        (5e-324, 5e-324),
    ],
)
def test_numbers_are_taken(module: ModuleType, reports: Path, value: object, expected: float) -> None:
    module.report(step=np.int32(4), metric=value)
    (line,) = lines(reports)
    assert (line["step"], line["values"]) == (4, {"metric": expected})


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0.5", "str '0.5'"),
        (None, "NoneType None"),
        (True, "bool True"),
        (np.bool_(True), "bool True"),
        ([0.5], "list [0.5]"),
        (np.array([0.1, 0.2]), "ndarray of shape (2,)"),
        (1j, "complex 1j"),
        (10**400, "int that is no float"),
        ("a\nb", "str"),
    ],
)
def test_anything_else_is_a_clear_type_error(module: ModuleType, reports: Path, value: object, found: str) -> None:
    with pytest.raises(TypeError) as caught:
        module.report(step=1, good=0.5, **{"val/x": value})
    message = str(caught.value)
    assert "'val/x'" in message and found in message and "accepted is a number" in message and "\n" not in message
    assert not reports.exists()


@pytest.mark.parametrize("step", [1.0, "3", True, np.bool_(True), [1]])
def test_a_step_that_is_no_int_is_refused(module: ModuleType, step: object) -> None:
    with pytest.raises(TypeError, match=r"step is a .* accepted is an int"):
        module.report(step=step, loss=0.5)


def test_no_metric_is_refused(module: ModuleType) -> None:
    with pytest.raises(TypeError, match="no metric given"):
        module.report(step=1)


def test_steps_are_counted_per_process(module: ModuleType, reports: Path) -> None:
    for _ in range(3):
        module.report(loss=0.5)
    module.report(step=40, loss=0.5)
    module.report(loss=0.5)
    assert [line["step"] for line in lines(reports)] == [0, 1, 2, 40, 3]


def test_other_ranks_are_silent(
    module: ModuleType, reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "1")
    module.report(loss=0.5)
    with pytest.raises(TypeError):
        module.report(loss="a mistake is one in every rank")
    monkeypatch.delenv("DEEPRESEARCH_REPORTS")
    module.report(loss=0.5)
    assert not reports.exists() and capsys.readouterr().out == ""
    monkeypatch.setenv("RANK", "0")
    module.report(loss=0.5)
    assert capsys.readouterr().out == "step 2: loss=0.5\n"


@pytest.mark.parametrize(("started", "rank", "count"), [(True, 1, 0), (True, 0, 1), (False, 1, 1)])
def test_a_spawned_worker_asks_torch(
    module: ModuleType, reports: Path, monkeypatch: pytest.MonkeyPatch, started: bool, rank: int, count: int
) -> None:
    distributed = SimpleNamespace(is_available=lambda: True, is_initialized=lambda: started, get_rank=lambda: rank)
    monkeypatch.setitem(sys.modules, "torch.distributed", distributed)
    module.report(loss=0.5)
    assert (len(lines(reports)) if reports.exists() else 0) == count


def test_a_failed_write_names_the_file(module: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path, reason in (("/dev/full", "No space left"), (str(tmp_path / "no" / "r.jsonl"), "No such file")):
        monkeypatch.setenv("DEEPRESEARCH_REPORTS", path)
        with pytest.raises(OSError, match=f"report could not be written: {reason}.*{re.escape(path)}"):
            module.report(loss=0.5)


def test_a_line_after_a_torn_one_stands_alone(
    module: ModuleType, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(fd: int, content: bytes) -> int:
        return write(fd, content[:20])

    write = os.write
    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="only a part"):
        module.report(loss=0.5)
    monkeypatch.setattr(os, "write", write)
    module.report(step=9, loss=0.25)
    torn, whole = reports.read_text().splitlines()
    assert len(torn) == 20 and json.loads(whole)["step"] == 9


def test_a_call_is_cheap(module: ModuleType, reports: Path) -> None:
    """5 us on an idle machine; the bound leaves room for a busy one and still catches a flush to disk at each call."""
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        for step in range(2000):
            module.report(step=step, val_accuracy=0.97, train_loss=0.1)
        best = min(best, (time.perf_counter() - start) / 2000)
    assert best < 40e-6

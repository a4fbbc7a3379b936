"""What run folders tell while they grow: a glance, curves within their bounds, the last lines, the space they take."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_deepresearch.core.ports import Curves, Resources
from jupyter_deepresearch.execution.metrics.series import MetricsFile, Series
from jupyter_deepresearch.execution.paths import ProjectPaths, RunPaths
from jupyter_deepresearch.execution.records import FolderRecords
from jupyter_deepresearch.execution.spec import Live, ResourceLine, RunnerOwner

RUN = "0001-candidate-seed-1"


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    made = ProjectPaths(tmp_path).run(RUN)
    made.root.mkdir(parents=True)
    return made


def line(step: float | None, values: Mapping[str, float]) -> str:
    return json.dumps({"t": 1.0, "cell": 2, "step": step, "values": values, "source": "report"}) + "\n"


def timed(act: Callable[[], object]) -> float:
    """How long it took, in seconds."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def append(path: Path, lines: Iterable[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def test_nothing_is_known_of_a_run_that_no_runner_owns(tmp_path: Path) -> None:
    records = FolderRecords(tmp_path)
    assert records.progress(RUN) is None and not records.waits(RUN)
    assert records.curves(RUN, 100).series == {}
    assert records.tail(RUN, 10) == () and records.disk_bytes() == 0


def test_a_glance_at_a_run_that_waits_and_then_reports(paths: RunPaths, tmp_path: Path) -> None:
    records, now = FolderRecords(tmp_path), time.time()
    paths.owner.write_bytes(msgspec.json.encode(RunnerOwner(12, 34, "boot", "here", now - 100)))
    seen = records.progress(RUN)
    assert seen is not None and seen.pid == 12 and seen.kernel_pid is None and seen.step is None
    assert seen.elapsed_s == pytest.approx(100, abs=5)

    paths.live.write_bytes(msgspec.json.encode(Live(note="waiting for a free GPU", waits=True)))
    seen = records.progress(RUN)
    assert seen is not None and (seen.elapsed_s, seen.note) == (None, "waiting for a free GPU") and records.waits(RUN)

    live = Live(kernel_pid=56, cell=1, cells=3, since=now - 10, note="cell 2 of 3", gpus=("GPU-1",))
    paths.live.write_bytes(msgspec.json.encode(live))
    append(paths.metrics, [line(0, {"loss": 2.0, "acc": 0.1}), line(1, {"loss": 1.0}), line(1, {"acc": math.nan})])
    seen = records.progress(RUN)
    assert seen is not None and (seen.kernel_pid, seen.note, seen.gpus) == (56, "cell 2 of 3", ("GPU-1",))
    assert seen.elapsed_s == pytest.approx(10, abs=5) and not records.waits(RUN)
    assert seen.step == 1 and seen.values["loss"] == 1.0 and math.isnan(seen.values["acc"])


def sampled(age_s: float, cpu: float | None, processes: int, gpu: float | None = None) -> str:
    taken = ResourceLine(time.time() - age_s, cpu, 300 * processes, processes, gpu, None if gpu is None else 7)
    return json.dumps(asdict(taken)) + "\n"


def test_what_a_live_run_takes_is_that_of_its_last_whole_fresh_sample(paths: RunPaths, tmp_path: Path) -> None:
    records = FolderRecords(tmp_path)
    paths.owner.write_bytes(msgspec.json.encode(RunnerOwner(12, None, None, "here", time.time())))

    def taken() -> Resources | None:
        seen = records.progress(RUN)
        return None if seen is None else seen.resources

    assert taken() is None, "nothing was sampled yet"
    append(paths.resources, [sampled(2, None, 0, gpu=1.0)])
    assert taken() == Resources(None, None, 1.0, 7), "no process yet"
    append(paths.resources, [sampled(1, 150.0, 2), sampled(0, 10.0, 3)[:-9]])
    assert taken() == Resources(150.0, 600, None, None), "the last line is being written"
    append(paths.resources, ["\nnot a sample\n"])
    assert taken() is None
    append(paths.resources, [sampled(40, 20.0, 1)])
    assert taken() is None, "its runner has said nothing for a while"
    append(paths.resources, [sampled(0, 20.0, 1)])
    assert taken() == Resources(20.0, 300)
    paths.exit.write_text("{}")
    assert taken() is None, "it has ended"


def test_the_latest_report_of_a_long_run_is_found_without_reading_it_all(paths: RunPaths, tmp_path: Path) -> None:
    paths.owner.write_bytes(msgspec.json.encode(RunnerOwner(12, None, None, "here", time.time())))
    append(paths.metrics, [line(step, {"loss": float(step)}) for step in range(100_000)])
    append(paths.metrics, ['{"t": 1.0, "cell": 2, "st'])  # being written
    records = FolderRecords(tmp_path)
    seen = records.progress(RUN)
    assert seen is not None and seen.values == {"loss": 99_999.0}
    assert timed(lambda: records.progress(RUN)) < timed(lambda: records.curves(RUN, 10)) / 5


def test_a_growing_curve_is_read_once_and_whole_lines_only(paths: RunPaths, tmp_path: Path) -> None:
    records = FolderRecords(tmp_path)
    cut = line(2, {"loss": 3.0})
    append(paths.metrics, [line(0, {"loss": 1.0, "acc": math.inf}), line(1, {"loss": math.nan}), cut[:20]])
    assert records.curves(RUN, 10).series == {"loss": ((0.0, 1.0),), "acc": ()}
    append(paths.metrics, [cut[20:], "not json\n", line(3, {"acc": 0.5})])
    seen = records.curves(RUN, 10)
    assert seen.run == RUN
    assert seen.series == {"loss": ((0.0, 1.0), (2.0, 3.0)), "acc": ((3.0, 0.5),)}


def test_a_file_put_in_the_place_of_another_is_read_anew(paths: RunPaths, tmp_path: Path) -> None:
    records = FolderRecords(tmp_path)
    append(paths.metrics, [line(0, {"loss": 1.0}), line(1, {"loss": 2.0})])
    records.curves(RUN, 10)
    append(paths.root / "other", [line(5, {"b": 1.0}), line(6, {"b": 2.0}), line(7, {"b": 2.0})])
    os.replace(paths.root / "other", paths.metrics)
    assert records.curves(RUN, 10).series == {"b": ((5.0, 1.0), (6.0, 2.0), (7.0, 2.0))}


def test_reports_without_a_step_are_counted(paths: RunPaths, tmp_path: Path) -> None:
    append(paths.metrics, [line(None, {"loss": v}) for v in (3.0, math.nan, 1.0)])
    assert FolderRecords(tmp_path).curves(RUN, 10).series == {"loss": ((0.0, 3.0), (2.0, 1.0))}


def test_only_what_is_new_is_read(paths: RunPaths) -> None:
    metrics = MetricsFile(paths.metrics)
    append(paths.metrics, [line(step, {"loss": float(step)}) for step in range(100_000)])
    first = timed(metrics.refresh)
    append(paths.metrics, [line(100_000, {"loss": 1.0})])
    again = timed(metrics.refresh)
    assert again < first / 5
    assert len(metrics.series["loss"].values) == 100_001


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(values=st.lists(finite, max_size=300), most=st.integers(0, 60))
def test_downsampling_keeps_ends_and_extremes_in_order(values: list[float], most: int) -> None:
    series = Series()
    for step, value in enumerate(values):
        series.add(step, value)
    points = series.points(most)
    assert len(points) <= most
    assert list(points) == sorted(points, key=lambda p: p[0])
    assert all(values[int(step)] == value for step, value in points)
    if values and most >= 1:
        assert points[-1] == (len(values) - 1, values[-1])
    if values and most >= 2:
        assert points[0] == (0, values[0])
    if values and most >= 4:
        assert {min(values), max(values)} <= {value for _, value in points}


def test_a_single_spike_among_a_million_is_kept() -> None:
    series = Series()
    for step in range(1_000_000):
        series.add(step, 9.0 if step == 123_457 else 1.0)
    points = series.points(500)
    assert (123_457.0, 9.0) in points and len(points) <= 500


def test_the_last_lines_printed_with_carriage_returns_and_errors(paths: RunPaths, tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "one\ntw"},
        {"output_type": "stream", "name": "stdout", "text": "o\r\n"},
        {"output_type": "display_data", "data": {"text/plain": "<Figure>"}},
        {"output_type": "stream", "name": "stderr", "text": "10%\r50%\r100%\n"},
        {"output_type": "error", "ename": "E", "evalue": "x", "traceback": ["Traceback", "E: x"]},
        {"output_type": "capped"},
    ]
    append(paths.outputs, [json.dumps({"t": 1.0, "cell": 0, **output}) + "\n" for output in outputs])
    records = FolderRecords(tmp_path)
    assert records.tail(RUN, 100) == ("one", "two", "100%", "Traceback", "E: x")
    assert records.tail(RUN, 2) == ("Traceback", "E: x")
    assert records.tail(RUN, 0) == ()


@pytest.mark.parametrize("count", [63, 64, 65, 500, 5_003])
@pytest.mark.parametrize("most", [3, 4, 7, 120])
def test_a_long_series_shows_its_ends_and_the_extremes_of_equal_stretches(count: int, most: int) -> None:
    series, chance = Series(), random.Random(count)
    values = [float(chance.randrange(50)) for _ in range(count)]  # equal ones too
    for step, value in enumerate(values):
        series.add(step, value)
        if step == count // 2:
            series.points(most)
    stretches, last = (most - 2) // 2, count - 1
    kept = {0, last}
    for number in range(stretches):
        places = range(1 + number * (last - 1) // stretches, 1 + (number + 1) * (last - 1) // stretches)
        kept |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    expected = sorted(kept) if count > most else range(count)
    assert series.points(most) == tuple((float(i), values[i]) for i in expected)
    assert series.points(most) is series.points(most), "nothing new, nothing to look for"


def test_one_metric_of_many(paths: RunPaths, tmp_path: Path) -> None:
    append(paths.metrics, [line(0, {"loss": 1.0, "acc": 0.5})])
    records = FolderRecords(tmp_path)
    assert records.curves(RUN, 10, "acc") == Curves(RUN, {"acc": ((0.0, 0.5),)})
    assert records.curves(RUN, 10, "bleu") == Curves(RUN, {})


def test_the_space_of_runs_without_what_they_link_to(paths: RunPaths, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5_000_000)
    (tmp_path / "bigs").mkdir()
    os.link(tmp_path / "big", tmp_path / "bigs" / "big")
    paths.work.mkdir()
    (paths.work / "link").symlink_to(tmp_path / "big")
    (paths.work / "links").symlink_to(tmp_path / "bigs")
    (paths.work / "model.pt").write_bytes(b"x" * 200_000)
    records = FolderRecords(tmp_path)
    assert 200_000 <= records.disk_bytes() < 300_000
    (paths.work / "more.pt").write_bytes(b"x" * 200_000)
    assert 400_000 <= records.disk_bytes() < 500_000


def test_an_ended_run_is_measured_once_until_something_is_removed(paths: RunPaths, tmp_path: Path) -> None:
    paths.work.mkdir()
    (paths.work / "model.pt").write_bytes(b"x" * 200_000)
    paths.exit.write_text("{}")
    records = FolderRecords(tmp_path)
    before = records.disk_bytes()
    assert before == records.disk_bytes() >= 200_000
    time.sleep(0.02)  # the clock of the file system is coarse
    (paths.work / "model.pt").unlink()
    assert records.disk_bytes() <= before - 200_000

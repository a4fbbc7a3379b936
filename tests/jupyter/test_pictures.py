"""What a panel asks a server besides the status: points, the newest page, parameters, one metric's curve."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.execution.spec import MetricLine, ResourceLine, RunnerOwner
from tests.jupyter.asking import Api, finished, started, until
from tests.jupyter.doubles import Doubled

BASELINE_RUN = "0000-baseline-seed-1"


async def test_points_are_all_and_then_only_what_changed(api: Api, folder: Path) -> None:
    project = await finished(api)
    points = ("projects", project, "points")
    seq = (await api.get("projects", project)).body["seq"]
    first = (await api.get(*points)).body
    assert (first["seq"], first["experiment"], first["measure"]) == (seq, [0, 1, 2], [1, 1, 1])
    assert first["parent"] == [None, 0, 1]
    assert first["decision"] == ["baseline", "confirmed", "worse"] and first["state"] == ["succeeded"] * 3
    assert first["value"] == [pytest.approx(0.3), pytest.approx(0.6), pytest.approx(0.03)]
    assert first["low"] == first["high"] == [None] * 3
    nothing = {"seq": seq, **{name: [] for name in first if name != "seq"}}
    assert (await api.get(*points, after=seq)).body == (await api.get(*points, after=seq + 9)).body == nothing
    again = {"kind": "reproduce", "experiment": 1, "seeds": 1}
    assert (await api.post("projects", project, "commands", body=again)).code == 202
    await until(api, project, "finished")
    later = (await api.get(*points, after=seq)).body
    assert later["experiment"] == [1] and later["seq"] > seq and later["low"][0] <= later["value"][0]


async def test_the_newest_page_comes_first(api: Api, folder: Path) -> None:
    project = await finished(api)
    rows = (await api.get("projects", project, "experiments")).body
    page = ("projects", project, "experiments")
    assert (await api.get(*page, order="newest")).body == rows[::-1]
    assert (await api.get(*page, order="newest", limit=2)).body == rows[:0:-1]
    assert (await api.get(*page, order="newest", limit=2, before=1)).body == rows[:1]
    assert (await api.get(*page, order="newest", before=0)).body == []
    assert (await api.get(*page, order="oldest", after=1)).body == rows[2:]


async def test_the_parameters_to_start_an_idea_from(api: Api, folder: Path) -> None:
    project = await finished(api)
    assert (await api.get("projects", project, "parameters")).body == [
        {"name": "lr", "value": 0.2, "own": 0.1, "range": "0.001..1 log"},
        {"name": "seed", "value": 1, "own": 1, "range": None},
    ]


async def test_a_live_run_tells_one_curve_and_what_it_takes(api: Api, folder: Path, doubled: Doubled) -> None:
    doubled.launches.held = True
    project = await started(api)
    paths = ProjectPaths(folder).run(BASELINE_RUN)
    paths.root.mkdir(parents=True)
    reports = [MetricLine(1.0 + step, 1, step, {"score": step / 10, "loss": 1.0}) for step in range(300)]
    paths.metrics.write_text("".join(json.dumps(asdict(line)) + "\n" for line in reports))
    paths.resources.write_text(json.dumps(asdict(ResourceLine(time.time(), 98.5, 10**9, 3, 40.0, 2 * 10**9))) + "\n")
    paths.owner.write_text(json.dumps(asdict(RunnerOwner(77, None, None, "here", time.time()))))
    metrics = ("projects", project, "experiments", "0", "metrics")
    while not (status := (await api.get("projects", project)).body)["running"]:
        await asyncio.sleep(0.02)
    whole = (await api.get(*metrics, points=300)).body
    assert whole["run"] == BASELINE_RUN and set(whole["series"]) == {"score", "loss"}
    one = (await api.get(*metrics, points=120, metric="score")).body
    assert set(one["series"]) == {"score"} and len(one["series"]["score"]) <= 120
    assert one["series"]["score"][0] == [0, 0] and one["series"]["score"][-1] == [299, 29.9]
    assert (await api.get(*metrics, metric="nothing", run=BASELINE_RUN)).body == {"run": BASELINE_RUN, "series": {}}
    status = (await api.get("projects", project)).body
    assert status["running"][0]["resources"] == {
        **{"cpu_percent": 98.5, "memory_bytes": 10**9},
        **{"gpu_percent": 40.0, "gpu_memory_bytes": 2 * 10**9},
    }
    doubled.launches.held = False
    await until(api, project, "finished")

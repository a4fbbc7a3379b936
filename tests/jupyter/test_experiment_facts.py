"""What is answered of one experiment: its code on both sides, its runs, what they print."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from jupyter_deepresearch.changes import MOST_CHARS
from jupyter_deepresearch.core.ports import RunSpec
from jupyter_deepresearch.core.types import Outcome, RunError, RunState
from jupyter_deepresearch.execution.paths import ProjectPaths, RunPaths
from jupyter_deepresearch.execution.spec import Live, RunnerOwner
from tests.jupyter.asking import Api, finished, started, until
from tests.jupyter.doubles import TRAINING, Doubled, three_times_lr, write_project

BASELINE, RUN = "0000-baseline-seed-1", "0001-candidate-seed-1"


async def of(api: Api, project: str, number: int, what: str, **query: object) -> Any:
    answer = await api.get("projects", project, "experiments", str(number), what, **query)
    assert answer.code == 200, answer
    return answer.body


async def test_code_is_given_whole_where_it_differs(api: Api, folder: Path) -> None:
    write_project(folder, training=f"import model\n{TRAINING}")
    (folder / "model.py").write_text("x = 1\n")
    project = await finished(api)
    code = await of(api, project, 1, "code")
    (cell,) = code.pop("places")
    assert code == {"before": 0, "after": 1, "unchanged": 3}
    assert (cell["kind"], cell["before"]) == ("cell", None) and "lr = 0.2" in cell["after"]
    between = await of(api, project, 1, "code", to=2)
    assert (between["before"], between["after"], between["unchanged"]) == (1, 2, 3)
    assert [("lr = 0.2" in p["before"], "lr = 0.01" in p["after"]) for p in between["places"]] == [(True, True)]
    assert await of(api, project, 0, "code") == {"before": None, "after": 0, "places": [], "unchanged": 3}
    changed = nbformat.read(folder / "train.ipynb", 4)
    changed.cells[0].source += "\nwide = True"
    changed.cells.append(nbformat.v4.new_code_cell("#" * (MOST_CHARS + 54)))
    nbformat.write(changed, folder / "train.ipynb")
    (folder / "model.py").write_text("y = 1\n")
    tried = {"kind": "try", "notebook": "train.ipynb"}
    assert (await api.post("projects", project, "commands", body=tried)).code == 202
    await until(api, project, "finished")
    mine = {place["place"]: place for place in (await of(api, project, 3, "code", to=0))["places"]}
    assert "wide = True" in mine[changed.cells[0].id]["before"]
    assert mine["model.py"] == {"place": "model.py", "kind": "file", "before": "y = 1\n", "after": "x = 1\n"}
    long = mine[changed.cells[2].id]
    assert long["before"] == "#" * MOST_CHARS + "\n[... 54 characters left out ...]" and long["after"] is None


def ended(spec: RunSpec) -> Outcome:
    """A first experiment that is ended by a stop rule, all others as they are."""
    if spec.run.id != RUN:
        return three_times_lr(spec)
    error = RunError("Stalled", "nothing new for 15 min\nat all", cell=1, rule="guard.stall_minutes")
    return Outcome(spec.run.id, RunState.STALLED, elapsed_s=9.0, gpu_s=18.0, peak_memory_bytes=7, error=error,
                   notes=("wandb is offline",), environment={"python": "3.11"})  # fmt: skip


async def test_the_facts_of_every_run_are_told(api: Api, folder: Path, doubled: Doubled) -> None:
    doubled.launches.ending = ended
    began = time.time()
    project = await finished(api)
    (run,) = await of(api, project, 1, "runs")
    assert began < run.pop("started_at") <= run.pop("ended_at") < time.time()
    expected = {"run": RUN, "purpose": "candidate", "seed": 1, "attempt": 1, "state": "stalled", "value": None}
    measured = {"elapsed_s": 9.0, "gpu_s": 18.0, "peak_memory_bytes": 7, "notes": ["wandb is offline"]}
    why = {"error": "Stalled in cell 1: nothing new for 15 min", "rule": "guard.stall_minutes", "notebook": None}
    assert run == {**expected, **measured, **why, "environment": {"python": "3.11"}}
    (baseline,) = await of(api, project, 0, "runs")
    assert baseline["value"] == pytest.approx(0.3) and (baseline["error"], baseline["rule"]) == (None, None)
    experiments = folder / "experiments"
    experiments.mkdir(exist_ok=True)
    shown = {"0000-baseline.ipynb": BASELINE, "0000-baseline-copy.ipynb": BASELINE, "0001-x.seed-2.ipynb": "0001-other"}
    for name, of_run in shown.items():
        notebook = nbformat.v4.new_notebook(metadata={"deepresearch": {"run": of_run}})
        nbformat.write(notebook, experiments / name)
    (experiments / "0001-x.ipynb").write_text("no notebook")
    assert [run["notebook"] for run in await of(api, project, 0, "runs")] == ["experiments/0000-baseline.ipynb"]
    assert [run["notebook"] for run in await of(api, project, 1, "runs")] == [None]


def printed(paths: RunPaths, *texts: str) -> None:
    """Put into a run's log what its cell has printed."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with paths.outputs.open("a", encoding="utf-8") as log:
        for text in texts:
            log.write(json.dumps({"t": 1.0, "cell": 1, "output_type": "stream", "name": "stdout", "text": text}) + "\n")


async def test_a_live_run_is_told_while_it_prints(api: Api, folder: Path, doubled: Doubled) -> None:
    doubled.launches.held = True
    project = await started(api)
    for _ in range(500):
        if (await api.get("projects", project)).body["running"]:
            break
        await asyncio.sleep(0.02)
    paths = ProjectPaths(folder).run(BASELINE)
    (run,) = await of(api, project, 0, "runs")
    assert (run["state"], run["ended_at"], run["elapsed_s"], run["gpu_s"]) == ("pending", None, None, None)
    assert await of(api, project, 0, "output") == {"run": BASELINE, "text": ""}
    printed(paths, "epoch 1\n", "\x1b[32m10%", "\r\x07100%\x1b[0m\n", "x" * 30_000)
    since = time.time() - 60
    paths.owner.write_bytes(msgspec.json.encode(RunnerOwner(os.getpid(), 34, "boot", "here", since)))
    paths.live.write_bytes(msgspec.json.encode(Live(kernel_pid=1, cell=1, cells=2, since=since, note="in cell 2")))
    (run,) = await of(api, project, 0, "runs")
    assert (run["state"], run["notes"], run["ended_at"]) == ("running", ["in cell 2"], None)
    assert run["elapsed_s"] == pytest.approx(60, abs=20)
    tail = await of(api, project, 0, "output", chars=20_000)
    assert len(tail["text"]) == 20_000 and tail["text"] == "…" + "x" * 19_999
    printed(paths, "\rshort", "\nlast")
    assert (await of(api, project, 0, "output"))["text"] == "[cell 1]\nepoch 1\n100%\nshort\nlast"
    doubled.launches.held = False
    await until(api, project, "finished")
    assert (await of(api, project, 0, "output", run=BASELINE))["run"] == BASELINE
    assert await of(api, project, 1, "output") == {"run": RUN, "text": ""}


async def test_an_experiment_that_has_not_run_has_no_runs(api: Api, folder: Path) -> None:
    project = await started(api, approval={"mode": "ask"})
    await until(api, project, "waiting_approval")
    assert await of(api, project, 1, "runs") == []
    assert await of(api, project, 1, "output") == {"run": None, "text": ""}

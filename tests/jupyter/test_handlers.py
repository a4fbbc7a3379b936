"""What every REST route answers, and what commands do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.gpus.lease import NAME, lock_path
from jupyter_deepresearch.testing import ScriptedGpus, scripted_gpu
from tests.jupyter.asking import Api, finished, refused, started, until
from tests.jupyter.doubles import Doubled, write_project

ASK = {"approval": {"mode": "ask"}}


async def test_starting_answers_with_the_status_of_a_project_that_runs(api: Api, folder: Path) -> None:
    answer = await api.post("projects", body={"path": "small", "brief": "make it higher", "budget": {"cycles": 2}})
    assert answer.code == 201
    status = answer.body
    assert (status["project"], status["path"], status["cycles"]) == ("small", str(folder), 2)
    assert (status["state"], status["objective"]["metric"]) == ("running", "score")
    assert status["place"] == "small" and status["seq"] >= 1
    assert (folder / "PROJECT_BRIEF.md").read_text() == "make it higher"


async def test_the_list_holds_the_status_objects_of_all_projects(api: Api, folder: Path, jp_root_dir: Path) -> None:
    assert (await api.get("projects")).body == []
    write_project(jp_root_dir / "deep" / "other")
    first = await finished(api)
    second = (await api.post("projects", body={"path": "deep/other"})).body["id"]
    await until(api, second, "finished")
    listed = (await api.get("projects")).body
    assert [entry["id"] for entry in listed] == [first, second]
    assert listed[0] == (await api.get("projects", first)).body


async def test_an_absolute_path_inside_the_root_is_accepted(api: Api, folder: Path) -> None:
    assert (await api.post("projects", body={"path": str(folder)})).code == 201


async def test_history_is_given_in_pages(api: Api, folder: Path) -> None:
    project = await finished(api)
    rows = (await api.get("projects", project, "experiments")).body
    assert [(row["experiment"], row["decision"]) for row in rows] == [(0, "baseline"), (1, "confirmed"), (2, "worse")]
    assert rows[1]["value"] == pytest.approx(0.6) and rows[1]["parameters"] == {"lr": 0.2}
    assert [row["delta"] for row in rows] == [None, pytest.approx(0.3), pytest.approx(-0.57)]
    pages = [await api.get("projects", project, "experiments", after=after, limit=1) for after in (-1, 0, 1, 2)]
    assert [[row["experiment"] for row in page.body] for page in pages] == [[0], [1], [2], []]
    assert (await api.get("projects", project, "experiments", "1")).body == rows[1]


async def test_curves_name_their_run(api: Api, folder: Path) -> None:
    project = await finished(api)
    answer = await api.get("projects", project, "experiments", "1", "metrics", points=50)
    assert answer.body == {"run": "0001-candidate-seed-1", "series": {}}
    refused(await api.get("projects", project, "experiments", "1", "metrics", run="0000-x"), 404, "not_found")


async def test_a_diff_shows_the_lines_that_an_experiment_changes(api: Api, folder: Path) -> None:
    project = await finished(api)
    changed = (await api.get("projects", project, "experiments", "1", "diff")).body
    assert (changed["before"], changed["after"]) == (0, 1)
    assert "+lr = 0.2" in changed["changes"][0]["lines"]
    between = (await api.get("projects", project, "experiments", "1", "diff", to=2)).body
    assert [line for line in between["changes"][0]["lines"] if line[0] in "+-"] == ["-lr = 0.2", "+lr = 0.01"]
    baseline = (await api.get("projects", project, "experiments", "0", "diff")).body
    assert baseline == {"before": None, "after": 0, "changes": []}


async def test_memory_is_given_as_sent(api: Api, folder: Path) -> None:
    project = await started(api, brief="make it higher")
    await until(api, project, "finished")
    memory = (await api.get("projects", project, "memory")).body
    assert memory["brief"] == "make it higher" and "a larger step is better" in memory["log"]
    assert set(memory) == {
        *("brief", "log", "notes", "brief_limit_chars", "log_limit_chars"),
        *("entered", "changed", "dropped"),
    }
    assert (memory["brief_limit_chars"], memory["log_limit_chars"]) == (3000, 2000)
    assert [line[:5] for line in memory["entered"]] == ["- #2 "] and memory["entered"][0] in memory["log"]
    assert memory["changed"] == memory["dropped"] == []


async def test_the_bill_is_given_whole(api: Api, folder: Path) -> None:
    project = await started(api)
    await until(api, project, "finished")
    bill = (await api.get("projects", project, "cost")).body
    nothing = {"calls": 0, "tokens_in": 0, "tokens_out": 0, "usd": 0.0, "by_phase": {}}
    assert bill.items() >= {**nothing, "calls_while_training": 0, "calls_about_live_runs": 0, "by_day": {}}.items()
    assert "there is no project" in refused(await api.get("projects", "nobody", "cost"), 404, "not_found")


async def test_events_can_be_followed_by_their_seq(api: Api, folder: Path) -> None:
    project = await finished(api)
    first = (await api.get("projects", project, "events")).body
    seqs = [event["seq"] for event in first["events"]]
    assert seqs == list(range(1, len(seqs) + 1)) and first["next"] == seqs[-1]
    assert first["events"][0]["kind"] == "opened" and set(first["events"][0]) == {"seq", "at", "kind", "body"}
    rest = (await api.get("projects", project, "events", after=seqs[-3])).body
    assert rest["events"] == first["events"][-2:]
    assert (await api.get("projects", project, "events", after=10**9)).body == {"events": [], "next": 10**9}


async def test_gpus_say_who_holds_them(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ScriptedGpus([scripted_gpu(0, 2**22 + 1, used_gb=9.8), scripted_gpu(1)])
    monkeypatch.setattr("jupyter_deepresearch.app.NvmlGpus", lambda: driver)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    used, hidden = (await api.get("gpus")).body
    assert (used["index"], used["is_ours"], used["is_free"], used["leased_by"]) == (0, True, False, None)
    assert used["holders"] == ["9.8 GB held by a process that is not visible from here (pid 4194305)"]
    assert (hidden["uuid"], hidden["is_ours"], hidden["processes"]) == (scripted_gpu(1).uuid, False, [])


async def test_a_gpu_says_which_projects_run_has_it(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_deepresearch.app.NvmlGpus", lambda: ScriptedGpus([scripted_gpu(0), scripted_gpu(1)]))
    monkeypatch.setattr("jupyter_deepresearch.execution.gpus.lease.PLACES", (tmp_path,))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    lock = lock_path(tmp_path / NAME, scripted_gpu(1).uuid)
    lock.parent.mkdir()
    holds = f"import fcntl, sys\nf = open({str(lock)!r}, 'w')\nfcntl.flock(f, 2)\nprint(flush=True)\nsys.stdin.read()"
    run = tmp_path / "digits" / ".deepresearch" / "runs" / "0003-candidate-seed-1"
    command = [sys.executable, "-c", holds, "jupyter_deepresearch.execution.runner", str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as runner:
        assert runner.stdout is not None and runner.stdout.readline() == b"\n"
        free, leased = (await api.get("gpus")).body
        runner.communicate()
    assert (free["is_free"], free["leased_by"]) == (True, None)
    assert (leased["is_free"], leased["leased_by"]) == (False, "the run 0003-candidate-seed-1 of project digits")


async def test_gpus_are_a_list(api: Api) -> None:
    answer = await api.get("gpus")
    assert answer.code == 200 and isinstance(answer.body, list)


# Commands


async def test_a_waiting_hypothesis_is_approved_and_another_rejected(api: Api, folder: Path) -> None:
    project = await started(api, **ASK)
    waiting = (await until(api, project, "waiting_approval"))["waiting"]
    assert [(w["hypothesis"], w["claim"], w["parameters"]) for w in waiting] == [
        (1, "a larger step is better", {"lr": 0.2})
    ]
    commands = ("projects", project, "commands")
    assert (await api.post(*commands, body={"kind": "approve", "hypothesis": 1})).code == 202
    for _ in range(500):
        status = (await api.get("projects", project)).body
        if [w["hypothesis"] for w in status["waiting"]] == [2]:
            break
        await asyncio.sleep(0.02)
    again = await api.post(*commands, body={"kind": "approve", "hypothesis": 1})
    assert "1 was already decided" in refused(again, 409, "already_decided")
    assert (await api.post(*commands, body={"kind": "reject", "hypothesis": 2, "reason": "too small"})).code == 202
    await until(api, project, "finished")
    rows = (await api.get("projects", project, "experiments")).body
    assert [row["decision"] for row in rows] == ["baseline", "confirmed", "rejected"]


async def test_a_repeated_command_id_answers_the_same_seq(api: Api, folder: Path) -> None:
    project = await finished(api)
    told = {"kind": "try", "parameters": {"lr": 0.3}, "command_id": "mine-1"}
    answers = [await api.post("projects", project, "commands", body=told) for _ in range(3)]
    assert [answer.code for answer in answers] == [202] * 3
    assert len({answer.body["seq"] for answer in answers}) == 1
    await until(api, project, "finished")
    rows = (await api.get("projects", project, "experiments")).body
    assert [row["claim"] for row in rows if row["kind"] == "by_hand"] == ["by hand: lr = 0.3"]


async def test_pause_resume_stop(api: Api, folder: Path, doubled: Doubled) -> None:
    doubled.launches.held = True
    project = await started(api)
    commands = ("projects", project, "commands")
    for _ in range(500):
        running = (await api.get("projects", project)).body["running"]
        if running:
            break
        await asyncio.sleep(0.02)
    assert running[0]["run"] == "0000-baseline-seed-1" and running[0]["purpose"] == "baseline"
    for kind, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert (await api.post(*commands, body={"kind": kind})).code == 202
        await until(api, project, state)
    for _ in range(500):
        status = (await api.get("projects", project)).body
        if not status["running"]:
            break
        await asyncio.sleep(0.02)
    assert doubled.launches.cancelled == {"0000-baseline-seed-1"} and status["running"] == []

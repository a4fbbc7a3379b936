"""Changes are heard on Jupyter's own event bus, and nothing of ours holds up the server."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.jupyter.extension import CHANGED, DeepResearchApp
from tests.jupyter.asking import Api
from tests.jupyter.doubles import Doubled

Connect = Callable[..., Awaitable[Any]]


async def heard_until(socket: Any, kind: str) -> list[dict[str, Any]]:
    """Our events in the order in which they came, up to the first of this kind."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["kind"] != kind:
        event = json.loads(await asyncio.wait_for(socket.read_message(), timeout=10))
        if event["schema_id"] == CHANGED:
            heard.append({key: value for key, value in event.items() if not key.startswith("__")})
    return heard


async def test_every_record_of_the_log_is_announced(api: Api, folder: Path, jp_ws_fetch: Connect) -> None:
    socket = await jp_ws_fetch("api", "events", "subscribe")
    project = (await api.post("projects", body={"path": "small"})).body["id"]
    heard = await heard_until(socket, "finished")
    log = (await api.get("projects", project, "events")).body["events"]
    announced = [(event["seq"], event["kind"]) for event in heard]
    # What was written before the service had the project open is in the answer to the request itself.
    assert announced == [(event["seq"], event["kind"]) for event in log][-len(announced) :]
    assert announced[-1][1] == "finished" and {"proposed", "launched", "ended", "judged"} <= {k for _, k in announced}
    assert {event["project"] for event in heard} == {project}
    assert all(set(event) == {"schema_id", "project", "seq", "kind"} for event in heard)
    socket.close()


async def test_a_command_is_announced_to_every_listener(api: Api, folder: Path, jp_ws_fetch: Connect) -> None:
    project = (await api.post("projects", body={"path": "small", "approval": {"mode": "ask"}})).body["id"]
    sockets = [await jp_ws_fetch("api", "events", "subscribe") for _ in range(2)]
    seq = (await api.post("projects", project, "commands", body={"kind": "pause"})).body["seq"]
    for socket in sockets:
        assert (await heard_until(socket, "pause"))[-1]["seq"] == seq
        socket.close()


async def test_a_slow_answer_holds_up_nobody(
    api: Api, folder: Path, doubled: Doubled, jp_fetch: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(doubled, "preflight", lambda project, survey: (release.wait(20), ())[1])
    starting = asyncio.ensure_future(api.post("projects", body={"path": "small"}))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert (await jp_fetch("api", "status")).code == 200
    assert time.monotonic() - began < 5 and not starting.done()
    release.set()
    assert (await starting).code == 201


async def test_a_stopping_server_gives_its_projects_back(
    api: Api, folder: Path, doubled: Doubled, jp_serverapp: Any
) -> None:
    doubled.launches.held = True
    project = (await api.post("projects", body={"path": "small"})).body["id"]
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_deepresearch"]
    assert isinstance(app, DeepResearchApp)
    await app.stop_extension()
    answer = await api.get("projects", project)
    assert (answer.code, answer.body["reason"]) == (409, "conflict") and "stopping" in answer.body["message"]
    other = doubled.service(name="the next server")
    try:
        assert other.project(project).store.holder() is None
        doubled.launches.held = False
        other.resume_all()
        deadline = time.monotonic() + 10
        while other.status(other.project(project)).state != "finished" and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert other.status(other.project(project)).state == "finished"
        assert set(doubled.launches.started.values()) == {1}
    finally:
        other.close()

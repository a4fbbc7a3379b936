"""From a kernel to its server: found for sure or not at all, asked with types, refused with the server's own words."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
from jupyter_core.paths import jupyter_runtime_dir

from jupyter_deepresearch import errors
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core.types import Decision, RunState
from jupyter_deepresearch.jupyter.answering import Answering
from jupyter_deepresearch.jupyter.client import Client
from jupyter_deepresearch.jupyter.ledger import LedgerClient
from jupyter_deepresearch.jupyter.servers import Server, find_server
from tests.jupyter.doubles import Doubled

T = TypeVar("T")


# Finding the server


def note(name: str, root: Path, url: str = "http://127.0.0.1:9/", pid: int | None = None, token: str = "t") -> None:
    """What a running server leaves in the runtime folder."""
    runtime = Path(jupyter_runtime_dir())
    runtime.mkdir(parents=True, exist_ok=True)
    content = {"url": url, "token": token, "root_dir": str(root), "pid": os.getpid() if pid is None else pid}
    (runtime / f"jpserver-{name}.json").write_text(json.dumps(content))


@contextmanager
def answering(code: int = 200, body: bytes = b"{}", seen: list[str] | None = None) -> Iterator[str]:
    """The URL of a server that gives every request the same answer and notes its Authorization."""

    class Same(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append(self.headers.get("Authorization", ""))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Same)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_the_person_set_comes_first(tmp_path: Path) -> None:
    note("own", tmp_path)
    environ = {
        "DEEPRESEARCH_SERVER_URL": "http://far.example:8888/hub",
        "DEEPRESEARCH_SERVER_TOKEN": "s",
        "JPY_PARENT_PID": "1",
    }
    assert find_server(environ, tmp_path) == Server("http://far.example:8888/hub/", "s")


def test_the_server_that_started_the_kernel_is_found_by_its_pid(tmp_path: Path) -> None:
    note("other", tmp_path, "http://127.0.0.1:1/", pid=os.getppid())
    note("own", tmp_path / "elsewhere", "http://127.0.0.1:2/lab", pid=os.getpid(), token="mine")
    found = find_server({"JPY_PARENT_PID": str(os.getpid())}, tmp_path)
    assert (found.url, found.token) == ("http://127.0.0.1:2/lab/", "mine")


def test_on_a_hub_the_environment_tells(tmp_path: Path) -> None:
    environ = {
        "JPY_PARENT_PID": "1",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
        "JUPYTERHUB_API_TOKEN": "hub",
    }
    assert find_server(environ, tmp_path) == Server("http://127.0.0.1:8888/user/ada/", "hub")


def test_the_only_reachable_server_above_the_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with answering() as url:
        note("above", tmp_path / "a", url)
        note("silent", tmp_path, "http://127.0.0.1:9/")
        note("aside", tmp_path / "c", url)
        assert find_server({}, tmp_path / "a" / "b").url == url


def test_two_servers_above_the_folder_are_never_guessed_between(tmp_path: Path) -> None:
    with answering() as one, answering() as two:
        note("one", tmp_path, one)
        note("two", tmp_path, two)
        with pytest.raises(errors.Conflict, match="several Jupyter servers") as refusal:
            find_server({}, tmp_path)
        assert one in str(refusal.value) and two in str(refusal.value)


def test_dead_and_broken_notes_are_passed_over(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    note("dead", tmp_path, pid=dead.pid)
    for name, content in (("torn", '{"url": '), ("list", "[]"), ("empty", "{}"), ("null", "null")):
        (Path(jupyter_runtime_dir()) / f"jpserver-{name}.json").write_text(content)
    with pytest.raises(errors.NoServer, match=f"^no Jupyter server holds {tmp_path}; what started this kernel is no"):
        find_server({"JPY_PARENT_PID": str(dead.pid)}, tmp_path)
    (tmp_path / "root").mkdir()
    note("elsewhere", tmp_path / "root", "http://127.0.0.1:9/")
    with pytest.raises(errors.NoServer, match=f"holds {tmp_path}: http://127.0.0.1:9/ has {tmp_path}/root$"):
        find_server({}, tmp_path)
    with pytest.raises(errors.NoServer, match=r"http://127.0.0.1:9/ holds .* and does not answer$"):
        find_server({}, tmp_path / "root")


# Asking it


def test_a_server_that_is_gone_is_said_in_one_line() -> None:
    with pytest.raises(errors.NoServer, match="cannot be reached"):
        Client(Server("http://127.0.0.1:9/", "t")).projects()


@pytest.mark.parametrize(
    ("code", "body", "error", "said"),
    [
        (404, b"<html>not here</html>", errors.NoServer, "does not have the extension"),
        (403, b'{"message": "Forbidden", "reason": null}', errors.Forbidden, "refuses our token"),
        (500, b'{"message": "Unhandled error", "reason": null}', errors.StorageFailed, "error 500"),
        (502, b"", errors.StorageFailed, "error 502"),
        (409, b'{"message": "x is busy", "reason": "busy"}', errors.Conflict, "^x is busy$"),
        (
            503,
            b'{"message": "the disk is full", "reason": "storage_failed"}',
            errors.StorageFailed,
            "^the disk is full$",
        ),
        (200, b"<html>a login page</html>", errors.StorageFailed, "another version"),
        (200, b'[{"id": 3}]', errors.StorageFailed, "another version"),
    ],
)
def test_whatever_a_server_answers_is_one_of_our_errors(
    code: int, body: bytes, error: type[errors.DeepResearchError], said: str
) -> None:
    seen: list[str] = []
    with answering(code, body, seen) as url, pytest.raises(error, match=said) as refusal:
        Client(Server(url, "secret")).projects()
    assert type(refusal.value) is error and "\n" not in str(refusal.value) and "secret" not in str(refusal.value)
    assert seen == ["token secret"]


def test_a_server_that_logs_in_by_password_is_told_apart() -> None:
    body = b'{"message": "Forbidden", "reason": null}'
    with answering(403, body) as url, pytest.raises(errors.NoServer, match="password only"):
        Client(Server(url, "")).projects()


def test_no_proxy_of_the_environment_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(200, b"[]") as url:
        assert Client(Server(url, "t")).projects() == ()


@pytest.fixture
def client(
    doubled: Doubled, http_server_client: object, jp_serverapp: Any, jp_auth_header: dict[str, str], jp_base_url: str
) -> Client:
    """A client of the real server of this process, which listens once it has an HTTP client of its own."""
    token = jp_auth_header["Authorization"].removeprefix("token ")
    return Client(Server(f"http://127.0.0.1:{jp_serverapp.port}{jp_base_url}", token))


async def off_loop(question: Callable[[], T]) -> T:
    """What a kernel would do in its own process: the server runs in this thread."""
    return await asyncio.to_thread(question)


async def test_every_answer_of_a_real_server_has_its_type(client: Client, folder: Path) -> None:
    options = Options(metric="score", direction="maximize", cycles=2, tables={"budget": {"hours": 1}})
    view = await off_loop(lambda: client.start(folder, options, "make it higher"))
    while (status := await off_loop(lambda: client.status(view.id))).state != "finished":
        await asyncio.sleep(0.02)
    assert (status.project, status.cycles, status.champion and status.champion.experiment) == ("small", 2, 1)
    assert await off_loop(client.projects) == (status,)
    rows = await off_loop(lambda: client.history(view.id))
    assert [row.experiment for row in rows] == [0, 1, 2]
    assert await off_loop(lambda: client.experiment(view.id, 1)) == rows[1]
    assert (await off_loop(lambda: client.memory(view.id))).brief == "make it higher"
    changes = await off_loop(lambda: client.changes(view.id, 1))
    assert (changes.before, changes.after) == (0, 1) and "+lr = 0.2" in changes.changes[0].lines
    seqs = [await off_loop(lambda: client.command(view.id, "directive", "once", text="lr: 0.1..1")) for _ in range(2)]
    assert seqs[0] == seqs[1]


async def test_a_server_and_the_folder_itself_answer_the_same(client: Client, folder: Path) -> None:
    view = await off_loop(lambda: client.start(folder))
    while (await off_loop(lambda: client.status(view.id))).state != "finished":
        await asyncio.sleep(0.02)
    points = await off_loop(lambda: client.points(view.id))
    assert points.decision == (Decision.BASELINE, Decision.CONFIRMED, Decision.WORSE)
    assert points.state == (RunState.SUCCEEDED,) * 3
    questions: tuple[Callable[[Answering], object], ...] = (
        lambda who: who.points(view.id),
        lambda who: who.points(view.id, after=points.seq - 2),
        lambda who: who.newest(view.id, 2),
        lambda who: who.newest(view.id, 2, before=1),
        lambda who: who.parameters(view.id),
        lambda who: who.curve(view.id, 1, "score", 100),
        lambda who: who.memory(view.id),
    )
    for ask in questions:
        assert await off_loop(partial(ask, client)) == ask(LedgerClient(folder))
    unknown = "experiment 1 has no run 'mine'"
    for who in (client, LedgerClient(folder)):
        with pytest.raises(errors.NotFound, match=unknown):
            await off_loop(partial(who.curve, view.id, 1, "score", 100, run="mine"))


async def test_the_servers_own_words_arrive(client: Client, folder: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="unknown key"):
        await off_loop(lambda: client.start(folder, Options(tables={"budgt": {}})))
    with pytest.raises(errors.NotFound, match="no such project folder"):
        await off_loop(lambda: client.start(folder / "missing"))
    with pytest.raises(errors.NotFound, match="there is no project 'a/b'"):
        await off_loop(lambda: client.status("a/b"))
    view = await off_loop(lambda: client.start(folder))
    with pytest.raises(errors.NotFound, match="99"):
        await off_loop(lambda: client.command(view.id, "approve", hypothesis=99))


async def test_a_long_history_is_fetched_in_pages(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_deepresearch.jupyter.client._PAGE", 2)
    view = await off_loop(lambda: client.start(folder))
    while (await off_loop(lambda: client.status(view.id))).state != "finished":
        await asyncio.sleep(0.02)
    assert [row.experiment for row in await off_loop(lambda: client.history(view.id))] == [0, 1, 2]

"""Every REST route: what it answers, who may ask, and one readable line for whatever is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from jupyter_deepresearch.config import Options
from tests.jupyter.conftest import Answer, Api
from tests.jupyter.doubles import CONFIG, Doubled, HeldLauncher, three_times_lr, write_project

ASK = {"approval": {"mode": "ask"}}
ROUTES = [
    ("GET", "projects"),
    ("POST", "projects"),
    ("GET", "projects/x"),
    ("GET", "projects/x/experiments"),
    ("GET", "projects/x/experiments/1"),
    ("GET", "projects/x/experiments/1/metrics"),
    ("GET", "projects/x/experiments/1/diff"),
    ("GET", "projects/x/memory"),
    ("GET", "projects/x/events"),
    ("POST", "projects/x/commands"),
    ("GET", "gpus"),
]


async def until(api: Api, project: str, state: str) -> dict[str, Any]:
    """The status of a project once it is in this state."""
    for _ in range(500):
        status = (await api.get("projects", project)).body
        if status["state"] == state:
            return status
        await asyncio.sleep(0.02)
    pytest.fail(f"the project is not {state} after 10 s but {status['state']}: {status['reason']}")


async def started(api: Api, **body: object) -> str:
    answer = await api.post("projects", body={"path": "small", **body})
    assert answer.code == 201, answer
    return answer.body["id"]


async def finished(api: Api) -> str:
    project = await started(api)
    await until(api, project, "finished")
    return project


def refused(answer: Answer, code: int, reason: str) -> str:
    """The message of a refusal, which is one readable line."""
    assert (answer.code, answer.body["reason"]) == (code, reason), answer
    message = answer.body["message"]
    assert set(answer.body) == {"message", "reason"} and 10 < len(message) < 600 and "\n" not in message
    assert "Traceback" not in message and "Error" not in message
    return message


# What the routes answer


async def test_starting_answers_with_the_status_of_a_project_that_runs(api: Api, folder: Path) -> None:
    answer = await api.post("projects", body={"path": "small", "brief": "make it higher", "budget": {"cycles": 2}})
    assert answer.code == 201
    status = answer.body
    assert (status["project"], status["path"], status["cycles"]) == ("small", str(folder), 2)
    assert (status["state"], status["objective"]["metric"]) == ("running", "score")
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
    assert set(memory) == {"brief", "log", "notes"}


async def test_events_can_be_followed_by_their_seq(api: Api, folder: Path) -> None:
    project = await finished(api)
    first = (await api.get("projects", project, "events")).body
    seqs = [event["seq"] for event in first["events"]]
    assert seqs == list(range(1, len(seqs) + 1)) and first["next"] == seqs[-1]
    assert first["events"][0]["kind"] == "opened" and set(first["events"][0]) == {"seq", "at", "kind", "body"}
    rest = (await api.get("projects", project, "events", after=seqs[-3])).body
    assert rest["events"] == first["events"][-2:]
    assert (await api.get("projects", project, "events", after=10**9)).body == {"events": [], "next": 10**9}


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


# Who may ask


@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_a_stranger_is_refused(
    doubled: Doubled, jp_fetch: Callable[..., Awaitable[Any]], method: str, route: str
) -> None:
    body = {"body": "{}"} if method == "POST" else {}
    with pytest.raises(HTTPClientError) as refusal:
        parts = route.split("/")
        await jp_fetch("deepresearch", "api", *parts, method=method, headers={"Authorization": ""}, **body)
    assert refusal.value.code == 403


class Deny(Authorizer):
    """Lets nobody do anything, and remembers what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012  # the server makes the object, the test reads the class

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return False


class TestWithoutAuthorization:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        config = {**jp_server_config["ServerApp"], "authorizer_class": Deny}
        return {**jp_server_config, "ServerApp": config}

    @pytest.mark.parametrize(("method", "route"), ROUTES)
    async def test_every_route_asks_the_authorizer(self, api: Api, method: str, route: str) -> None:
        Deny.asked.clear()
        answer = await api.ask(method, *route.split("/"), body={})
        assert answer.code == 403
        assert ("execute" if method == "POST" else "read", "deepresearch") in Deny.asked


async def test_a_browser_needs_its_xsrf_token(
    doubled: Doubled, folder: Path, jp_serverapp: Any, jp_base_url: str, http_server_client: Any
) -> None:
    async def cookies(route: str, **headers: str) -> str:
        page = await http_server_client.fetch(
            f"{jp_base_url}{route}", headers=headers, follow_redirects=False, raise_error=False
        )
        return "; ".join(line.split(";")[0] for line in page.headers.get_list("Set-Cookie"))

    form = await cookies("login")
    login = await cookies(f"login?token={jp_serverapp.identity_provider.token}")
    cookie = f"{form}; {login}"
    xsrf = next(part.split("=", 1)[1] for part in form.split("; ") if part.startswith("_xsrf"))
    url = f"{jp_base_url}deepresearch/api/projects"

    async def post(**headers: str) -> int:
        body = json.dumps({"path": "small"})
        answer = await http_server_client.fetch(
            url, method="POST", body=body, headers={"Cookie": cookie, **headers}, raise_error=False
        )
        return int(answer.code)

    assert await post() == 403
    assert await post(**{"X-XSRFToken": xsrf}) == 201


# What is wrong


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\xff", "not JSON"),
        ('{"path": "\\ud800"}', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "the body is a list"),
        ('"small"', "the body is a text"),
        ("null", "the body is null"),
        ("{}", "path is missing"),
        ('{"path": null}', "path is missing"),
        ('{"path": 3}', "path is a number"),
        ('{"path": "small\\u0000"}', "NUL"),
        ('{"path": "small", "brief": 3}', "brief is a number"),
        ('{"path": "small", "brief": "a\\u0000b"}', "NUL"),
        ('{"path": "small", "budgt": {}}', "budgt"),
        ('{"path": "small", "metric": "score"}', "it belongs in [objective]"),
        ('{"path": "small", "budget": 3}', "budget"),
        ('{"path": "small", "budget": {"cycles": "many"}}', "cycles"),
        ('{"path": "small", "budget": {"cycles": -1}}', "cycles"),
        ('{"path": "small", "budget": {"cycles": 1e400}}', "out of range"),
        ('{"path": "small", "budget": {"cycles": 123456789012345678901234567890}}', "cycles"),
        ('{"path": "small", "notebook": 3}', "notebook"),
        ('{"path": "small", "notebook": "other.ipynb"}', "other.ipynb"),
        ('{"path": "small", "notebook": "../small/train.ipynb"}', "inside the project folder"),
        ('{"path": "small", "objective": {"direction": "up"}}', "direction"),
        ('{"path": "small", "brief": "' + "x" * 3001 + '"}', "3,001 characters"),
        ('{"path": "small", "brief": "' + "x" * 1_000_000 + '"}', "at most 1,000,000"),
    ],
)
async def test_a_start_that_cannot_be_is_one_line_and_leaves_no_trace(
    api: Api, folder: Path, body: str, said: str
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    answer = await api.post("projects", body=body.encode("latin-1"))
    assert answer.code == 400 and said in answer.body["message"], answer
    assert answer.body["reason"] in ("invalid_input", "invalid_config") and "\n" not in answer.body["message"]
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (await api.get("projects")).body == []


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("..", 403, "forbidden"),
        ("../elsewhere", 403, "forbidden"),
        ("small/../../elsewhere", 403, "forbidden"),
        ("link", 403, "forbidden"),
        ("/etc", 403, "forbidden"),
        ("missing", 404, "not_found"),
        ("small/train.ipynb", 404, "not_found"),
        ("loop", 404, "not_found"),
        ("x" * 5000, 404, "not_found"),
        ("empty", 400, "invalid_config"),
    ],
)
async def test_a_path_outside_the_root_or_to_nothing_is_refused(
    api: Api, folder: Path, jp_root_dir: Path, path: str, code: int, reason: str
) -> None:
    write_project(jp_root_dir.parent / "elsewhere")
    (jp_root_dir / "link").symlink_to(jp_root_dir.parent / "elsewhere")
    (jp_root_dir / "loop").symlink_to(jp_root_dir / "loop")
    (jp_root_dir / "empty").mkdir()
    answer = await api.post("projects", body={"path": path})
    assert (answer.code, answer.body["reason"]) == (code, reason), answer
    assert "\n" not in answer.body["message"]
    assert not (jp_root_dir.parent / "elsewhere" / ".deepresearch").exists()


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({}, 400, "unknown command"),
        ({"kind": 3}, 400, "kind is a number"),
        ({"kind": ["pause"]}, 400, "kind is a list"),
        ({"kind": "dance"}, 400, "unknown command 'dance'"),
        ({"kind": "pause", "now": True}, 400, "unknown key 'now'"),
        ({"kind": "pause", "command_id": 7}, 400, "command_id is a number"),
        ({"kind": "pause", "command_id": ""}, 400, "command_id has 0"),
        ({"kind": "approve"}, 400, "hypothesis"),
        ({"kind": "approve", "hypothesis": "1"}, 400, "hypothesis"),
        ({"kind": "approve", "hypothesis": 10**30}, 400, "hypothesis"),
        ({"kind": "approve", "hypothesis": 99}, 404, "99"),
        ({"kind": "approve", "hypothesis": 1}, 409, "already decided"),
        ({"kind": "reject", "hypothesis": 99}, 404, "99"),
        ({"kind": "edit", "hypothesis": 1, "parameters": 3}, 400, "parameters"),
        ({"kind": "try"}, 400, "nothing to try"),
        ({"kind": "try", "parameters": {"width": 3}}, 400, "unknown parameter 'width'"),
        ({"kind": "try", "parameters": {"lr": "fast"}}, 400, "lr"),
        ({"kind": "try", "parameters": {"lr": [1]}}, 400, "parameters"),
        ({"kind": "try", "notebook": "../x.ipynb"}, 400, "inside the project folder"),
        ({"kind": "try", "notebook": "none.ipynb"}, 400, "none.ipynb"),
        ({"kind": "try", "notebook": "a\0.ipynb"}, 400, "NUL"),
        ({"kind": "directive", "text": " "}, 400, "empty"),
        ({"kind": "directive", "text": "x" * 2001}, 400, "2,001"),
        ({"kind": "cancel", "run": "0000-baseline-seed-1"}, 409, "already ended"),
        ({"kind": "cancel", "run": "nothing"}, 404, "nothing"),
        ({"kind": "reproduce", "experiment": 99, "seeds": 1}, 404, "99"),
        ({"kind": "reproduce", "experiment": 1, "seeds": 0}, 400, "seeds"),
        ({"kind": "configure", "objective": {"metric": "loss"}}, 400, "cannot change"),
        ({"kind": "configure", "budget": {"cycles": "x"}}, 400, "cycles"),
    ],
)
async def test_a_command_that_cannot_be_is_one_line_and_writes_nothing(
    api: Api, folder: Path, body: dict[str, object], code: int, said: str
) -> None:
    project = await finished(api)
    before = (await api.get("projects", project, "events")).body["next"]
    answer = await api.post("projects", project, "commands", body=body)
    assert answer.code == code and said in answer.body["message"], answer
    assert "\n" not in answer.body["message"] and answer.body["reason"]
    assert (await api.get("projects", project, "events")).body["next"] == before


@pytest.mark.parametrize(
    ("route", "query", "code"),
    [
        ("projects/none", {}, 404),
        ("projects/none/memory", {}, 404),
        ("projects/{id}/experiments/99", {}, 404),
        ("projects/{id}/experiments/99/metrics", {}, 404),
        ("projects/{id}/experiments/99/diff", {}, 404),
        ("projects/{id}/experiments/1/diff", {"to": 99}, 404),
        ("projects/{id}/experiments/1/diff", {"to": "x"}, 400),
        ("projects/{id}/experiments/12345678901234567890", {}, 404),
        ("projects/{id}/experiments/-1", {}, 404),
        ("projects/{id}/experiments", {"after": "x"}, 400),
        ("projects/{id}/experiments", {"after": "9" * 30}, 400),
        ("projects/{id}/experiments", {"limit": 0}, 400),
        ("projects/{id}/experiments", {"limit": 1001}, 400),
        ("projects/{id}/experiments", {"limit": "1.5"}, 400),
        ("projects/{id}/experiments/1/metrics", {"points": 1}, 400),
        ("projects/{id}/events", {"after": -1}, 400),
        ("projects/{id}/dance", {}, 404),
        ("dance", {}, 404),
    ],
)
async def test_a_question_that_cannot_be_answered_is_one_line(
    api: Api, folder: Path, route: str, query: dict[str, object], code: int
) -> None:
    project = await finished(api)
    answer = await api.get(*route.format(id=project).split("/"), **query)
    refused(answer, code, "not_found" if code == 404 else "invalid_input")


async def test_a_project_researched_elsewhere_is_busy(api: Api, folder: Path, doubled: Doubled) -> None:
    other = Doubled(HeldLauncher(three_times_lr, held=True)).service(name="a terminal")
    try:
        other.create(folder, Options())
        answer = await api.post("projects", body={"path": "small"})
        assert "a terminal" in refused(answer, 409, "busy")
    finally:
        other.close()


async def test_a_start_again_goes_on_with_the_project(api: Api, folder: Path) -> None:
    project = await finished(api)
    again = await api.post("projects", body={"path": "small", "budget": {"cycles": 7}})
    assert (again.code, again.body["id"], again.body["cycles"]) == (201, project, 7)
    other = await api.post("projects", body={"path": "small", "objective": {"metric": "loss"}})
    assert "cannot change" in refused(other, 400, "invalid_config")


async def test_two_projects_do_not_hide_each_other_when_one_is_gone(api: Api, folder: Path, jp_root_dir: Path) -> None:
    write_project(jp_root_dir / "other", CONFIG)
    first = await finished(api)
    second = (await api.post("projects", body={"path": "other"})).body["id"]
    await until(api, second, "finished")
    (jp_root_dir / "other").rename(jp_root_dir / "moved")
    assert [entry["id"] for entry in (await api.get("projects")).body] == [first]
    refused(await api.get("projects", second), 404, "not_found")

"""One readable line for whatever is wrong with a request, and nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_deepresearch.config.loading import Options
from tests.jupyter.asking import Api, finished, refused, until
from tests.jupyter.doubles import CONFIG, Doubled, HeldLauncher, three_times_lr, write_project


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


async def test_a_refusal_names_the_key_that_is_to_blame(api: Api, folder: Path) -> None:
    tables: dict[str, dict[str, object]] = {
        "objective.metric": {"objective": {"metric": "!"}},
        "objective.direction": {"objective": {"direction": "up"}},
        "approval.mode": {"approval": {"mode": "perhaps"}},
        "budget.cycles": {"budget": {"cycles": -1}},
        "budget.cylces": {"budget": {"cylces": 1}},
        "budget": {"budget": 3},
        "researcher.kind": {"researcher": {"kind": "oracle"}},
        "researcher.price": {"researcher": {"price": 3}},
        "launcher.kernel": {"kernel": "no/kernel"},
        "launcher.gpus_per_run": {"launcher": {"gpus": [0], "gpus_per_run": 2}},
        "notebook": {"notebook": "other.ipynb"},
        "brief": {"brief": "x" * 3001},
    }
    for key, body in tables.items():
        answer = await api.post("projects", body={"path": "small", **body})
        assert (answer.code, answer.body.get("key")) == (400, key), answer
    (folder / "deepresearch.toml").write_text("")
    assert (await api.post("projects", body={"path": "small"})).body["key"] == "objective.metric"
    (folder / "deepresearch.toml").write_text("?")
    assert "key" not in (await api.post("projects", body={"path": "small"})).body
    (folder / "deepresearch.toml").write_text(CONFIG)
    (folder / "PROJECT_BRIEF.md").write_text("mine")
    there = await api.post("projects", body={"path": "small", "brief": "another"})
    assert (there.code, there.body["key"]) == (409, "brief")
    project = await finished(api)
    told = {"kind": "configure", "budget": {"usd": "much"}}
    assert (await api.post("projects", project, "commands", body=told)).body["key"] == "budget.usd"


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
        ({"kind": "branch"}, 400, "experiment"),
        ({"kind": "branch", "experiment": "1"}, 400, "experiment"),
        ({"kind": "branch", "experiment": 99}, 404, "99"),
        ({"kind": "branch", "experiment": None}, 409, "from the champion already"),
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
        ("projects/{id}/experiments/99/code", {}, 404),
        ("projects/{id}/experiments/1/code", {"to": 99}, 404),
        ("projects/{id}/experiments/1/code", {"to": "x"}, 400),
        ("projects/{id}/experiments/99/runs", {}, 404),
        ("projects/{id}/experiments/99/output", {}, 404),
        ("projects/{id}/experiments/1/output", {"run": "0000-baseline-seed-1"}, 404),
        ("projects/{id}/experiments/1/output", {"run": "../../x"}, 404),
        ("projects/{id}/experiments/1/output", {"chars": 0}, 400),
        ("projects/{id}/experiments/1/output", {"chars": 20_001}, 400),
        ("projects/{id}/experiments/12345678901234567890", {}, 404),
        ("projects/{id}/experiments/-1", {}, 404),
        ("projects/{id}/experiments", {"after": "x"}, 400),
        ("projects/{id}/experiments", {"after": "9" * 30}, 400),
        ("projects/{id}/experiments", {"limit": 0}, 400),
        ("projects/{id}/experiments", {"limit": 1001}, 400),
        ("projects/{id}/experiments", {"limit": "1.5"}, 400),
        ("projects/{id}/experiments", {"order": "x"}, 400),
        ("projects/{id}/experiments", {"order": "newest", "before": -1}, 400),
        ("projects/{id}/experiments", {"order": "newest", "before": "x"}, 400),
        ("projects/{id}/experiments", {"order": "newest", "after": 1}, 400),
        ("projects/{id}/experiments", {"before": 1}, 400),
        ("projects/{id}/experiments/1/metrics", {"points": 1}, 400),
        ("projects/{id}/experiments/99/metrics", {"metric": "score"}, 404),
        ("projects/{id}/points", {"after": "x"}, 400),
        ("projects/{id}/points", {"after": -1}, 400),
        ("projects/none/points", {}, 404),
        ("projects/none/parameters", {}, 404),
        ("overview", {"project": "none"}, 404),
        ("projects/none/search", {"text": "x"}, 404),
        ("projects/{id}/search", {"text": "x" * 201}, 400),
        ("projects/{id}/search", {"text": "x", "limit": 0}, 400),
        ("projects/{id}/search", {"text": "x", "limit": 1001}, 400),
        ("projects/none/settings", {}, 404),
        ("projects/none/directives", {}, 404),
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


async def test_what_is_taken_stays_and_a_fork_takes_the_next_name(api: Api, folder: Path) -> None:
    project = await finished(api)
    before = sorted(folder.rglob("*"))
    for way in ("take", "fork"):
        route = ("projects", project, "experiments", "1", way)
        for body, said in ({"into": ".."}, "unknown key 'into'"), ([], "the body is a list"):
            assert said in refused(await api.post(*route, body=body), 400, "invalid_input")
        refused(await api.post("projects", project, "experiments", "99", way, body={}), 404, "not_found")
        refused(await api.post("projects", "none", "experiments", "1", way, body={}), 404, "not_found")
    assert sorted(folder.rglob("*")) == before

    name = "0001-a-larger-step-is-better"
    taken = await api.post("projects", project, "experiments", "1", "take", body={})
    assert (taken.code, taken.body["place"]) == (201, f"small/forks/{name}")
    there = {path: path.read_bytes() for path in (folder / "forks").rglob("*") if path.is_file()}
    assert {path.name for path in there} == {"train.ipynb", "0001.patch"}
    again = refused(await api.post("projects", project, "experiments", "1", "take", body={}), 409, "conflict")
    assert again == f"experiment 1 was taken already: forks/{name} is there already and stays; rename it first"

    for suffix in ("", "-2"):
        made = await api.post("projects", project, "experiments", "1", "fork", body={})
        notebook = f"forks/{name}{suffix}.ipynb"
        assert (made.code, made.body["notebook"], made.body["place"]) == (201, notebook, f"small/{notebook}")
        said = {"kind": "try", "notebook": notebook}
        told = refused(await api.post("projects", project, "commands", body=said), 400, "invalid_input")
        assert told == f"try: {notebook} does not differ from experiment 1; change something in it first"
    assert {path: path.read_bytes() for path in there} == there

    (folder / "forks").rename(folder.parent / "outside")
    (folder / "forks").symlink_to(folder.parent / "outside")
    for way in ("take", "fork"):
        refused(await api.post("projects", project, "experiments", "0", way, body={}), 409, "conflict")


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
    (folder / "other.ipynb").write_bytes((folder / "train.ipynb").read_bytes())
    other = await api.post("projects", body={"path": "small", "notebook": "other.ipynb"})
    assert "cannot change" in refused(other, 400, "invalid_config")


async def test_two_projects_do_not_hide_each_other_when_one_is_gone(api: Api, folder: Path, jp_root_dir: Path) -> None:
    write_project(jp_root_dir / "other", CONFIG)
    first = await finished(api)
    second = (await api.post("projects", body={"path": "other"})).body["id"]
    await until(api, second, "finished")
    (jp_root_dir / "other").rename(jp_root_dir / "moved")
    assert [entry["id"] for entry in (await api.get("projects")).body] == [first]
    refused(await api.get("projects", second), 404, "not_found")

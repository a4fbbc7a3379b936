"""What the form "Research this notebook..." starts from, and that a start takes what the form says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from tests.jupyter.asking import Api, refused, until
from tests.jupyter.doubles import PARAMETERS, TRAINING, Doubled

SWEEP = {"kind": "sweep", "sentence": "no researcher configured: using the offline researcher (sweep)"}


def write_notebook(path: Path, *sources: str, **output: Any) -> Path:
    """A notebook that nobody has configured; ``output`` is what its last cell has printed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[-1].outputs = [nbformat.v4.new_output("stream", **output)] if output else []
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


async def guessed(api: Api, path: str) -> Any:
    answer = await api.get("guess", path=path)
    assert answer.code == 200, answer
    return answer.body


def everything(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


async def test_a_notebook_alone_tells_its_metrics_and_what_would_be_searched(api: Api, jp_root_dir: Path) -> None:
    report = (
        "from jupyter_deepresearch import report\nprint(f'train_loss: {loss}')\nreport(val_accuracy=a, epoch_time=t)"
    )
    one = write_notebook(
        jp_root_dir / "deep" / "a.ipynb", f"#| parameters\n{PARAMETERS}", report, text="val_loss=0.4\n"
    )
    write_notebook(one.with_name("b.ipynb"), "x = 1")
    before = everything(jp_root_dir)
    found = await guessed(api, "deep/a.ipynb")
    metrics = [(metric["name"], metric["direction"]) for metric in found.pop("metrics")]
    assert metrics[:2] == [("val_accuracy", "maximize"), ("val_loss", "minimize")]
    assert ("train_loss", "minimize") in metrics
    assert found.pop("space") == ["lr: 0.001..1 log"]
    assert any("locked" in remark for remark in found.pop("remarks"))
    where = {"place": "deep", "notebook": "a.ipynb", "project": None, "kernel": "python3", "brief": ""}
    limits = {"approval": "auto", "cycles": None, "hours": None, "usd": None}
    assert found == {**where, **limits, "metric": None, "direction": None, "researcher": SWEEP}
    assert everything(jp_root_dir) == before and (await api.get("projects")).body == []


async def test_what_is_configured_there_is_where_the_form_begins(api: Api, folder: Path) -> None:
    (folder / "deepresearch.toml").write_text(
        '[objective]\nmetric = "score"\ndirection = "minimize"\n[approval]\nmode = "ask"\n[budget]\ncycles = 4\n'
        '[researcher]\nkind = "sweep"\n[launcher]\nkernel = "other"\n'
    )
    (folder / "PROJECT_BRIEF.md").write_text("make it lower")
    found = await guessed(api, "small/train.ipynb")
    assert (found["metric"], found["direction"], found["approval"], found["cycles"]) == ("score", "minimize", "ask", 4)
    assert (found["brief"], found["kernel"], found["project"]) == ("make it lower", "other", None)
    assert found["researcher"] == {"kind": "sweep", "sentence": "using the offline researcher (sweep)"}
    assert found == await guessed(api, "small"), "a folder with one notebook stands for it"
    (folder / "deepresearch.toml").write_text("[budget]\ncycles = -1\n")
    write_notebook(folder / "deep" / "own.ipynb", "x = 1")
    assert (await guessed(api, "small/deep/own.ipynb"))["cycles"] is None, "what is wrong above is not about this one"
    answer = await api.get("guess", path="small")
    assert "cycles" in refused(answer, 400, "invalid_config") and answer.body["key"] == "budget.cycles"


async def test_a_project_is_found_with_what_was_said_at_its_start(api: Api, folder: Path) -> None:
    inner = {"notebook": "nb/inner.ipynb", "objective": {"metric": "other", "direction": "minimize"}}
    write_notebook(folder / "nb" / "inner.ipynb", PARAMETERS, TRAINING)
    body = {"path": "small", **inner, "approval": {"mode": "ask"}, "budget": {"cycles": 7, "hours": 2, "usd": 3}}
    said = {"researcher": {"kind": "sweep"}, "brief": "as the form says"}
    project = (await api.post("projects", body={**body, **said})).body["id"]
    found = await guessed(api, "small/nb/inner.ipynb")
    assert (found["place"], found["notebook"], found["project"]) == ("small", "nb/inner.ipynb", project)
    assert (found["metric"], found["direction"], found["approval"]) == ("other", "minimize", "ask")
    assert (found["cycles"], found["hours"], found["usd"], found["brief"]) == (7, 2, 3, "as the form says")
    assert any('metric is "score", and the project is at work with "other"' in remark for remark in found["remarks"])
    elsewhere = refused(await api.get("guess", path="small/train.ipynb"), 409, "conflict")
    assert "researches nb/inner.ipynb" in elsewhere
    write_notebook(folder / "experiments" / "0001-x.ipynb", "x = 1")
    shown = refused(await api.get("guess", path="small/experiments/0001-x.ipynb"), 409, "conflict")
    assert "the project small there researches nb/inner.ipynb" in shown
    write_notebook(folder / "deep" / "own.ipynb", "x = 1")
    assert (await guessed(api, "small/deep/own.ipynb"))["place"] == "small/deep", "nobody has spoken for this one"


async def test_the_form_starts_in_the_root_itself_and_what_it_said_stays(
    api: Api, jp_root_dir: Path, doubled: Doubled
) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        write_notebook(jp_root_dir / name, f"#| parameters\n{PARAMETERS}", TRAINING)
    found = await guessed(api, "b.ipynb")
    assert (found["place"], found["notebook"], found["metrics"][0]["name"]) == ("", "b.ipynb", "score")
    form = {"objective": {"metric": "score", "direction": "maximize"}, "approval": {"mode": "ask"}}
    body = {"path": "", "notebook": "b.ipynb", **form, "budget": {"cycles": 1}, "researcher": {"kind": "sweep"}}
    status = (await api.post("projects", body={**body, "brief": "mine"})).body
    assert (status["place"], status["cycles"], status["objective"]["metric"]) == ("", 1, "score")
    await until(api, status["id"], "waiting_approval")
    assert not (jp_root_dir / "deepresearch.toml").exists()
    again = await guessed(api, "b.ipynb")
    assert (again["project"], again["metric"], again["approval"]) == (status["id"], "score", "ask")
    taken_up = await api.post("projects", body={"path": "", "notebook": "b.ipynb", "budget": {"cycles": 2}})
    assert (taken_up.code, taken_up.body["id"], taken_up.body["cycles"]) == (201, status["id"], 2)


async def test_outputs_that_are_none_hide_nothing(api: Api, jp_root_dir: Path) -> None:
    path = write_notebook(jp_root_dir / "a.ipynb", "print(f'val_loss: {x:.3f}')", text="seen=0.5")
    whole = json.loads(path.read_text())
    for odd in (None, 7, [3, {"output_type": "stream", "text": [1, None]}]):
        whole["cells"][0]["outputs"] = odd
        path.write_text(json.dumps(whole))
        assert [metric["name"] for metric in (await guessed(api, "a.ipynb"))["metrics"]] == ["val_loss"]


async def test_a_path_to_no_notebook_is_one_line(api: Api, folder: Path, jp_root_dir: Path) -> None:
    write_notebook(jp_root_dir / "two" / "a.ipynb", "x = 1")
    write_notebook(jp_root_dir / "two" / "b.ipynb", "x = 1")
    write_notebook(jp_root_dir / "named" / "a.ipynb", "x = 1")
    (jp_root_dir / "named" / "deepresearch.toml").write_text('notebook = "b.ipynb"')
    (jp_root_dir / "two" / "text.ipynb").write_text("not a notebook")
    (jp_root_dir / "out.ipynb").symlink_to(write_notebook(jp_root_dir.parent / "elsewhere" / "a.ipynb", "x = 1"))
    (jp_root_dir / "loop").symlink_to(jp_root_dir / "loop")
    (jp_root_dir / "empty").mkdir()
    outside = ("..", "../elsewhere/a.ipynb", "small/../../elsewhere/a.ipynb", "/etc/hosts", "out.ipynb")
    missing = ("none.ipynb", "none/a.ipynb", "small/train.ipynb/x", "loop", "x" * 5000, "a\0.ipynb")
    for path in outside:
        assert "outside" in refused(await api.get("guess", path=path), 403, "forbidden")
    for path in missing:
        assert "no such notebook" in refused(await api.get("guess", path=path), 404, "not_found")
    for path in ("small/deepresearch.toml", "two", "two/text.ipynb", "empty"):
        assert "notebook" in refused(await api.get("guess", path=path), 400, "invalid_notebook")
    named = await api.get("guess", path="named/a.ipynb")
    assert (
        "deepresearch.toml there names b.ipynb" in refused(named, 409, "conflict") and named.body["key"] == "notebook"
    )
    assert "path is missing" in refused(await api.get("guess"), 400, "invalid_input")
    assert not list(jp_root_dir.rglob(".deepresearch"))

"""A person who edits their code while it is researched: nothing that runs changes, and the edit is offered to run."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.terminal import Running, history, status, tell, wait_for

TRAIN = "import time\nfrom jupyter_deepresearch import report\nfrom src.model import gain\ntime.sleep(pause)"
SCORE = "report(step=1, score=gain - (x - 3) ** 2)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A notebook beside a package, as small as can be."""
    cells = [
        new_code_cell("x = 0.5  # sweep: 0.0..6.0\npause = 1.5", metadata={"tags": ["parameters"]}),
        new_code_cell(TRAIN),
        new_code_cell(SCORE, metadata={"tags": ["locked"]}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "model.py").write_text("gain = 1\n")
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "train.ipynb")
    (tmp_path / "deepresearch.toml").write_text('[objective]\nmetric = "score"\n[trust]\nseeds = 1\n')
    return tmp_path


@pytest.fixture
def go() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(*words: str | Path) -> Running:
        started.append(Running(*words))
        return started[-1]

    yield begin
    for running in started:
        running.kill()


def offers(folder: Path) -> list[dict[str, Any]]:
    found = status(folder)
    return found["waiting"] if found else []


@pytest.mark.slow
def test_an_edit_is_offered_approved_run_and_taken_out(folder: Path, go: Callable[..., Running]) -> None:
    running = go("run", folder, "--cycles", "2")
    wait_for(lambda: bool(status(folder)) and status(folder)["running"])
    (folder / "src" / "model.py").write_text("gain = 50\n")
    (offer,) = wait_for(lambda: offers(folder))
    number = offer["hypothesis"]
    assert (offer["kind"], offer["claim"]) == ("by_hand", "by hand: your edit of src/model.py")
    assert offer["edits"] == [{"search": "gain = 1\n", "replace": "gain = 50\n", "cell": None, "file": "src/model.py"}]
    shown = tell("diff", folder, str(number)).out
    assert "-gain = 1" in shown and "+gain = 50" in shown and "the project's notebook" in shown

    assert running.end().code == 0, "nobody has to answer for the project to come to its end"
    found = status(folder)
    assert (found["state"], found["cycle"], len(found["waiting"])) == ("finished", 2, 1)
    others = [row for row in history(folder) if row["kind"] != "by_hand"]
    assert len(others) == 3 and all(row["value"] <= 1.0 for row in others), "no run has seen the edit"

    assert tell("approve", folder).code == 0
    assert tell("run", folder, "--cycles", "4").code == 0
    rows = history(folder)
    mine, last = rows[number], rows[-1]
    assert (mine["cycle"], mine["state"], mine["value"]) == (3, "succeeded", 50 - 2.5**2)
    assert mine["edits"] == offer["edits"] and mine["decision"] == "confirmed"
    assert (last["cycle"], last["parent"]) == (4, number) and last["value"] > 10, "it grows from the champion's code"

    (folder / "src" / "model.py").write_text("gain = 1\n")
    taken = json.loads(tell("take", folder, str(last["experiment"]), "--json").out)
    assert taken["files"] == ["src/model.py"]
    command = ["git", "apply", str(Path(taken["folder"]) / taken["patch"])]
    subprocess.run(command, cwd=folder, check=True, timeout=30)
    assert (folder / "src" / "model.py").read_text() == "gain = 50\n"
    x = last["parameters"]["x"]
    assert nbformat.read(folder / "train.ipynb", as_version=4).cells[0].source.startswith(f"x = {x}  # sweep")


@pytest.mark.slow
def test_a_locked_edit_made_while_nobody_researches_opens_a_new_measure(folder: Path) -> None:
    notebook = (folder / "train.ipynb").read_text().replace("pause = 1.5", "pause = 0.0")
    (folder / "train.ipynb").write_text(notebook)
    assert tell("run", folder, "--cycles", "1").code == 0
    (folder / "train.ipynb").write_text(notebook.replace("gain - (x - 3) ** 2", "100 * gain"))
    ran = tell("run", folder, "--cycles", "2")
    assert ran.code == 0
    assert "you changed a locked cell of train.ipynb: a new measure begins with a new baseline" in ran.out
    rows = history(folder)
    assert [(row["kind"], row["measure"]) for row in rows[:3]] == [("baseline", 1), ("parameters", 1), ("baseline", 2)]
    assert rows[2]["value"] == 100.0 and status(folder)["baseline"]["experiment"] == 2

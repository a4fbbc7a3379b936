"""An experiment taken out as files: a notebook to go on with, and a patch that real tools apply to the project's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_deepresearch.core.ports import Build
from jupyter_deepresearch.core.sources import cells, fingerprint
from jupyter_deepresearch.core.types import Edit, Source
from jupyter_deepresearch.execution.notebooks.patch import patch
from jupyter_deepresearch.execution.notebooks.publish import ProjectNotebooks
from jupyter_deepresearch.execution.notebooks.taking import Taken, continued, take

PARAMETERS = 'lr = 1e-3  # sweep: 1e-5..1e-1 log\nname = "é"; width = (\n    64  # of both\n)\nseed = 0'
BUILT = (
    Edit("fit(lr)", "fit(lr, decay=0.1)", cell="train"),
    Edit("depth = 2", "depth = 3", file="src/my model.py"),
)


def project(folder: Path, **written: Any) -> Path:
    """A notebook as Jupyter saved it after a run, and two code files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        new_markdown_cell("About ü", id="prose"),
        new_code_cell(PARAMETERS, id="own", metadata={"tags": ["parameters"]}),
        new_code_cell("fit(lr)\nscore()", id="train", execution_count=3, outputs=[new_output("stream", text="a\nb\n")]),
    ]
    notebook = json.loads(nbformat.writes(new_notebook(cells=made, metadata={"custom": [1, 2]})))
    (folder / "train.ipynb").write_text(json.dumps(notebook, **{"indent": 1, "ensure_ascii": False, **written}) + "\n")
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "my model.py").write_bytes(b"width = 1\r\ndepth = 2")
    (folder / "src" / "old.py").write_text("old = 1\n")
    return folder


def read(folder: Path) -> Source:
    return ProjectNotebooks(folder).read("train.ipynb")[0]


def taken(folder: Path, build: Build, own: Source | None = None) -> Taken:
    return take(build, own or read(folder), folder, "train.ipynb")


def apply(folder: Path, tool: str, text: str) -> None:
    command = ["git", "apply", "-"] if tool == "git" else ["patch", "-p1", "--binary", "--no-backup-if-mismatch"]
    done = subprocess.run(command, cwd=folder, input=text.encode(), capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


TOOLS = ["git", *(["patch"] if shutil.which("patch") else [])]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_patch_makes_the_experiment_of_the_projects_files(tmp_path: Path, tool: str) -> None:
    folder = project(tmp_path / "repository" / "project")
    subprocess.run(["git", "init", "-q", tmp_path / "repository"], check=True, timeout=30)
    found = taken(folder, Build(read(folder), BUILT, {"lr": 3e-4, "width": 128, "name": "ü"}))
    notebook = nbformat.reads(found.notebook, as_version=4)
    assert notebook.cells[1].source == (
        "lr = 0.0003  # sweep: 1e-5..1e-1 log\nname = 'ü'; width = (\n    128  # of both\n)\nseed = 0"
    )
    assert notebook.cells[2].outputs == [] and found.notes == ()
    assert found.files == {"src/my model.py": "width = 1\r\ndepth = 3"}

    before = (folder / "train.ipynb").read_text()
    apply(folder, tool, found.patch)
    now = read(folder)
    assert fingerprint(now) == fingerprint(Source(found.notebook, {**now.files, **found.files}))
    assert (folder / "src" / "my model.py").read_bytes() == b"width = 1\r\ndepth = 3"
    after = (folder / "train.ipynb").read_text()
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(changed) == 4, "a line of the notebook for each line of code, and no others"
    assert '"a\\n"' in after and '"custom"' in after


@pytest.mark.parametrize("written", [{"indent": 4}, {"ensure_ascii": True}, {"indent": None}, {"indent": "\t"}])
def test_a_notebook_keeps_the_way_it_is_written(tmp_path: Path, written: dict[str, Any]) -> None:
    folder = project(tmp_path, **written)
    text = (folder / "train.ipynb").read_text()
    found = taken(folder, Build(read(folder), BUILT[:1]))
    apply(folder, "git", found.patch)
    assert (folder / "train.ipynb").read_text() == text.replace("fit(lr)", "fit(lr, decay=0.1)")


@pytest.mark.parametrize("tool", TOOLS)
def test_cells_and_files_that_came_and_went(tmp_path: Path, tool: str) -> None:
    folder = project(tmp_path / "own")
    own = read(folder)
    theirs = project(tmp_path / "theirs")
    (theirs / "src" / "old.py").unlink()
    (theirs / "new.py").write_text("new = 1\n")
    raw = json.loads((theirs / "train.ipynb").read_text())
    raw["cells"] = [raw["cells"][2], {**raw["cells"][0], "id": "more", "cell_type": "raw"}, raw["cells"][1]]
    (theirs / "train.ipynb").write_text(json.dumps(raw))
    found = taken(folder, Build(read(theirs)), own)
    assert found.files == {"new.py": "new = 1\n"}
    apply(folder, tool, found.patch)
    assert fingerprint(read(folder)) == fingerprint(read(theirs))
    assert not (folder / "src" / "old.py").exists()


def test_the_patch_fits_files_that_have_changed_since(tmp_path: Path) -> None:
    folder = project(tmp_path)
    own = read(folder)
    raw = json.loads((folder / "train.ipynb").read_text())
    raw["cells"].insert(2, {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "source": "mine()"})
    raw["cells"][2]["execution_count"] = None
    raw["cells"][3]["source"] = "fit(lr)\nscore(); more()"
    (folder / "train.ipynb").write_text(json.dumps(raw, indent=1))
    found = taken(folder, Build(own, BUILT[:1], {"lr": 0.5}), own)
    assert found.notes == ("the project's files have changed since: the patch is made for them as they now are",)
    apply(folder, "git", found.patch)
    texts = [cell.text for cell in cells(read(folder))]
    assert texts == [PARAMETERS.replace("1e-3", "0.5", 1), "mine()", "fit(lr, decay=0.1)\nscore()"]

    (folder / "train.ipynb").write_text("gone wild")
    found = taken(folder, Build(own, BUILT[:1]), own)
    assert "not a notebook" in found.notes[0]
    apply(folder, "git", found.patch)
    assert [cell.text for cell in cells(read(folder))][1] == "fit(lr, decay=0.1)\nscore()"


def test_values_that_cannot_be_set_are_injected(tmp_path: Path) -> None:
    folder = project(tmp_path)
    raw = json.loads((folder / "train.ipynb").read_text())
    raw["cells"].insert(
        2, {**raw["cells"][1], "id": "i", "metadata": {"tags": ["injected-parameters"]}, "source": "seed = 5"}
    )
    (folder / "train.ipynb").write_text(json.dumps(raw))
    found = taken(folder, Build(read(folder), (), {"lr": 0.5}))
    notebook = nbformat.reads(found.notebook, as_version=4)
    assert "lr = 0.5" in notebook.cells[2].source and "seed = 5" in notebook.cells[2].source
    apply(folder, "git", found.patch)
    assert fingerprint(read(folder)) == fingerprint(Source(found.notebook, read(folder).files))


def test_values_are_set_beside_lines_that_are_ipythons(tmp_path: Path) -> None:
    """A magic or a shell line in the parameters cell is no Python, and is no reason to refuse or to inject."""
    text = "%load_ext autoreload\nlr = 1e-3\n!true\n"
    folder = project(tmp_path)
    raw = json.loads((folder / "train.ipynb").read_text())
    raw["cells"][1]["source"] = text
    (folder / "train.ipynb").write_text(json.dumps(raw))
    made, _ = continued(Build(read(folder), (), {"lr": 0.5}))
    assert [cell.source for cell in made.cells[1:]] == [text.replace("1e-3", "0.5"), "fit(lr)\nscore()"]


def test_names_that_a_patch_must_quote(tmp_path: Path) -> None:
    names = ['a "b".py', "c d.py", "é.py", "back\\slash.py"]
    for name in names:
        (tmp_path / name).write_text("1")
    text = patch(dict.fromkeys(names, "1"), dict.fromkeys(names, "2\n"))
    apply(tmp_path, "git", text)
    assert {(tmp_path / name).read_text() for name in names} == {"2\n"}
    assert patch({"a": "1"}, {"a": "1"}) == ""

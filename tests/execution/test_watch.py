"""A person's edits are seen once the files lie still: by the real notebooks and by their double."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from jupyter_deepresearch.core.ports import Notebooks
from jupyter_deepresearch.core.sources import fingerprint
from jupyter_deepresearch.core.types import Source
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.execution.notebooks.publish import ProjectNotebooks
from jupyter_deepresearch.execution.notebooks.watch import SCAN_S, SETTLE_S, Watch
from jupyter_deepresearch.execution.trees.layout import Layout
from jupyter_deepresearch.testing import FakeNotebooks
from tests.simulation import base_project


class Watched:
    """A project folder, its notebooks, and time as the test makes it pass."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.time = folder, 100.0
        (folder / "src").mkdir()
        self.write("x = 1")
        (folder / "src" / "model.py").write_text("width = 1\n")
        project = base_project()
        watch = Watch(folder, Layout.of(project), clock=lambda: self.time)
        self.notebooks = ProjectNotebooks(folder, project, watch)

    def write(self, text: str, **cell: Any) -> None:
        notebook = new_notebook(cells=[new_code_cell(text, id="a", **cell)])
        (self.folder / "train.ipynb").write_text(nbformat.writes(notebook))

    def later(self, seconds: float = SETTLE_S) -> Source | None:
        """What is found now and, where that is nothing, so many seconds later."""
        found = self.notebooks.edited()
        if found is None:
            self.time += seconds
            found = self.notebooks.edited()
        return found[0] if found else None


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    made = Watched(tmp_path)
    assert made.notebooks.edited() is not None, "the first look takes the files as they are"
    return made


def real(folder: Path) -> tuple[Notebooks, Callable[[], None]]:
    made = Watched(folder)
    made.time += 0.0

    def edit() -> None:
        made.write("x = 2")
        made.notebooks.edited()
        made.time += SETTLE_S

    return made.notebooks, edit


def double(folder: Path) -> tuple[Notebooks, Callable[[], None]]:
    made = FakeNotebooks()

    def edit() -> None:
        made.source = Source("{}", {"model.py": "2"})

    return made, edit


@pytest.mark.parametrize("make", [real, double])
def test_what_the_loop_relies_on(tmp_path: Path, make: Callable[[Path], tuple[Notebooks, Callable[[], None]]]) -> None:
    notebooks, edit = make(tmp_path)
    first = notebooks.edited()
    assert first is not None and notebooks.edited() is None
    edit()
    second = notebooks.edited()
    assert second is not None and fingerprint(second[0]) != fingerprint(first[0])
    assert notebooks.edited() is None
    assert notebooks.measure(first[0], "score") == notebooks.measure(second[0], "score")


def test_an_edit_counts_once_the_files_lie_still(watched: Watched) -> None:
    for text in ("x = 2", "x = 3", "x = 4"):
        watched.write(text)
        assert watched.notebooks.edited() is None
        watched.time += SETTLE_S / 2
        assert watched.notebooks.edited() is None
    found = watched.later()
    assert found is not None and '"x = 4"' in found.notebook
    assert watched.later() is None


def test_code_files_changed_new_and_gone(watched: Watched) -> None:
    (watched.folder / "src" / "model.py").write_text("width = 2\n")
    found = watched.later()
    assert found is not None and found.files == {"src/model.py": "width = 2\n"}
    (watched.folder / "src" / "more.py").write_text("")
    assert watched.later() is None, "new files are looked for now and then only"
    watched.time += SCAN_S
    found = watched.later()
    assert found is not None and set(found.files) == {"src/model.py", "src/more.py"}
    os.unlink(watched.folder / "src" / "model.py")
    found = watched.later()
    assert found is not None and set(found.files) == {"src/more.py"}


def test_running_a_notebook_by_hand_is_no_edit(watched: Watched) -> None:
    before = watched.notebooks.read("train.ipynb")[0]
    watched.write("x = 1", execution_count=7, outputs=[new_output("stream", text="1")], metadata={"scrolled": True})
    found = watched.later()
    assert found is not None and fingerprint(found) == fingerprint(before)


def test_a_broken_notebook_is_said_once_and_mended_ones_are_seen(watched: Watched) -> None:
    whole = (watched.folder / "train.ipynb").read_text()
    for broken in (whole[:40], json.dumps([])):
        (watched.folder / "train.ipynb").write_text(broken)
        assert watched.notebooks.edited() is None
        watched.time += SETTLE_S
        with pytest.raises(InvalidNotebook, match=r"train\.ipynb"):
            watched.notebooks.edited()
        assert watched.later() is None
    watched.write("x = 9")
    found = watched.later()
    assert found is not None and '"x = 9"' in found.notebook

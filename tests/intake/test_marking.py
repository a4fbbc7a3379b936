"""Roles proposed for the cells of a notebook, by what the cells do."""

from __future__ import annotations

import nbformat
import pytest

from jupyter_deepresearch.core.types import Source
from jupyter_deepresearch.execution.notebooks.cells import parse, write
from jupyter_deepresearch.intake.marking import marked

V4 = nbformat.v4


def notebook(*cells: str, tags: dict[int, str] | None = None) -> Source:
    made = V4.new_notebook(cells=[V4.new_code_cell(text, id=f"c{i}") for i, text in enumerate(cells, 1)])
    for number, tag in (tags or {}).items():
        made.cells[number - 1].metadata["tags"] = [tag]
    return Source(write(made))


def roles_of(*cells: str, tags: dict[int, str] | None = None) -> list[tuple[int, str]]:
    return [(mark.cell, mark.role) for mark in marked(notebook(*cells, tags=tags)).marks]


@pytest.mark.parametrize(
    ("cell", "role"),
    [
        ("lr = 0.1\nepochs = 3", "parameters"),
        ('"""Settings"""\nLR: float = 1e-3  # the rate', "parameters"),
        ("x, y = load_digits(return_X_y=True)", "locked"),
        ("train, test = random_split(data, [8, 2])\nloader = DataLoader(train, 8)", "locked"),
        ("frame = pd.read_csv('data.csv')", "locked"),
        ("def evaluate(model, loader):\n    model.eval()\n    return 1", "locked"),
        ("print('val_acc:', accuracy_score(y, model.predict(x)))", "locked"),
        ("model.fit(x, y)\nprint(model.score(xv, yv))", None),
        ("from sklearn.metrics import accuracy_score\nimport numpy as np", None),
        ("class Net(nn.Module):\n    def test(self): return 1", None),
        ("model.load_state_dict(torch.load('a.pt'))", None),
        ("for x in loader:\n    loss.backward()\n    optimizer.step()", None),
        ("name = 'run'", None),
        ("lr = 0.1\nmodel = make(lr)", None),
        ("%%bash\nls", None),
    ],
)
def test_a_cell_gets_the_role_of_what_it_does(cell: str, role: str | None) -> None:
    assert roles_of("import os", cell) == ([(2, role)] if role else [])


def test_the_first_cell_of_plain_values_is_taken_and_one_with_imports_only_without_it() -> None:
    assert roles_of("import os\nlr = 0.1\nwd = 0.2", "epochs = 3", "width = 3") == [(2, "parameters")]
    assert roles_of("import os\nlr = 0.1\nwd = 0.2", "train()") == [(1, "parameters")]


def test_a_persons_own_tags_stay_and_none_of_their_kind_is_added() -> None:
    cells = ("epochs = 3", "width = 3", "x = load_digits()", "model.score(x)")
    assert roles_of(*cells, tags={2: "parameters"}) == [(3, "locked"), (4, "locked")]
    assert roles_of(*cells, tags={2: "parameters", 4: "locked"}) == []
    assert roles_of("#| parameters\nepochs = 3", "width = 3") == []


def test_the_copy_differs_in_tags_alone_and_the_diff_shows_them() -> None:
    source = notebook("lr = 0.1\nepochs = 3\nseed = 0\nwidth = 4", "x = load_digits()", tags={1: "mine"})
    copy = marked(source)
    before, after = parse(source), parse(copy.source)
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]
    assert [cell.metadata.get("tags") for cell in after.cells] == [["mine", "parameters"], ["locked"]]
    assert copy.diff == (
        *("@@ cell 1 @@", "-tags: mine", "+tags: mine, parameters", " lr = 0.1", " epochs = 3"),
        *("@@ cell 2 @@", "+tags: locked", " x = load_digits()"),
    )

"""Reading a person's notebook and composing an experiment's: what is kept, what is changed, what is refused."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_deepresearch.core.ports import Build
from jupyter_deepresearch.core.types import Edit, Purpose, Run, Source
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.execution.notebooks.cells import parse, write
from jupyter_deepresearch.execution.notebooks.compose import check, compose
from jupyter_deepresearch.execution.notebooks.diff import CellDiff, cell_diff, file_diff
from jupyter_deepresearch.execution.notebooks.source import measure_digest, read_source

PARAMETERS = 'lr = 1e-3\nwidth = 64\nact = "relu"\nbn = True\nlimit = None\nseed = 7\ndry_run = False'
ODD = "\ttotal = 1 \r\n\n   # π ≠ 3\u2028\x0c'''🙂\\N{DASH}'''\n\n"
FIRST = Run(1, Purpose.CANDIDATE)


def cell(source: str, name: str, *tags: str) -> Any:
    return new_code_cell(source, id=name, metadata={"tags": list(tags)} if tags else {})


def source_of(*cells: Any, files: Mapping[str, str] | None = None) -> Source:
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return Source(write(new_notebook(cells=list(cells), metadata=metadata)), files or {})


def usual(files: Mapping[str, str] | None = None) -> Source:
    return source_of(
        new_markdown_cell("# Title", id="title"),
        cell(PARAMETERS, "p", "parameters"),
        cell(ODD, "lock", "locked"),
        cell("model = lr * width\nmodel += 1", "train"),
        cell("#| locked\nprint(model)", "score"),
        files=files,
    )


def written(folder: Path, content: Any) -> Path:
    path = folder / "train.ipynb"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def injected(notebook: Any) -> list[int]:
    return [i for i, c in enumerate(notebook.cells) if "injected-parameters" in c.metadata.get("tags", [])]


def values_after(notebook: Any) -> dict[str, Any]:
    """What the parameters are worth when the notebook runs from its top."""
    names: dict[str, Any] = {}
    for i, c in enumerate(notebook.cells):
        if "parameters" in c.metadata.get("tags", []) or i in injected(notebook):
            exec(c.source, {}, names)
    return names


def v4(cells: Sequence[Any], minor: int = 4, **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": list(cells)}


def code_v4(source: Any, **more: Any) -> dict[str, Any]:
    plain = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
    return {**plain, **more}


# Reading


def test_outputs_counts_and_notes_of_executions_are_left_behind(tmp_path: Path) -> None:
    ran = cell("print(1)", "a")
    ran.outputs, ran.execution_count = [new_output("stream", text="1\n")], 3
    ran.metadata.update(execution={"iopub.execute_input": "2026"}, papermill={"status": "completed"}, scrolled=True)
    notebook = new_notebook(cells=[ran], metadata={"papermill": {"output_path": "x"}, "widgets": {"w": {}}, "mine": 1})
    plain = read_source(written(tmp_path, nbformat.writes(notebook)))
    again = new_notebook(cells=[cell("print(1)", "a")], metadata={"mine": 1})
    assert plain == read_source(written(tmp_path, nbformat.writes(again)))
    assert parse(plain).metadata.mine == 1
    nbformat.validate(parse(plain))


def test_cells_without_ids_get_the_same_ones_at_every_reading(tmp_path: Path) -> None:
    old = v4([code_v4("a = 1"), code_v4("a = 1"), code_v4("b = 2")])
    ids = [c.id for c in parse(read_source(written(tmp_path, old))).cells]
    assert ids == [c.id for c in parse(read_source(written(tmp_path, old))).cells]
    assert len(set(ids)) == 3
    longer = v4([code_v4("import os"), *old["cells"]])
    assert [c.id for c in parse(read_source(written(tmp_path, longer))).cells][1:] == ids


def test_ids_that_are_there_stay_and_doubled_ones_are_told_apart(tmp_path: Path) -> None:
    cells = [code_v4("a", id="same"), code_v4("b", id="same"), code_v4("c", id="not allowed!"), code_v4("d", id="d")]
    ids = [c.id for c in parse(read_source(written(tmp_path, v4(cells, minor=5)))).cells]
    assert (ids[0], ids[3]) == ("same", "d") and len(set(ids)) == 4


def test_format_3_is_upgraded(tmp_path: Path) -> None:
    old_cell = {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "outputs": [], "language": "python", "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [old_cell]}]}
    first, second = (parse(read_source(written(tmp_path, old))) for _ in range(2))
    assert [c.source for c in first.cells] == ["x = 1\ny = 2"]
    assert first == second and (first.nbformat, first.nbformat_minor) == (4, 5)
    assert first.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "not a notebook"),
        ({"cells": []}, "no `nbformat` number"),
        ({"nbformat": 2, "worksheets": []}, "format 2 found; accepted: 3 and 4"),
        ({"nbformat": 3, "nbformat_minor": 0}, "not a valid notebook of format 3"),
        ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}, "no list of cells"),
        (v4([]), "no code cell"),
        (v4([{"cell_type": "markdown", "source": "x", "metadata": {}}]), "no code cell"),
        (v4([code_v4("x"), {"cell_type": "heading", "source": "x"}]), "cell 2: not a cell"),
        (v4([code_v4(3)]), "cell 1: its source is not text"),
        (v4([code_v4("x\ud800")]), "not Unicode"),
        (v4([code_v4("x")], kernelspec={"name": "ir", "display_name": "R", "language": "R"}), "language is R"),
        (v4([code_v4("x")], language_info={"name": "julia"}), "language is julia"),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_line(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(InvalidNotebook) as refused:
        read_source(written(tmp_path, content))
    assert said in str(refused.value) and str(refused.value).startswith("train.ipynb")
    assert "\n" not in str(refused.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidNotebook, match="there is no such notebook"):
        read_source(tmp_path / "gone.ipynb")
    (tmp_path / "a.ipynb").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidNotebook, match="UTF-8"):
        read_source(tmp_path / "a.ipynb")
    with pytest.raises(InvalidNotebook, match="cannot be read"):
        read_source(tmp_path)


def test_a_byte_order_mark_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "train.ipynb"
    path.write_text("\ufeff" + json.dumps(v4([code_v4("a = 1")])), encoding="utf-8")
    assert parse(read_source(path)).cells[0].source == "a = 1"


# Composing


def test_values_go_into_one_cell_after_the_parameters(tmp_path: Path) -> None:
    made = compose(Build(usual(), parameters={"lr": 0.5, "act": 'say "hi"\n\\é'}), FIRST)
    assert injected(made.notebook) == [2]
    assert values_after(made.notebook) == dict(made.parameters)
    assert made.parameters["lr"] == 0.5 and made.parameters["width"] == 64 and made.parameters["seed"] == 7
    assert made.parameters["act"] == 'say "hi"\n\\é'
    nbformat.validate(made.notebook)


def test_nothing_to_inject_changes_nothing() -> None:
    made = compose(Build(usual()), FIRST)
    assert write(made.notebook) == usual().notebook
    assert made.locked_cells == (2, 4)


def test_locked_cells_stay_byte_for_byte() -> None:
    edits = (Edit("+= 1", "+= 2", cell="train"),)
    made = compose(Build(usual(), edits, {"lr": 0.5}), FIRST)
    back = json.loads(write(made.notebook))
    assert [made.notebook.cells[i].source for i in made.locked_cells] == [ODD, "#| locked\nprint(model)"]
    assert "".join(back["cells"][3]["source"]) == ODD
    assert made.notebook.cells[4].source == "model = lr * width\nmodel += 2"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_locked_text_survives(text: str) -> None:
    source = source_of(cell("a = 1", "p", "parameters"), cell(text, "lock", "locked"))
    made = compose(Build(source, parameters={"a": 2}), FIRST)
    assert json.loads(write(made.notebook))["cells"][2]["source"] == json.loads(source.notebook)["cells"][1]["source"]
    assert parse(Source(write(made.notebook))).cells[2].source == text


def test_first_line_roles_work_and_papermill_finds_the_cell_later() -> None:
    source = source_of(cell("import os", "a"), cell("#| parameters\nlr = 0.1", "p"), cell("print(lr)", "b"))
    made = compose(Build(source, parameters={"lr": 0.2}), FIRST)
    assert injected(made.notebook) == [2]
    assert made.notebook.cells[1].metadata.tags == ["parameters"]
    assert "tags" not in made.notebook.cells[0].metadata


@pytest.mark.parametrize(("seed_index", "seed"), [(1, 7), (2, 8), (5, 11)])
def test_seed_number_k_runs_with_the_own_seed_plus_k_minus_1(seed_index: int, seed: int) -> None:
    made = compose(Build(usual()), Run(1, Purpose.CONFIRM, seed_index))
    assert made.parameters["seed"] == seed == values_after(made.notebook)["seed"]


def test_a_seed_by_another_name_is_one() -> None:
    source = source_of(cell("lr = 0.1\nRANDOM_SEED = 7", "p", "parameters"))
    made = compose(Build(source), Run(1, Purpose.CONFIRM, 3))
    assert made.parameters["RANDOM_SEED"] == 9 == values_after(made.notebook)["RANDOM_SEED"]


def test_repeats_without_a_seed_are_plain_reruns() -> None:
    source = source_of(cell("lr = 0.1", "p", "parameters"))
    assert write(compose(Build(source), Run(1, Purpose.CONFIRM, 3)).notebook) == source.notebook


def test_a_dry_run_switches_the_parameter_where_there_is_one() -> None:
    dry = Run(1, Purpose.DRY_RUN)
    assert values_after(compose(Build(usual()), dry).notebook)["dry_run"] is True
    source = source_of(cell("lr = 0.1", "p", "parameters"))
    assert injected(compose(Build(source), dry).notebook) == []


def test_an_injected_cell_of_before_is_replaced_and_its_values_go_on_to_hold() -> None:
    source = source_of(
        cell("lr = 0.1\nwidth = 8\nlayers = [1]", "p", "parameters"),
        cell("print(lr)", "b"),
        cell("# Parameters\nlr = 0.7\nwidth = 9\nlayers = [2, 3]", "old", "injected-parameters"),
    )
    made = compose(Build(source, parameters={"width": 32}), FIRST)
    assert injected(made.notebook) == [1] and len(made.notebook.cells) == 3
    assert values_after(made.notebook) == {"lr": 0.7, "width": 32, "layers": [2, 3]}
    assert made.parameters == {"lr": 0.7, "width": 32}


@pytest.mark.parametrize(
    ("values", "made"), [({"lr": 1}, 1.0), ({"width": 32.0}, 32), ({"limit": "x"}, "x"), ({"bn": False}, False)]
)
def test_values_take_the_notebooks_own_type(values: dict[str, Any], made: Any) -> None:
    (name,) = values
    found = compose(Build(usual(), parameters=values), FIRST).parameters[name]
    assert found == made and type(found) is type(made)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": "abc"}, "parameter 'width': found 'abc'; accepted: a whole number"),
        ({"width": 1.5}, "a whole number"),
        ({"width": True}, "a whole number"),
        ({"lr": "fast"}, "accepted: a number"),
        ({"lr": float("nan")}, "accepted: a finite number"),
        ({"lr": None}, "found None"),
        ({"bn": 1}, "true or false"),
        ({"act": 3}, "accepted: a text"),
        ({"widht": 3}, "unknown parameter 'widht'; did you mean 'width'?"),
        ({"zzz": 3}, "unknown parameter 'zzz'; accepted: lr, width"),
    ],
)
def test_values_that_do_not_fit_are_refused_in_one_line(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidNotebook) as refused:
        check(Build(usual(), parameters=values))
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_choice_of_the_space_may_have_a_type_of_its_own() -> None:
    source = source_of(cell("depth = 3  # sweep: None | 3 | 5", "p", "parameters"))
    assert compose(Build(source, parameters={"depth": None}), FIRST).parameters["depth"] is None


def test_values_without_a_parameters_cell_are_refused() -> None:
    with pytest.raises(InvalidNotebook, match="no parameters cell"):
        check(Build(source_of(cell("lr = 1", "a")), parameters={"lr": 2}))


def test_two_parameters_cells_are_refused() -> None:
    source = source_of(cell("a = 1", "a", "parameters"), cell("#| parameters\nb = 1", "b"))
    with pytest.raises(InvalidNotebook, match=r"2 parameters cells \(cells 1, 2\)"):
        check(Build(source, parameters={"a": 2}))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Edit("nothing like it", "x", cell="train"), "is not found"),
        (Edit("model", "x", cell="train"), "found 2 times"),
        (Edit("", "x", cell="train"), "empty"),
        (Edit("print", "x", cell="score"), "edit of cell score: the cell is locked"),
        (Edit("total", "x", cell="lock"), "locked"),
        (Edit("a", "x", cell="nowhere"), "no cell with this id"),
        (Edit("a", "x", file="src/no.py"), "no such code file"),
        (Edit("one", "x", file="src/eval.py"), "edit of file src/eval.py: the file is locked"),
        (Edit("model = lr", "#| locked\nmodel = lr", cell="train"), "changes which cells"),
        (Edit("# Title", "x\ny", cell="title"), None),
        (Edit("model = lr", "#| parameters\nmodel = lr", cell="train"), "parameters cells"),
    ],
)
def test_edits_fit_once_and_outside_what_is_locked(edit: Edit, said: str | None) -> None:
    build = Build(usual({"src/eval.py": "one", "src/model.py": "one two"}), (edit,))
    if said is None:
        check(build, ("src/eval.py",))
        return
    with pytest.raises(InvalidNotebook) as refused:
        check(build, ("src/eval.py",))
    assert said in str(refused.value)


def test_edits_apply_in_order_to_cells_and_files() -> None:
    edits = (
        Edit("+= 1", "+= 2", cell="train"),
        Edit("+= 2", "+= 3", cell="train"),
        Edit("two", "2", file="src/model.py"),
        Edit("width = 64", "width = 64\ndropout = 0.1", cell="p"),
    )
    made = compose(Build(usual({"src/model.py": "one two"}), edits, {"dropout": 0.3}), FIRST)
    assert made.notebook.cells[4].source.endswith("+= 3")
    assert made.files == {"src/model.py": "one 2"}
    assert values_after(made.notebook)["dropout"] == 0.3 == made.parameters["dropout"]


# Comparing


def test_the_measure_changes_with_locked_cells_files_and_metric_only() -> None:
    files = {"src/eval.py": "one", "src/model.py": "one"}
    same = measure_digest(usual(files), "acc", ("src/e*.py",))
    changed = json.loads(usual().notebook)
    changed["cells"][3]["source"] = ["model = 0"]
    assert same == measure_digest(Source(json.dumps(changed), {**files, "src/model.py": "two"}), "acc", ("src/e*.py",))
    changed["cells"][4]["source"] = ["#| locked\n", "print(1)"]
    others = [
        measure_digest(Source(json.dumps(changed), files), "acc", ("src/e*.py",)),
        measure_digest(usual(files), "loss", ("src/e*.py",)),
        measure_digest(usual({**files, "src/eval.py": "two"}), "acc", ("src/e*.py",)),
    ]
    assert len({same, *others}) == 4


def test_a_diff_names_cells_and_shows_lines() -> None:
    made = compose(Build(usual(), (Edit("+= 1", "+= 2", cell="train"),), {"lr": 0.5}), FIRST)
    new, train = cell_diff(usual(), made.notebook)
    assert new.cell == "injected-parameters" and "+lr = 0.5" in new.lines
    assert train == CellDiff("train", ("@@ -1,2 +1,2 @@", " model = lr * width", "-model += 1", "+model += 2"))
    assert cell_diff(made.notebook, usual())[-1].cell == "injected-parameters"
    assert cell_diff(usual(), usual()) == ()
    assert file_diff({"a.py": "1"}, {"a.py": "1", "b.py": "2"}) == (CellDiff("b.py", ("@@ -0,0 +1 @@", "+2")),)

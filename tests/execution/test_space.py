"""The search space that a parameters cell offers, and the remarks on it."""

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_deepresearch.core.types import Dimension, Source
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.execution.notebooks.cells import write
from jupyter_deepresearch.execution.notebooks.space import survey


def source_of(parameters: str | None, *, locked: bool = True, kernel: str = "venv39") -> Source:
    cells = [] if parameters is None else [new_code_cell(parameters, id="p", metadata={"tags": ["parameters"]})]
    cells.append(new_code_cell("1", id="s", metadata={"tags": ["locked"]} if locked else {}))
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    return Source(write(new_notebook(cells=cells, metadata={"kernelspec": spec})))


def space_of(parameters: str) -> dict[str, Dimension]:
    return {d.name: d for d in survey(source_of(parameters)).space}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("x = 3", 3),
        ("x = -1e-3", -1e-3),
        ("x = +2", 2),
        ("x: float = 0.5", 0.5),
        ("x = 1_000", 1000),
        ("x = 'a' 'b'", "ab"),
        ("x = None", None),
        ("x = True", True),
        ("x = 1; x = 2", 2),
        ("x = y = 4", 4),
        ("x = (\n    5\n)", 5),
        ("%matplotlib inline\n!pip list\nx = 6", 6),
    ],
)
def test_plain_values_are_parameters(line: str, value: Any) -> None:
    found = survey(source_of(line)).parameters["x"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("value", ["[1, 2]", "2 * 3", "y", "-True", "f'{y}'", "1e999", "b'a'", "2j"])
def test_other_values_are_left_out_and_it_is_said(value: str) -> None:
    found = survey(source_of(f"y = 1\nx = {value}"))
    assert found.parameters == {"y": 1}
    assert found.remarks[0].startswith("parameters cell, line 2: `x` is no plain number")


def test_marked_lines_are_the_space() -> None:
    found = space_of(
        "lr = 1e-3  # sweep: 1e-5..1e-1 log\n"
        "width = 64  # units # sweep: 16..512 log\n"
        'act = "relu"  #sweep : relu | tanh | gelu\n'
        "bn = True  # sweep\n"
        "dropout = 0.1  # SWEEP: 0..0.5\n"
        "shift = -1.0  # sweep: -2..+2\n"
        "depth = 2  # sweep: 1 | 2 | 4\n"
        "scale = 0.5  # sweep: 1 | 0.5\n"
        'text = "# sweep: 1..2"\n'
        "wd = 0.1  # we sweep this by hand\n"
    )
    assert found == {
        "lr": Dimension("lr", 1e-5, 1e-1, log=True),
        "width": Dimension("width", 16, 512, log=True, integer=True),
        "act": Dimension("act", choices=("relu", "tanh", "gelu")),
        "bn": Dimension("bn", choices=(False, True)),
        "dropout": Dimension("dropout", 0, 0.5),
        "shift": Dimension("shift", -2, 2),
        "depth": Dimension("depth", choices=(1, 2, 4)),
        "scale": Dimension("scale", choices=(1.0, 0.5)),
    }
    assert type(found["scale"].choices[0]) is float


def test_without_marks_positive_floats_are_searched_around_their_values() -> None:
    found = space_of(
        "lr = 1e-3\nmomentum = 0.9\ndropout = 0.5\nscale = 2.0\nwarmup_fraction = 0.1\n"
        "width = 64\nzero = 0.0\nneg = -1.0\nseed = 1.0\ndry_run = False\n"
        "val_size = 0.2\ntest_fraction = 0.2\nvalSplit = 0.2\ntrain_ratio = 0.8\n"
        "threshold = 0.5\nearly_stop_tol = 0.1\n"
    )
    assert {name: (d.low, d.high) for name, d in found.items()} == {
        "lr": (1e-4, 1e-2),
        "momentum": (0.09, 0.99),
        "dropout": (0.05, 0.95),
        "scale": (0.2, 20.0),
        "warmup_fraction": (0.01, 0.91),
    }
    assert all(d.log and not d.integer for d in found.values())


def test_a_bare_mark_beside_a_float_means_the_range_around_it() -> None:
    assert space_of("lr = 0.01  # sweep\nb = 0.5") == {"lr": Dimension("lr", 1e-3, 0.1, log=True)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x = 1.0  # sweep: 1e-1..1e-5 log", "whose low end is not below"),
        ("x = 1.0  # sweep: 0..1 log", "whose low end is not above 0"),
        ("x = 1.0  # sweep: 1..2 lgo", "found 'lgo' after the range"),
        ("x = 1.0  # sweep: 1-2", "found '1-2'; accepted: `low..high`"),
        ("x = 1.0  # sweep: 1..1e999", "not finite"),
        ("x = 1  # sweep: 0.5..3", "bounds must be whole"),
        ("x = 'a'  # sweep: 1..2", "which is no number"),
        ("x = True  # sweep: 0..1", "which is no number"),
        ("x = 'a'  # sweep: a |", "empty choice"),
        ("x = 'a'  # sweep: a | a", "single choice"),
        ("x = 'a'  # sweep", "nothing said for 'a'"),
        ("x = 1  # sweep:", "nothing said for 1"),
        ("x = [1]  # sweep: 1..2", "whose value is no plain"),
        ("seed = 1  # sweep: 1..2", "never searched"),
        ("# sweep: 1..2", "beside no parameter"),
        ("x = 1; y = 2  # sweep: 1..2", "beside several parameters"),
    ],
)
def test_a_wrong_mark_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(InvalidNotebook) as refused:
        survey(source_of(f"a = 1\n{line}"))
    assert "parameters cell, line 2" in str(refused.value) and said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_parameters_cell_that_is_not_python_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidNotebook, match="parameters cell, line 2: not Python"):
        survey(source_of("a = 1\nb = = 2"))


def test_the_rest_of_the_survey() -> None:
    found = survey(source_of("lr = 0.1\nrandom_state = 0\ndry_run = False"))
    assert (found.kernel, found.dry_run, found.locked_cells, found.remarks) == ("venv39", True, 1, ())
    bare = survey(source_of(None, locked=False))
    assert (bare.parameters, bare.space, bare.dry_run, bare.locked_cells) == ({}, (), False, 0)
    assert [r.split(":")[0] for r in bare.remarks] == ["no cell is tagged `parameters`", "scorer not locked"]


def test_an_own_value_outside_its_range_is_said() -> None:
    assert survey(source_of("x = 1  # sweep: 2..4\nseed = 0")).remarks == (
        "the notebook's own x = 1 lies outside its sweep (x: 2..4 whole)",
    )


def test_seeds_have_more_than_one_name_and_their_absence_is_said() -> None:
    assert not survey(source_of("lr = 0.1\nSEED = 3  ")).remarks
    assert [r.split(":")[0] for r in survey(source_of("lr = 0.1")).remarks] == ["no parameter `seed`"]
    assert [d.name for d in survey(source_of("lr = 0.1\nRandom_Seed = 0.5")).space] == ["lr"]

"""Patches as hypotheses: what fits, what is told of what does not."""

import pytest

from jupyter_deepresearch.core.types import Edit, Piece
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.researchers.claude.patching import as_patch, checked, patched
from jupyter_deepresearch.researchers.claude.plans import Patch, PatchEdit, Setting

PIECES = (
    Piece("lr = 1e-3  # sweep: 1e-4..1e-1 log\nwidth = 32\n", cell="parameters", is_parameters=True),
    Piece("model = make(width)\nend = '</code>'\n", cell="model"),
    Piece("score = accuracy(model)", cell="score", is_locked=True),
    Piece("def step():\n    pass\n\n\ndef stop():\n    pass\n", file="src/train.py"),
)


def edit(place: str, search: str, replace: str) -> Patch:
    return Patch((PatchEdit(place, search, replace),))


@pytest.mark.parametrize("place", ["cell model", "model", " `cell model` ", "cell  model"])
def test_a_place_is_found_as_shown_or_by_its_id(place: str) -> None:
    made = patched(edit(place, "make(width)", "make(2 * width)"), PIECES)
    assert made.edits == (Edit("make(width)", "make(2 * width)", cell="model"),)


def test_edits_of_files_values_and_of_what_an_earlier_edit_made() -> None:
    patch = Patch(
        (
            PatchEdit("file src/train.py", "def step():\n    pass", "def step():\n    work()"),
            PatchEdit("src/train.py", "work()", "work(2)"),
        ),
        (Setting("lr", 0.1), Setting("lr", 0.2)),
    )
    made = patched(patch, PIECES)
    assert [e.file for e in made.edits] == ["src/train.py"] * 2 and made.parameters == {"lr": 0.2}
    assert patched(as_patch(made.edits, made.parameters), PIECES) == made


def test_line_breaks_around_a_search_and_broken_up_block_ends_are_forgiven() -> None:
    assert patched(edit("model", "\nmodel = make(width)\n\n", "\nmodel = other()\n"), PIECES).edits == (
        Edit("model = make(width)", "model = other()", cell="model"),
    )
    assert patched(edit("model", "'< /code>'", "'< /output>'"), PIECES).edits == (
        Edit("'</code>'", "'</output>'", cell="model"),
    )


@pytest.mark.parametrize(
    ("patch", "complaint"),
    [
        (Patch(), "the patch changes nothing"),
        (Patch(note="torch is missing"), 'changes nothing: "torch is missing"'),
        (edit("cell modell", "a", "b"), 'edit of "cell modell": there is no such place; accepted: cell parameters'),
        (edit("cell score", "accuracy", "f1"), "edit of cell score: it is locked"),
        (edit("cell model", "", "x"), "the text to search for is empty"),
        (edit("cell model", "make(w)", "x"), "the text 'make(w)' is not found there"),
        (edit("src/train.py", "pass", "x"), "'pass' is found 2 times there; accepted: a text found once"),
        (edit("cell model", "make(width)", "make(width)"), "by itself"),
        (edit("cell parameters", "1e-3", "1e-2"), "it sets lr; values of parameters that exist go into `parameters`"),
        (edit("cell parameters", "width = 32\n", "width = 64\ndepth = 2\n"), "it sets width"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(patch: Patch, complaint: str) -> None:
    with pytest.raises(InvalidNotebook) as caught:
        patched(patch, PIECES)
    assert complaint in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_a_new_parameter_is_a_new_line() -> None:
    assert patched(edit("cell parameters", "width = 32", "width = 32\ndropout = 0.1"), PIECES).edits
    assert patched(edit("cell parameters", "  # sweep: 1e-4..1e-1 log", ""), PIECES).edits


def test_values_get_the_notebooks_types_and_the_loops_own_are_refused() -> None:
    own = {"width": 32, "lr": 1e-3, "act": "relu", "bn": True, "seed": 0, "dry_run": False}
    made = checked({"width": 64.0, "lr": 1, "act": "tanh", "bn": False, "new": 2.0}, own)
    assert list(map(repr, made.values())) == ["64", "1.0", "'tanh'", "False", "2.0"]
    for name in ("seed", "dry_run"):
        with pytest.raises(InvalidNotebook, match=f"'{name}' is set by code"):
            checked({name: 1}, own)

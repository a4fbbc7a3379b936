"""What code means: comments and layout make no difference, anything else does."""

import json

import pytest

from jupyter_deepresearch.core.sources import fingerprint, sense
from jupyter_deepresearch.core.types import Edit, Source


def source(*cells: str, **files: str) -> Source:
    made = [{"cell_type": "code", "id": f"c{n}", "source": text, "metadata": {}} for n, text in enumerate(cells)]
    named = {path.replace("_", "."): text for path, text in files.items()}
    return Source(json.dumps({"cells": made}), named)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1\nb = 2", "a = 1  # one\n\n\nb = 2\n"),
        ("f(1, 2)", "f(\n    1,\n    2,\n)"),
        ("s = 'x'", 's = "x"'),
        ("!pip list\na = 1", "!pip list\n# a comment\na = 1"),
        ("%%bash\necho 1", "%%bash\n\necho 1  "),
    ],
)
def test_the_same_by_another_layout(before: str, after: str) -> None:
    assert sense(source(before)) == sense(source(after)) and fingerprint(source(before)) != fingerprint(source(after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1", "a = 2"),
        ("a = 1", "a = 1.0"),
        ("if a:\n    b()\nc()", "if a:\n    b()\n    c()"),
        ("%time f()", "f()"),
    ],
)
def test_something_else(before: str, after: str) -> None:
    assert sense(source(before)) != sense(source(after))


def test_files_count_by_their_kind() -> None:
    assert sense(source("a", model_py="x = 1")) == sense(source("a", model_py="x = 1  # so"))
    assert sense(source("a", conf_yaml="lr: 1")) != sense(source("a", conf_yaml="lr: 1  # so"))
    assert sense(source("a", conf_yaml="lr: 1\n\n")) == sense(source("a", conf_yaml="lr: 1"))
    assert sense(source("a", a_py="x")) != sense(source("a", b_py="x"))


def test_it_is_that_of_the_result_however_it_came_about() -> None:
    edited = sense(source("lr = 1\nf()"), [Edit("lr = 1", "lr = 2  # larger", cell="c0")])
    assert edited == sense(source("lr = 2\nf()"))
    misfit = sense(source("lr = 1"), [Edit("nowhere", "x", cell="c0")])
    assert misfit != sense(source("lr = 1"))

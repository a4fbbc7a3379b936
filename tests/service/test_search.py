"""Experiments found as a person types."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.types import Decision, Edit, Experiment, Hypothesis, HypothesisKind, Source
from jupyter_deepresearch.errors import InvalidInput
from jupyter_deepresearch.service import search as searching
from jupyter_deepresearch.service.search import FoundView, search
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import memory_store
from tests.core.logs import SURVEY, baseline, judged
from tests.simulation import base_project

CLAIMS = (
    "Wider layers learn faster",
    "50% dropout, o'brien's \"trick\" in C:\\tmp_x",
    "Über-Regularisierung der GRÖSSE",
    "warmup as in #2, at lr 0.12",
)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    """Experiments 1 to 4 with these claims, after the baseline; number 1 with all else that may be said."""
    with closing(memory_store()) as made:
        made.append(ev.Opened("p", base_project(), Source("{}"), SURVEY))
        for event in baseline():
            made.append(event)
        for number, claim in enumerate(CLAIMS, 1):
            edits = (Edit("relu(x)", "gelu(x)", cell="c"),) if number == 1 else ()
            why = "the loss plateaus" if number == 1 else ""
            hypothesis = Hypothesis(claim, HypothesisKind.CODE, why, "", {"width": 640 + number}, edits)
            made.append(ev.Proposed(Experiment(number, hypothesis, 0, number)))
        made.append(judged(1, Decision.WORSE, 0.5))
        made.append(ev.Reflected(1, Lesson("attention needs its own optimiser")))
        yield made


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", (4, 3, 2, 1, 0)),
        ("wider", (1,)),
        ("IDER  aste", (1,)),
        ("faster wider", (1,)),
        ("wider dropout", ()),
        ("plateau", (1,)),
        ("gelu(", (1,)),
        ("643", (3,)),
        ("width", (4, 3, 2, 1)),
        ("worse", (1,)),
        ("optimiser", (1,)),
        ("%", (2,)),
        ("_x", (2,)),
        ("o'brien's \"trick\"", (2,)),
        ("c:\\tmp", (2,)),
        ("' OR 1=1 --", ()),
        ("größe", (3,)),
        ("grösse", (3,)),
        ("u\u0308ber", (3,)),
        ("#2", (4, 2)),
        ("#3", (3,)),
        ("#3 dropout", ()),
        ("#0", (0,)),
        ("12", (4,)),
        ("2", (4, 2)),
        ("#9", ()),
        ("9" * 100, ()),
        ("\u0662", ()),
    ],
)
def test_every_word_occurs_in_what_is_said(store: SqliteStore, text: str, numbers: tuple[int, ...]) -> None:
    assert search(store, text, 10) == FoundView(numbers, False)


def test_the_newest_come_first_and_page_by_page(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_PAGE", 2)
    assert search(store, "width", 3) == FoundView((4, 3, 2), True)
    assert search(store, "width", 4) == FoundView((4, 3, 2, 1), False)
    assert search(store, "dropout", 1) == FoundView((2,), False)
    assert search(store, "", 1) == FoundView((4,), True)


def test_a_number_alone_is_found_though_newer_ones_fill_the_limit(store: SqliteStore) -> None:
    assert search(store, "2", 1) == FoundView((2,), True) == search(store, " #2 ", 1)
    assert search(store, "2 warmup", 1) == FoundView((4,), False)


def test_too_long_a_text_is_one_line(store: SqliteStore) -> None:
    with pytest.raises(InvalidInput, match=r"text: found 1,201 characters; accepted: at most 200$"):
        search(store, "x" * 1201, 10)


def test_what_is_edited_is_found_as_it_is_now(store: SqliteStore) -> None:
    store.append(ev.EditHypothesis(Experiment(4, Hypothesis("cosine", HypothesisKind.PARAMETERS), 0, 4)))
    assert search(store, "warmup", 9).experiments == () and search(store, "cosine", 9).experiments == (4,)

"""Earlier experiments found by words: what is found, what may be asked, and that it stands as the log does."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    RunState,
    Source,
    Sweep,
    Verdict,
)
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.store.words import EXCERPT_CHARS, RECALL
from jupyter_deepresearch.testing import memory_store
from tests.long_log import PROJECT, long_log

CODE, PARAMETERS = HypothesisKind.CODE, HypothesisKind.PARAMETERS
EDITS = (Edit("nn.ReLU()", "nn.GELU()", cell="model-cell"), Edit("x" * 9999, "warmup_cosine(" * 9999, file="src/lr.py"))

SMOOTHER = Hypothesis("Smoother activations help", CODE, "naïve gradients", "+1 %", edits=EDITS, change="swap")


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    """Five experiments: one confirmed, one that ran out of memory, one rejected, a sweep, an open one."""
    with closing(memory_store()) as made:
        for event in (
            ev.Opened("p", PROJECT, Source("{}"), ev.Survey()),
            ev.Proposed(Experiment(0, Hypothesis("baseline: the notebook as it is", HypothesisKind.BASELINE))),
            ev.Judged(0, Verdict(Decision.BASELINE, "measured", 0.5, 1, state=RunState.SUCCEEDED)),
            ev.Proposed(Experiment(1, SMOOTHER)),
            ev.Judged(1, Verdict(Decision.PROMISING, "so far", 0.75, 1, state=RunState.SUCCEEDED)),
            ev.Judged(1, Verdict(Decision.CONFIRMED, "better than the champion", 0.875, 3, state=RunState.SUCCEEDED)),
            ev.Reflected(1, Lesson("saturation was the bottleneck; 学习率 is next")),
            ev.Proposed(Experiment(2, Hypothesis("A bigger batch", PARAMETERS, parameters={"batch_size": 4096}))),
            ev.Judged(2, Verdict(Decision.FAILED, "CUDA error in cell 3", state=RunState.OUT_OF_MEMORY)),
            ev.Proposed(Experiment(3, Hypothesis("Train on the test set", CODE))),
            ev.Reject(3, "that is leakage"),
            ev.Proposed(
                Experiment(
                    4,
                    Hypothesis(
                        "A search", HypothesisKind.SWEEP, sweep=Sweep(5, (Dimension("label_smoothing", 0.0, 0.3),))
                    ),
                )
            ),
        ):
            made.append(event)
        yield made


def found(store: SqliteStore, words: str, limit: int = 10) -> list[int]:
    return [recalled.experiment for recalled in store.recall(words, limit)]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("activation", [1]),  # the claim, by the stem of a word
        ("NAIVE gradient", [1]),  # the rationale, whatever the case and the accents
        ("GELU", [1]),  # an edit's text
        ("model-cell", [1]),  # its place
        ("lr.py", [1]),
        ("warmup_cosine", [1]),  # long texts by their beginning
        ("swap", [1]),
        ("batch_size", [2]),
        ("4096", [2]),
        ("out of memory", [2]),
        ("CUDA", [2]),
        ("leakage", [3]),
        ("rejected", [3]),
        ("label_smoothing", [4]),
        ("sweep", [4]),
        ("saturation", [1]),  # the lesson
        ("学习率", [1]),
        ("baseline", [0]),
        ("transformer", []),
    ],
)
def test_all_that_the_log_says_of_an_experiment_finds_it(store: SqliteStore, words: str, numbers: list[int]) -> None:
    assert found(store, words) == numbers


def test_one_of_the_words_is_enough_and_more_of_them_are_better(store: SqliteStore) -> None:
    assert found(store, "bigger batch leakage nonsense")[0] == 2
    assert set(found(store, "batch leakage")) == {2, 3}
    assert found(store, "batch leakage saturation", 2) == found(store, "batch leakage saturation")[:2]


def test_what_is_found_stands_as_it_does_now(store: SqliteStore) -> None:
    (one,) = store.recall("saturation", 5)
    assert (one.experiment, one.claim, one.decision, one.value) == (
        *(1, "Smoother activations help"),
        *(Decision.CONFIRMED, 0.875),
    )
    assert "saturation was the bottleneck" in one.excerpt and "\n" not in one.excerpt
    (rejected,) = store.recall("leakage", 5)
    assert (rejected.decision, rejected.value) == (Decision.REJECTED, None) and "leakage" in rejected.excerpt
    (waiting,) = store.recall("label_smoothing", 5)
    assert (waiting.decision, waiting.value) == (None, None)
    assert found(store, "so far") == [], "the verdict of one seed was replaced"


def test_a_changed_hypothesis_is_found_by_what_it_is_now(store: SqliteStore) -> None:
    store.append(ev.EditHypothesis(Experiment(4, Hypothesis("Dropout instead", PARAMETERS, parameters={"p": 0.5}))))
    assert found(store, "dropout") == [4] and found(store, "label_smoothing") == []
    store.append(ev.Repaired(Experiment(4, Hypothesis("Stochastic depth instead", CODE))))
    assert found(store, "stochastic") == [4] and found(store, "dropout") == []
    store.append(ev.Try(Experiment(5, Hypothesis("Mine", HypothesisKind.BY_HAND), by_hand=EDITS[:1])))
    assert found(store, "gelu") in ([1, 5], [5, 1])


@pytest.mark.parametrize(
    "words",
    [
        *("", " ", "???", "🔥🚀", "___", "-", "*", '"', "''", "( )", "^", "\0", "\ud800", "e\u0301", "NEAR", "AND"),
        *('"unclosed', "claim:", "a OR", "NOT a", "NEAR(a b, 2)", "a* ^b", "{claim why}: a", "a + b", "-a", "a\0b"),
        *("x" * 100_000, " ".join(map(str, range(5000))), "٣ ๔ ǅ ß ﬁ", "a\ud83db", "%_%", "words MATCH", "a;--"),
    ],
)
def test_any_text_is_a_question(store: SqliteStore, words: str) -> None:
    assert len(store.recall(words, 3)) <= 3
    assert found(store, f"{words} leakage") != [] or len(words) > 1000


def test_operators_are_words_like_others(store: SqliteStore) -> None:
    assert found(store, 'leakage" NOT "leakage') == [3]
    assert found(store, "claim: leakage") == [3]
    assert found(store, "leak*") == []


@pytest.mark.parametrize("limit", [0, -1])
def test_no_limit_means_nothing(store: SqliteStore, limit: int) -> None:
    assert store.recall("batch", limit) == ()


def test_excerpts_are_short_for_any_text(store: SqliteStore) -> None:
    long = "word " * 50 + "k" * 100_000 + " needle " + "q" * 100_000
    store.append(ev.Proposed(Experiment(5, Hypothesis(long, CODE, "why\n\n\twhy"))))
    (one,) = store.recall("needle", 5)
    assert len(one.excerpt) <= EXCERPT_CHARS


def test_a_long_history_is_searched_by_its_index() -> None:
    with closing(memory_store()) as store:
        for event in long_log(150):
            store.append(event)
        assert found(store, "x = 20.43", 3)[0] == 143
        plan = [row[3] for row in store.query(f"EXPLAIN QUERY PLAN {RECALL}", "a", 3)]
    scans = [step for step in plan if step.startswith("SCAN") and ("events" in step or step.endswith((" f", " d")))]
    assert any("VIRTUAL TABLE INDEX" in step for step in plan) and scans == [], "only what was found is read of the log"

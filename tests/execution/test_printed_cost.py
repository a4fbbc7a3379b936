"""Whatever is printed, reading it is cheap, bounded, free of errors and the same for every way of cutting it up."""

import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.execution.metrics.printed import PrintedReader


def test_a_line_that_never_ends_costs_no_memory_and_its_start_is_read() -> None:
    reader = PrintedReader()
    reader.feed("loss=0.5 ")
    tracemalloc.start()
    for _ in range(200):
        assert reader.feed("a=" * 50_000) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    (report,) = reader.feed("\n")
    assert report.values == (("loss", 0.5),)


def test_state_is_bounded_whatever_is_printed() -> None:
    reader = PrintedReader()
    tracemalloc.start()
    for n in range(5_000):
        reader.feed(f"\r{'ab' * (n % 50)}{chr(97 + n % 26)} 1%| [00:01<00:02, m{n}=0.{n}]\rname{n}=0.5")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


PIECES = st.sampled_from(
    """
    loss = : 0.5 12 -3e-4 nan % / | epoch step [ ] ( ) { } ' " , val/ acc@1 it/s %| [00:01<00:02, wandb: - 1/6
    ms/step train 9900/10000 loss=0.5 é │ ┃ ━ ━━━ | |--|--| [CV (test=0.5) macro mAP50 precision # E all
    """.split()  # noqa: SIM905 (one word each is easier to read here)
) | st.sampled_from(
    [
        *(" ", "\n", "\r", "\b", "\r\n", "\t", "\x1b[A", "\x1b[1m", "\x1b", "\x1b[?25l", "\x1b[?25h", "\x1b[2K"),
        *("\x1b[5C", "Epoch 3/9\n", "x" * 4090, "epoch  loss  acc\n", "\n  1   0.5  0.25\n", "| a/ | |\n"),
        *("| loss | 0.5 |\n", "-----\n", "│ epoch │ loss │\n", "│ 1 │ 0.5 │\n", "┏━━┓\n", "└──┘\n", "epoch,loss\n"),
        *("\n3,0.5\n", " " * 17, "val loss 0.5"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join), st.lists(st.integers(0, 200), max_size=8))
def test_how_the_text_is_cut_into_chunks_does_not_matter(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole, pieces, letters = (PrintedReader(["val_loss", "f1"]) for _ in range(3))
    expected = repr(whole.feed(text) + whole.close())
    chunks = [text[start:end] for start, end in pairwise(edges)]
    assert repr([r for chunk in chunks for r in pieces.feed(chunk)] + pieces.close()) == expected
    assert repr([r for letter in text for r in letters.feed(letter)] + letters.close()) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for report in PrintedReader().feed(text + "\nloss=0.5\n"):
        assert report.values and (report.step is None or report.step >= 0)


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The least processor time of a few tries, so that a busy machine does not decide."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


HOSTILE = [
    *("= ", "=", "a=", "1", "1.", "nan", "a ", "- ", "\x1b[", "\x1b]a", '{"a":', "epoch ", "epoch [[", "a=1 ", "f("),
    *(
        "| a ",
        "│",
        "| 1 |",
        "a  ",
        "1  ",
        "loss  ",
        "epoch,",
        "\x1b[?25l",
        "\x1b[A ",
        "[CV a: (test=",
        ": {",
        "x@0.5:",
        "━ ",
    ),
    *("'a':'", "1/6 - ", "%|[00:<", " ", "\t:", "a_", "train ", "(%", "0.5 s ", "é", "/", "of 1 ", "a=1/1 (1", "|-"),
]


TABLES = {
    "rows": "epoch  loss  acc\n" + "  1   0.5  0.25\n" * 300,
    "headers": "epoch  loss  acc\n" * 300,
    "boxes": "| loss | 0.5 |\n" * 300,
    "wide": ("|" + " a |" * 300 + "\n") * 12,
    "wide rows": "epoch" + "  loss" * 46 + "\n" + ("1" + "  0.5" * 46 + "\n") * 30,
    "no rows": ("epoch  loss  acc\n" + "some words\n" * 7) * 40,
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_tables_are_cheap_and_bounded(text: str) -> None:
    """About 10 us a row; what is kept of a table does not grow with its rows."""
    assert seconds(lambda: PrintedReader().feed(text)) < 0.06
    reader = PrintedReader()
    tracemalloc.start()
    for _ in range(20):
        reader.feed(text)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size < 500_000


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_lines_take_linear_time(unit: str) -> None:
    """4,096 characters of anything cost a millisecond or so; the bound would catch quadratic work."""
    line = "a=1 : " + unit * 4096 + "=\n"
    assert seconds(lambda: PrintedReader().feed(line)) < 0.02


def test_a_large_print_is_cheap() -> None:
    reader = PrintedReader()
    chunk = ("0123456789abcdefghijklmnopqrstuvwxyzABC " * 2)[:79] + "\n"
    chunk *= 800
    taken = seconds(lambda: [reader.feed(chunk) for _ in range(160)])
    assert 160 * len(chunk) / taken > 50e6  # 900 MB/s where this was written


def test_many_flushed_lines_are_cheap() -> None:
    reader = PrintedReader()
    assert seconds(lambda: [reader.feed("hello, this is a line\n") for _ in range(60_000)]) < 1
    reports = seconds(lambda: [reader.feed("step 12 loss=0.5\n") for _ in range(6_000)])
    assert reports < 0.6  # 0.06 on an idle machine

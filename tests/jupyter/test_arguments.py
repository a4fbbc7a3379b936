"""Lines of the magic as values, and one readable line for those that are none."""

from __future__ import annotations

import pytest

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.errors import InvalidInput
from jupyter_deepresearch.jupyter.arguments import Line, read_line


@pytest.mark.parametrize(
    ("line", "cell", "meant"),
    [
        ("", None, Line("help")),
        ("?", None, Line("help")),
        ("help start", None, Line("help", topic="start")),
        ("status?", None, Line("help", topic="status")),
        ("diff 3 ?", None, Line("help", topic="diff")),
        ("start digits --help", None, Line("help", topic="start")),
        ("directive -h", None, Line("help", topic="directive")),
        ("directive is Adam -h better?", None, Line("directive", text="is Adam -h better?")),
        ("history", None, Line("history", count=50)),
        ("history --project digits 200", None, Line("history", count=200, project="digits")),
        ("history all", None, Line("history", count=None)),
        ("status", None, Line("status")),
        ("status --project digits", None, Line("status", project="digits")),
        ("start", None, Line("start")),
        ("start 'my folder' --cycles 3", "brief\n", Line("start", "my folder", Options(cycles=3), text="brief\n")),
        ("start --cycles 3 digits", None, Line("start", "digits", Options(cycles=3))),
        ("start a --metric val/loss --hours 0.5", None, Line("start", "a", Options(metric="val/loss", hours=0.5))),
        ("open #3", None, Line("open", numbers=(3,))),
        ("diff 3 10", None, Line("diff", numbers=(3, 10))),
        ("approve", None, Line("approve")),
        ("approve 4", None, Line("approve", numbers=(4,))),
        ('reject 4 it\'s "odd" --so', None, Line("reject", numbers=(4,), text='it\'s "odd" --so')),
        ("reject because 4 is odd", None, Line("reject", text="because 4 is odd")),
        ("reject", None, Line("reject", text="")),
        ("directive lr: 1e-3..1e-1", None, Line("directive", text="lr: 1e-3..1e-1")),
        ("directive --project p 'try Adam'", None, Line("directive", text="try Adam", project="p")),
        ("directive", "line one\nline two\n", Line("directive", text="line one\nline two")),
        ("try lr=3e-3 n=64", None, Line("try", parameters={"lr": 0.003, "n": 64})),
        ("try act='tanh' n=\"3\" bn=False", None, Line("try", parameters={"act": "tanh", "n": "3", "bn": False})),
        ("try x=None y=", None, Line("try", parameters={"x": None, "y": ""})),
        ("try act=tanh name='two words'", None, Line("try", parameters={"act": "tanh", "name": "two words"})),
        ("try lr=1 --claim 'it is \"so\"'", None, Line("try", parameters={"lr": 1}, claim='it is "so"')),
        ("try lr = 3 n =4 act = 'a = b'", None, Line("try", parameters={"lr": 3, "n": 4, "act": "a = b"})),
        ("try --project 'my digits' lr=1", None, Line("try", parameters={"lr": 1}, project="my digits")),
        ("reject --project 'my digits' 3 no", None, Line("reject", numbers=(3,), text="no", project="my digits")),
        ("cancel", None, Line("cancel")),
        ("try --notebook mine.ipynb", None, Line("try", notebook="mine.ipynb")),
        ("stop --yes", None, Line("stop", yes=True)),
        ("cancel 0003-candidate-seed-1", None, Line("cancel", run="0003-candidate-seed-1")),
    ],
)
def test_a_line_is_read_as_meant(line: str, cell: str | None, meant: Line) -> None:
    assert read_line(line, cell) == meant


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("statsu", None, "unknown command 'statsu'; did you mean status?"),
        ("x\x1b[2J\ny", None, "unknown command"),
        ("status now", None, "status: found 'now'; accepted: status [--project NAME]"),
        ("status", "a body", "takes no cell body"),
        ("start --cycles many", None, "accepted: a whole number"),
        ("start --cycles", None, "expected one argument"),
        ("start --usd much", None, "accepted: a number"),
        ("start --usd nan", None, "found 'nan'; accepted: a number"),
        ("start digits --metrik val_loss", None, "did you mean --metric?"),
        ("start --project digits", None, "found '--project"),
        ("history 0", None, "accepted: a number of rows from 1, or all"),
        ("history newest", None, "'newest'"),
        ("help statsu", None, "did you mean status?"),
        ("start 'a", None, "a quote is not closed"),
        ("start --cyc 3", None, "--cyc"),
        ("open", None, "N"),
        ("open three", None, "'three'"),
        ("open -3", None, "-3"),
        ("diff 1 2 3", None, "at most 2"),
        ("approve 1 2", None, "found '2'"),
        ("directive", None, "the text is missing"),
        ("directive --project", None, "expected one argument; accepted: directive [--project NAME] TEXT"),
        ("directive", " \n", "the text is missing"),
        ("try lr", None, "'lr'"),
        ("try 3=4", None, "'3=4'"),
        ("try lr=1 lr=2", None, "given twice"),
        ("try lr='1", None, "a quote is not closed"),
        ("try lr=[1,2]", None, "accepted: a number"),
        ("cancel 1 2", None, "found '2'"),
        ("stop --force", None, "--force"),
    ],
)
def test_a_mistake_is_one_line(line: str, cell: str | None, said: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_line(line, cell)
    message = str(refusal.value)
    assert said in message and message.isprintable() and len(message) < 500

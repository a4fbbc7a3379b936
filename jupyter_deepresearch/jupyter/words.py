"""The words of ``%deepresearch`` and their arguments, in one table: parsing, help and completion read it."""

import argparse
import enum
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..core.project import ApprovalMode, Direction, ResearcherKind
from ..text import one_line

HISTORY_ROWS = 50
_WIDTH = 22


class Fill(enum.Enum):
    """What Tab may put in an argument's place."""

    NOTHING = enum.auto()
    PLACE = enum.auto()
    NOTEBOOK = enum.auto()
    KERNEL = enum.auto()
    EXPERIMENT = enum.auto()
    WAITING = enum.auto()
    RUN = enum.auto()
    VALUE = enum.auto()
    RANGE = enum.auto()
    PROJECT = enum.auto()
    WORD = enum.auto()


@dataclass(frozen=True)
class Argument:
    """An option (``--metric``) or what stands without one. ``shown`` is how its value is called, "" for a switch."""

    name: str
    shown: str = ""
    says: str = ""
    fill: Fill = Fill.NOTHING
    read: Callable[[str], object] = str
    least: int = 0
    most: int | None = 1
    choices: tuple[str, ...] = ()
    default: object = None

    @property
    def is_option(self) -> bool:
        return self.name.startswith("--")

    @property
    def usage(self) -> str:
        """Such as ``[--metric M]`` or ``N [M]``."""
        return f"[{self.label}]" if self.is_option else self.shown

    @property
    def label(self) -> str:
        return f"{self.name} {self.shown}".strip() if self.is_option else self.shown


@dataclass(frozen=True)
class Word:
    """What stands behind ``%deepresearch``. ``body`` says what a cell's body is to it, "" where it takes none.

    Where ``is_free``, all that follows its options and number is text, whatever it holds.
    """

    does: str
    arguments: tuple[Argument, ...] = ()
    example: str = ""
    body: str = ""
    is_free: bool = False


def whole(text: str) -> int:
    """A number from 0, which may stand behind a ``#``. Raises ArgumentTypeError."""
    if not re.fullmatch(r"#?[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"found {one_line(text)!r}; accepted: a whole number")
    return int(text.removeprefix("#"))


def number(text: str) -> float:
    """A finite number. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"found {one_line(text)!r}; accepted: a number")
    return value


def rows(text: str) -> int | None:
    """How many rows, None for all. Raises ArgumentTypeError."""
    if text == "all":
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"found {one_line(text)!r}; accepted: a number of rows from 1, or all")
    return int(text)


def _values(kind: Iterable[enum.StrEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in kind)


PROJECT = Argument("--project", "NAME", "which project, where several are known", Fill.PROJECT)
_NOTEBOOK = Argument("--notebook", "F", "the notebook, a path within the project", Fill.NOTEBOOK)
_START = (
    Argument("path", "[PATH]", "the project's folder, or its notebook (default: here)", Fill.PLACE),
    _NOTEBOOK,
    Argument("--metric", "M", "the reported name that counts, such as val_accuracy"),
    Argument("--direction", "D", "which way of it is better", choices=_values(Direction)),
    Argument("--researcher", "K", "who proposes", choices=_values(ResearcherKind)),
    Argument("--approval", "MODE", "whether a hypothesis waits for your word", choices=_values(ApprovalMode)),
    Argument("--kernel", "NAME", "the kernel of the runs (default: the notebook's)", Fill.KERNEL),
    Argument("--cycles", "N", "at most so many cycles", read=whole),
    Argument("--hours", "H", "at most so many hours", read=number),
    Argument("--usd", "X", "at most so many US dollars for language models", read=number),
)
_TRY = (
    Argument("values", "NAME=VALUE ...", "values on top of those that hypotheses grow from", Fill.VALUE, most=None),
    Argument("--notebook", "F", "another notebook of the project in its place", Fill.NOTEBOOK),
    Argument("--claim", "TEXT", "what you expect, in quotes"),
    PROJECT,
)
_EXPERIMENT = Argument("numbers", "N", "the experiment's number", Fill.EXPERIMENT, whole, 1)
_TWO = Argument("numbers", "N [M]", "experiment N against its parent, or from N to M", Fill.EXPERIMENT, whole, 1, 2)
_BASE = Argument("numbers", "[N]", "the experiment (default: the champion again)", Fill.EXPERIMENT, whole)
_WAITING = Argument("numbers", "[N]", "the hypothesis (default: the only one that waits)", Fill.WAITING, whole)
_WHY = Argument("text", "[WHY]", "your reason, which the researcher reads")
_TEXT = Argument("text", "TEXT", "in your words; `NAME: LOW..HIGH` sets what is searched", Fill.RANGE, least=1)
_NEWEST = f"how many of the newest (default: {HISTORY_ROWS})"
_ROWS = Argument("count", "[N|all]", _NEWEST, read=rows, choices=("all",), default=HISTORY_ROWS)
_YES = Argument("--yes", "", "do not ask before live runs are cancelled")
_RUN = Argument("run", "[RUN]", "its name or its experiment's number (default: the only live one)", Fill.RUN)

WORDS: Mapping[str, Word] = {
    "start": Word(
        "research a project, or go on with it",
        _START,
        "%deepresearch start digits --metric val_accuracy --cycles 20",
        "the brief: what the research is after",
    ),
    "status": Word("what is happening and why", (PROJECT,)),
    "panel": Word("the live panel; again to see it again, in any notebook", (PROJECT,)),
    "history": Word("the experiments, newest first", (_ROWS, PROJECT), "%deepresearch history 200"),
    "best": Word("the champion and the baseline", (PROJECT,)),
    "memory": Word("what the researcher is told", (PROJECT,)),
    "cost": Word("what language models have cost, by phase and by day", (PROJECT,)),
    "open": Word("a link to an experiment's notebook", (_EXPERIMENT, PROJECT), "%deepresearch open 12"),
    "diff": Word("what an experiment changes", (_TWO, PROJECT), "%deepresearch diff 0 12"),
    "try": Word("test your own idea next", _TRY, '%deepresearch try lr=3e-4 --claim "slower is better"'),
    "approve": Word("let a waiting hypothesis run", (_WAITING, PROJECT), "%deepresearch approve 13"),
    "reject": Word(
        "do not let it run", (PROJECT, _WAITING, _WHY), "%deepresearch reject 13 it was tried by hand", is_free=True
    ),
    "directive": Word(
        "tell the researcher something", (PROJECT, _TEXT), "%deepresearch directive lr: 1e-5..1e-2", "more text", True
    ),
    "branch": Word("let hypotheses grow from experiment N", (_BASE, PROJECT), "%deepresearch branch 12"),
    "pause": Word("start nothing new, let live runs finish", (PROJECT,)),
    "resume": Word("undo pause and stop", (PROJECT,)),
    "stop": Word("start nothing new and cancel live runs", (_YES, PROJECT)),
    "cancel": Word("end one live run", (_RUN, PROJECT)),
    "help": Word("these lines, or all about one word", (Argument("topic", "[WORD]", "a word", Fill.WORD),)),
}


def usage(word: str) -> str:
    """Such as ``diff N [M] [--project NAME]``."""
    return " ".join([word, *(argument.usage for argument in WORDS[word].arguments)])


def overview() -> str:
    """All words, a line each."""
    lines = [f"{_short(name):<{_WIDTH}}{word.does}" for name, word in WORDS.items()]
    bodies = " and ".join(f"%%deepresearch {name}" for name, word in WORDS.items() if word.body)
    return "\n".join(
        [
            *lines,
            "",
            f"A cell's body goes with {bodies}.",
            "--project NAME goes with every word but start, before a text, where several projects are known.",
            "`%deepresearch help WORD` tells all about a word; Tab completes words, options and values.",
        ]
    )


def _short(name: str) -> str:
    """A word with what stands without an option."""
    return " ".join([name, *(argument.shown for argument in WORDS[name].arguments if not argument.is_option)])


def help_text(word: str) -> str:
    """All about one word."""
    said = WORDS[word]
    lines = [_wrapped(word), "", said.does]
    if said.body:
        lines.append(f"%%deepresearch {word} ... takes the cell's body as {said.body}")
    lines += ["", *(f"  {_bare(argument.label):<{_WIDTH - 2}}{_meaning(argument)}" for argument in said.arguments)]
    if said.example:
        lines += ["", f"example: {said.example}"]
    return "\n".join(lines).rstrip()


def _wrapped(word: str) -> str:
    """A word's usage in lines that part no option from its value."""
    pieces = (argument.usage.replace(" ", "\0") for argument in WORDS[word].arguments)
    return textwrap.fill(" ".join([f"%deepresearch {word}", *pieces]), 100, subsequent_indent="    ").replace("\0", " ")


def _bare(label: str) -> str:
    """Without the brackets that say that it may be left out."""
    return re.sub(r"^\[(.*)\]$", r"\1", label)


def _meaning(argument: Argument) -> str:
    accepted = " | ".join(argument.choices) if argument.is_option else ""
    return f"{argument.says}: {accepted}" if accepted else argument.says

"""What stands behind ``%deepresearch``, as a value. Every mistake is an InvalidInput of one line."""

import argparse
import difflib
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from ..config.loading import Options
from ..core.types import Parameters
from ..errors import InvalidInput
from ..text import assignments, one_line

BRIEF_WORDS = ("start",)
TEXT_WORDS = ("directive",)


@dataclass(frozen=True)
class Line:
    """One use of the magic. ``numbers`` are experiments or hypotheses, ``text`` a brief, a directive or a reason."""

    word: str
    path: str = "."
    options: Options = field(default_factory=Options)
    numbers: tuple[int, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    notebook: str | None = None
    claim: str | None = None
    run: str = ""
    text: str | None = None
    yes: bool = False
    project: str | None = None


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would end the process."""

    def __init__(self, word: str) -> None:
        super().__init__(prog=word, add_help=False, allow_abbrev=False)
        self.add_argument("--project")

    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{self.prog}: {one_line(message, 200)}; see `%deepresearch help`")


def _start(parser: _Parser) -> None:
    parser.add_argument("path", nargs="?", default=".")
    for name in ("notebook", "metric", "direction", "researcher", "approval", "kernel"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--cycles", type=_whole)
    parser.add_argument("--hours", type=_number)
    parser.add_argument("--usd", type=_number)


def _one(parser: _Parser) -> None:
    parser.add_argument("numbers", nargs=1, type=_whole, metavar="N")


def _maybe_one(parser: _Parser) -> None:
    parser.add_argument("numbers", nargs="*", type=_whole, metavar="N")


def _two(parser: _Parser) -> None:
    parser.add_argument("numbers", nargs="+", type=_whole, metavar="N")


def _try(parser: _Parser) -> None:
    parser.add_argument("values", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--notebook")
    parser.add_argument("--claim")


def _stop(parser: _Parser) -> None:
    parser.add_argument("--yes", action="store_true")


def _run(parser: _Parser) -> None:
    parser.add_argument("run", metavar="RUN")


def _nothing(parser: _Parser) -> None:
    """No arguments but ``--project``."""


WORDS: Mapping[str, Callable[[_Parser], None]] = {
    "start": _start,
    "status": _nothing,
    "panel": _nothing,
    "history": _nothing,
    "best": _nothing,
    "memory": _nothing,
    "cost": _nothing,
    "open": _one,
    "diff": _two,
    "try": _try,
    "approve": _maybe_one,
    "reject": _nothing,
    "directive": _nothing,
    "pause": _nothing,
    "resume": _nothing,
    "stop": _stop,
    "cancel": _run,
    "help": _nothing,
}
MOST_NUMBERS: Mapping[str, int] = {"approve": 1, "diff": 2}


def read_line(line: str, cell: str | None = None) -> Line:
    """The line (and the cell's body) as a value. Raises InvalidInput."""
    word, _, rest = line.strip().partition(" ")
    word = word or "help"
    if word not in WORDS:
        near = difflib.get_close_matches(word, WORDS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InvalidInput(f"unknown command {one_line(word)!r}; {hint}accepted: {', '.join(WORDS)}")
    if cell is not None and word not in (*BRIEF_WORDS, *TEXT_WORDS):
        raise InvalidInput(f"{word} takes no cell body; accepted: %%deepresearch start and %%deepresearch directive")
    if word in ("directive", "reject"):
        return _free(word, rest.strip(), cell)
    return _parsed(word, rest, cell)


def _free(word: str, rest: str, cell: str | None) -> Line:
    """A line whose end is free text, which may hold quotes and dashes."""
    found = re.match(r"--project(?:=|\s+)(\S+)\s*", rest)
    project = found[1] if found else None
    rest = rest[found.end() :] if found else rest
    numbers: tuple[int, ...] = ()
    if word == "reject":
        number = re.match(r"#?(\d{1,9})(?:\s+|$)", rest)
        numbers = (int(number[1]),) if number else ()
        rest = rest[number.end() :] if number else rest
    text = "\n".join(filter(None, [_unquoted(rest), (cell or "").strip()]))
    if word == "directive" and not text:
        raise InvalidInput("directive: the text is missing; accepted: directive TEXT, such as directive lr: 0.001..0.1")
    return Line(word, numbers=numbers, text=text, project=project)


def _parsed(word: str, rest: str, cell: str | None) -> Line:
    parser = _Parser(word)
    WORDS[word](parser)
    found = parser.parse_args(_split(word, rest))
    numbers = tuple(getattr(found, "numbers", ()))
    if len(numbers) > MOST_NUMBERS.get(word, 1):
        raise InvalidInput(f"{word}: found {len(numbers)} numbers; accepted: at most {MOST_NUMBERS.get(word, 1)}")
    names = ("notebook", "metric", "direction", "researcher", "approval", "kernel", "cycles", "hours", "usd")
    options = Options(**{name: getattr(found, name) for name in names}) if word == "start" else Options()
    return Line(
        word,
        path=getattr(found, "path", "."),
        options=options,
        numbers=numbers,
        parameters=_values(word, getattr(found, "values", ())),
        notebook=_unquoted(found.notebook) if word == "try" and found.notebook else None,
        claim=_unquoted(found.claim) if word == "try" and found.claim else None,
        run=getattr(found, "run", ""),
        text=cell,
        yes=getattr(found, "yes", False),
        project=found.project,
    )


def _values(word: str, words: Sequence[str]) -> Parameters:
    try:
        return assignments(words)
    except InvalidInput as error:
        raise InvalidInput(f"{word}: {error}") from None


def _split(word: str, rest: str) -> list[str]:
    """The words of a line; those of ``try`` keep their quotes, which tell a text from a number."""
    if word != "try":
        try:
            return shlex.split(rest)
        except ValueError:
            raise InvalidInput(f"{word}: a quote is not closed in {one_line(rest)}") from None
    words = re.findall(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""", rest)
    if "".join(words) != "".join(re.sub(r""""[^"]*"|'[^']*'|\s+""", _kept, rest)):
        raise InvalidInput(f"{word}: a quote is not closed in {one_line(rest)}")
    return words


def _kept(found: re.Match[str]) -> str:
    return "" if found[0].isspace() else found[0]


def _unquoted(text: str) -> str:
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]
    return text[1:-1] if is_quoted else text


def _whole(text: str) -> int:
    if not re.fullmatch(r"#?[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"found {one_line(text)!r}; accepted: a whole number")
    return int(text.removeprefix("#"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {one_line(text)!r}; accepted: a number") from None


def completions(text_until_cursor: str) -> list[str]:
    """Commands, and the options of a command, that may come next."""
    before, _, _ = text_until_cursor.rpartition(" ")
    words = before.split()[1:]
    if not words:
        return list(WORDS)
    if words[0] not in WORDS:
        return []
    parser = _Parser(words[0])
    WORDS[words[0]](parser)
    return [name for action in parser._actions for name in action.option_strings]

"""What stands behind ``%deepresearch``, as a value. Every mistake is an InvalidInput of one line."""

import argparse
import difflib
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from ..config.loading import Options
from ..core.types import Parameters
from ..errors import InvalidInput
from ..text import assignments, one_line
from .words import HISTORY_ROWS, WORDS, Argument, usage

_HELP = ("-h", "--help", "?", "??")
_QUOTED = r""""[^"]*"|'[^']*'"""
_OPTIONS = ("notebook", "metric", "direction", "researcher", "approval", "kernel", "cycles", "hours", "usd")


@dataclass(frozen=True)
class Line:
    """One use of the magic. ``numbers`` are experiments or hypotheses, ``text`` a brief, a directive or a reason.

    ``count`` rows of the history, None for all; ``topic`` is what help is asked for, "" for all words.
    """

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
    count: int | None = HISTORY_ROWS
    topic: str = ""


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would end the process."""

    def __init__(self, word: str) -> None:
        super().__init__(prog=word, add_help=False, allow_abbrev=False)
        for argument in WORDS[word].arguments:
            self._take(argument)

    def _take(self, argument: Argument) -> None:
        if not argument.is_option:
            count = "*" if argument.most != 1 else "?" if argument.least == 0 else None
            self.add_argument(
                argument.name, nargs=count, type=argument.read, metavar=argument.shown, default=argument.default
            )
        elif argument.shown:
            self.add_argument(argument.name, type=argument.read)
        else:
            self.add_argument(argument.name, action="store_true")

    def error(self, message: str) -> NoReturn:
        raise _refused(self.prog, message)


def _refused(word: str, found: str) -> InvalidInput:
    """A refusal that ends with what would be accepted."""
    accepted = "" if "accepted:" in found else f"; accepted: {usage(word)}"
    return InvalidInput(f"{word}: {one_line(found, 200)}{accepted}")


def read_line(line: str, cell: str | None = None) -> Line:
    """The line (and the cell's body) as a value. Raises InvalidInput."""
    word, rest, *_ = [*line.strip().split(None, 1), "", ""]
    if word.endswith("?"):
        word, rest = word.rstrip("?") or "help", "?"
    word = "help" if word in ("", *_HELP) else word
    _check_known(word)
    if rest.strip() in _HELP:
        return Line("help", topic="" if word == "help" else word)
    if cell is not None and not WORDS[word].body:
        bodies = " and ".join(f"%%deepresearch {name}" for name, known in WORDS.items() if known.body)
        raise InvalidInput(f"{word} takes no cell body; accepted: {bodies}")
    if WORDS[word].is_free:
        return _free(word, rest.strip(), cell)
    words = _split(word, rest)
    if not set(_HELP).isdisjoint(words):
        return Line("help", topic=word)
    return _parsed(word, words, cell)


def _check_known(word: str) -> None:
    if word not in WORDS:
        raise InvalidInput(f"unknown command {one_line(word)!r}; {_near(word, WORDS)}accepted: {', '.join(WORDS)}")


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}? " if near else ""


def _free(word: str, rest: str, cell: str | None) -> Line:
    """A line whose end is free text, which may hold quotes and dashes."""
    found = re.match(rf"--project(?:=|\s+)({_QUOTED}|\S+)\s*", rest)
    project = _unquoted(found[1]) if found else None
    rest = rest[found.end() :] if found else rest
    if not found and re.match(r"--project\b", rest):
        raise _refused(word, "argument --project: expected one argument")
    numbers: tuple[int, ...] = ()
    if word == "reject":
        number = re.match(r"#?(\d{1,9})(?:\s+|$)", rest)
        numbers = (int(number[1]),) if number else ()
        rest = rest[number.end() :] if number else rest
    text = "\n".join(filter(None, [_unquoted(rest), (cell or "").strip()]))
    if word == "directive" and not text:
        raise InvalidInput("directive: the text is missing; accepted: directive TEXT, such as directive lr: 0.001..0.1")
    return Line(word, numbers=numbers, text=text, project=project)


def _parsed(word: str, words: Sequence[str], cell: str | None) -> Line:
    parser = _Parser(word)
    found, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        names = [argument.name for argument in WORDS[word].arguments if argument.is_option]
        near = _near(unknown[0], names).strip()
        raise _refused(word, f"found {one_line(' '.join(unknown))!r}{near and f', {near}'}")
    numbers = _numbers(word, getattr(found, "numbers", None))
    if word == "help" and found.topic:
        _check_known(found.topic)
    is_try = word == "try"
    return Line(
        word,
        path=getattr(found, "path", None) or ".",
        options=Options(**{name: getattr(found, name) for name in _OPTIONS}) if word == "start" else Options(),
        numbers=numbers,
        parameters=_values(word, getattr(found, "values", None) or ()),
        notebook=_unquoted(found.notebook) if is_try and found.notebook else None,
        claim=_unquoted(found.claim) if is_try and found.claim else None,
        run=getattr(found, "run", None) or "",
        text=cell,
        yes=getattr(found, "yes", False),
        project=_unquoted(getattr(found, "project", None) or "") or None,
        count=getattr(found, "count", HISTORY_ROWS),
        topic=getattr(found, "topic", None) or "",
    )


def _numbers(word: str, found: int | list[int] | None) -> tuple[int, ...]:
    numbers = () if found is None else tuple(found) if isinstance(found, list) else (found,)
    (wanted,) = [a for a in WORDS[word].arguments if a.name == "numbers"] or [Argument("numbers")]
    if len(numbers) < wanted.least:
        raise _refused(word, f"{wanted.shown} is missing")
    if wanted.most is not None and len(numbers) > wanted.most:
        raise _refused(word, f"found {len(numbers)} numbers, at most {wanted.most} are taken")
    return numbers


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
    rest = re.sub(rf"({_QUOTED})|\s+=\s*", lambda found: found[1] or "=", rest)
    words = re.findall(rf"(?:[^\s\"']|{_QUOTED})+", rest)
    if "".join(words) != "".join(re.sub(rf"{_QUOTED}|\s+", _kept, rest)):
        raise InvalidInput(f"{word}: a quote is not closed in {one_line(rest)}")
    return words


def _kept(found: re.Match[str]) -> str:
    return "" if found[0].isspace() else found[0]


def _unquoted(text: str) -> str:
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]
    return text[1:-1] if is_quoted else text

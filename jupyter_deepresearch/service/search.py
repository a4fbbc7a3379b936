"""Experiments found as a person types: every word of a text occurs in what the log says of them."""

import unicodedata
from dataclasses import dataclass

from ..errors import InvalidInput
from .past import Rows

TEXT_LIMIT_CHARS = 200
_PAGE = 1000
# The texts themselves, as the index of words keeps them: a scan of these reads no event.
_TEXTS = "SELECT rowid, claim, why, change, verdict, lesson FROM words WHERE rowid < ? ORDER BY rowid DESC LIMIT ?"
_LAST = 2**62


@dataclass(frozen=True)
class FoundView:
    """The numbers of experiments, newest first; ``more`` where there are others."""

    experiments: tuple[int, ...]
    more: bool


def search(rows: Rows, text: str, limit: int) -> FoundView:
    """The newest experiments in whose claim, reasons, change, verdict or lesson every blank-separated word of ``text``
    occurs, in any case, within a word too. ``#12`` or ``12`` is in experiment 12 as well; a number alone finds that one
    even where newer ones fill the limit. Raises InvalidInput for more than 200 characters.
    """
    if len(text) > TEXT_LIMIT_CHARS:
        raise InvalidInput(f"text: found {len(text):,} characters; accepted: at most {TEXT_LIMIT_CHARS}")
    words = tuple(dict.fromkeys(_plain(text).split()))
    found, before = list[int](), _LAST
    while len(found) <= limit:
        page = rows.query(_TEXTS, before, _PAGE)
        found += [number for number, *texts in page if _fits(words, number, _plain("\n".join(filter(None, texts))))]
        if len(page) < _PAGE:
            break
        before = page[-1][0]
    more, named = len(found) > limit, _number(words)
    found = found[:limit]
    if more and named is not None and named < found[-1]:
        found[-1] = named
    return FoundView(tuple(found), more)


def _plain(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


def _fits(words: tuple[str, ...], number: int, text: str) -> bool:
    return all(word in text or word in (f"{number}", f"#{number}") for word in words)


def _number(words: tuple[str, ...]) -> int | None:
    """The experiment that a text names and nothing else."""
    digits = words[0].removeprefix("#") if len(words) == 1 else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None

"""The names of printed numbers: what stands before one, and what we think of it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from . import printed_words as words

__all__ = ["Name", "Names", "PrintedReport"]

_NAMES_KEPT = 4096
_NAME_CHARS = 120
_BREAK = re.compile(r"[,;|()\[\]{}<>\t→│:\"ℹ✔]|\s{3,}")
_WORD = re.compile(r"[^\W\d][\w@/.\-'+%^:]{0,79}")
_IN_BRACKETS = re.compile(r"\s?\((train|training|val|valid|validation|test|eval|dev|ema|%)\)$", re.IGNORECASE)
_RANGE = re.compile(r"[\w/.\-]{0,60}@(?:0?\.[0-9]{1,3}|[0-9]{1,3}):(?:0?\.[0-9]{1,3}|[0-9]{1,3})")  # mAP@0.5:0.95


@dataclass(frozen=True, slots=True)
class PrintedReport:
    """Numbers read in one printed line: names as printed, their blanks as ``_``; None for a line without a step."""

    step: int | None
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A name as printed (or as wanted). ``metric``: it holds a metric's word; ``denied``: a time's, size's, count's."""

    text: str
    wanted: bool
    metric: bool
    denied: bool


class Names:
    """Judges names. ``wanted``: metrics for certain (the objective), in any case, with blanks or hyphens."""

    def __init__(self, wanted: Collection[str] = ()) -> None:
        self._wanted = {_form(name): name for name in wanted}
        self._found: dict[tuple[str, bool], Name | None] = {}  # lines repeat their names: 3 us saved at each number

    def before(self, text: str, tight: bool) -> Name | None:
        """The name at the end of the text before a number; ``tight``: of one word and its qualifiers."""
        key = (text[-_NAME_CHARS:], tight)
        if key not in self._found:
            if len(self._found) >= _NAMES_KEPT:
                self._found.clear()
            name = _name_before(*key)
            self._found[key] = self.judged(name) if name else None
        return self._found[key]

    def judged(self, text: str) -> Name:
        """What we think of a name."""
        form = _form(text)
        text = self._wanted.get(form, text)
        return Name(text, form in self._wanted, words.is_metric(text), words.is_denied(text))

    def cell(self, text: str) -> Name | None:
        """The name in a table's cell, such as ``Train Loss``; None where it is none."""
        text = " ".join(text.split())
        return self.judged(text.replace(" ", "_")) if text and not text[0].isdigit() else None


def _name_before(before: str, tight: bool) -> str | None:
    before = before.rstrip()
    bracketed = _IN_BRACKETS.search(before[-20:])
    qualifier = ""
    if bracketed:  # "Loss (train): 0.5"
        before = before[: len(before) - len(bracketed[0])].rstrip()
        qualifier = "" if bracketed[1] == "%" else f"_{bracketed[1]}"
    if before.endswith(("'", '"')):
        opening = before.rfind(before[-1], 0, -1)
        quoted = before[opening + 1 : -1]
        return "_".join(quoted.split()) if opening >= 0 and _WORD.match(quoted) else None
    last = before.split()[-1:]
    if last and ":" in last[0] and "@" in last[0] and _RANGE.fullmatch(last[0]):
        return last[0]
    phrase = _BREAK.split(before)[-1].split()
    if tight and phrase and phrase[-1] in words.LEVELS:
        return None
    while phrase and not tight and _stops(phrase[-1]):  # "accuracy so far is: 0.9"
        phrase.pop()
    found = _phrase_end(phrase, tight)
    if len(found) > 4:  # prose: its last word only
        found = found[-1:]
    return ("_".join(found) + qualifier) or None


def _phrase_end(phrase: list[str], tight: bool) -> list[str]:
    """The words at the end that make up the name."""
    found: list[str] = []
    for word in reversed(phrase):
        if not _WORD.fullmatch(word):
            break
        lower = word.lower()
        if found and (_stops(word) or (tight and lower.rstrip(".") not in words.QUALIFIERS)):
            break
        if found and word.endswith(".") and len(word) > 5:  # the sentence before: "improved. New best score: 0.5"
            break
        found.append(word.rstrip(".'"))
    if len(found) <= 4 and "time" in (word.lower() for word in phrase[: len(phrase) - len(found)][-6:]):
        return []  # "Time taken to find the best model: 0.3"
    found.reverse()
    return found


def _stops(word: str) -> bool:
    """Whether a name cannot go on beyond this word. A level of logging is one, but ``error = 0.3`` is a metric."""
    return word != "error" and word.lower() in words.STOP_WORDS


def _form(name: str) -> str:
    form = name.lower().replace("-", "_").replace(" ", "_")
    return form.replace("(", "").replace(")", "") if "(" in form else form

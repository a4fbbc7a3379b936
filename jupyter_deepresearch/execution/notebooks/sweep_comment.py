"""The words of a ``# sweep`` comment: ``1e-5..1e-1 log``, ``relu | tanh``, or nothing beside a bool."""

import ast
import math
import re

from ...core.types import Dimension, Value

FORMS = "`low..high`, `low..high log`, `one | other`, or nothing after `# sweep` beside True or False"
_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})(?:\s+(\S.*))?")


def sweep_words(comment: str) -> str | None:
    """The sweep part of a comment without its ``#`` (``sweep: 1..2``), None for another comment."""
    for part in comment.split("#"):
        words = part.strip()
        if re.fullmatch(r"sweep\s*(:.*)?", words, re.IGNORECASE):
            return words
    return None


def dimension_of(name: str, value: Value, words: str) -> Dimension | str:
    """The dimension that ``words`` describe beside a parameter's own ``value``; else what is wrong, in a clause."""
    wanted = words.partition(":")[2].strip()
    if not wanted:
        return Dimension(name, choices=(False, True)) if isinstance(value, bool) else f"nothing said for {value!r}"
    if "|" in wanted:
        return _chosen(name, value, wanted)
    match = _RANGE.fullmatch(wanted)
    if match is None:
        return f"found {wanted!r:.60}"
    if match[3] not in (None, "log"):
        return f"found {match[3]!r:.40} after the range"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"a range beside {value!r:.40}, which is no number"
    return _ranged(name, value, (float(match[1]), float(match[2])), log=match[3] == "log")


def _ranged(name: str, value: float, bounds: tuple[float, float], *, log: bool) -> Dimension | str:
    low, high = bounds
    if not (math.isfinite(low) and math.isfinite(high)):
        return "a bound that is not finite"
    if low >= high:
        return f"found {low:g}..{high:g}, whose low end is not below its high end"
    if log and low <= 0:
        return f"found {low:g}..{high:g} log, whose low end is not above 0"
    whole = isinstance(value, int)
    if whole and not (low.is_integer() and high.is_integer()):
        return f"found {low:g}..{high:g} beside the whole number {value}; its bounds must be whole too"
    return Dimension(name, low=low, high=high, log=log, integer=whole)


def _chosen(name: str, value: Value, wanted: str) -> Dimension | str:
    choices: list[Value] = []
    for word in wanted.split("|"):
        choice = _choice(word.strip(), value)
        if word.strip() == "":
            return f"found {wanted!r:.60} with an empty choice"
        if not any(choice == c and type(choice) is type(c) for c in choices):
            choices.append(choice)
    if len(choices) < 2:
        return f"found {wanted!r:.60}, which is a single choice"
    return Dimension(name, choices=tuple(choices))


def _choice(word: str, value: Value) -> Value:
    try:
        choice = ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word
    if isinstance(value, str) and not isinstance(choice, str):
        return word  # beside a text, `1 | 2` are texts
    if type(value) is float and type(choice) is int:
        return float(choice)
    return choice if choice is None or isinstance(choice, bool | int | float | str) else word

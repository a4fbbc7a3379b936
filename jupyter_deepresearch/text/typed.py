"""Values as a person types them."""

import ast
from collections.abc import Iterable

from ..core.types import Parameters, Value
from ..errors import InvalidInput
from .pieces import one_line


def value_of(text: str) -> Value:
    """A parameter's value as a person types it: a Python literal, else the text itself."""
    words = {"true": True, "false": False}
    if text in words:
        return words[text]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InvalidInput(f"value {one_line(text)!r}: accepted: a number, a text, True, False or None")


def assignments(words: Iterable[str]) -> Parameters:
    """``NAME=VALUE`` words as values by name. Raises InvalidInput naming the word that is none."""
    values: dict[str, Value] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name.strip().isidentifier():
            raise InvalidInput(f"found {one_line(word)!r}; accepted: NAME=VALUE, such as lr=3e-4")
        if name.strip() in values:
            raise InvalidInput(f"{name.strip()} is given twice")
        values[name.strip()] = value_of(text.strip())
    return values

"""What a Python kernel says of itself: asked together with its first code, at no round trip of its own."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ASKED: Mapping[str, str] = {"executable": "__import__('sys').executable", "path": "__import__('sys').path"}
"""Expressions for an execute request."""


@dataclass(frozen=True)
class Interior:
    """The Python inside of a kernel, whatever program started it: its executable and ``sys.path``."""

    executable: str = ""
    path: tuple[str, ...] = ()


def read_interior(content: Mapping[str, Any]) -> Interior:
    """Out of the reply to a request with ``ASKED``; what is not told stays empty."""
    executable, path = (_value(content, name) for name in ("executable", "path"))
    folders = path if isinstance(path, list) else []
    return Interior(
        executable if isinstance(executable, str) else "", tuple(each for each in folders if isinstance(each, str))
    )


def _value(content: Mapping[str, Any], name: str) -> object:
    try:
        found: object = ast.literal_eval(content["user_expressions"][name]["data"]["text/plain"])
    except (KeyError, TypeError, ValueError, SyntaxError):
        return None
    return found

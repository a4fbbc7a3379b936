"""A tool: what a model sees of it, and what it does. A tool never raises: what is wrong with a call is its result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ...llm.talk import ToolSpec

RESULT_CHARS = 1200
"""No result is longer, but for tools that say so; most are much shorter."""


@dataclass(frozen=True)
class Tool:
    """``run`` takes an instance of ``spec.takes`` and answers in at most ``chars`` characters; the rest is cut off.

    It may raise a DeepResearchError, whose line becomes the result, marked as an error.
    """

    spec: ToolSpec
    run: Callable[[Any], Awaitable[str]]
    chars: int = RESULT_CHARS

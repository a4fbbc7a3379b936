"""A request as a ``MessagesServer`` received it, and what a model would read of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

CHARS_PER_TOKEN = 4
SHORT_S, LONG_S = 300.0, 3600.0


@dataclass(frozen=True)
class Part:
    """A stretch of a prompt, in the order in which models read: whose it is, and how long cache_control keeps it."""

    of: str
    text: str
    kept_s: float = 0.0


@dataclass(frozen=True)
class SentRequest:
    """One request. ``headers`` have small letters, ``body`` is the parsed JSON, ``at`` the monotonic time in s."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at: float

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The prompt: the answer's schema, the tools, the system prompt, the turns."""
        return tuple(_parts(self.body))

    @cached_property
    def text(self) -> str:
        """All that a model would read."""
        return "\n".join(part.text for part in self.parts)

    @property
    def chars(self) -> int:
        """Characters of ``text``."""
        return len(self.text)

    @property
    def tokens(self) -> int:
        """The prompt's size as this server counts it: characters / 4, rounded up."""
        return tokens(self.chars)


def tokens(chars: int) -> int:
    """Characters / 4, rounded up."""
    return math.ceil(chars / CHARS_PER_TOKEN)


def compact(value: object) -> str:
    """JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def blocks_of(content: object) -> Sequence[Mapping[str, Any]]:
    """The blocks of a system prompt, a turn or a tool's result, whose content may also be a plain string."""
    if isinstance(content, str):
        return ({"type": "text", "text": content},)
    return content if isinstance(content, Sequence) else ()


def block_text(block: Mapping[str, Any]) -> str:
    """What a model reads of a block."""
    match block.get("type"):
        case "text":
            return str(block.get("text", ""))
        case "thinking":
            return str(block.get("thinking", ""))
        case "tool_use":
            return f"{block.get('name')} {compact(block.get('input'))}"
        case "tool_result":
            return "\n".join(block_text(inner) for inner in blocks_of(block.get("content", "")))
    return compact(block)


def _parts(body: Mapping[str, Any]) -> Iterator[Part]:
    form = (body.get("output_config") or {}).get("format")
    if form:
        yield Part("schema", compact(form.get("schema")))
    for tool in body.get("tools") or ():
        plain = {key: value for key, value in tool.items() if key != "cache_control"}
        yield Part("tools", compact(plain), _kept_s(tool))
    for block in blocks_of(body.get("system") or ()):
        yield Part("system", block_text(block), _kept_s(block))
    turns = [
        (str(turn.get("role")), block)
        for turn in body.get("messages") or ()
        for block in blocks_of(turn.get("content"))
    ]
    for index, (role, block) in enumerate(turns, 1):
        automatic = _kept_s(body) if index == len(turns) else 0.0
        yield Part(role, block_text(block), _kept_s(block) or automatic)


def _kept_s(marked: Mapping[str, Any]) -> float:
    """How long ``cache_control`` asks to keep a prefix, 0 without it."""
    control = marked.get("cache_control")
    return 0.0 if not control else LONG_S if control.get("ttl") == "1h" else SHORT_S

"""The tools of one attempt: calls are made in order, their results kept short, and repeated calls found out."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from ...errors import DeepResearchError, Fenced
from ..llm.talk import ToolCall, ToolResult, ToolSpec
from .tools.tool import Tool

CALLS_LIMIT = 4
"""How many calls of one reply are made."""

_ECHO_CHARS = 200
_ERROR_CHARS = 300


@dataclass
class _Asked:
    times: int
    answer: str


class Toolbox:
    """What an agent may ask for in one attempt. ``is_over``: it asks in circles, and gets nothing more."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._asked: dict[str, _Asked] = {}
        self.is_over = False

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as a model sees them."""
        return tuple(tool.spec for tool in self._tools.values())

    async def results(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """One result for every call, in their order."""
        made = [await self._result(call) for call in calls[:CALLS_LIMIT]]
        left = f"not looked up: at most {CALLS_LIMIT} calls at a time"
        return (*made, *(ToolResult(call.id, left, is_error=True) for call in calls[CALLS_LIMIT:]))

    async def _result(self, call: ToolCall) -> ToolResult:
        tool = self._tools.get(call.name)
        if tool is None:
            return _wrong(call, f"there is no tool {call.name[:60]!r}; there are: {', '.join(self._tools)}")
        try:
            arguments = _arguments(call.arguments, tool.spec.takes)
        except (ValueError, RecursionError) as problem:  # of deeply nested JSON
            return _wrong(call, f"the arguments do not fit: {problem}")
        key = f"{call.name} {_normal(arguments)}"
        asked = self._asked.setdefault(key, _Asked(0, ""))
        asked.times += 1
        if self.is_over or asked.times > 2:
            self.is_over = True
            return _wrong(call, "you asked this twice before; nothing more is looked up")
        return await self._looked_up(call, tool, arguments, asked)

    async def _looked_up(self, call: ToolCall, tool: Tool, arguments: Any, asked: _Asked) -> ToolResult:
        try:
            found, is_error = await tool.run(arguments), False
        except Fenced:  # the project is another process' now
            raise
        except DeepResearchError as problem:
            found, is_error = str(problem)[:_ERROR_CHARS], True
        if asked.times > 1 and found == asked.answer:
            return ToolResult(call.id, f"you asked this before; the answer was the same: {_shortened(found)}", is_error)
        asked.answer = found
        return ToolResult(call.id, _cut(found, tool.chars) or "(nothing)", is_error)


def _arguments(text: str, takes: type) -> Any:
    """An instance of ``takes``. Raises ValueError, in one line; RecursionError of what no person would write."""
    return msgspec.convert(msgspec.json.decode(text.strip() or "{}"), type=takes, strict=False)


def _normal(arguments: Any) -> str:
    """The same text for the same call, whatever its spaces and the order of its arguments."""
    texts = {name: value.strip() if isinstance(value, str) else value for name, value in asdict(arguments).items()}
    return json.dumps(texts, sort_keys=True)


def _wrong(call: ToolCall, why: str) -> ToolResult:
    return ToolResult(call.id, " ".join(why.split())[:_ERROR_CHARS], is_error=True)


def _shortened(text: str) -> str:
    return text if len(text) <= _ECHO_CHARS else text[:_ECHO_CHARS] + "…"


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"

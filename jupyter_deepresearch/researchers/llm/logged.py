"""A reply as it lies in the log, and read out of it: no content, however strange, raises."""

import json
from typing import Any

import msgspec

from .talk import Reply, Stop, ToolCall

ANSWER = "answer"
"""The tool by which servers answer that know tools and no structured output."""

EMPTY = "(no answer)"

_STOPS = {
    "end_turn": Stop.END,
    "stop_sequence": Stop.END,
    "pause_turn": Stop.END,
    "tool_use": Stop.TOOLS,
    "max_tokens": Stop.CUT,
    "model_context_window_exceeded": Stop.CUT,
    "refusal": Stop.REFUSED,
    # as servers say it that were built for another protocol
    "stop": Stop.END,
    "tool_calls": Stop.TOOLS,
    "length": Stop.CUT,
    "content_filter": Stop.REFUSED,
}


class Logged(msgspec.Struct, omit_defaults=True):
    """What is kept of a reply. ``broken`` are arguments, by the call's id, that were no JSON object."""

    content: list[dict[str, Any]]
    stop_reason: str | None
    category: str | None = None
    model: str | None = None
    broken: dict[str, str] = {}


def written(logged: Logged) -> str:
    """The text for the log."""
    return whole(json.dumps(msgspec.to_builtins(logged), ensure_ascii=False, separators=(",", ":")))


def whole(text: str) -> str:
    """``text`` with halves of characters put together where both are there, and replaced where one is: JSON can hold
    them, and no request or log can."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def reply(text: str) -> Reply:
    """The reply that a logged text is; a broken one where it is none."""
    try:
        logged = msgspec.json.decode(text, type=Logged)
    except msgspec.DecodeError:
        return Reply("[]", Stop.BROKEN)
    said = "".join(str(block.get("text", "")) for block in logged.content if block.get("type") == "text")
    calls = tuple(_call(block, logged) for block in logged.content if block.get("type") == "tool_use")
    answers = [call.arguments for call in calls if call.name == ANSWER]
    others = tuple(call for call in calls if call.name != ANSWER)
    return Reply(
        content=msgspec.json.encode(logged.content).decode(),
        stop=_stop(logged, bool(calls), bool(others)),
        text=answers[-1] if answers else said,
        calls=others,
        category=logged.category,
    )


def called(content: str) -> tuple[str, ...]:
    """The ids of all calls in the content of a reply."""
    return tuple(str(block.get("id")) for block in json.loads(content or "[]") if block.get("type") == "tool_use")


def _call(block: dict[str, Any], logged: Logged) -> ToolCall:
    call = str(block.get("id", ""))
    given = block.get("input")
    arguments = logged.broken.get(call) or json.dumps({} if given is None else given, ensure_ascii=False)
    return ToolCall(call, str(block.get("name", "")), arguments)


def _stop(logged: Logged, has_calls: bool, has_others: bool) -> Stop:
    """Why it ended: calls decide where a server's word for it does not fit them."""
    if logged.stop_reason is None:
        return Stop.BROKEN
    stop = _STOPS.get(logged.stop_reason, Stop.END)
    if stop is Stop.END and has_others:
        return Stop.TOOLS
    if stop is Stop.TOOLS and not has_others:
        return Stop.END if has_calls or logged.content else Stop.BROKEN
    return stop

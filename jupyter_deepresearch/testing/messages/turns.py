"""What the Messages API asks of a conversation: roles, blocks, calls with their results, thinking left as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .complaint import must
from .sent import blocks_of
from .wire import signature

KEYS = {
    "text": {"text", "cache_control", "citations"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
    "tool_use": {"id", "name", "input", "cache_control", "caller", "toolset_name"},
    "tool_result": {"tool_use_id", "content", "is_error", "cache_control", "toolset_name"},
    "image": {"source", "cache_control"},
    "document": {"source", "cache_control", "title", "context", "citations"},
}
SAID_BY = {
    "user": {"text", "tool_result", "image", "document"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
}
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")
Block = Mapping[str, Any]


def check_turns(body: Mapping[str, Any], prefill: bool) -> None:
    """Raise Complaint where the API would. With ``prefill`` the last turn may be the assistant's."""
    turns = body["messages"]
    must(isinstance(turns, list) and turns, "messages: at least one message is required")
    for index, turn in enumerate(turns):
        _check_turn(turn, index)
    must(turns[0]["role"] == "user", 'messages: first message must use the "user" role')
    ends_with_user = turns[-1]["role"] == "user"
    must(
        prefill or ends_with_user,
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    )
    _check_calls(turns)
    for index, turn in enumerate(turns):
        _check_thinking(body, index, blocks_of(turn["content"]))


def _check_turn(turn: Any, index: int) -> None:
    where = f"messages.{index}"
    must(isinstance(turn, dict), f"{where}: Input should be a valid dictionary")
    for name in turn:
        must(name in ("role", "content"), f"{where}.{name}: Extra inputs are not permitted")
    must(turn.get("role") in SAID_BY, f"{where}.role: Input should be 'user' or 'assistant'")
    content = turn.get("content")
    must(isinstance(content, str | list), f"{where}.content: Input should be a valid string or list")
    must(content, f"{where}: all messages must have non-empty content")
    for place, block in enumerate(blocks_of(content)):
        _check_block(block, turn["role"], f"{where}.content.{place}")


def _check_block(block: Any, role: str, where: str) -> None:
    must(isinstance(block, dict), f"{where}: Input should be a valid dictionary")
    kind = block.get("type")
    must(kind in SAID_BY[role], f"{where}: '{kind}' blocks are not permitted in {role} messages")
    for name in block:
        must(name == "type" or name in KEYS[kind], f"{where}.{kind}.{name}: Extra inputs are not permitted")
    match kind:
        case "text":
            text = block.get("text")
            must(isinstance(text, str), f"{where}.text.text: Input should be a valid string")
            must(text, "messages: text content blocks must be non-empty")
            must(text.strip(), "messages: text content blocks must contain non-whitespace text")
        case "tool_use":
            must(CALL_ID.fullmatch(str(block.get("id", ""))), f"{where}.tool_use.id: String should match pattern")
            must(isinstance(block.get("input"), dict), f"{where}.tool_use.input: Input should be a valid dictionary")
        case "tool_result":
            must(block.get("tool_use_id"), f"{where}.tool_result.tool_use_id: Field required")
            said = any(inner.get("text") for inner in blocks_of(block.get("content") or ""))
            must(said or not block.get("is_error"), f"{where}.tool_result: content cannot be empty if is_error")


def _check_calls(turns: Sequence[Mapping[str, Any]]) -> None:
    """Every call has its result at the beginning of the next turn, and every result its call in the one before."""
    for index, turn in enumerate(turns):
        called = _called(turns[index - 1]) if index else []
        blocks = blocks_of(turn["content"])
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        for place, named in enumerate(results):
            must(
                named in called,
                f"messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {named}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
            )
            must(named not in results[:place], f"messages.{index}: each tool_use must have a single result: {named}")
        leading = [block.get("tool_use_id") for block in blocks[: len(results)]]
        _answered(index - 1, [named for named in called if named not in leading])
    _answered(len(turns) - 1, _called(turns[-1]))


def _answered(index: int, missing: Sequence[str]) -> None:
    must(
        not missing,
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
        "message.",
    )


def _called(turn: Mapping[str, Any]) -> list[str]:
    return [block["id"] for block in blocks_of(turn["content"]) if block["type"] == "tool_use"]


def _check_thinking(body: Mapping[str, Any], index: int, blocks: Sequence[Block]) -> None:
    for place, block in enumerate(blocks):
        if block["type"] == "thinking":
            made = signature(body, index, blocks[:place], str(block.get("thinking", "")))
            must(
                block.get("signature") == made,
                f"messages.{index}.content.{place}: Invalid `signature` in `thinking` block: the block, or something "
                "before it, is not what this server answered. Thinking blocks cannot be modified.",
            )

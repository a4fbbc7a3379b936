"""Answers as the Messages API sends them: one message, or the events of a stream."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .script import Answer
from .sent import SentRequest, blocks_of, compact, tokens

PIECE_CHARS = 16


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    content: Mapping[str, Any]

    @property
    def frame(self) -> bytes:
        """As it goes over the wire."""
        return f"event: {self.name}\ndata: {compact({'type': self.name, **self.content})}\n\n".encode()


def signature(body: Mapping[str, Any], before: int, earlier: Sequence[Mapping[str, Any]], thinking: str) -> str:
    """What a thinking block is signed with: a digest of everything before it.

    ``before`` turns of ``body`` come before the turn that the block is in, and ``earlier`` blocks within that turn.
    """
    turns = [(turn.get("role"), _plain(turn.get("content"))) for turn in body["messages"][:before]]
    seen = [body.get("tools") or [], _plain(body.get("system") or ()), turns, _plain(earlier), thinking]
    return "sig_" + hashlib.sha256(compact(_uncached(seen)).encode()).hexdigest()[:40]


def content(answer: Answer, request: SentRequest, number: int) -> list[dict[str, Any]]:
    """The blocks of an answer to ``request``; ``number`` makes the ids of its calls."""
    made: list[dict[str, Any]] = []
    for block in answer.blocks or ():
        signed = {} if "signature" in block else {"signature": _sign(request, made, block.get("thinking", ""))}
        made.append({**block, **signed} if block["type"] == "thinking" else dict(block))
    if answer.blocks is not None:
        return made
    thinking = request.body.get("thinking") or {}
    if answer.thinking is not None and thinking.get("type") != "disabled":
        shown = answer.thinking if thinking.get("display") == "summarized" else ""
        made.append({"type": "thinking", "thinking": shown, "signature": _sign(request, [], shown)})
    if answer.text:
        made.append({"type": "text", "text": answer.text, "citations": None})
    for place, call in enumerate(answer.calls):
        named = call.id or f"toolu_{number:04d}_{place}"
        made.append({"type": "tool_use", "id": named, "name": call.name, "input": _arguments(call.text)})
    return made


def _sign(request: SentRequest, earlier: Sequence[Mapping[str, Any]], thinking: str) -> str:
    return signature(request.body, len(request.body["messages"]), earlier, thinking)


def message(answer: Answer, request: SentRequest, usage: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The whole message, as it is sent where no stream was asked for."""
    refused = answer.stop_reason == "refusal"
    said = "The request was declined." if refused else None
    details = {"type": "refusal", "category": answer.category, "explanation": said} if refused else None
    return {
        "id": f"msg_{number:04d}",
        "type": "message",
        "role": "assistant",
        "model": request.body["model"],
        "content": content(answer, request, number),
        "stop_reason": answer.stop_reason or ("tool_use" if answer.calls else "end_turn"),
        "stop_sequence": None,
        "stop_details": details,
        "usage": dict(usage),
    }


def events(whole: Mapping[str, Any], answer: Answer) -> Iterator[Event]:
    """The stream that adds up to ``whole``."""
    usage = whole["usage"]
    begun = {**whole, "content": [], "stop_reason": None, "stop_details": None}
    yield Event("message_start", {"message": {**begun, "usage": {**usage, "output_tokens": 1}}})
    yield Event("ping", {})
    raw = iter([call.text for call in answer.calls] if answer.blocks is None else [])
    for index, block in enumerate(whole["content"]):
        written = next(raw, None) if block["type"] == "tool_use" else None
        yield Event("content_block_start", {"index": index, "content_block": _opening(block)})
        for delta in _deltas(block, written):
            yield Event("content_block_delta", {"index": index, "delta": delta})
        yield Event("content_block_stop", {"index": index})
    ending = {key: whole[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    yield Event("message_delta", {"delta": ending, "usage": {k: usage[k] for k in CUMULATIVE if k in usage}})
    yield Event("message_stop", {})


CUMULATIVE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
)


def output_usage(answer: Answer) -> dict[str, Any]:
    """What an answer takes: characters / 4, its thinking counted whole though little of it is shown."""
    thought = tokens(len(answer.thinking or ""))
    blocks = 0 if answer.blocks is None else len(compact(answer.blocks))
    said = tokens(len(answer.text) + sum(len(call.name) + len(call.text) for call in answer.calls) + blocks)
    return {"output_tokens": max(1, thought + said), "output_tokens_details": {"thinking_tokens": thought}}


def _opening(block: Mapping[str, Any]) -> Mapping[str, Any]:
    match block["type"]:
        case "text":
            return {**block, "text": ""}
        case "thinking":
            return {**block, "thinking": "", "signature": ""}
        case "tool_use":
            return {**block, "input": {}}
    return block


def _deltas(block: Mapping[str, Any], written: str | None) -> Iterator[Mapping[str, Any]]:
    match block["type"]:
        case "text":
            yield from ({"type": "text_delta", "text": piece} for piece in _pieces(block["text"]))
        case "thinking":
            yield from ({"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"]))
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            text = json.dumps(block["input"], ensure_ascii=False) if written is None else written
            yield {"type": "input_json_delta", "partial_json": ""}
            yield from ({"type": "input_json_delta", "partial_json": piece} for piece in _pieces(text))


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS)]


def _arguments(text: str) -> object:
    """Arguments as a value; broken JSON stays the text that it is."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def _plain(held: object) -> list[Mapping[str, Any]]:
    """Content as blocks without what does not change its meaning: a string and its text block are the same."""
    return [{k: v for k, v in block.items() if v is not None} for block in blocks_of(held)]


def _uncached(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _uncached(inner) for key, inner in sorted(value.items()) if key != "cache_control"}
    return [_uncached(inner) for inner in value] if isinstance(value, list | tuple) else value

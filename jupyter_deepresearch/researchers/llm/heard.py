"""What came of a request: events put together to blocks, a reply and its count of tokens."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import tokens
from .logged import Logged
from .prices import Counts

_GROWING = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}


class ServerSaid(Exception):
    """An error that a server told inside of an answer whose status was 200."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Heard:
    """A reply, growing. ``is_begun`` once the server has begun to answer, which it may then charge for."""

    is_begun: bool = False
    model: str | None = None
    stop_reason: str | None = None
    category: str | None = None
    blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    pieces: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def event(self, said: dict[str, Any]) -> None:
        """Take one event of a stream; kinds that nobody knows are none of ours. Raises ServerSaid for an error."""
        kind = said.get("type")
        if kind == "error":
            raise _error(said)
        if kind == "message_start":
            self.is_begun = True
            self._message(_object(said.get("message")))
        elif kind == "content_block_start":
            self.is_begun = True
            self.blocks[_place(said)] = dict(_object(said.get("content_block")))
        elif kind == "content_block_delta":
            self._delta(_place(said), _object(said.get("delta")))
        elif kind == "message_delta":
            self._ending(_object(said.get("delta")))
            self._count(_object(said.get("usage")))

    def whole(self, said: dict[str, Any]) -> None:
        """Take an answer that was not streamed. Raises ServerSaid for an error."""
        if said.get("type") == "error" or ("error" in said and "content" not in said):
            raise _error(said)
        if isinstance(said.get("content"), str):
            said = {**said, "content": [{"type": "text", "text": said["content"]}]}
        if not isinstance(said.get("content"), list):
            return
        self.is_begun = True
        self._message(said)
        self._ending(said)

    def _message(self, message: dict[str, Any]) -> None:
        self.model = str(message["model"]) if message.get("model") else None
        for place, block in enumerate(message.get("content") or ()):
            self.blocks[place] = dict(_object(block))
        self._count(_object(message.get("usage")))

    def _delta(self, place: int, delta: dict[str, Any]) -> None:
        kind = str(delta.get("type"))
        name = _GROWING.get(kind)
        if name is not None:
            self.blocks.setdefault(place, {"type": "text", "text": ""})
            self.pieces.setdefault((place, name), []).append(str(delta.get(name) or ""))
        elif kind == "citations_delta" and place in self.blocks:
            self.blocks[place].setdefault("citations", []).append(delta.get("citation"))

    def _ending(self, delta: dict[str, Any]) -> None:
        self.stop_reason = str(delta["stop_reason"]) if delta.get("stop_reason") else self.stop_reason
        category = _object(delta.get("stop_details")).get("category")
        self.category = str(category) if category else self.category

    def _count(self, usage: dict[str, Any]) -> None:
        """Counts are cumulative: a later one goes before an earlier."""
        numbers = {name: value for name, value in usage.items() if isinstance(value, int) and value >= 0}
        self.counted.update(numbers)

    def logged(self) -> Logged:
        """The reply as it is kept."""
        content, broken = [], {}
        for place in sorted(self.blocks):
            block, complaint = self._block(place)
            content.append(block)
            if complaint is not None:
                broken[str(block.get("id"))] = complaint
        return Logged(content, self.stop_reason, self.category, self.model, broken)

    def _block(self, place: int) -> tuple[dict[str, Any], str | None]:
        """A block with all its pieces, and the arguments of a call where they are no JSON object."""
        block = dict(self.blocks[place])
        for name in ("text", "thinking", "signature"):
            if pieces := self.pieces.get((place, name)):
                block[name] = str(block.get(name) or "") + "".join(pieces)
        if block.get("type") != "tool_use":
            return block, None
        streamed = "".join(self.pieces.get((place, "partial_json"), ()))
        given = _parsed(streamed) if streamed.strip() else block.get("input")
        block["input"] = given if isinstance(given, dict) else {}
        if isinstance(given, dict) or (given is None and not streamed):
            return block, None
        return block, streamed or json.dumps(given)

    def counts(self, most_in: int) -> Counts:
        """The tokens as the server counted them; estimated where it did not, or before it could.

        ``most_in`` is the upper bound of the prompt, taken where the server tells nothing of it.
        """
        fresh = self.counted.get("input_tokens", 0)
        read = self.counted.get("cache_read_input_tokens", 0)
        written = self.counted.get("cache_creation_input_tokens", 0)
        out = self.counted.get("output_tokens", 0)
        if fresh + read + written == 0:
            fresh = most_in
        if self.stop_reason is None or out == 0:
            out = max(out, tokens.estimate("".join(self._texts())))
        return Counts(fresh, read, written, out)

    def _texts(self) -> Iterable[str]:
        for block in self.logged().content:
            yield from (str(value) for name, value in block.items() if name not in ("type", "id", "name"))


def _error(said: dict[str, Any]) -> ServerSaid:
    error = said.get("error")
    if not isinstance(error, dict):
        return ServerSaid("", str(error or said.get("message") or ""))
    return ServerSaid(str(error.get("type") or ""), str(error.get("message") or ""))


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _place(said: dict[str, Any]) -> int:
    place = said.get("index")
    return place if isinstance(place, int) else 0


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

"""What a ``MessagesServer`` is told to do: answers, and the ways in which a server fails."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """A tool call in an answer. ``arguments`` as a mapping, or as JSON text that may be broken on purpose (it is
    streamed as it stands). Without an ``id`` the server makes one."""

    name: str
    arguments: Mapping[str, Any] | str = ""
    id: str | None = None

    @property
    def text(self) -> str:
        """The arguments as JSON text."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True)
class Answer:
    """One reply of the model.

    ``stop_reason`` None means tool_use where there are calls, else end_turn. ``usage`` replaces fields of the usage
    that is computed from characters / 4. ``category`` is a refusal's. ``blocks`` replaces the content that would be
    made of ``thinking``, ``text`` and ``calls``.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    thinking: str | None = None
    stop_reason: str | None = None
    usage: Mapping[str, Any] | None = None
    category: str | None = None
    blocks: tuple[Mapping[str, Any], ...] | None = None

    @classmethod
    def json(cls, value: object, thinking: str | None = None) -> Answer:
        """An answer whose text is ``value`` as JSON."""
        return cls(json.dumps(value, ensure_ascii=False), thinking=thinking)

    @classmethod
    def refusal(cls, category: str | None = "frontier_llm") -> Answer:
        """The model's maker declines: status 200, no content, stop_reason "refusal"."""
        return cls(stop_reason="refusal", category=category)

    @classmethod
    def cut(cls, text: str = "") -> Answer:
        """An answer that ended because max_tokens was reached."""
        return cls(text, stop_reason="max_tokens")

    @classmethod
    def empty(cls) -> Answer:
        """An ended turn without any content."""
        return cls()


class Way(enum.Enum):
    """How a server fails."""

    STATUS = enum.auto()
    IN_STREAM = enum.auto()
    TRUNCATED = enum.auto()
    DROPPED = enum.auto()
    HANG = enum.auto()
    GARBAGE = enum.auto()
    IGNORES_STREAM = enum.auto()


KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
BROKEN_OFF = Answer("This answer breaks off before its end, and whoever reads it has to notice.")


@dataclass(frozen=True)
class Fault:
    """One failure. ``answer`` is the reply that is under way when a stream fails."""

    way: Way
    code: int = 200
    type: str = "api_error"
    message: str = "this failure is in the script"
    retry_after: float | str | None = None
    after_events: int = 0
    seconds: float = 0.0
    answer: Answer = BROKEN_OFF

    @property
    def makes_message(self) -> bool:
        """Whether some of ``answer`` is sent."""
        return self.way in (Way.IN_STREAM, Way.TRUNCATED, Way.IGNORES_STREAM)

    @classmethod
    def status(
        cls, code: int, type: str | None = None, message: str = "", retry_after: float | str | None = None
    ) -> Fault:
        """An error status with the API's error body, and the header ``retry-after`` (seconds, or an HTTP date)."""
        kind = type or KINDS.get(code, "api_error")
        return cls(Way.STATUS, code, kind, message or f"status {code} is in the script", retry_after)

    @classmethod
    def overloaded(cls, retry_after: float | str | None = None) -> Fault:
        """Status 529."""
        return cls.status(529, message="Overloaded", retry_after=retry_after)

    @classmethod
    def in_stream(cls, type: str = "overloaded_error", after_events: int = 2, answer: Answer = BROKEN_OFF) -> Fault:
        """Status 200, and an error event after so many events. Not asked to stream: an error status."""
        code = next((code for code, kind in KINDS.items() if kind == type), 500)
        return cls(Way.IN_STREAM, code, type, "Overloaded", after_events=after_events, answer=answer)

    @classmethod
    def truncated(cls, after_events: int = 3, answer: Answer = BROKEN_OFF) -> Fault:
        """A stream that just ends after so many events. Not asked to stream: a body shorter than announced."""
        return cls(Way.TRUNCATED, after_events=after_events, answer=answer)

    @classmethod
    def dropped(cls) -> Fault:
        """The connection is closed before any header."""
        return cls(Way.DROPPED)

    @classmethod
    def hang(cls, seconds: float) -> Fault:
        """Nothing for so long, then the connection is closed. Ends at once when the server closes."""
        return cls(Way.HANG, seconds=seconds)

    @classmethod
    def garbage(cls) -> Fault:
        """Status 200 and a page of HTML, as a proxy shows."""
        return cls(Way.GARBAGE)

    @classmethod
    def ignores_stream(cls, answer: Answer = BROKEN_OFF) -> Fault:
        """Status 200 and the whole message as JSON although a stream was asked for."""
        return cls(Way.IGNORES_STREAM, answer=answer)


Entry = Answer | Fault


def times(entry: Entry, n: int) -> tuple[Entry, ...]:
    """``entry``, n times."""
    return (entry,) * n

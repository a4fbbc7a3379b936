"""What went wrong with a request, in one line for a person: wait, or do something."""

import email.utils
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import DeepResearchError, ResearcherFailed, ResearcherStopped
from .server import Server

_KEYS = re.compile(r"sk-[A-Za-z0-9_-]{6,}")
_MOST_CHARS = 300
_LATER = {408, 409, 425, 429}
_NOT_TAKEN = {400, 405, 412, 415, 422, 501}
_STATUS_OF = {
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
    "api_error": 500,
    "invalid_request_error": 400,
}


class NotTaken(ResearcherStopped):
    """The server understood who asks and for which model, and does not take such a request."""


class Broke(ResearcherFailed):
    """The server failed over this request: by chance, or because it cannot do what was asked."""


@dataclass(frozen=True)
class Fault:
    """An answer that is none: its status, the server's word and message for it, its headers."""

    status: int
    kind: str = ""
    message: str = ""
    headers: Mapping[str, str] | None = None


def error_of(fault: Fault, server: Server, model: str) -> DeepResearchError:
    """The error of ours that a fault is. An error inside of a stream counts by its kind, whatever its status."""
    status = _STATUS_OF.get(fault.kind, 500) if fault.status < 300 else fault.status
    if status == 400 and fault.kind == "billing_error":
        status = 402
    said = shortened(fault.message, server)
    because = f": {said}" if said else ""
    if status in _LATER or status >= 502:
        return ResearcherFailed(f"{server.host} answered {_named(status)}{because}", retry_after_s(fault.headers or {}))
    if status == 500:
        return Broke(f"{server.host} answered {_named(status)}{because}", retry_after_s(fault.headers or {}))
    if status in _NOT_TAKEN:
        return NotTaken(f"{server.host} does not take the request for {model} ({status}){because}")
    return ResearcherStopped(_to_do(status, fault, server, model) + because)


def unreached(server: Server, why: str) -> ResearcherFailed:
    """The error where no answer came at all."""
    return ResearcherFailed(f"{server.host} could not be reached: {shortened(why, server) or 'no answer'}")


def late(server: Server, seconds: float) -> ResearcherFailed:
    """The error where an answer did not come in time."""
    return ResearcherFailed(f"{server.host} did not answer within {seconds:g} s")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait (milliseconds, seconds or an HTTP date), None where it does not."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is not None or given is None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def shortened(message: str, server: Server) -> str:
    """A server's words on one line of bounded length, without any key."""
    if server.key:
        message = message.replace(server.key, "***")
    line = " ".join(_KEYS.sub("***", message).split())
    return line if len(line) <= _MOST_CHARS else line[:_MOST_CHARS] + "..."


def _to_do(status: int, fault: Fault, server: Server, model: str) -> str:
    """What the person has to do."""
    if status == 401 and server.is_key_kept_back:
        return (
            f"{server.host} wants a key (401), and a key of Anthropic's is sent to Anthropic alone: set "
            f"ANTHROPIC_API_KEY to one of {server.host} and resume"
        )
    if status == 401:
        return f"the key was refused by {server.host} (401): set ANTHROPIC_API_KEY to a valid one and resume"
    if status == 402:
        return f"{server.host} wants to be paid first (402): add credit there and resume"
    if status == 403:
        return f"the key may not use {model} at {server.host} (403): set another ANTHROPIC_API_KEY or model and resume"
    if status == 404:
        return (
            f"there is no model {model} at {server.host}, or no Messages API (404): set [researcher] leader_model / "
            "worker_model / base_url and resume"
        )
    if status == 413:
        return f"the request for {model} is too large for {server.host} (413): shorten the brief or the code it edits"
    if 300 <= status < 400:
        place = shortened((fault.headers or {}).get("location", "another address").partition("?")[0], server)
        return (
            f"{server.host} sends requests on to {place} ({status}), which is not followed: set [researcher] base_url"
        )
    return f"{server.host} refused the request for {model} ({status})"


def _named(status: int) -> str:
    names = {408: "timeout", 409: "conflict", 429: "rate limit", 500: "server error", 504: "timeout", 529: "overloaded"}
    return f"{status} ({names.get(status, 'server error')})"


def _number(given: str | None) -> float | None:
    try:
        number = float(given) if given is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) and number >= 0 else None

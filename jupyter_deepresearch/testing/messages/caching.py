"""Prompt caching as the API accounts for it: prefixes up to cache_control, not below a floor, for a while."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from .sent import LONG_S, SentRequest, tokens

FLOOR = 512


@dataclass
class PromptCache:
    """The prefixes that were written, by digest, with the time until which they are kept."""

    until: dict[str, float] = field(default_factory=dict)

    def usage(self, request: SentRequest) -> dict[str, Any]:
        """The three numbers whose sum is the prompt's size; remembers what the request writes."""
        ends = list(accumulate((len(part.text) for part in request.parts), lambda whole, more: whole + 1 + more))
        marked = [index for index, part in enumerate(request.parts) if part.kept_s]
        digests = _digests(request)
        upto = marked[-1] if marked else -1
        reached = [i for i in range(upto + 1) if self.until.get(digests[i], 0.0) >= request.at]
        read = min(tokens(ends[reached[-1]]), request.tokens) if reached else 0
        writable = min(tokens(ends[upto]), request.tokens) if marked else 0
        written = writable - read if writable >= FLOOR else 0
        kept_s = max((request.parts[index].kept_s for index in marked), default=0.0)
        for index in [*marked, *reached[-1:]]:
            if tokens(ends[index]) >= FLOOR:
                self.until[digests[index]] = request.at + kept_s
        long = written if kept_s == LONG_S else 0
        return {
            "input_tokens": request.tokens - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": written - long, "ephemeral_1h_input_tokens": long},
        }


def _digests(request: SentRequest) -> list[str]:
    """A digest of the prompt up to and with each part."""
    state = hashlib.sha256(str(request.body.get("model")).encode())
    found = []
    for part in request.parts:
        state.update(f"{part.of} {len(part.text)} {part.text}".encode())
        found.append(state.hexdigest())
    return found

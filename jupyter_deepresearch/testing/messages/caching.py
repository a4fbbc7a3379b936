"""Prompt caching as the API accounts for it: prefixes up to cache_control, not below a floor, for five minutes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from .sent import SentRequest, tokens

FLOOR = 512
KEPT_S = 300.0


@dataclass
class PromptCache:
    """The prefixes that were written, by digest, with the time when they were last used."""

    used: dict[str, float] = field(default_factory=dict)

    def usage(self, request: SentRequest) -> dict[str, Any]:
        """The three numbers whose sum is the prompt's size; remembers what the request writes."""
        ends = list(accumulate(len(part.text) + 1 for part in request.parts))
        marked = [index for index, part in enumerate(request.parts) if part.breakpoint]
        digests = _digests(request)
        upto = marked[-1] if marked else -1
        reached = [i for i in range(upto + 1) if self._is_warm(digests[i], request.at)]
        read = min(tokens(ends[reached[-1]]), request.tokens) if reached else 0
        writable = min(tokens(ends[upto]), request.tokens) if marked else 0
        written = writable - read if writable >= FLOOR else 0
        for index in [*marked, *reached[-1:]]:
            if tokens(ends[index]) >= FLOOR:
                self.used[digests[index]] = request.at
        return {
            "input_tokens": request.tokens - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        }

    def _is_warm(self, digest: str, at: float) -> bool:
        return digest in self.used and at - self.used[digest] <= KEPT_S


def _digests(request: SentRequest) -> list[str]:
    """A digest of the prompt up to and with each part."""
    state = hashlib.sha256(str(request.body.get("model")).encode())
    found = []
    for part in request.parts:
        state.update(f"{len(part.text)}:{part.text}".encode())
        found.append(state.hexdigest())
    return found

"""How many tokens a text can have at most, by its characters: Anthropic publishes no tokenizer.

Its documentation counts 2.5 characters of English for a token of the models since Opus 4.7; digits, punctuation and
other scripts take more. Weights are per character, each from the densest text of its sort that was looked at.
"""

import math
import re

TOOLS_OVERHEAD = 300
"""The hidden words that explain tool use or a schema to a model."""

TURN_OVERHEAD = 8
_MARGIN = 1.1
_WEIGHTS = (
    (re.compile(r"[A-Za-z \n]"), 0.4),
    (re.compile(r"[\x00-\x7f]"), 1.3),  # digits and signs: numbers, JSON, diffs
    (re.compile(r"[\x80-\u2e7f]"), 1.0),  # other alphabets, symbols
    (re.compile(r"[\u2e80-\uffff]"), 1.5),  # CJK and what lies beside
)
_BEYOND = 3.0  # emoji and rare characters: up to as many tokens as bytes without the first


def bound(text: str, turns: int = 1, has_tools: bool = False) -> int:
    """More tokens than ``text`` has, with what surrounds it in a prompt of ``turns`` turns."""
    weight, rest = 0.0, text
    for pattern, each in _WEIGHTS:
        left = pattern.sub("", rest)
        weight += (len(rest) - len(left)) * each
        rest = left
    weight += len(rest) * _BEYOND + turns * TURN_OVERHEAD + (TOOLS_OVERHEAD if has_tools else 0)
    return math.ceil(weight * _MARGIN)


def estimate(text: str) -> int:
    """About how many tokens a text has that no server counted: never fewer than one where there is any."""
    return bound(text, turns=0)

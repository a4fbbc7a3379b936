"""An agent: a job, a model that does it, the tools it has, and how much it may use of both."""

from dataclasses import dataclass

from .tools.tool import Tool

CHARS_PER_TOKEN = 4
"""What a token counts here: one measure for every model, and the one that other agents are compared by."""


@dataclass(frozen=True)
class Limits:
    """What the first ask of a conversation may take, its repairs and new attempts included.

    ``turns``: how often an attempt may call the model to look things up and answer; ``tokens``: characters / 4 of
    everything that is sent. At the first the agent has to answer with what it knows, past the second nothing is sent.
    """

    turns: int
    tokens: int

    def chars(self, ask: int) -> int:
        """What the first, second, ... ask of a conversation may send, in characters: half for the later ones, which
        need less, so that a worker that uses up each of them is ended the sooner."""
        return self.tokens * CHARS_PER_TOKEN // min(ask, 2)


LEADER_LIMITS = Limits(turns=4, tokens=24_000)
IDEA_LIMITS = Limits(turns=8, tokens=28_000)
CODE_LIMITS = Limits(turns=6, tokens=28_000)
WRITING_LIMITS = Limits(turns=6, tokens=28_000)


@dataclass(frozen=True)
class Agent:
    """``model`` does the job; ``fallback`` takes over what ``model`` refuses, None where nobody does."""

    name: str
    model: str
    fallback: str | None
    system: str
    tools: tuple[Tool, ...]
    limits: Limits

    def model_after(self, refusals: int) -> str:
        """Who does the job after so many refusals."""
        return self.fallback if refusals and self.fallback is not None else self.model

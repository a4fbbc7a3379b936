"""What a researcher answers, and what it costs; what it may see of earlier experiments."""

from dataclasses import dataclass

from .types import Decision, Hypothesis, Parameters


@dataclass(frozen=True)
class Usage:
    """One priced LLM call, with the phase that made it."""

    phase: str
    model: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    usd: float | None = None
    calls: int = 1


@dataclass(frozen=True)
class Lesson:
    """What an experiment taught, in one or two sentences, and which earlier experiments it makes obsolete."""

    text: str
    obsolete: tuple[int, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A researcher's answer: a hypothesis, or why there is none (``exhausted``), and remarks for the person."""

    hypothesis: Hypothesis | None = None
    exhausted: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """An earlier experiment as a researcher may see it: all parameters of its notebook, and what came of them.

    ``code`` is the digest of its code, "" for the project's own: the same values on other code are another experiment.
    """

    experiment: int
    parameters: Parameters
    decision: Decision
    value: float | None
    claim: str
    code: str = ""

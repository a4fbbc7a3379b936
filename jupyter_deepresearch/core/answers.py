"""What a researcher answers, and what it costs; what it may see of earlier experiments."""

import enum
from dataclasses import dataclass

from .types import Decision, Hypothesis, Parameters


class Phase(enum.StrEnum):
    """What an LLM is called for. Past bills are kept by it."""

    PROBE = "probe"
    PLAN = "plan"
    PATCH = "patch"
    FIX = "fix"
    REFLECT = "reflect"
    IDEA = "idea"
    WRITING = "writing"


@dataclass(frozen=True)
class Usage:
    """One priced LLM call, with the phase that made it.

    ``tokens_in`` are all of the prompt, ``tokens_cached`` those of them that were read from a cache; ``usd`` None where
    the price is not known; ``latency_s`` is how long the answer took.
    """

    phase: str
    model: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    usd: float | None = None
    calls: int = 1
    latency_s: float | None = None


@dataclass(frozen=True)
class Lesson:
    """What an experiment taught, in one or two sentences, and which earlier experiments it makes obsolete.

    ``remarks`` are for the person alone, and said once.
    """

    text: str
    obsolete: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pause:
    """Why a researcher wants to wait before it proposes anything, and for how long at most."""

    reason: str
    seconds: float


@dataclass(frozen=True)
class Proposal:
    """A researcher's answer: a hypothesis, or why there is none (``exhausted``, or ``pause`` where it wants to be asked
    again later), and remarks for the person. ``answers`` are the keys of the paid answers that led to it, ``fixes``
    how many of its repairs were used up before it fitted."""

    hypothesis: Hypothesis | None = None
    exhausted: str | None = None
    remarks: tuple[str, ...] = ()
    pause: Pause | None = None
    answers: tuple[str, ...] = ()
    fixes: int = 0


@dataclass(frozen=True)
class Trial:
    """An earlier experiment as a researcher may see it: all parameters of its notebook, and what came of them.

    ``code`` is the digest of its code, "" for the project's own: the same values on other code are another experiment;
    ``sense`` is that of its meaning, the same for the same values is the same experiment.
    """

    experiment: int
    parameters: Parameters
    decision: Decision
    value: float | None
    claim: str
    code: str = ""
    sense: str = ""


@dataclass(frozen=True)
class Recalled:
    """An earlier experiment found by words: what it claimed, what came of it, and the words around those looked for."""

    experiment: int
    claim: str
    decision: Decision | None
    value: float | None
    excerpt: str

"""The line to a model: every call through the meter, under a key that a restarted step finds again."""

from dataclasses import dataclass, field

from ...core.answers import Phase, Usage
from ...core.research import Meter
from ...errors import ResearcherFailed
from ..llm.talk import Abilities, Model, Reply, Request, Stop


@dataclass(frozen=True)
class Step:
    """What is being asked for. ``name`` is the same after every restart: "think 12.0" (cycle and turn), "patch 12.0",
    "fix 7.1", "reflect 7"; ``experiment`` is the one that it is about, None where it has no number yet."""

    name: str
    experiment: int | None = None


@dataclass(frozen=True)
class Heard:
    """A reply, the key that it is logged under, and whether it was paid for just now (else it was in the log)."""

    reply: Reply
    key: str
    is_new: bool


@dataclass(frozen=True)
class Refusal:
    """A model that would not answer, and of which category it said the request was."""

    model: str
    category: str | None = None

    def __str__(self) -> str:
        return f"{self.model} refused to answer" + (f" (category {self.category})" if self.category else "")


@dataclass(frozen=True)
class Past:
    """What came of a question in this process before: how many attempts were used up, the answers they cost, who
    refused, and how often it was asked and paid for without use."""

    attempts: int = 0
    keys: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    in_vain: int = 0


@dataclass
class Line:
    """One per researcher, for as long as it lives: it remembers which attempts were of no use, and what models can."""

    model: Model
    _abilities: dict[str, Abilities] = field(default_factory=dict)
    _past: dict[str, Past] = field(default_factory=dict)

    async def hear(self, request: Request, phase: Phase, step: Step, attempt: int, meter: Meter) -> Heard:
        """The reply to ``request``: from the log, where the same was asked in the same attempt of the same step.

        Raises ResearcherFailed, ResearcherStopped and BudgetReached.
        """
        key = f"{step.name}/{attempt}/{self.identity(request)}"
        is_new = False

        async def call() -> tuple[str, Usage]:
            nonlocal is_new
            is_new = True
            return await self.model.ask(request, phase)

        logged = await meter.ask(key, self.model.ceiling(request, phase), call, step.experiment)
        return Heard(self.model.reply(logged), key, is_new)

    def identity(self, request: Request) -> str:
        """A short digest of everything that is sent."""
        return self.model.identity(request)[:16]

    async def abilities(self, model: str, meter: Meter) -> Abilities:
        """What ``model`` can do; asked once, by small requests through the meter (phase probe). Raises as ``hear``."""
        if model not in self._abilities:

            async def probe(request: Request) -> Reply:
                return await self._probed(request, meter)

            self._abilities[model] = await self.model.abilities(model, probe)
        return self._abilities[model]

    async def _probed(self, request: Request, meter: Meter) -> Reply:
        """A broken reply says nothing of a model: it is logged, and never taken for an answer."""
        question = f"probe {self.identity(request)}"
        attempt = (self.past(question) or Past()).attempts
        while True:
            attempt += 1
            heard = await self.hear(request, Phase.PROBE, Step(f"probe {request.model}"), attempt, meter)
            if heard.reply.stop is not Stop.BROKEN:
                return heard.reply
            self.used_up(question, Past(attempt))
            if heard.is_new:
                raise ResearcherFailed(f"{request.model} broke its answer off, when it was asked what it can do")

    def past(self, question: str) -> Past | None:
        """What came of a question so far, in this process; None where every attempt was still of use."""
        return self._past.get(question)

    def used_up(self, question: str, past: Past) -> None:
        """Remember attempts that led to nothing, so that the next ones have keys of their own."""
        self._past[question] = past

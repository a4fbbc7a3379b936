"""A conversation with an agent: append-only, replayed from the log, bounded whatever the model does."""

from typing import TypeVar

from ...core.research import Meter
from ...errors import DeepResearchError, ResearcherFailed, ResearcherStopped
from ..llm.talk import Effort, Phase, Said
from .agent import Agent
from .attempt import Attempt, Torn
from .exchange import Exchange, Question, Unusable
from .line import Line, Past, Refusal, Step
from .turns import Turns, request_chars, told

T = TypeVar("T")

ATTEMPTS = 3
"""Attempts at one answer before the step is tried again later."""

IN_VAIN = 4
"""How often all of these attempts may be paid for without use before only the person can help."""

_WHY_CHARS = 300
_OPENING_SHARE = 2
"""The share of an ask's limit that its first request may take with all earlier turns as they were."""


class _Fruitless(Exception):
    """Attempts that led to no answer, in words. ``is_outage``: the model could not help it."""

    def __init__(self, why: str, is_outage: bool = False) -> None:
        super().__init__(why)
        self.is_outage = is_outage


class Conversation:
    """What is asked of one agent in one step, and what it answered. All that was asked before stays in its sight."""

    def __init__(self, agent: Agent, line: Line, meter: Meter, step: Step) -> None:
        self._agent = agent
        self._line = line
        self._meter = meter
        self._step = step
        self._turns: Turns = ()
        self._answered: Turns = ()  # the same without what was looked up and mended on the way
        self._keys: tuple[str, ...] = ()
        self._refusals: tuple[Refusal, ...] = ()
        self._asks = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all answers that were paid for so far, those of no use included, in order."""
        return tuple(dict.fromkeys(self._keys))

    @property
    def model(self) -> str:
        """Who answers now: after a refusal, the fallback."""
        return self._agent.model_after(len(self._refusals))

    @property
    def turned(self) -> str:
        """Who refused, and who went on, in one line; "" where nobody refused."""
        return f"{', '.join(map(str, self._refusals))}; {self.model} went on" if self._refusals else ""

    def remember(self, ours: str, theirs: str) -> None:
        """Earlier turns that were not asked here."""
        pair = (Said(ours), told(theirs))
        self._turns, self._answered = (*self._turns, *pair), (*self._answered, *pair)

    async def ask(self, phase: Phase, text: str, answer: type[T], effort: Effort = Effort.MEDIUM) -> T:
        """The agent's answer to ``text``; it may use its tools before.

        Attempts that are in the log from an earlier life and led to nothing cost nothing, and are not counted.
        Raises ResearcherFailed where asking later may help, ResearcherStopped where only the person can, BudgetReached.
        """
        self._asks += 1
        question = Question(phase, answer, effort)
        exchange = await self._opened(question, Past(refusals=self._refusals))
        turns = self._opening(exchange, text)
        name = f"{self._step.name}/{self._line.identity(exchange.request(turns))}"
        past = self._line.past(name) or Past(refusals=self._refusals)
        while True:
            exchange = await self._opened(question, past)
            try:
                attempt, value = await self._round(exchange, turns, answer)
            except _Fruitless as problem:
                in_vain = past.in_vain + (exchange.is_new and not problem.is_outage)
                past = Past(exchange.attempt, tuple(exchange.keys), exchange.refusals, in_vain)
                self._line.used_up(name, past)
                if exchange.is_new:
                    raise self._failed(problem, in_vain) from problem
            else:
                self._answered = (*self._answered, Said(text), told(attempt.answered))
                self._turns, self._refusals = attempt.turns, exchange.refusals
                return value
            finally:
                self._keys += tuple(exchange.keys)

    def _failed(self, problem: _Fruitless, in_vain: int) -> DeepResearchError:
        """Later may do; a model that never gives an answer of use is paid so often, and the person told."""
        why = str(problem)[:_WHY_CHARS]
        if in_vain < IN_VAIN:
            return ResearcherFailed(why)
        return ResearcherStopped(
            f"{self.model} as the {self._agent.name} gave no answer of use, {in_vain} times over ({why}): set another "
            "model under [researcher], or mend the brief or the prompts; then resume"
        )

    async def _opened(self, question: Question, past: Past) -> Exchange:
        """What is left after ``past``: who refused is not asked again, no attempt has the number of another."""
        limit = self._agent.limits.chars(self._asks)
        exchange = Exchange(self._agent, self._line, self._meter, self._step, question, limit)
        exchange.refusals, exchange.attempt, exchange.keys = past.refusals, past.attempts, list(past.keys)
        exchange.has_turned = past.refusals != self._refusals
        await exchange.open()
        return exchange

    def _opening(self, exchange: Exchange, text: str) -> Turns:
        """The turns that an attempt begins with; long ones of before without what was looked up on the way."""
        turns = (*self._turns, Said(text))
        if request_chars(exchange.request(turns)) * _OPENING_SHARE <= exchange.limit:
            return turns
        return (*self._answered, Said(text))

    async def _round(self, exchange: Exchange, turns: Turns, answer: type[T]) -> tuple[Attempt[T], T]:
        """The attempt that came to an answer, and that; one of up to three that share one limit."""
        why = ""
        for _ in range(ATTEMPTS):
            exchange.attempt += 1
            attempt = Attempt(exchange, turns, answer)
            try:
                return attempt, await attempt.value()
            except Torn:
                raise _Fruitless(f"{exchange.model} broke its answer off", is_outage=True) from None
            except Unusable as problem:
                why = str(problem)
                if problem.is_final:
                    break
        raise _Fruitless(f"the researcher's answer could not be used: {why}")

"""One ask of an agent: what may still be sent in it, which model it goes to, and what was answered."""

from dataclasses import dataclass, field
from typing import Any

from ...core.research import Meter
from ...errors import ResearcherStopped
from ..llm.talk import Abilities, Effort, Phase, Reply, Request
from .agent import CHARS_PER_TOKEN, Agent
from .line import Line, Refusal, Step
from .tools.tool import Tool
from .turns import Turns, request_chars

MAX_TOKENS = 8192
"""What a reply may take, thinking included; twice that where one was cut."""

_TURN_CHARS = 8000
"""What a turn with tools adds, at most and as a rule: room for it is kept, so that an answer can still be asked for."""


class Unusable(Exception):
    """A reply that is no answer, in words. ``is_final``: more attempts would only spend more."""

    def __init__(self, why: str, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


@dataclass(frozen=True)
class Question:
    """What an agent is asked: for what phase, in which shape it has to answer, how much it may think."""

    phase: Phase
    answer: type[Any]
    effort: Effort


@dataclass
class Exchange:
    """Grows with every call. ``sent`` counts characters, of ``limit`` at most, ``is_new`` whether anything was paid for
    just now, ``is_wide`` whether replies get twice the room, ``attempt`` is the number of the present one, from 1,
    ``has_turned`` says that the model changed since the ask began."""

    agent: Agent
    line: Line
    meter: Meter
    step: Step
    question: Question
    limit: int
    refusals: tuple[Refusal, ...] = ()
    attempt: int = 0
    sent: int = 0
    is_new: bool = False
    is_wide: bool = False
    has_turned: bool = False
    able: Abilities = field(default_factory=Abilities)
    keys: list[str] = field(default_factory=list)

    @property
    def model(self) -> str:
        """Who answers now."""
        return self.agent.model_after(len(self.refusals))

    async def open(self) -> None:
        """Learn what the model can do. Raises as ``send``."""
        self.able = await self.line.abilities(self.model, self.meter)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that the agent has with this model."""
        return self.agent.tools if self.able.tools and self.agent.limits.turns > 1 else ()

    def request(self, turns: Turns, is_last: bool = False) -> Request:
        """What would be sent now."""
        return Request(
            model=self.model,
            system=self.agent.system,
            turns=turns,
            tools=tuple(tool.spec for tool in self.tools),
            answer=self.question.answer,
            form=self.able.form,
            max_tokens=MAX_TOKENS * 2 if self.is_wide else MAX_TOKENS,
            effort=self.question.effort,
            is_last=is_last,
        )

    def has_room(self, request: Request) -> bool:
        """Whether after this request, and what it may bring, one more could be sent."""
        return self.sent + 2 * request_chars(request) + _TURN_CHARS <= self.limit

    async def send(self, request: Request) -> Reply:
        """The reply. Raises Unusable where it may not be sent any more, and as ``Line.hear``."""
        chars, most = request_chars(request), self.limit // CHARS_PER_TOKEN
        if self.sent + chars > self.limit:
            if self.sent == 0:
                raise ResearcherStopped(
                    f"what the {self.agent.name} has to be told takes {chars // CHARS_PER_TOKEN} tokens and it may be "
                    f"sent {most}: shorten the brief, the prompts in prompts/ or the code, then resume"
                )
            raise Unusable(f"the {self.agent.name} used up its {most} tokens without an answer", is_final=True)
        self.sent += chars
        heard = await self.line.hear(request, self.question.phase, self.step, self.attempt, self.meter)
        self.is_new = self.is_new or heard.is_new
        self.keys.append(heard.key)
        return heard.reply

    def widen(self) -> bool:
        """Give replies twice the room, once; whether that was still possible."""
        was, self.is_wide = self.is_wide, True
        return not was

    async def refused(self, category: str | None) -> None:
        """Turn to the fallback. Raises ResearcherStopped where there is none, or it was the one that refused."""
        refusal = Refusal(self.model, category)
        fallback = self.agent.fallback
        if self.refusals or fallback is None or fallback == self.model:
            raise ResearcherStopped(_stopped((*self.refusals, refusal), fallback))
        self.refusals, self.has_turned = (refusal,), True
        await self.open()


def _stopped(refusals: tuple[Refusal, ...], fallback: str | None) -> str:
    first, *others = refusals
    who = "".join([str(first), *(f", and {other}, too" for other in others)])
    mend = "another fallback_model" if fallback is not None else "fallback_model"
    return (
        f"{who}. Ordinary machine learning is refused at times: set {mend} under [researcher] in deepresearch.toml, "
        "or another model, or reword the brief; then resume"
    )

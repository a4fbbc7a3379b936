"""Killed anywhere, a step that starts again pays for nothing twice and comes to the same answer."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core.answers import Phase, Usage
from jupyter_deepresearch.errors import ResearcherFailed
from jupyter_deepresearch.researchers.claude.agent import LEADER_LIMITS, Agent
from jupyter_deepresearch.researchers.claude.conversation import Conversation
from jupyter_deepresearch.researchers.claude.line import Line, Step
from jupyter_deepresearch.researchers.claude.plans import Reflection
from jupyter_deepresearch.researchers.claude.tools.tool import Tool
from jupyter_deepresearch.researchers.llm.talk import Reply, Request, ToolSpec

from .doubles import KnowingModel, LogMeter, broken, calls, cut, refusal, says

LESSON = Reflection("warm-up helps")


@dataclass(frozen=True)
class Number:
    """One number."""

    number: int


async def _double(asked: Number) -> str:
    return f"{2 * asked.number}"


DOUBLE = Tool(ToolSpec("double", "Twice a number.", Number), _double)
REPLIES = {
    "prose": says("I think so."),
    "misfit": says('{"lesson": 5}'),
    "empty": says(""),
    "cut": cut(),
    "broken": broken(),
    "refusal": refusal(),
    "one": calls(("double", {"number": 1})),
    "two": calls(("double", {"number": 2}), ("nothing", {})),
    "good": says(LESSON),
}


class _Killed(Exception):
    """The process is gone."""


@dataclass
class Life(KnowingModel):
    """Answers the n-th paid call with the n-th reply, and is killed before the calls numbered in ``kills``."""

    meter: LogMeter = field(default_factory=LogMeter)
    replies: tuple[str, ...] = ()
    kills: set[int] = field(default_factory=set)
    is_refused: bool = False

    async def ask(self, request: Request, phase: Phase) -> tuple[str, Usage]:
        place = len(self.meter.answers)
        if place in self.kills:
            self.kills.remove(place)
            raise _Killed
        self.script = iter([self._reply(place, request)])
        self.__post_init__()
        return await super().ask(request, phase)

    def _reply(self, place: int, request: Request) -> Reply:
        """The fallback does not refuse: that stops a project, whoever starts it again."""
        name = self.replies[place] if place < len(self.replies) else "good"
        return REPLIES["prose" if name == "refusal" and request.model == "second" else name]


def researched(replies: tuple[str, ...], kills: set[int]) -> tuple[list[Reflection], tuple[str, ...], list[str]]:
    """Two questions asked until they are answered, as the loop does: the answers, their keys, all that was paid."""
    meter = LogMeter()
    model = Life(meter=meter, replies=replies, kills=set(kills))
    agent = Agent("leader", "first", "second", "You lead.", (DOUBLE,), LEADER_LIMITS)
    line = Line(model)
    while True:
        talk = Conversation(agent, line, meter, Step("think 1.0"))
        try:
            answers = [asyncio.run(talk.ask(Phase.PLAN, text, Reflection)) for text in ("What now?", "What else?")]
        except ResearcherFailed:
            continue
        except _Killed:
            line = Line(model)
            continue
        return answers, talk.keys, list(meter.answers)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(REPLIES)), max_size=24), st.sets(st.integers(0, 30), max_size=6))
def test_a_step_that_was_killed_comes_to_the_same_for_the_same_money(replies: list[str], kills: set[int]) -> None:
    whole = researched(tuple(replies), set())
    assert researched(tuple(replies), kills) == whole
    assert set(whole[1]) == set(whole[2])  # every answer that was paid for is named with what it led to

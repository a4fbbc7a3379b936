"""Whatever a model does, one ask sends no more than 30,000 tokens (characters / 4)."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.errors import NotFound, ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.claude.agent import (
    CODE_LIMITS,
    IDEA_LIMITS,
    LEADER_LIMITS,
    WRITING_LIMITS,
    Agent,
    Limits,
)
from jupyter_deepresearch.researchers.claude.conversation import Conversation
from jupyter_deepresearch.researchers.claude.line import Line, Step
from jupyter_deepresearch.researchers.claude.plans import Patch
from jupyter_deepresearch.researchers.claude.tools.tool import Tool
from jupyter_deepresearch.researchers.llm.schemas import schema
from jupyter_deepresearch.researchers.llm.talk import Reply, Request, Said, Stop, ToolSpec

from .doubles import KnowingModel, LogMeter, broken, calls, cut, refusal, says

TOKENS = 30_000
ALL_LIMITS = [LEADER_LIMITS, IDEA_LIMITS, CODE_LIMITS, WRITING_LIMITS]


@dataclass(frozen=True)
class Place:
    """Where to look."""

    place: str = ""
    line: int = 0


async def _page(asked: Place) -> str:
    if asked.line < 0:
        raise NotFound("there is no such line")
    return f"{asked.place[:20]}:{asked.line} " + "x = 1  # ... \n" * 400


TOOLS = tuple(
    Tool(ToolSpec(name, "Looks things up.", Place), _page, 3900) for name in ("list", "read", "output", "search")
)


def sent(request: Request) -> int:
    """The characters of a request: system, turns, schemas. Counted apart from what the product counts by."""
    said = 0
    for turn in request.turns:
        results = () if isinstance(turn, Reply) else turn.results
        said += len(turn.content if isinstance(turn, Reply) else turn.text) + sum(len(r.text) for r in results)
    tools = sum(len(t.name) + len(t.description) + len(schema(t.takes)) for t in request.tools)
    return len(request.system) + said + tools + (len(schema(Patch)) if request.answer is not None else 0)


Behaviour = Callable[[random.Random, Request], Reply]


def _loop(chance: random.Random, request: Request) -> Reply:
    return calls(("read", {"place": "train.py", "line": 1}))


def _wander(chance: random.Random, request: Request) -> Reply:
    return calls(("read", {"place": f"f{chance.random()}.py", "line": chance.randrange(-5, 999)}))


def _many(chance: random.Random, request: Request) -> Reply:
    return calls(*[(chance.choice(["read", "list", "nothing"]), {"line": chance.randrange(99)}) for _ in range(20)])


def _huge(chance: random.Random, request: Request) -> Reply:
    return calls(("read", {"place": "x" * chance.choice([100, 9000, 32_000])}), text="y" * chance.choice([0, 3000]))


def _odd(chance: random.Random, request: Request) -> Reply:
    return calls(("read", chance.choice(["", "[]", "{", "null", '{"line": "many"}', "[" * 9000, '{"line": 1e400}'])))


def _prose(chance: random.Random, request: Request) -> Reply:
    return says("I think that " * chance.choice([1, 100, 2500]))


def _misfit(chance: random.Random, request: Request) -> Reply:
    return says(json.dumps({"edits": [{"place": 3}] * chance.choice([1, 400])}))


def _quotes(chance: random.Random, request: Request) -> Reply:
    return says('"\n\\' * chance.choice([10, 4000]))


def _broken(chance: random.Random, request: Request) -> Reply:
    return broken()


def _cut(chance: random.Random, request: Request) -> Reply:
    return cut()


def _empty(chance: random.Random, request: Request) -> Reply:
    return chance.choice([says(""), says("", Stop.TOOLS), Reply("[]", Stop.TOOLS)])


def _refused(chance: random.Random, request: Request) -> Reply:
    return refusal()


BEHAVIOURS: list[Behaviour] = [
    _loop, _wander, _many, _huge, _odd, _prose, _misfit, _quotes, _broken, _cut, _empty, _refused,
]  # fmt: skip


def outcome(behave: Callable[[Request], Reply], limits: Limits, prompt: str, fallback: str | None) -> list[Request]:
    """What a model that behaves so was sent in one ask, which must have ended in words."""

    def script() -> Iterator[Callable[[Request], Reply]]:
        while True:
            yield behave

    model = KnowingModel(script())
    agent = Agent("worker", "first", fallback, "You work." + " Carefully." * 100, TOOLS, limits)
    talk = Conversation(agent, Line(model), LogMeter(), Step("patch 1.0"))
    with pytest.raises((ResearcherFailed, ResearcherStopped)) as ended:
        asyncio.run(talk.ask(Phase.PATCH, prompt, Patch))
    assert str(ended.value) and len(str(ended.value)) < 600 and "\n" not in str(ended.value)
    return model.requests


@pytest.mark.parametrize("limits", ALL_LIMITS)
@pytest.mark.parametrize("behave", BEHAVIOURS)
def test_a_model_that_does_one_thing_for_ever_is_ended(behave: Behaviour, limits: Limits) -> None:
    chance = random.Random(1)
    requests = outcome(lambda request: behave(chance, request), limits, "Patch it. " * 600, "second")
    assert sum(map(sent, requests)) <= TOKENS * 4
    assert len(requests) <= 3 * (limits.turns + 1)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    mixed=st.lists(st.sampled_from(BEHAVIOURS), min_size=1, max_size=8),
    limits=st.sampled_from(ALL_LIMITS),
    words=st.sampled_from([1, 600, 2500, 9000, 20_000]),
    fallback=st.sampled_from([None, "second"]),
)
def test_any_mixture_of_bad_behaviour_is_ended(
    seed: int, mixed: list[Behaviour], limits: Limits, words: int, fallback: str | None
) -> None:
    chance = random.Random(seed)
    requests = outcome(lambda request: chance.choice(mixed)(chance, request), limits, "Patch it. " * words, fallback)
    assert sum(map(sent, requests)) <= TOKENS * 4


def test_a_last_call_is_always_left_for_an_answer() -> None:
    """A worker that looks around without an end still answers, once it is told that it has to."""

    def behave(request: Request) -> Reply:
        last = request.turns[-1]
        if request.is_last:
            assert isinstance(last, Said) and last.text.endswith("No more tools: answer now with what you know.")
            return says(Patch(note="this is what I know"))
        return calls(*[("read", {"place": "train.py", "line": len(request.turns) * 10 + n}) for n in range(4)])

    for limits in (*ALL_LIMITS, Limits(50, 28_000)):
        model = KnowingModel([behave] * 60)
        talk = Conversation(Agent("code", "m", None, "", TOOLS, limits), Line(model), LogMeter(), Step("patch 1.0"))
        assert asyncio.run(talk.ask(Phase.PATCH, "Patch it. " * 600, Patch)).note == "this is what I know"
        assert sum(map(sent, model.requests)) <= limits.chars(1) and model.requests[-1].is_last


def test_a_worker_that_uses_up_every_question_is_ended_all_the_same() -> None:
    """It looks around as long as it may and answers with what does not fit: a patch and its two fixes in all."""

    def behave(request: Request) -> Reply:
        looks = calls(*[("read", {"place": "train.py", "line": len(model.requests) * 10 + n}) for n in range(4)])
        return says(Patch(note="no")) if request.is_last else looks

    model = KnowingModel([behave] * 99)
    talk = Conversation(Agent("code", "m", None, "", TOOLS, CODE_LIMITS), Line(model), LogMeter(), Step("patch 1.0"))
    for question in ("Patch it. " * 600, "It does not fit. " * 40, "Nor does this. " * 40):
        assert asyncio.run(talk.ask(Phase.PATCH, question, Patch)).note == "no"
    assert sum(map(sent, model.requests)) <= 2 * TOKENS * 4


def test_later_questions_leave_out_what_was_looked_up_once_it_is_long() -> None:
    looks = [calls(*[("read", {"line": n * 10 + m}) for m in range(4)]) for n in range(2)]
    model = KnowingModel([*looks, says(Patch(note="one")), says(Patch(note="two"))])
    talk = Conversation(Agent("code", "m", None, "", TOOLS, CODE_LIMITS), Line(model), LogMeter(), Step("patch 1.0"))
    asyncio.run(talk.ask(Phase.PATCH, "Patch it. " * 600, Patch))
    asyncio.run(talk.ask(Phase.FIX, "It crashed.", Patch))
    told = [turn.text for turn in model.requests[-1].turns]
    assert told == ["Patch it. " * 600, msgspec.json.encode(Patch(note="one")).decode(), "It crashed."]

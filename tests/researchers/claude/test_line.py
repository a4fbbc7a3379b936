"""The line to a model: keys, replay, and what is found out of a model once."""

import asyncio

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.errors import BudgetReached, ResearcherFailed
from jupyter_deepresearch.researchers.claude.line import Line, Past, Step
from jupyter_deepresearch.researchers.llm.talk import Abilities, AnswerForm, Request, Said

from .doubles import KnowingModel, LogMeter, ScriptedModel, broken, says

QUESTION = Request("first", "", (Said("Well?"),))


def test_a_key_is_the_step_the_attempt_and_what_is_sent() -> None:
    model, meter = KnowingModel([says("yes")] * 4), LogMeter()
    line = Line(model)

    async def hear() -> list[str]:
        other = Request("first", "", (Said("Really?"),))
        asked = [
            ("think 1.0", 1, QUESTION),
            ("think 1.0", 2, QUESTION),
            ("fix 7.1", 1, QUESTION),
            ("fix 7.1", 1, other),
        ]
        return [
            (await line.hear(request, Phase.PLAN, Step(name), attempt, meter)).key for name, attempt, request in asked
        ]

    keys = asyncio.run(hear())
    digest = model.identity(QUESTION)[:16]
    assert keys[:3] == [f"think 1.0/1/{digest}", f"think 1.0/2/{digest}", f"fix 7.1/1/{digest}"]
    assert len(set(keys)) == 4 == len(model.requests)


def test_a_reply_from_the_log_is_not_new() -> None:
    model, meter = KnowingModel([says("yes")]), LogMeter()
    step = Step("reflect 7", 7)

    async def twice() -> list[bool]:
        return [(await Line(model).hear(QUESTION, Phase.REFLECT, step, 1, meter)).is_new for _ in range(2)]

    assert asyncio.run(twice()) == [True, False]
    assert set(meter.about.values()) == {7}


def test_abilities_are_asked_once_and_after_a_restart_found_in_the_log() -> None:
    able = Abilities(AnswerForm.TOOL, tools=True)
    model, meter = ScriptedModel([says("pong"), says("pong")], able), LogMeter()
    line = Line(model)

    async def learn(of: Line, name: str) -> Abilities:
        return await of.abilities(name, meter)

    assert asyncio.run(learn(line, "first")) == able == asyncio.run(learn(line, "first"))
    assert model.probes == ["first"] and [usage.phase for usage in meter.usages.values()] == ["probe"]
    asyncio.run(learn(line, "second"))
    assert model.probes == ["first", "second"]
    asyncio.run(learn(Line(model), "first"))
    assert len(model.requests) == 2 and all(key.startswith("probe ") for key in meter.answers)


def test_a_probe_that_breaks_off_is_no_answer_and_asked_again_later() -> None:
    model, meter = ScriptedModel([broken(), broken(), says("pong")]), LogMeter()
    line = Line(model)
    for _ in range(2):
        with pytest.raises(ResearcherFailed, match="first broke its answer off"):
            asyncio.run(line.abilities("first", meter))
    assert asyncio.run(line.abilities("first", meter)) == model.able
    assert asyncio.run(Line(model).abilities("first", meter)) == model.able
    assert len(model.requests) == 3


@pytest.mark.parametrize("fault", [ResearcherFailed("overloaded", 5.0), BudgetReached("no more calls", "calls")])
def test_a_fault_of_a_probe_teaches_nothing(fault: Exception) -> None:
    model, meter = ScriptedModel([fault, says("pong")]), LogMeter()
    line = Line(model)
    with pytest.raises(type(fault)):
        asyncio.run(line.abilities("first", meter))
    assert asyncio.run(line.abilities("first", meter)) == model.able


def test_what_was_of_no_use_is_remembered_by_question() -> None:
    line = Line(KnowingModel())
    line.used_up("think 1.0/abc", Past(3, ("k",)))
    assert line.past("think 1.0/abc") == Past(3, ("k",)) and line.past("think 1.0/abd") is None

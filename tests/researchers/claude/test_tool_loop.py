"""What comes of a model's calls: results in order, what was wrong with a call, circles found out, limits told."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.errors import Fenced, ResearcherFailed
from jupyter_deepresearch.researchers.claude.agent import LEADER_LIMITS, Agent, Limits
from jupyter_deepresearch.researchers.claude.conversation import Conversation
from jupyter_deepresearch.researchers.claude.line import Line, Step
from jupyter_deepresearch.researchers.claude.plans import Reflection
from jupyter_deepresearch.researchers.claude.tools.tool import Tool
from jupyter_deepresearch.researchers.llm.talk import Request, Said, ToolSpec

from .doubles import LESSON, SQUARE, KnowingModel, LogMeter, Number, calls, says


def ask(model: KnowingModel, limits: Limits = LEADER_LIMITS, tool: Tool = SQUARE) -> Reflection:
    of = Agent("leader", "first", None, "You lead.", (tool,), limits)
    talk = Conversation(of, Line(model), LogMeter(), Step("reflect 7", 7))
    return asyncio.run(talk.ask(Phase.REFLECT, "What did it teach?", Reflection))


def results(request: Request) -> list[tuple[str, bool]]:
    last = request.turns[-1]
    assert isinstance(last, Said)
    return [(result.text, result.is_error) for result in last.results]


def test_calls_of_one_reply_are_answered_in_order_with_what_was_wrong_of_each() -> None:
    asked = calls(
        ("square", {"number": 3}),
        ("square", '{"number": "many"}'),
        ("cube", {"number": 3}),
        ("square", {"number": -1}),
        ("square", {"number": 5}),
    )
    model = KnowingModel([asked, says(LESSON)])
    assert ask(model) == LESSON
    told = results(model.requests[1])
    assert told[0] == ("3 squared is 9", False)
    assert told[1][1] and "the arguments do not fit" in told[1][0] and "`$.number`" in told[1][0]
    assert told[2] == ("there is no tool 'cube'; there are: square", True)
    assert told[3] == ("there is no experiment -1; there are 0 to 7", True)
    assert told[4] == ("not looked up: at most 4 calls at a time", True)


def test_results_are_cut() -> None:
    model = KnowingModel([calls(("square", {"number": 99})), says(LESSON)])
    ask(model)
    ((text, _),) = results(model.requests[1])
    assert len(text) == SQUARE.chars and text.endswith(".…")


def test_a_call_that_is_repeated_is_told_so_and_then_ends_the_tools() -> None:
    same: list[Any] = [calls(("square", text)) for text in ('{"number": 3}', '{ "number":3 }', '{"number": "3"}')]
    model = KnowingModel([*same, says(LESSON)])
    ask(model, Limits(9, 24_000))
    assert results(model.requests[2]) == [("you asked this before; the answer was the same: 3 squared is 9", False)]
    assert results(model.requests[3]) == [("you asked this twice before; nothing more is looked up", True)]
    assert [request.is_last for request in model.requests] == [False, False, False, True]
    assert model.requests[3].turns[-1].text == "No more tools: answer now with what you know."


def test_a_repeated_call_whose_answer_changed_gets_the_new_one() -> None:
    pages = iter(["nothing yet", "a note"])

    async def read(asked: Number) -> str:
        return next(pages)

    note = Tool(ToolSpec("read", "A note.", Number), read)
    model = KnowingModel([calls(("read", {"number": 1})), calls(("read", {"number": 1})), says(LESSON)])
    ask(model, tool=note)
    assert results(model.requests[2]) == [("a note", False)]


def test_at_the_turn_limit_the_last_call_says_so_and_then_it_is_over() -> None:
    model = KnowingModel([calls(("square", {"number": n})) for n in range(9)])
    with pytest.raises(ResearcherFailed, match="could not be used"):
        ask(model)
    assert [request.is_last for request in model.requests][:4] == [False, False, False, True]
    assert len(model.requests) <= 5


def test_a_project_that_went_to_another_process_is_no_result() -> None:
    async def look(asked: Number) -> str:
        raise Fenced("the lease has moved on")

    model = KnowingModel([calls(("look", {"number": 1}))])
    with pytest.raises(Fenced):
        ask(model, tool=Tool(ToolSpec("look", "Looks.", Number), look))


NO_ARGUMENTS = ["{", "[1]", "null", "[" * 9000, '{"number": 1e400}', '"\\ud800"', "3", f'{{"number": {"9" * 5000}}}']


@pytest.mark.parametrize("arguments", NO_ARGUMENTS, ids=range(len(NO_ARGUMENTS)))
def test_arguments_that_are_none_are_told_in_one_line(arguments: str) -> None:
    model = KnowingModel([calls(("square", arguments)), says(LESSON)])
    ask(model)
    ((text, is_error),) = results(model.requests[1])
    assert is_error and text.startswith("the arguments do not fit: ") and "\n" not in text and len(text) <= 300


def test_no_arguments_are_those_that_are_given_by_themselves() -> None:
    @dataclass(frozen=True)
    class All:
        part: str = ""

    async def look(asked: All) -> str:
        return f"all of {asked.part!r}"

    model = KnowingModel([calls(("look", "")), says(LESSON)])
    ask(model, tool=Tool(ToolSpec("look", "Looks.", All), look))
    assert results(model.requests[1]) == [("all of ''", False)]

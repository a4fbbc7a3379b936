"""Conversations: replay, repairs, attempts, refusals, outages, tools; what is sent is only ever added to."""

import asyncio
from dataclasses import replace

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.errors import BudgetReached, ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.claude.agent import LEADER_LIMITS, Agent, Limits
from jupyter_deepresearch.researchers.claude.conversation import Conversation
from jupyter_deepresearch.researchers.claude.line import Line, Step
from jupyter_deepresearch.researchers.claude.plans import Reflection
from jupyter_deepresearch.researchers.claude.tools.tool import Tool
from jupyter_deepresearch.researchers.llm.talk import Abilities, AnswerForm, Reply, Request

from .doubles import LESSON, SQUARE, KnowingModel, LogMeter, broken, calls, cut, refusal, says


def agent(fallback: str | None = None, tools: tuple[Tool, ...] = (), limits: Limits = LEADER_LIMITS) -> Agent:
    return Agent("leader", "first", fallback, "You lead.", tools, limits)


def conversation(model: KnowingModel, of: Agent | None = None, meter: LogMeter | None = None) -> Conversation:
    return Conversation(of or agent(), Line(model), meter or LogMeter(), Step("reflect 7", 7))


def ask(talk: Conversation, text: str = "What did it teach?") -> Reflection:
    return asyncio.run(talk.ask(Phase.REFLECT, text, Reflection))


def texts(request: Request) -> list[str]:
    return [turn.text for turn in request.turns]


def test_an_answer_is_one_call_with_what_the_agent_is() -> None:
    model, meter = KnowingModel([says(LESSON)]), LogMeter()
    talk = conversation(model, agent(tools=(SQUARE,)), meter)
    assert ask(talk) == LESSON
    (request,) = model.requests
    assert (request.model, request.system, request.answer) == ("first", "You lead.", Reflection)
    assert texts(request) == ["What did it teach?"] and not request.is_last
    assert [spec.name for spec in request.tools] == ["square"]
    (key,) = talk.keys
    assert key == f"reflect 7/1/{model.identity(request)[:16]}"
    assert meter.about == {key: 7} and meter.usages[key].phase == "reflect"


def test_a_restarted_step_is_answered_from_the_log_for_nothing() -> None:
    script = [calls(("square", {"number": 3})), says("no JSON"), says(LESSON)]
    first, meter = KnowingModel(script), LogMeter()
    of = agent(tools=(SQUARE,))
    before = conversation(first, of, meter)
    again = conversation(KnowingModel(), of, meter)
    assert ask(before) == ask(again) == LESSON
    assert before.keys == again.keys and len(again.keys) == len(first.requests) == 3


def test_what_was_said_before_stays_as_it_was() -> None:
    model = KnowingModel([calls(("square", {"number": 3})), says("prose"), says(LESSON), says(LESSON)])
    talk = conversation(model, agent(tools=(SQUARE,)))
    ask(talk)
    ask(talk, "And now?")
    for earlier, later in zip(model.requests, model.requests[1:], strict=False):
        assert later.turns[: len(earlier.turns)] == earlier.turns
    assert texts(model.requests[-1])[-1] == "And now?"


def test_turns_that_were_not_asked_here_come_first() -> None:
    model = KnowingModel([says(LESSON)])
    talk = conversation(model)
    talk.remember("Patch it.", '{"edits": []}')
    ask(talk, "It crashed.")
    assert texts(model.requests[0]) == ["Patch it.", '{"edits": []}', "It crashed."]


def test_an_answer_that_does_not_fit_is_repaired_once_in_the_same_conversation() -> None:
    model = KnowingModel([says('{"lesson": 5}'), says(LESSON)])
    assert ask(conversation(model)) == LESSON
    told = texts(model.requests[1])
    assert told[1] == '{"lesson": 5}' and told[2].startswith("Your answer did not fit: ") and "lesson" in told[2]
    assert told[2].endswith("Answer again with the JSON alone.")


@pytest.mark.parametrize("tools", [(), (SQUARE,)])
def test_three_attempts_of_two_answers_then_later_with_new_keys(tools: tuple[Tool, ...]) -> None:
    model, meter = KnowingModel([says("prose")] * 6 + [says(LESSON)]), LogMeter()
    line = Line(model)
    of = agent(tools=tools)
    with pytest.raises(ResearcherFailed, match="answer could not be used: no JSON object in the answer; found 'prose'"):
        ask(Conversation(of, line, meter, Step("reflect 7")))
    assert len(model.requests) == 6
    assert [key.split("/")[1] for key in meter.answers] == ["1", "1", "2", "2", "3", "3"]
    assert [len(request.turns) for request in model.requests] == [1, 3, 1, 3, 1, 3]
    later = Conversation(of, line, meter, Step("reflect 7"))
    assert ask(later) == LESSON and later.keys[-1].startswith("reflect 7/4/") and len(later.keys) == 7


def test_after_a_restart_attempts_of_no_use_are_passed_over_for_nothing() -> None:
    model, meter = KnowingModel([says("prose")] * 6 + [broken(), says(LESSON)]), LogMeter()
    line = Line(model)
    for _ in range(2):
        with pytest.raises(ResearcherFailed):
            ask(Conversation(agent(), line, meter, Step("reflect 7")))
    new_life = Conversation(agent(), Line(model), meter, Step("reflect 7"))
    assert ask(new_life) == LESSON
    assert len(model.requests) == 8 == len(new_life.keys) and new_life.keys[-1].startswith("reflect 7/5/")


def test_a_second_question_finds_the_first_one_answered_though_it_fails() -> None:
    script = [says(LESSON), *[says("prose")] * 6, says(LESSON)]
    model, meter = KnowingModel(script), LogMeter()
    line = Line(model)
    for asked in (7, 8):
        talk = Conversation(agent(), line, meter, Step("think 1.0"))
        ask(talk)
        try:
            ask(talk, "It is a duplicate: another?")
        except ResearcherFailed:
            assert asked == 7
        assert len(model.requests) == asked


def test_a_cut_answer_gets_twice_the_room_once() -> None:
    model = KnowingModel([cut(), says(LESSON)])
    assert ask(conversation(model)) == LESSON
    assert [request.max_tokens for request in model.requests] == [8192, 16384]
    assert model.requests[0].turns == model.requests[1].turns
    always = KnowingModel([cut()] * 9)
    with pytest.raises(ResearcherFailed, match="cut off, with twice the room"):
        ask(conversation(always))
    assert [request.max_tokens for request in always.requests] == [8192, 16384, 16384, 16384]


def test_an_empty_answer_is_not_argued_with() -> None:
    model = KnowingModel([says(""), says(LESSON)])
    assert ask(conversation(model)) == LESSON
    assert [len(request.turns) for request in model.requests] == [1, 1]


def test_a_broken_stream_is_an_outage_that_is_asked_anew_without_an_end() -> None:
    model, meter = KnowingModel([*[broken()] * 5, says(LESSON)]), LogMeter()
    line = Line(model)
    for _ in range(5):
        with pytest.raises(ResearcherFailed, match="first broke its answer off"):
            ask(Conversation(agent(), line, meter, Step("reflect 7")))
    assert ask(Conversation(agent(), line, meter, Step("reflect 7"))) == LESSON
    assert [key.split("/")[1] for key in meter.answers] == ["1", "2", "3", "4", "5", "6"]


def test_an_outage_costs_no_attempt_and_goes_on_where_it_was() -> None:
    script = [calls(("square", {"number": 2})), ResearcherFailed("overloaded", 60.0), says(LESSON)]
    model, meter = KnowingModel(script), LogMeter()
    of, line = agent(tools=(SQUARE,)), Line(model)
    with pytest.raises(ResearcherFailed, match="overloaded") as outage:
        ask(Conversation(of, line, meter, Step("reflect 7")))
    assert outage.value.retry_after_s == 60.0
    assert ask(Conversation(of, line, meter, Step("reflect 7"))) == LESSON
    assert len(model.requests) == 3 and {key.split("/")[1] for key in meter.asked} == {"1"}


def test_a_refusal_goes_to_the_fallback_in_plain_text_and_stays_there() -> None:
    looked = replace(calls(("square", {"number": 3})), text="Let me see.")
    model = KnowingModel([looked, refusal(), says(LESSON), says(LESSON)])
    talk = conversation(model, agent("second", (SQUARE,)))
    assert ask(talk) == LESSON and talk.model == "second"
    assert [request.model for request in model.requests] == ["first", "first", "second"]
    told = model.requests[2].turns
    assert [turn.text for turn in told] == [
        "What did it teach?",
        'Let me see.\nI looked up square {"number": 3}',
        "square answered: 3 squared is 9",
    ]
    assert all("tool_use" not in turn.content for turn in told if isinstance(turn, Reply))
    ask(talk, "And now?")
    assert model.requests[3].model == "second" and model.requests[3].turns[:3] == told


def test_a_refusal_is_in_the_log_and_never_asked_again_of_that_model() -> None:
    model, meter = KnowingModel([refusal(), *[says("prose")] * 6, says(LESSON)]), LogMeter()
    line = Line(model)
    with pytest.raises(ResearcherFailed, match="could not be used"):
        ask(Conversation(agent("second"), line, meter, Step("reflect 7")))
    assert ask(Conversation(agent("second"), line, meter, Step("reflect 7"))) == LESSON
    assert [request.model for request in model.requests] == ["first", *["second"] * 7]
    restarted = KnowingModel()
    assert ask(Conversation(agent("second"), Line(restarted), meter, Step("reflect 7"))) == LESSON


@pytest.mark.parametrize("fallback", [None, "first"])
def test_a_refusal_without_another_model_says_what_to_do(fallback: str | None) -> None:
    model, meter = KnowingModel([refusal(), says(LESSON)]), LogMeter()
    with pytest.raises(ResearcherStopped) as stopped:
        ask(conversation(model, agent(fallback), meter))
    told = str(stopped.value)
    assert "first refused to answer (category frontier_llm)" in told and "fallback_model under [researcher]" in told
    with pytest.raises(ResearcherStopped):
        ask(conversation(model, agent(fallback), meter))
    assert len(model.requests) == 1
    assert ask(conversation(model, agent("second"), meter)) == LESSON  # what the message asks for, done


def test_a_fallback_that_refuses_too_ends_it() -> None:
    model = KnowingModel([refusal(), refusal(None)])
    with pytest.raises(
        ResearcherStopped,
        match=r"first refused to answer \(category frontier_llm\), and second refused to answer, too\.",
    ):
        ask(conversation(model, agent("second")))


def test_without_the_ability_an_agent_has_no_tools() -> None:
    model = KnowingModel([says(LESSON)], able=Abilities(AnswerForm.TEXT, tools=False))
    assert ask(conversation(model, agent(tools=(SQUARE,)))) == LESSON
    assert model.requests[0].tools == () and model.requests[0].form is AnswerForm.TEXT


def test_a_question_that_can_never_be_sent_asks_the_person() -> None:
    model = KnowingModel()
    with pytest.raises(ResearcherStopped, match=r"what the leader has to be told takes 2\d{4} tokens.*24000: shorten"):
        ask(conversation(model), "x" * 100_000)
    assert model.requests == []


def test_a_budget_that_is_reached_is_told_as_it_is() -> None:
    model = KnowingModel([BudgetReached("budget.calls of 3 does not allow 4", "calls")])
    with pytest.raises(BudgetReached):
        ask(conversation(model))

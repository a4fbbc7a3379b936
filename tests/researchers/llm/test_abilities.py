"""What a server can do is found out by asking it, and what it cannot is made up for."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.core.project import ResearcherOptions
from jupyter_deepresearch.errors import ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.claude.plans import Plan, Reflection
from jupyter_deepresearch.researchers.llm.abilities import found_abilities
from jupyter_deepresearch.researchers.llm.schemas import parse
from jupyter_deepresearch.researchers.llm.sdk import MessagesModel
from jupyter_deepresearch.researchers.llm.server import Server
from jupyter_deepresearch.researchers.llm.talk import (
    Abilities,
    AnswerForm,
    Reply,
    Request,
    Said,
    Stop,
    ToolResult,
    ToolSpec,
)
from jupyter_deepresearch.testing import Answer, Call, Fault, MessagesServer, SentRequest

FITS = {"shade": "teal", "parts": [1, 2]}
BOTH = Abilities(AnswerForm.STRUCTURED, tools=True)
LOOK = ToolSpec("look", "What is at a place.", Reflection)


def able(request: SentRequest) -> Answer:
    """A model that does all that it is asked for."""
    names = [tool["name"] for tool in request.body.get("tools", ())]
    if names and "tool_choice" not in request.body:
        return Answer(calls=(Call(names[0], FITS if names[0] == "answer" else {"place": "here"}),))
    return Answer.json(FITS)


def chatty(request: SentRequest) -> Answer:
    """A model that heeds neither schema nor tools."""
    return Answer(f"Sure! Here it is:\n```json\n{json.dumps(FITS)}\n```")


def found(server: MessagesServer, model: str = "local") -> Abilities:
    of = MessagesModel(ResearcherOptions(base_url=server.base_url), {}, 10.0)

    async def probe(request: Request) -> Reply:
        logged, _ = await of.ask(request, Phase.PROBE)
        return of.reply(logged)

    return asyncio.run(of.abilities(model, probe))


@pytest.mark.parametrize(
    ("server", "abilities"),
    [
        (MessagesServer(able), BOTH),
        (MessagesServer(able, streams=False), BOTH),
        (MessagesServer(able, tools=False), Abilities(AnswerForm.STRUCTURED, tools=False)),
        (MessagesServer(able, structured=False), Abilities(AnswerForm.TOOL, tools=True)),
        (MessagesServer(able, structured=False, tools=False), Abilities(AnswerForm.TEXT, tools=False)),
        (MessagesServer(chatty, structured="ignored"), Abilities(AnswerForm.TEXT, tools=False)),
    ],
    ids=["all", "no stream", "no tools", "no schema", "text", "ignores"],
)
def test_a_server_shows_what_it_can_do(server: MessagesServer, abilities: Abilities) -> None:
    with server:
        assert found(server) == abilities
    assert all(request.body["max_tokens"] <= 2_048 for request in server.requests)


def test_a_server_that_breaks_over_a_feature_does_without_it() -> None:
    def breaks(request: SentRequest) -> Answer | Fault:
        broken = {"tools", "output_config"} & request.body.keys()
        return Fault.status(500, message="tools need --jinja") if broken else Answer.json(FITS)

    with MessagesServer(breaks) as server:
        assert found(server) == Abilities(AnswerForm.TEXT, tools=False)


def test_one_failure_by_chance_costs_no_feature() -> None:
    failures = iter([Fault.status(500)])
    with MessagesServer(lambda request: next(failures, None) or able(request)) as server:
        assert found(server) == BOTH


@pytest.mark.parametrize(
    ("server", "error"),
    [
        (MessagesServer(able, key="own"), ResearcherStopped),
        (MessagesServer(able, models=("other",)), ResearcherStopped),
        (MessagesServer(lambda _: Fault.status(400)), ResearcherStopped),
        (MessagesServer(lambda _: Fault.status(500)), ResearcherFailed),
        (MessagesServer(lambda _: Fault.overloaded()), ResearcherFailed),
    ],
    ids=["key", "model", "nothing taken", "broken", "busy"],
)
def test_a_wrong_key_or_model_or_an_outage_is_no_missing_feature(
    server: MessagesServer, error: type[Exception]
) -> None:
    with server, pytest.raises(error):
        found(server)


def test_claude_is_known_and_still_asked_once() -> None:
    asked = []

    async def probe(request: Request) -> Reply:
        asked.append(request)
        return Reply("[]", Stop.REFUSED)

    assert asyncio.run(found_abilities("claude-haiku-5-5", Server("https://api.anthropic.com"), probe)) == BOTH
    assert [(request.form, request.max_tokens <= 256) for request in asked] == [(AnswerForm.STRUCTURED, True)]


REQUEST = Request("local", "You plan.", (Said("Which way?"),), tools=(LOOK,), answer=Plan)


def replies(server: MessagesServer, request: Request) -> Reply:
    of = MessagesModel(ResearcherOptions(base_url=server.base_url), {}, 10.0)
    return of.reply(asyncio.run(of.ask(request, Phase.PLAN))[0])


def test_an_answer_by_tool_is_a_text_and_its_repair_is_taken() -> None:
    request = replace(REQUEST, form=AnswerForm.TOOL)
    script = (
        Answer(calls=(Call("look", {"lesson": "x"}), Call("answer", {"kind": "code"}))),
        Answer("I say:", (Call("answer", {"kind": "dance"}),)),
        Answer(calls=(Call("answer", {"kind": "wait"}),)),
    )
    with MessagesServer(script, structured=False) as server:
        first = replies(server, request)
        assert [call.name for call in first.calls] == ["look"] and first.stop is Stop.TOOLS
        said = Said(results=(ToolResult(first.calls[0].id, ""),))
        request = replace(request, turns=(*request.turns, first, said))
        second = replies(server, request)
        assert second.stop is Stop.END and second.text == '{"kind": "dance"}'
        request = replace(request, turns=(*request.turns, second, Said("$.kind: found 'dance'")), is_last=True)
        assert parse(replies(server, request).text, Plan).kind == "wait"
    assert server.refused == []
    assert [tool["name"] for tool in server.requests[0].body["tools"]] == ["look", "answer"]
    assert [tool["name"] for tool in server.requests[2].body["tools"]] == ["answer"]


def test_for_an_answer_in_text_the_schema_is_in_the_system_text() -> None:
    with MessagesServer([Answer('Yes: {"kind": "wait"}')], structured=False, tools=False) as server:
        reply = replies(server, replace(REQUEST, form=AnswerForm.TEXT, tools=()))
    assert parse(reply.text, Plan).kind == "wait"
    system = server.requests[0].body["system"]
    assert system.startswith("You plan.\n\nAnswer with one JSON object") and '"required":["kind"]' in system

"""Conversations on the real adapter and a server that refuses what the real API refuses."""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.core.project import Price, ResearcherOptions
from jupyter_deepresearch.errors import ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.claude.agent import CODE_LIMITS, Agent
from jupyter_deepresearch.researchers.claude.conversation import Conversation
from jupyter_deepresearch.researchers.claude.line import Line, Step
from jupyter_deepresearch.researchers.claude.plans import Reflection
from jupyter_deepresearch.researchers.claude.tools.tool import Tool
from jupyter_deepresearch.researchers.llm.sdk import MessagesModel
from jupyter_deepresearch.researchers.llm.talk import ToolSpec
from jupyter_deepresearch.testing import Answer, Call, Fault, MessagesServer
from jupyter_deepresearch.testing.messages import Entry, SentRequest

from .doubles import LogMeter

LESSON = Reflection("warm-up helps", (3,))
GOOD = Answer.json({"lesson": "warm-up helps", "obsolete": [3]})


@dataclass(frozen=True)
class Look:
    """Where to look."""

    place: str


async def _look(asked: Look) -> str:
    return f"{asked.place[:40]}: " + "loss = 0.5\n" * 300


AGENT = Agent(
    "code worker",
    "claude-sonnet-5-5",
    "claude-haiku-4-5",
    "You work.",
    (Tool(ToolSpec("read", "Looks.", Look), _look),),
    CODE_LIMITS,
)


def is_probe(request: SentRequest) -> bool:
    return request.body.get("system", "").startswith("You are asked one tiny question")


def probe_answer(request: SentRequest) -> Entry:
    """What a model that obeys says to a probe."""
    named = {tool["name"] for tool in request.body.get("tools", ())}
    obeyed = {"shade": "teal", "parts": [1, 2]}
    if "look" in named:
        return Answer(calls=(Call("look", {"place": "here"}),))
    return Answer(calls=(Call("answer", obeyed),)) if "answer" in named else Answer.json(obeyed)


def scripted(*entries: Entry) -> Callable[[SentRequest], Entry]:
    left = iter(entries)
    return lambda request: probe_answer(request) if is_probe(request) else next(left)


def conversation(server: MessagesServer, meter: LogMeter | None = None, line: Line | None = None) -> Conversation:
    return Conversation(AGENT, line or line_to(server), meter or LogMeter(), Step("reflect 7", 7))


def line_to(server: MessagesServer) -> Line:
    return Line(MessagesModel(ResearcherOptions(base_url=server.base_url, price=Price(1.0, 10.0)), {}, 20.0))


def ask(talk: Conversation, text: str = "What did it teach?") -> Reflection:
    return asyncio.run(talk.ask(Phase.REFLECT, text, Reflection))


def asked(server: MessagesServer) -> list[SentRequest]:
    return [request for request in server.requests if not is_probe(request)]


@pytest.mark.parametrize("structured", [True, False])
def test_looking_around_in_circles_and_a_repair_stay_within_what_the_api_takes(structured: bool) -> None:
    looks = [Answer("Hm.", (Call("read", {"place": "a"}), Call("read", "{broken")), thinking="Where?")] * 3
    bad = Answer.json({"lesson": 5}, thinking="So.")
    good = GOOD if structured else Answer(calls=(Call("answer", {"lesson": "warm-up helps", "obsolete": [3]}),))
    with MessagesServer(scripted(*looks, bad, good, good), structured=structured) as server:
        talk = conversation(server)
        assert ask(talk) == LESSON == ask(talk, "And now?")
    assert not [line for line in server.refused if "output_config" not in line]
    first, *_, closing, repair, second = asked(server)
    sent = closing.body["messages"]
    assert "asked this twice" in json.dumps(sent[6]) and "No more tools" in json.dumps(sent[6])
    assert repair.body["messages"][:7] == sent and "did not fit" in json.dumps(repair.body["messages"][-1])
    assert len(second.body["messages"]) == len(repair.body["messages"]) + 2
    if structured:
        assert closing.body["tool_choice"] == {"type": "none"} and closing.body["tools"] == first.body["tools"]
    else:
        assert [tool["name"] for tool in closing.body["tools"]] == ["answer"]


def test_a_refusal_in_the_middle_goes_on_with_the_other_model() -> None:
    look = Answer("Hm.", (Call("read", '{"place": "a\\ud800"}'),), thinking="Where?")
    meter = LogMeter()
    with MessagesServer(scripted(look, Answer.refusal(), GOOD)) as server:
        assert ask(conversation(server, meter)) == LESSON
        paid = len(asked(server))
        restarted = conversation(server, meter)
        assert ask(restarted) == LESSON and restarted.model == "claude-haiku-4-5"
    assert server.refused == [] and paid == len(asked(server)) == 3
    last = asked(server)[-1].body
    assert last["model"] == "claude-haiku-4-5" and "tool_use" not in json.dumps(last["messages"])
    assert "read answered: a" in json.dumps(last["messages"])


def test_faults_of_the_wire_are_outages_and_the_step_goes_on_where_it_was() -> None:
    look = Answer("Hm.", (Call("read", {"place": "a"}),))
    faults = [Fault.overloaded(), Fault.in_stream(), Fault.truncated(4), Fault.dropped()]
    meter = LogMeter()
    with MessagesServer(scripted(look, *faults, look, GOOD)) as server:
        line = line_to(server)
        for _ in faults:
            with pytest.raises(ResearcherFailed):
                ask(conversation(server, meter, line))
        assert ask(conversation(server, meter, line)) == LESSON
    assert server.refused == []


def hostile(chance: random.Random, request: SentRequest) -> Entry:
    """Anything but an answer."""
    place = chance.choice(["a", "b", "x" * chance.choice([50, 9000, 30_000]), '"\n\\' * 2000])
    return chance.choice(
        [
            Answer("", tuple(Call("read", {"place": f"{place}{n}"}) for n in range(chance.choice([1, 3, 20])))),
            Answer("", (Call("read", {"place": "same"}), Call("nothing", "[["))),
            Answer("words " * chance.choice([1, 500, 5000]), thinking="thoughts " * chance.choice([0, 400])),
            Answer.json({"lesson": [place]}),
            Answer.cut('{"lesson": "' + place),
            Answer.empty(),
            Answer.refusal(),
            Fault.truncated(3),
        ]
    )


@pytest.mark.parametrize(("structured", "tools"), [(True, True), (False, True), (False, False)])
def test_no_ask_sends_more_than_30_000_tokens_on_the_wire(structured: bool, tools: bool) -> None:
    for seed in range(6):
        chance = random.Random(seed)

        def script(request: SentRequest, chance: random.Random = chance) -> Entry:
            return probe_answer(request) if is_probe(request) else hostile(chance, request)

        with MessagesServer(script, structured=structured, tools=tools) as server:
            with pytest.raises((ResearcherFailed, ResearcherStopped)):
                ask(conversation(server), "Patch it. " * chance.choice([10, 600, 3000]))
            assert sum(request.tokens for request in asked(server)) <= 30_000
            assert not [line for line in server.refused if "output_config" not in line and "tools" not in line]

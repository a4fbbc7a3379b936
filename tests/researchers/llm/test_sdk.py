"""The adapter against real servers: what is sent, what is read, what every failure becomes."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import gc
import json
from dataclasses import replace

import pytest

from jupyter_deepresearch.core.answers import Phase, Usage
from jupyter_deepresearch.core.project import Price, ResearcherOptions
from jupyter_deepresearch.errors import ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.claude.plans import Plan, PlanKind, Reflection
from jupyter_deepresearch.researchers.llm.schemas import parse
from jupyter_deepresearch.researchers.llm.sdk import MessagesModel
from jupyter_deepresearch.researchers.llm.talk import (
    AnswerForm,
    Reply,
    Request,
    Said,
    Stop,
    ToolResult,
    ToolSpec,
)
from jupyter_deepresearch.testing import Answer, Call, Fault, MessagesServer
from tests.researchers.llm import odd

HAIKU = "claude-haiku-5-5"
KEY = "a-key-of-this-server"
LOOK = ToolSpec("look", "What is at a place.", Reflection)
REQUEST = Request(HAIKU, "You plan.", (Said("Which way?"),), answer=Plan)
PLAN = Answer.json({"kind": "code", "claim": "wider"})


def model(base_url: str, key: str = KEY, timeout_s: float = 20.0) -> MessagesModel:
    options = ResearcherOptions(base_url=base_url, price=Price(1.0, 10.0))
    return MessagesModel(options, {"ANTHROPIC_API_KEY": key}, timeout_s)


def asked(base_url: str, request: Request = REQUEST, timeout_s: float = 20.0) -> tuple[Reply, Usage]:
    """The reply and its usage, read out of what would be logged."""
    of = model(base_url, timeout_s=timeout_s)
    logged, usage = asyncio.run(of.ask(request, Phase.PLAN))
    assert of.ceiling(request, Phase.PLAN).tokens_in >= usage.tokens_in
    return of.reply(logged), usage


def failed(entry: Fault, timeout_s: float = 20.0) -> ResearcherFailed | ResearcherStopped:
    """The error that two such answers become, which never names the key."""
    with MessagesServer([entry, entry]) as server, pytest.raises((ResearcherFailed, ResearcherStopped)) as raised:
        asked(server.base_url, timeout_s=timeout_s)
    assert KEY not in str(raised.value) and "\n" not in str(raised.value)
    assert len(server.requests) == (2 if entry == Fault.garbage() else 1), "nothing is tried again behind our back"
    return raised.value


def test_thinking_comes_first_and_the_text_is_the_answer() -> None:
    with MessagesServer([replace(PLAN, thinking="Hm. " * 9)]) as server:
        reply, usage = asked(server.base_url)
    assert parse(reply.text, Plan) == Plan(PlanKind.CODE, claim="wider") and reply.stop is Stop.END
    assert [block["type"] for block in json.loads(reply.content)] == ["thinking", "text"]
    sent = server.requests[0].body
    assert sent["stream"] is True and sent["output_config"].keys() == {"format"}
    assert not sent.keys() & {"temperature", "tool_choice", "cache_control", "thinking"}
    assert usage.usd == pytest.approx((usage.tokens_in * 1.0 + usage.tokens_out * 10.0) / 1e6)
    assert usage.tokens_out > 0 and usage.latency_s is not None and usage.model == HAIKU and usage.phase == "plan"


def test_what_a_model_said_goes_back_unchanged_and_results_lead_the_next_turn() -> None:
    call = Call("look", {"lesson": "größer 漢字", "obsolete": [1]})
    with MessagesServer([Answer("Let me look.", (call,), thinking="Where?"), PLAN]) as server:
        first = replace(REQUEST, tools=(LOOK,))
        reply, _ = asked(server.base_url, first)
        assert reply.stop is Stop.TOOLS and reply.text == "Let me look."
        assert json.loads(reply.calls[0].arguments) == call.arguments
        said = Said("Now answer.", (ToolResult(reply.calls[0].id, "nothing there", is_error=True),))
        asked(server.base_url, replace(first, turns=(*first.turns, reply, said), is_last=True))
    assert server.refused == []
    assert server.requests[1].body["messages"][1]["content"] == json.loads(reply.content)
    assert server.requests[1].body["tool_choice"] == {"type": "none"}


def test_calls_without_a_result_and_empty_turns_are_closed_before_they_are_sent_back() -> None:
    with MessagesServer([Answer(calls=(Call("look"), Call("look"))), Answer.empty(), Answer("  "), PLAN]) as server:
        turns: tuple[Said | Reply, ...] = REQUEST.turns
        for _ in range(3):
            reply, _ = asked(server.base_url, replace(REQUEST, tools=(LOOK,), turns=turns))
            turns = (*turns, reply, Said("Answer, please."))
        asked(server.base_url, replace(REQUEST, tools=(LOOK,), turns=turns))
    assert server.refused == []


def test_tokens_of_the_cache_are_counted_apart_and_are_part_of_the_prompt() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 2_000, "cache_creation_input_tokens": 40, "output_tokens": 7}
    with MessagesServer([replace(PLAN, usage=usage)]) as server:
        _, spent = asked(server.base_url, replace(REQUEST, system="word " * 1_500))
    assert (spent.tokens_in, spent.tokens_cached, spent.tokens_out) == (2_045, 2_000, 7)


@pytest.mark.parametrize(
    ("answer", "stop"),
    [
        (Answer.refusal(), Stop.REFUSED),
        (Answer.cut('{"kind": "co'), Stop.CUT),
        (Answer.empty(), Stop.END),
        (Answer(calls=(Call("look", '{"lesson": "no'),), stop_reason="max_tokens"), Stop.CUT),
    ],
)
def test_a_refusal_a_cut_and_an_empty_answer_are_paid_replies(answer: Answer, stop: Stop) -> None:
    with MessagesServer([answer]) as server:
        reply, usage = asked(server.base_url, replace(REQUEST, tools=(LOOK,)))
    assert reply.stop is stop and usage.tokens_in > 0 and usage.usd
    assert reply.category == ("frontier_llm" if stop is Stop.REFUSED else None)
    assert all(call.arguments == '{"lesson": "no' for call in reply.calls)


@pytest.mark.parametrize("events", [1, 4, 6])
def test_a_stream_that_just_ends_is_a_broken_reply_with_an_estimated_price(events: int) -> None:
    with MessagesServer([Fault.truncated(events, Answer("A long sentence. " * 20))]) as server:
        reply, usage = asked(server.base_url)
    assert reply.stop is Stop.BROKEN and usage.tokens_in > 0
    assert usage.tokens_out * 3 >= len(reply.text)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.status(401), "the key was refused by 127.0.0.1"),
        (Fault.status(402), "paid"),
        (Fault.status(403), "may not use claude-haiku-5-5"),
        (Fault.status(404), "[researcher] leader_model"),
        (Fault.status(413), "too large"),
        (Fault.status(400, message="max_tokens: too many " + KEY + " x" * 400), "max_tokens: too many ***"),
        (Fault.in_stream("authentication_error"), "the key was refused"),
    ],
)
def test_what_only_the_person_can_mend_stops_with_what_to_do(fault: Fault, words: str) -> None:
    error = failed(fault)
    assert isinstance(error, ResearcherStopped) and words in str(error) and len(str(error)) < 600


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault.status(code) for code in (408, 409, 429, 500, 503, 504)),
        Fault.overloaded(),
        *(Fault.in_stream(kind) for kind in ("overloaded_error", "api_error", "rate_limit_error")),
        Fault.in_stream("overloaded_error", after_events=0),
        Fault.dropped(),
        Fault.garbage(),
    ],
)
def test_what_time_can_mend_fails_for_now(fault: Fault) -> None:
    error = failed(fault)
    assert isinstance(error, ResearcherFailed) and error.retry_after_s is None and "127.0.0.1" in str(error)


def test_a_server_that_is_silent_or_gone_fails_for_now() -> None:
    assert "did not answer within 0.5 s" in str(failed(Fault.hang(30), timeout_s=0.5))
    with MessagesServer() as server:
        gone = server.base_url
    with pytest.raises(ResearcherFailed, match="could not be reached"):
        asked(gone)


@pytest.mark.parametrize(("given", "seconds"), [(3600, 3600.0), ("0.5", 0.5), ("soon", None), ("nan", None)])
def test_a_wait_that_the_server_asks_for_is_told(given: float | str, seconds: float | None) -> None:
    error = failed(Fault.status(429, retry_after=given))
    assert isinstance(error, ResearcherFailed) and error.retry_after_s == seconds


def test_a_wait_may_be_given_as_a_date_or_in_milliseconds() -> None:
    date = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1), usegmt=True)
    error = failed(Fault.status(529, retry_after=date))
    assert isinstance(error, ResearcherFailed) and error.retry_after_s is not None
    assert 3_500 < error.retry_after_s <= 3_600
    exact = odd.Said(b"{}", 429, (("retry-after-ms", "1500"), ("retry-after", "9")))
    with odd.OddServer(lambda body: exact) as server, pytest.raises(ResearcherFailed) as raised:
        asked(server.base_url)
    assert raised.value.retry_after_s == 1.5


def test_a_server_that_does_not_stream_is_read_all_the_same() -> None:
    with MessagesServer([Fault.ignores_stream(PLAN)]) as server:
        reply, usage = asked(server.base_url)
    assert parse(reply.text, Plan).claim == "wider" and usage.tokens_out > 0 and len(server.requests) == 1


def test_a_server_whose_streams_are_empty_is_asked_without_one_from_then_on() -> None:
    def says(body: bytes) -> odd.Said:
        if json.loads(body).get("stream"):
            return odd.Said(b": nothing\n\n", headers=(("content-type", "text/event-stream"),))
        return odd.Said(json.dumps(odd.message()).encode())

    with odd.OddServer(says) as server:
        of = model(server.base_url)
        before = of.identity(REQUEST)
        for _ in range(2):
            assert of.reply(asyncio.run(of.ask(REQUEST, Phase.PLAN))[0]).text == "yes"
        assert len(server.reached) == 3 and of.identity(REQUEST) == before


def test_events_without_names_and_strange_content_are_read() -> None:
    events = [
        {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 0}, "model": None}},
        {"type": "novelty", "index": "x"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "riddle", "of": [1]}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a \ud83d"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "\ude00 \ud83d"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "riddle_delta"}},
        {"type": "content_block_delta", "index": 7, "delta": None},
        {"type": "message_delta", "delta": {"stop_reason": "novel_reason"}, "usage": {"output_tokens": "many"}},
    ]
    body = "".join(f"data: {json.dumps(event)}\r\n\r\n" for event in events).encode() + b"data: [DONE]\n\n"
    said = odd.Said(body, headers=(("content-type", "text/event-stream"),))
    with odd.OddServer(lambda _: said) as server:
        reply, usage = asked(server.base_url)
    assert reply.stop is Stop.END and reply.text == "a 😀 \ufffd"
    assert json.loads(reply.content)[0] == {"type": "riddle", "of": [1]}
    assert usage.tokens_in > 0 and usage.tokens_out > 0, "estimated: the server counted nothing"


@pytest.mark.parametrize(
    "logged", ["", "no JSON", "[]", "{}", '{"content": 3, "stop_reason": null}', '{"content": [4]}']
)
def test_a_log_that_holds_no_reply_reads_as_a_broken_one(logged: str) -> None:
    assert model("http://localhost").reply(logged) == Reply("[]", Stop.BROKEN)


def test_a_request_can_be_called_off_and_each_event_loop_asks_anew() -> None:
    with MessagesServer([Fault.hang(30), PLAN, PLAN]) as server:
        of = model(server.base_url)

        async def called_off() -> None:
            asking = asyncio.create_task(of.ask(REQUEST, Phase.PLAN))
            while not server.replies and not asking.done():
                await asyncio.sleep(0.01)
            asking.cancel()
            await asking

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(called_off())
        for _ in range(2):
            asyncio.run(of.ask(REQUEST, Phase.PLAN))
    gc.collect()  # an open connection would be warned of here


def test_the_same_request_has_one_name_and_any_other_another() -> None:
    of, requests = (
        model("http://localhost:1"),
        [
            REQUEST,
            replace(REQUEST, model="claude-sonnet-5-5"),
            replace(REQUEST, turns=(Said("Which way?!"),)),
            replace(REQUEST, answer=Reflection),
            replace(REQUEST, form=AnswerForm.TEXT),
            replace(REQUEST, form=AnswerForm.TOOL),
            replace(REQUEST, tools=(LOOK,)),
            replace(REQUEST, tools=(LOOK,), is_last=True),
            replace(REQUEST, max_tokens=16_384),
        ],
    )
    names = [of.identity(request) for request in requests]
    assert len(set(names)) == len(names) and names == [of.identity(request) for request in requests]
    assert model("http://localhost:2").identity(REQUEST) != names[0]
    assert model("http://localhost:1/v1", key="another").identity(REQUEST) == names[0]
    of.identity(replace(REQUEST, system="half a character: \ud83d"))

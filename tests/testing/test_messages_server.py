"""The contract of MessagesServer, by the real SDK: what passes here is what the SDK takes for the real API."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message

from jupyter_deepresearch.testing import Answer, Call, Fault, MessagesServer, SentRequest, times

HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
SCHEMA = {
    "type": "object",
    "properties": {"idea": {"type": "string"}, "rate": {"type": "number"}},
    "required": ["idea", "rate"],
    "additionalProperties": False,
}
FORM = {"format": {"type": "json_schema", "schema": SCHEMA}}
TOOL = {"name": "read_code", "description": "Shows a file.", "input_schema": {"type": "object", "properties": {}}}
HI = [{"role": "user", "content": "hi"}]


def client(server: MessagesServer, key: str = "k", timeout_s: float = 20.0) -> anthropic.Anthropic:
    plain = anthropic.DefaultHttpxClient(verify=False)  # reading certificates takes longer than all the rest
    return anthropic.Anthropic(
        api_key=key, base_url=server.base_url, max_retries=0, timeout=timeout_s, http_client=plain
    )


def said(server: MessagesServer, streams: bool, **asked: Any) -> Message:
    """One reply, asked for in one of both ways."""
    body: dict[str, Any] = {"model": HAIKU, "max_tokens": 1000, "messages": HI, **asked}
    with client(server) as api:
        if not streams:
            return api.messages.create(**body)
        with api.messages.stream(**body) as stream:
            return stream.get_final_message()


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streams(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_an_answer_arrives_the_same_in_one_piece_and_in_many(streams: bool) -> None:
    call = Call("read_code", {"file": "train.ipynb", "why": "to see what the model is, größer?"})
    answer = Answer("A sentence that is longer than one piece of it.", (call,), thinking="Let me think. " * 5)
    with MessagesServer([answer]) as server:
        reply = said(server, streams, tools=[TOOL], thinking={"type": "adaptive", "display": "summarized"})
    thought, text, use = reply.content
    assert thought.type == "thinking" and thought.thinking == "Let me think. " * 5 and thought.signature
    assert text.type == "text" and text.text == answer.text
    assert use.type == "tool_use" and use.input == call.arguments and use.id.startswith("toolu_")
    assert (reply.stop_reason, reply.model, reply.role) == ("tool_use", HAIKU, "assistant")
    assert reply.usage.input_tokens == server.requests[0].tokens > 0
    assert reply.usage.output_tokens_details is not None and reply.usage.output_tokens_details.thinking_tokens == 18
    assert reply.usage.output_tokens == 18 + -(-(len(answer.text) + len(call.name) + len(call.text)) // 4)


def test_thinking_is_not_shown_unless_asked_for_and_not_there_when_off(streams: bool) -> None:
    with MessagesServer(times(Answer("x", thinking="secret"), 2)) as server:
        hidden = said(server, streams).content[0]
        assert hidden.type == "thinking" and hidden.thinking == "" and hidden.signature
        assert [block.type for block in said(server, streams, thinking={"type": "disabled"}).content] == ["text"]


def test_a_refusal_a_cut_and_an_empty_turn_are_replies(streams: bool) -> None:
    with MessagesServer([Answer.refusal("bio"), Answer.cut('{"idea": "l'), Answer.empty()]) as server:
        refused, cut, empty = (said(server, streams, output_config=FORM) for _ in range(3))
    assert refused.stop_reason == "refusal" and refused.content == []
    assert refused.stop_details is not None and refused.stop_details.category == "bio"
    assert cut.stop_reason == "max_tokens" and cut.content[0].type == "text" and cut.content[0].text == '{"idea": "l'
    assert (empty.stop_reason, empty.content) == ("end_turn", [])
    assert all(reply.usage.output_tokens >= 1 for reply in (refused, cut, empty))


def test_structured_outputs_are_sent_as_the_script_says_even_where_that_breaks_the_schema(streams: bool) -> None:
    with MessagesServer([Answer.json({"idea": "warm up", "rate": 0.1}), Answer.json({"idea": 7})]) as server:
        texts = [said(server, streams, output_config=FORM).content[0] for _ in range(2)]
    assert [json.loads(block.text) for block in texts if block.type == "text"] == [
        {"idea": "warm up", "rate": 0.1},
        {"idea": 7},
    ]
    assert '"rate"' in server.requests[0].text  # the model reads the schema, so it is counted


def test_a_tool_loop_in_a_conversation_that_thinks(streams: bool) -> None:
    answers = [
        Answer("I look first.", (Call("read_code", {}),), thinking="hm"),
        Answer(calls=(Call("read_code", {}), Call("read_code", {})), thinking="once more"),
        Answer("Done.", thinking="good"),
    ]
    turns: list[dict[str, Any]] = list(HI)
    with MessagesServer(answers) as server:
        reply = said(server, streams, messages=turns, tools=[TOOL], system="You read code.")
        while reply.stop_reason == "tool_use":
            blocks = [block.to_dict() for block in reply.content]
            turns.append({"role": "assistant", "content": [without_parsed(block) for block in blocks]})
            used = [block.id for block in reply.content if block.type == "tool_use"]
            results = [{"type": "tool_result", "tool_use_id": id, "content": "lr = 1"} for id in used]
            turns.append({"role": "user", "content": results})
            reply = said(server, streams, messages=turns, tools=[TOOL], system="You read code.")
    assert [block.text for block in reply.content if block.type == "text"] == ["Done."]
    assert server.replies == len(server.requests) == 3 and server.refused == []
    assert server.requests[2].text.count("lr = 1") == 3 and "You read code." in server.requests[2].text


def without_parsed(block: dict[str, Any]) -> dict[str, Any]:
    """A block of the SDK's streams as the API takes it back."""
    return {name: value for name, value in block.items() if name != "parsed_output"}


def test_the_asynchronous_client(streams: bool) -> None:
    async def ask(server: MessagesServer) -> Message:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=server.base_url, max_retries=0) as api:
            if not streams:
                return await api.messages.create(model=HAIKU, max_tokens=9, messages=HI)  # type: ignore[arg-type]
            async with api.messages.stream(model=HAIKU, max_tokens=9, messages=HI) as stream:  # type: ignore[arg-type]
                return await stream.get_final_message()

    with MessagesServer([Answer("yes", (Call("read_code", {"n": 1}),))]) as server:
        reply = asyncio.run(ask(server))
    assert [block.type for block in reply.content] == ["text", "tool_use"]


@pytest.mark.parametrize(
    ("code", "kind", "named"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (402, anthropic.PaymentRequiredError, "billing_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (413, anthropic.ContentTooLargeError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (503, anthropic.ServiceUnavailableError, "api_error"),
        (504, anthropic.GatewayTimeoutError, "timeout_error"),
        (529, anthropic.OverloadedError, "overloaded_error"),
    ],
)
def test_every_status_is_the_error_that_the_sdk_knows(
    code: int, kind: type[anthropic.APIStatusError], named: str, streams: bool
) -> None:
    fault = Fault.status(code, message="so it is", retry_after=3600)
    with MessagesServer([fault]) as server, pytest.raises(kind, match="so it is") as caught:
        said(server, streams)
    assert (caught.value.status_code, caught.value.type) == (code, named)
    assert caught.value.response.headers["retry-after"] == "3600" and caught.value.request_id == "req_000001"


def test_a_stream_that_fails_in_its_middle() -> None:
    answer = Answer("Half of this is heard. " * 4)
    faults = [Fault.in_stream(after_events=5, answer=answer), Fault.truncated(after_events=5, answer=answer)]
    with MessagesServer(faults) as server:
        with pytest.raises(anthropic.APIStatusError) as caught:
            said(server, True)
        assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")
        cut = said(server, True)
    assert cut.stop_reason is None and cut.usage.input_tokens > 0
    assert cut.content[0].type == "text" and cut.content[0].text == answer.text[:32]


def test_the_same_failures_where_no_stream_was_asked_for() -> None:
    with MessagesServer([Fault.in_stream(), Fault.truncated()]) as server:
        with pytest.raises(anthropic.OverloadedError):
            said(server, False)
        with pytest.raises(anthropic.APIConnectionError):
            said(server, False)


def test_a_connection_that_is_dropped(streams: bool) -> None:
    with MessagesServer([Fault.dropped(), Answer("back")]) as server:
        with pytest.raises(anthropic.APIConnectionError):
            said(server, streams)
        assert said(server, streams).stop_reason == "end_turn"


def test_a_proxys_page_and_a_server_that_does_not_stream() -> None:
    asked: dict[str, Any] = {"model": HAIKU, "max_tokens": 9, "messages": HI, "stream": True}
    with MessagesServer([Fault.garbage(), Fault.ignores_stream(Answer("whole"))]) as server, client(server) as api:
        assert list(api.messages.create(**asked)) == list(api.messages.create(**asked)) == []
    with MessagesServer([Answer("whole")], streams=False) as server:
        reply = ask_raw(server, {"stream": True})
    assert reply["content"][0]["text"] == "whole"


def ask_raw(server: MessagesServer, body: dict[str, Any], **headers: str) -> Any:
    """A reply's JSON, asked for without the SDK."""
    connection = http.client.HTTPConnection("127.0.0.1", int(server.base_url.rpartition(":")[2]), timeout=20)
    try:
        whole = {"model": HAIKU, "max_tokens": 9, "messages": HI, **body}
        connection.request("POST", "/v1/messages", json.dumps(whole), {"anthropic-version": "2026-10-21", **headers})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def test_closing_cuts_what_hangs_and_leaves_nothing(streams: bool) -> None:
    before = set(threading.enumerate())
    ended: list[str] = []
    with MessagesServer([Fault.hang(300)]) as server:
        asking = threading.Thread(target=lambda: ended.append(hangs(server, streams)))
        asking.start()
        while not server.replies:
            time.sleep(0.01)
    asking.join(20)
    assert ended == ["APIConnectionError"]
    assert set(threading.enumerate()) <= before


def hangs(server: MessagesServer, streams: bool) -> str:
    try:
        said(server, streams)
    except anthropic.APIConnectionError as error:
        return type(error).__name__
    return "answered"


def test_a_client_that_loses_patience() -> None:
    with MessagesServer([Fault.hang(300), Answer("now")]) as server:
        with pytest.raises(anthropic.APITimeoutError), client(server, timeout_s=0.2) as api:
            api.messages.create(model=HAIKU, max_tokens=9, messages=HI)  # type: ignore[arg-type]
        assert said(server, False).stop_reason == "end_turn"


def test_past_the_end_of_the_script() -> None:
    with MessagesServer(times(Answer("x"), 2)) as server:
        said(server, False), said(server, False)
        with pytest.raises(anthropic.InternalServerError, match="the script is at its end"):
            said(server, False)
    assert (server.replies, len(server.requests)) == (2, 3)


def test_a_script_that_is_asked_and_an_assertion_in_it() -> None:
    def answered(request: SentRequest) -> Answer:
        assert "hi" in request.text
        return Answer(f"You sent {request.chars} characters to {request.path}.")

    with MessagesServer(answered) as server:
        assert "You sent 2 characters to /v1/messages." in str(said(server, False).content)
    with pytest.raises(AssertionError), MessagesServer(answered) as server, pytest.raises(anthropic.APIStatusError):
        said(server, False, messages=[{"role": "user", "content": "good morning"}])


def test_what_a_request_was(streams: bool) -> None:
    with MessagesServer([Answer("x")]) as server:
        said(server, streams, system=[{"type": "text", "text": "Be brief."}], tools=[TOOL])
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer k" and request.body["model"] == HAIKU
    assert all(word in request.text for word in ("Be brief.", "Shows a file.", "hi")) and "cache" not in request.text
    assert request.chars == len(request.text) and abs(time.monotonic() - request.at) < 60


def test_usage_of_the_script_wins() -> None:
    with MessagesServer([Answer("x", usage={"input_tokens": 90_000, "output_tokens": 7})]) as server:
        usage = said(server, False).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens) == (90_000, 7, 0)


def test_keys_models_and_counting() -> None:
    with MessagesServer([Answer("x")], key="good", models=(HAIKU,)) as server:
        with pytest.raises(anthropic.AuthenticationError), client(server, "bad") as api:
            api.messages.create(model=HAIKU, max_tokens=9, messages=HI)  # type: ignore[arg-type]
        with client(server, "good") as api:
            with pytest.raises(anthropic.NotFoundError, match="model: claude-2"):
                api.messages.create(model="claude-2", max_tokens=9, messages=HI)  # type: ignore[arg-type]
            assert [model.id for model in api.models.list()] == [HAIKU] == [api.models.retrieve(HAIKU).id]
            with pytest.raises(anthropic.NotFoundError):
                api.models.retrieve("claude-2")
            counted = api.messages.count_tokens(model=HAIKU, messages=[{"role": "user", "content": "a" * 400}])
            assert counted.input_tokens == 100
        assert ask_raw(server, {}, **{"X-Api-Key": "good"})["type"] == "message"
        assert ask_raw(server, {})["error"]["type"] == "authentication_error"
    assert server.replies == 1


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"model": SONNET, "tools": [TOOL], "tool_choice": {"type": "any"}}, "tool_choice.any is not supported"),
        (
            {"model": OPUS, "tools": [TOOL], "tool_choice": {"type": "tool", "name": "read_code"}},
            "tool_choice.tool is not supported",
        ),
        ({"tool_choice": {"type": "none"}}, "while providing tools"),
        ({"tools": [{**TOOL, "name": "read code"}]}, "should match pattern"),
        ({"tools": [TOOL, TOOL]}, "names must be unique"),
        ({"tools": [{"name": "x", "input_schema": {}}]}, "input_schema.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking.enabled is not supported"),
        ({"model": OPUS, "thinking": {"type": "disabled"}}, "thinking.disabled is not supported"),
        ({"extra_body": {"temperature": 0.5}}, "`temperature` is not supported"),
        ({"extra_body": {"top_k": 5}}, "`top_k` is not supported"),
        ({"extra_body": {"mood": "good"}}, "mood: Extra inputs are not permitted"),
        ({"output_config": {"effort": "tiny"}}, "effort: Input should be one of low"),
        ({"max_tokens": 0, "output_config": FORM}, "max_tokens: 0"),
        ({"max_tokens": 200_000, "timeout": 20}, "maximum allowed number of output tokens"),
        ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks must be non-empty"),
    ],
)
def test_what_the_real_api_does_not_take(asked: dict[str, Any], complaint: str) -> None:
    with MessagesServer([Answer("x")]) as server:
        with pytest.raises(anthropic.BadRequestError, match=complaint):
            said(server, False, **asked)
        assert said(server, False).stop_reason == "end_turn"  # a refused request takes no entry of the script
    assert len(server.refused) == 1 and complaint.split(" ")[0] in server.refused[0]


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


USE = {"type": "tool_use", "id": "toolu_1", "name": "read_code", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x = 1"}
TEXT = {"type": "text", "text": "well"}


@pytest.mark.parametrize(
    ("turns", "complaint"),
    [
        ([], "at least one message"),
        ([assistant(TEXT), user(TEXT)], 'first message must use the "user" role'),
        ([user(TEXT), assistant(TEXT)], "does not support assistant message prefill"),
        ([user()], "non-empty content"),
        ([{"role": "user", "content": ""}], "non-empty content"),
        ([user({"type": "text", "text": ""})], "must be non-empty"),
        ([user({"type": "text", "text": " \n"})], "non-whitespace"),
        ([user({**TEXT, "parsed_output": None})], "text.parsed_output: Extra inputs are not permitted"),
        ([user(TEXT), assistant(USE), user(TEXT)], "without `tool_result` blocks immediately after: toolu_1"),
        ([user(TEXT), assistant(USE), user(TEXT, RESULT)], "without `tool_result` blocks immediately after: toolu_1"),
        ([user(TEXT), assistant(USE), user(RESULT, RESULT)], "must have a single result"),
        ([user(TEXT), assistant(TEXT), user(RESULT)], "unexpected `tool_use_id`"),
        ([user(TEXT), assistant(USE), user({**RESULT, "content": "", "is_error": True})], "cannot be empty"),
        ([user(USE)], "blocks are not permitted in user messages"),
        ([user(TEXT), assistant({"type": "thinking", "thinking": "", "signature": "made up"}), user(TEXT)], "Invalid"),
    ],
)
def test_conversations_that_the_real_api_does_not_take(turns: list[dict[str, Any]], complaint: str) -> None:
    with MessagesServer([]) as server, pytest.raises(anthropic.BadRequestError, match=complaint):
        said(server, False, messages=turns)


@pytest.mark.parametrize("edit", ["none", "earlier turn", "system", "tools", "the thinking itself"])
def test_thinking_binds_everything_before_it(edit: str) -> None:
    asked: dict[str, Any] = {"system": "Be brief.", "tools": [TOOL], "thinking": {"type": "adaptive"}}
    with MessagesServer(times(Answer("one", thinking="hm"), 2)) as server:
        blocks = [without_parsed(block.to_dict()) for block in said(server, True, **asked).content]
        turns: list[dict[str, Any]] = [user({"type": "text", "text": "hi"}), assistant(*blocks), user(TEXT)]
        match edit:
            case "earlier turn":
                turns[0] = user(TEXT)
            case "system":
                asked["system"] = "Be very brief."
            case "tools":
                asked["tools"] = []
            case "the thinking itself":
                blocks[0]["thinking"] = "other"
                turns[1] = assistant(*blocks)
        if edit == "none":  # the same text as a block, and with a cache mark: nothing that a model would read changed
            turns[0]["content"][0]["cache_control"] = {"type": "ephemeral"}
            assert said(server, True, messages=turns, **asked).stop_reason == "end_turn"
        else:
            with pytest.raises(anthropic.BadRequestError, match="Thinking blocks cannot be modified"):
                said(server, True, messages=turns, **asked)


Schema = dict[str, Any]


def within(schema: Schema, **more: Any) -> Schema:
    """An object with one property of ``schema``."""
    return {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False, **more}


def many(count: int, schema: Schema, required: bool) -> Schema:
    names = [f"p{index}" for index in range(count)]
    whole = within(schema, properties=dict.fromkeys(names, schema), required=names if required else [])
    return whole


STRING, UNION = {"type": "string"}, {"anyOf": [{"type": "string"}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "object", "properties": {"a": STRING}}, "'additionalProperties' must be explicitly false"),
        (within({"type": "string", "minLength": 1}), "property 'minLength' is not supported"),
        (within({"type": "number", "maximum": 1}), "property 'maximum' is not supported"),
        (within({"type": "array", "items": STRING, "minItems": 3}), "minItems"),
        (within({"description": "anything"}), "a type is required"),
        (within({"$ref": "#/$defs/T"}, **{"$defs": {"T": within({"$ref": "#/$defs/T"})}}), "Recursive"),
        (within({"$ref": "#/$defs/T"}), "leads nowhere"),
        (many(25, STRING, required=False), "25 optional parameters"),
        (many(17, UNION, required=True), "17 parameters with union types"),
    ],
)
def test_schemas_that_no_model_can_be_held_to(schema: Schema, complaint: str) -> None:
    with MessagesServer([]) as server, pytest.raises(anthropic.BadRequestError) as caught:
        said(server, False, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        many(24, STRING, required=False),
        many(16, UNION, required=True),
        within({"$ref": "#/$defs/T"}, **{"$defs": {"T": within({"enum": ["a", "b"]})}}),
        within({"type": "array", "minItems": 1, "items": {"type": ["string", "null"], "description": "x"}}),
    ],
)
def test_schemas_that_are_fine(schema: Schema) -> None:
    with MessagesServer([Answer("{}")]) as server:
        assert said(server, False, output_config={"format": {"type": "json_schema", "schema": schema}}).id


def test_lesser_servers(streams: bool) -> None:
    with MessagesServer([Answer("no JSON")], structured=False, tools=False) as server:
        for asked in ({"output_config": FORM}, {"tools": [TOOL]}):
            with pytest.raises(anthropic.BadRequestError):
                said(server, streams, **asked)
        assert said(server, streams).content
    broken = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    with MessagesServer([Answer("no JSON")], structured="ignored") as server:
        assert said(server, streams, output_config=broken).content


def test_other_makers_models_take_what_claudes_do_not() -> None:
    turns = [user(TEXT), assistant(TEXT)]
    with MessagesServer([Answer("x")]) as server:
        assert said(server, False, model="qwen3-coder", messages=turns, extra_body={"temperature": 0.2}).id


def test_prompt_caching_is_accounted_for_with_its_floor() -> None:
    long, mark = "a" * 4000, {"cache_control": {"type": "ephemeral"}}

    def asked(system: str, question: str) -> tuple[int, int, int]:
        blocks = [{"type": "text", "text": system, **mark}]
        usage = said(server, False, system=blocks, messages=[user({"type": "text", "text": question})]).usage
        written, read = usage.cache_creation_input_tokens, usage.cache_read_input_tokens
        assert written is not None and read is not None
        return usage.input_tokens, written, read

    with MessagesServer(times(Answer("x"), 6)) as server:
        assert asked(long, "b" * 399) == (100, 1000, 0)
        assert asked(long, "c" * 399) == (100, 0, 1000)
        assert asked(long + "!", "b" * 399) == (100, 1001, 0)  # the prefix changed
        assert asked("a" * 2000, "b" * 399) == (600, 0, 0)  # below the floor
        growing = [user({"type": "text", "text": long}), assistant(TEXT), user({"type": "text", "text": "more " * 9})]
        first = said(server, False, messages=growing[:1], **mark).usage
        second = said(server, False, messages=growing, **mark).usage
    assert (first.input_tokens, first.cache_creation_input_tokens) == (0, 1000)
    assert second.cache_read_input_tokens == 1000 and second.cache_creation_input_tokens == 13


def test_many_ask_at_once() -> None:
    async def ask(server: MessagesServer) -> list[Message]:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=server.base_url, max_retries=0) as api:
            one = [api.messages.create(model=HAIKU, max_tokens=9, messages=HI) for _ in range(20)]  # type: ignore[arg-type]
            return await asyncio.gather(*one)

    with MessagesServer([Answer(str(index)) for index in range(20)]) as server:
        replies = asyncio.run(ask(server))
    texts = sorted(int(block.text) for reply in replies for block in reply.content if block.type == "text")
    assert texts == list(range(20)) and server.replies == 20


def frames(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for frame in text.strip().split("\n\n"):
        name, line = frame.split("\n")
        yield name.removeprefix("event: "), json.loads(line.removeprefix("data: "))


def test_the_order_of_a_streams_events() -> None:
    asked: dict[str, Any] = {"model": HAIKU, "max_tokens": 9, "messages": HI, "stream": True}
    script = [Answer("short", (Call("read_code", {"a": 1}),), thinking="")]
    with MessagesServer(script) as server, client(server) as api:
        raw = api.messages.with_raw_response.create(**asked)
        events = list(frames(raw.http_response.read().decode()))
    one = ["content_block_start", "content_block_delta", "content_block_stop"]
    use = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    assert [name for name, _ in events] == [
        *("message_start", "ping"), *one, *one, *use, *("message_delta", "message_stop"),
    ]  # fmt: skip
    assert all(name == content["type"] for name, content in events)
    started, ended = events[0][1]["message"], events[-2][1]
    assert started["content"] == [] and started["stop_reason"] is None and started["usage"]["input_tokens"] > 0
    assert ended["delta"]["stop_reason"] == "tool_use" and ended["usage"]["output_tokens"] > 1

"""A request as the Messages API takes it: the very bytes that are sent, so that their digest names them."""

import hashlib
import json
from typing import Any

import msgspec

from . import tokens
from .logged import ANSWER, EMPTY, called, whole
from .schemas import schema
from .server import Server
from .talk import AnswerForm, Effort, Reply, Request, Said, ToolSpec

_INSTRUCTION = "Answer with one JSON object of this schema and nothing else:\n"
_NO_EFFORT = ("claude-haiku-4", "claude-sonnet-4-5", "claude-opus-4-1", "claude-3")
"""How the names of Claude models begin that do not know ``effort``."""


class Text(msgspec.Struct, tag="text"):
    text: str


class Result(msgspec.Struct, tag="tool_result", omit_defaults=True):
    tool_use_id: str
    content: str
    is_error: bool = False


class Turn(msgspec.Struct):
    role: str
    content: list[Text | Result] | msgspec.Raw | str


class ToolParam(msgspec.Struct):
    name: str
    description: str
    input_schema: msgspec.Raw


class Choice(msgspec.Struct):
    type: str


class Format(msgspec.Struct, tag="json_schema"):
    schema: msgspec.Raw


class Output(msgspec.Struct, omit_defaults=True):
    effort: Effort | None = None
    format: Format | None = None


class Body(msgspec.Struct, omit_defaults=True):
    """The request's own fields, in the order that is sent and hashed."""

    model: str
    max_tokens: int
    messages: list[Turn]
    system: str = ""
    tools: list[ToolParam] = []
    tool_choice: Choice | None = None
    output_config: Output | None = None
    cache_control: Choice | None = None
    stream: bool = False


def body(request: Request, server: Server) -> Body:
    """``request`` as ``server`` gets it. Effort and caching are words of Anthropic's own hosts alone."""
    tools = _tools(request)
    asks_text = request.answer is not None and request.form is AnswerForm.TEXT
    return Body(
        model=request.model,
        max_tokens=request.max_tokens,
        messages=_turns(request, server),
        system=whole(f"{request.system}\n\n{_INSTRUCTION}{_schema(request)}".strip() if asks_text else request.system),
        tools=tools,
        tool_choice=Choice("none") if request.is_last and tools and not _by_tool(request) else None,
        output_config=_output(request, server),
        cache_control=Choice("ephemeral") if server.is_anthropic else None,
    )


def sent(of: Body) -> bytes:
    """The bytes of a body."""
    return msgspec.json.encode(of)


def identity(of: Body, server: Server) -> str:
    """A digest of what is asked of whom, the same with and without streaming."""
    return hashlib.sha256(server.base_url.encode() + b"\n" + sent(of)).hexdigest()


def most_tokens_in(of: Body) -> int:
    """More tokens than the prompt can have."""
    return tokens.bound(sent(of).decode(), len(of.messages), bool(of.tools or of.output_config))


def _by_tool(request: Request) -> bool:
    return request.answer is not None and request.form is AnswerForm.TOOL


def _schema(request: Request) -> str:
    assert request.answer is not None
    return schema(request.answer)


def _tools(request: Request) -> list[ToolParam]:
    """The tools, with `answer` as one of them where the answer comes that way: the only one in the last turn."""
    given = [] if request.is_last and _by_tool(request) else [_tool(one) for one in request.tools]
    if _by_tool(request):
        given.append(ToolParam(ANSWER, "Give the answer, when it is ready, by this call.", _raw(_schema(request))))
    return given


def _tool(spec: ToolSpec) -> ToolParam:
    return ToolParam(spec.name, spec.description, _raw(schema(spec.takes)))


def _output(request: Request, server: Server) -> Output | None:
    knows_effort = server.is_anthropic and not request.model.startswith(_NO_EFFORT)
    shaped = request.answer is not None and request.form is AnswerForm.STRUCTURED
    output = Output(
        effort=request.effort if knows_effort else None,
        format=Format(_raw(_schema(request))) if shaped else None,
    )
    return output if output.effort or output.format else None


def _turns(request: Request, server: Server) -> list[Turn]:
    """The conversation. Calls that got no result get one that says so: the API takes no open ones."""
    turns: list[Turn] = []
    open_calls: tuple[str, ...] = ()
    for turn in request.turns:
        if isinstance(turn, Reply):
            open_calls = called(turn.content)
            turns.append(Turn("assistant", _said_back(turn, server)))
        else:
            turns.append(Turn("user", _ours(turn, open_calls)))
            open_calls = ()
    return turns


def _said_back(reply: Reply, server: Server) -> msgspec.Raw | str:
    """The model's blocks as they came, but for those that the API does not take; words where none are left."""
    blocks = json.loads(reply.content or "[]")
    kept = [block for block in blocks if _is_taken(block, server)]
    if not kept:
        return EMPTY
    return _raw(whole(reply.content if len(kept) == len(blocks) else json.dumps(kept, ensure_ascii=False)))


def _is_taken(block: dict[str, Any], server: Server) -> bool:
    """No blank texts; of Anthropic's thoughts those alone that were thought to their end, where they are signed."""
    if block.get("type") == "text":
        return bool(str(block.get("text", "")).strip())
    return block.get("type") != "thinking" or not server.is_anthropic or bool(block.get("signature"))


def _ours(said: Said, open_calls: tuple[str, ...]) -> list[Text | Result] | str:
    answered = {result.call for result in said.results}
    results = [Result(one.call, whole(one.text) or "(nothing)", one.is_error) for one in said.results]
    missing = [Result(call, "see below" if said.text else "not called") for call in open_calls if call not in answered]
    if not results and not missing:
        return whole(said.text)
    return [*results, *missing, *([Text(whole(said.text))] if said.text else [])]


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())

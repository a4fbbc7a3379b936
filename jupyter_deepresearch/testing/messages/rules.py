"""Where the Messages API says 400: requests that a lenient double would let pass and the real server would not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .complaint import Complaint, must
from .schemas import check_schema
from .sent import SentRequest, blocks_of
from .turns import check_turns

COUNTED = {
    "cache_control",
    "messages",
    "model",
    "output_config",
    "speed",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "user_profile_id",
    "workspace_id",
}
KNOWN = COUNTED | {
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
}
EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING = {
    "adaptive": {"type", "display"},
    "enabled": {"type", "budget_tokens", "display"},
    "disabled": {"type"},
    "between_tools": {"type"},
}
MOST_OUT = 128_000
CACHE_MARKS = 4
STRICT_TOOLS = 20
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
# The models of 2026: no sampling parameters, no prefill, no thinking budgets.
FIFTH = re.compile(r"claude-[a-z]+-5(-\d+)?")
# Those that choose their tools themselves and cannot be told not to think.
UNFORCED = re.compile(r"claude-((sonnet|opus)-5-5|(fable|mythos)-5-\d)")


@dataclass(frozen=True)
class Limits:
    """What the server that is played does not have or cannot do."""

    models: tuple[str, ...] | None = None
    structured: bool | str = True
    tools: bool = True


def check(request: SentRequest, limits: Limits) -> None:
    """Raise Complaint where the API would."""
    body = request.body
    counts = request.path.endswith("count_tokens")
    for name in body:
        must(name in (COUNTED if counts else KNOWN), f"{name}: Extra inputs are not permitted")
    for name in ("model", "messages", *(() if counts else ("max_tokens",))):
        must(name in body, f"{name}: Field required")
    if limits.models is not None and body["model"] not in limits.models:
        raise Complaint(f"model: {body['model']}", 404, "not_found_error")
    must(limits.tools or not body.get("tools"), "tools: this server takes no tools")
    must(limits.structured or "output_config" not in body, "output_config: Extra inputs are not permitted")
    if not counts:
        _check_numbers(body)
    _check_system(body)
    _check_thinking(body)
    _check_tools(body)
    _check_choice(body)
    if limits.structured is True:
        _check_form(body)
    check_turns(body, prefill=not FIFTH.fullmatch(str(body["model"])))
    _check_marks(request)


def _check_numbers(body: Mapping[str, Any]) -> None:
    limit = body["max_tokens"]
    must(type(limit) is int, "max_tokens: Input should be a valid integer")
    must(limit >= 0, "max_tokens: Input should be greater than or equal to 0")
    must(limit <= MOST_OUT, f"max_tokens: {limit} > {MOST_OUT}, which is the maximum allowed number of output tokens")
    must(isinstance(body.get("stream", False), bool), "stream: Input should be a valid boolean")
    if FIFTH.fullmatch(str(body["model"])):
        for name in ("temperature", "top_p", "top_k"):
            must(name not in body, f"`{name}` is not supported by this model")


def _check_system(body: Mapping[str, Any]) -> None:
    system = body.get("system", "")
    if not isinstance(system, str):
        must(isinstance(system, list), "system: Input should be a valid string or list")
        for block in blocks_of(system):
            must(block.get("type") == "text", "system: only text blocks are permitted")
            must(block.get("text"), "system: text content blocks must be non-empty")


def _check_thinking(body: Mapping[str, Any]) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind, model = thinking.get("type"), str(body["model"])
    must(kind in THINKING, f"thinking: Input tag '{kind}' does not match any of the expected tags")
    for name in thinking:
        must(name in THINKING[kind], f"thinking.{kind}.{name}: Extra inputs are not permitted")
    effort = (body.get("output_config") or {}).get("effort")
    if FIFTH.fullmatch(model):
        must(kind != "enabled", "thinking.enabled is not supported by this model; use thinking.adaptive")
        must(not (kind == "disabled" and effort in EFFORTS[3:]), "thinking.disabled is not supported at this effort")
    if UNFORCED.fullmatch(model):
        must(kind != "disabled", "thinking.disabled is not supported by this model")
        must(kind != "between_tools" or "sonnet" in model, "thinking.between_tools is not supported by this model")


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools") or []
    names = [str(tool.get("name")) for tool in tools]
    must(len(set(names)) == len(names), "tools: Tool names must be unique.")
    must(sum(bool(tool.get("strict")) for tool in tools) <= STRICT_TOOLS, f"tools: more than {STRICT_TOOLS} strict")
    for index, tool in enumerate(tools):
        if tool.get("type") not in (None, "custom"):
            continue  # one of the API's own tools
        where = f"tools.{index}.custom"
        must(TOOL_NAME.fullmatch(names[index]), f"{where}.name: String should match pattern '^{TOOL_NAME.pattern}$'")
        schema = tool.get("input_schema")
        must(isinstance(schema, dict), f"{where}.input_schema: Field required")
        must(schema.get("type") == "object", f"{where}.input_schema.type: Input should be 'object'")
        for word in ("oneOf", "allOf", "anyOf"):
            must(word not in schema, f"{where}.input_schema: {word} is not supported at the top level")
        if tool.get("strict"):
            check_schema(schema, f"{where}.input_schema")


def _check_choice(body: Mapping[str, Any]) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type")
    must(kind in ("auto", "any", "tool", "none"), f"tool_choice: '{kind}' is none of auto, any, tool, none")
    must(body.get("tools"), "tool_choice: may only be specified while providing tools")
    forced = kind in ("any", "tool")
    must(not (forced and UNFORCED.fullmatch(str(body["model"]))), f"tool_choice.{kind} is not supported by this model")
    known = {tool.get("name") for tool in body["tools"]}
    must(kind != "tool" or choice.get("name") in known, f"tool_choice: Tool '{choice.get('name')}' not found in tools")


def _check_form(body: Mapping[str, Any]) -> None:
    config = body.get("output_config")
    if config is None:
        return
    for name in config:
        must(name in ("effort", "format"), f"output_config.{name}: Extra inputs are not permitted")
    effort, form = config.get("effort"), config.get("format")
    must(effort is None or effort in EFFORTS, f"output_config.effort: Input should be one of {', '.join(EFFORTS)}")
    if form is not None:
        must(set(form) == {"type", "schema"}, "output_config.format: takes exactly `type` and `schema`")
        must(form["type"] == "json_schema", "output_config.format.type: Input should be 'json_schema'")
        must(body.get("max_tokens") != 0, "max_tokens: 0 is not supported with output_config.format")
        check_schema(form["schema"], "output_config.format.schema")


def _check_marks(request: SentRequest) -> None:
    marks = sum(bool(part.kept_s) for part in request.parts)
    must(marks <= CACHE_MARKS, f"A maximum of {CACHE_MARKS} blocks with cache_control may be provided. Found {marks}.")

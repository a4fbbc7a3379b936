"""A scripted mind for a MessagesServer: plans, patches and lessons from lists, whoever asks in what order."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_deepresearch.testing import Answer, Call, SentRequest
from jupyter_deepresearch.testing.messages import Entry

ANSWER = "answer"
"""The tool by which servers without structured answers are made to answer."""
Told = Mapping[str, Any] | Entry
"""What is answered: an object as JSON, or an entry of the server's as it stands."""


def schema_of(request: SentRequest) -> Mapping[str, Any]:
    """The shape that an answer should have, however it is asked for: by the protocol, by a tool, in words."""
    format = request.body.get("output_config", {}).get("format", {})
    answers = [tool["input_schema"] for tool in request.body.get("tools", ()) if tool["name"] == ANSWER]
    system = str(request.body.get("system", ""))
    start = system.find('{"type":"object"')
    said = [json.JSONDecoder().raw_decode(system[start:])[0]] if start >= 0 else []
    return next(iter([*filter(None, [format.get("schema")]), *answers, *said]), {})


def asked_for(request: SentRequest) -> str:
    """What a request wants: "plan", "patch", "lesson", "idea", "report", or "other" (probes)."""
    names = set(schema_of(request).get("properties", {}))
    keys = {"plan": "kind", "patch": "edits", "lesson": "lesson", "idea": "findings", "report": "summary"}
    for name, key in keys.items():
        if key in names:
            return name
    return "other"


def anything(schema: Mapping[str, Any]) -> Any:
    """The least that fits a JSON schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", list(schema.get("properties", {})))
            return {name: anything(schema["properties"][name]) for name in wanted}
        case "array":
            return []
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case _:
            return "ok"


@dataclass
class Mind:
    """``plans``, ``patches`` and the others are answered in their order; past their end a lesson is a short sentence,
    anything else a failed test. One that does not obey probes calls no tool and keeps no schema there."""

    plans: Iterable[Told] = ()
    patches: Iterable[Told] = ()
    lessons: Iterable[Told] = ()
    ideas: Iterable[Told] = ()
    reports: Iterable[Told] = ()
    obeys: bool = True
    asked: list[str] = field(default_factory=list)
    seen: list[SentRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        told = {"plan": self.plans, "patch": self.patches, "lesson": self.lessons}
        self._left = {name: iter(them) for name, them in {**told, "idea": self.ideas, "report": self.reports}.items()}

    def __call__(self, request: SentRequest) -> Entry:
        what = asked_for(request)
        self.asked.append(what)
        self.seen.append(request)
        if what == "other":
            return self._other(request)
        told = next(self._left[what], None)
        if told is None:
            assert what == "lesson", f"one {what} more than the script has"
            told = {"lesson": f"What was tried as number {self.asked.count('lesson')} is known now."}
        return self._answer(request, told) if isinstance(told, Mapping) else told

    def _answer(self, request: SentRequest, told: Mapping[str, Any]) -> Entry:
        by_tool = any(tool["name"] == ANSWER for tool in request.body.get("tools", ()))
        return Answer(calls=(Call(ANSWER, told),)) if by_tool and self.obeys else Answer.json(told)

    def _other(self, request: SentRequest) -> Entry:
        """A probe: each of the tools is tried, a schema is kept, as far as this mind can."""
        tools = [tool for tool in request.body.get("tools", ()) if tool["name"] != ANSWER]
        if tools and self.obeys:
            return Answer(calls=(Call(tools[0]["name"], anything(tools[0]["input_schema"])),))
        schema = schema_of(request)
        return self._answer(request, anything(schema)) if schema and self.obeys else Answer("Teal, I should say.")

    def of(self, what: str) -> list[SentRequest]:
        """The requests that wanted this, in order."""
        return [request for request, name in zip(self.seen, self.asked, strict=True) if name == what]

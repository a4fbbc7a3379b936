"""A scripted mind for a MessagesServer: plans, patches and lessons from lists, whoever asks in what order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_deepresearch.testing import Answer, Call, SentRequest
from jupyter_deepresearch.testing.messages import Entry

Told = Mapping[str, Any] | Entry
"""What is answered: an object as JSON, or an entry of the server's as it stands."""


def asked_for(request: SentRequest) -> str:
    """What a request wants: "plan", "patch", "lesson", or "other" (probes, workers' words)."""
    schema = request.body.get("output_config", {}).get("format", {}).get("schema", {})
    names = set(schema.get("properties", {}))
    for name, key in (("plan", "kind"), ("patch", "edits"), ("lesson", "lesson")):
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
    """``plans``, ``patches`` and ``lessons`` are answered in their order; past their end a lesson is a short sentence,
    anything else a failed test."""

    plans: Iterable[Told] = ()
    patches: Iterable[Told] = ()
    lessons: Iterable[Told] = ()
    asked: list[str] = field(default_factory=list)
    seen: list[SentRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = {"plan": iter(self.plans), "patch": iter(self.patches), "lesson": iter(self.lessons)}

    def __call__(self, request: SentRequest) -> Entry:
        what = asked_for(request)
        self.asked.append(what)
        self.seen.append(request)
        if what == "other" and request.body.get("tools"):
            tool = request.body["tools"][0]
            return Answer(calls=(Call(tool["name"], anything(tool["input_schema"])),))
        if what == "other":
            schema = request.body.get("output_config", {}).get("format", {}).get("schema")
            return Answer("ok") if schema is None else Answer.json(anything(schema))
        told = next(self._left[what], None)
        if told is None:
            assert what == "lesson", f"one {what} more than the script has"
            told = {"lesson": f"What was tried as number {self.asked.count('lesson')} is known now."}
        return Answer.json(told) if isinstance(told, Mapping) else told

    def of(self, what: str) -> list[SentRequest]:
        """The requests that wanted this, in order."""
        return [request for request, name in zip(self.seen, self.asked, strict=True) if name == what]

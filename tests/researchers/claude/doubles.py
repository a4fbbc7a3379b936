"""Doubles of the seams around a conversation: a model that answers by a script, and a meter that keeps answers."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from jupyter_deepresearch.core.answers import Phase, Usage
from jupyter_deepresearch.errors import NotFound
from jupyter_deepresearch.researchers.claude.plans import Reflection
from jupyter_deepresearch.researchers.claude.tools.tool import Tool
from jupyter_deepresearch.researchers.llm.talk import (
    Abilities,
    AnswerForm,
    Probe,
    Reply,
    Request,
    Said,
    Stop,
    ToolCall,
    ToolSpec,
)

Answerer = Callable[[Request], Reply]
LESSON = Reflection("warm-up helps", (3,))


@dataclass(frozen=True)
class Number:
    """One number."""

    number: int


async def _square(asked: Number) -> str:
    if asked.number < 0:
        raise NotFound(f"there is no experiment {asked.number}; there are 0 to 7")
    return f"{asked.number} squared is {asked.number**2}" + "." * (2000 if asked.number == 99 else 0)


SQUARE = Tool(ToolSpec("square", "The square of a number.", Number), _square)


def says(answer: Any, stop: Stop = Stop.END, category: str | None = None) -> Reply:
    """A reply of one text block: ``answer`` itself, or its JSON."""
    text = answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()
    content = [{"type": "text", "text": text}] if text else []
    return Reply(json.dumps(content), stop, text, category=category)


def calls(*made: tuple[str, dict[str, Any] | str], text: str = "") -> Reply:
    """A reply that asks for tools: names and arguments."""
    texts = [a if isinstance(a, str) else json.dumps(a) for _, a in made]
    asked = tuple(ToolCall(f"call_{i}", name, texts[i]) for i, (name, _) in enumerate(made))
    content = [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in asked]
    return Reply(json.dumps(content), Stop.TOOLS, text, asked)


def refusal(category: str | None = "frontier_llm") -> Reply:
    """A reply that declines."""
    return Reply("[]", Stop.REFUSED, category=category)


def cut() -> Reply:
    """A reply that max_tokens ended."""
    return says('{"lesson": "it went', Stop.CUT)


def broken() -> Reply:
    """A reply whose stream ended early."""
    return says('{"les', Stop.BROKEN)


@dataclass
class ScriptedModel:
    """Answers with ``script`` in order: replies, exceptions to raise, or functions of the request.

    ``requests`` are all that reached it, ``probes`` the models that it was asked the abilities of.
    """

    script: Iterable[Reply | Exception | Answerer] = ()
    able: Abilities = field(default_factory=lambda: Abilities(AnswerForm.STRUCTURED, tools=True))
    requests: list[Request] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = iter(self.script)

    def identity(self, request: Request) -> str:
        return hashlib.sha256(repr(request).encode()).hexdigest()

    def ceiling(self, request: Request, phase: Phase) -> Usage:
        return Usage(phase, request.model, 1000, request.max_tokens)

    async def ask(self, request: Request, phase: Phase) -> tuple[str, Usage]:
        self.requests.append(request)
        step = next(self._next)
        if isinstance(step, Exception):
            raise step
        reply = step if isinstance(step, Reply) else step(request)
        return msgspec.json.encode(reply).decode(), Usage(phase, request.model, 100, 10)

    def reply(self, logged: str) -> Reply:
        return msgspec.json.decode(logged, type=Reply)

    async def abilities(self, model: str, probe: Probe) -> Abilities:
        self.probes.append(model)
        await probe(Request(model, "probe", (Said("ping"),), max_tokens=16))
        return self.able


@dataclass
class KnowingModel(ScriptedModel):
    """The same, whose abilities are known without a probe."""

    async def abilities(self, model: str, probe: Probe) -> Abilities:
        self.probes.append(model)
        return self.able


@dataclass
class LogMeter:
    """A meter without budgets: ``answers`` by key, ``asked`` every key that was asked for, ``about`` its experiment."""

    answers: dict[str, str] = field(default_factory=dict)
    usages: dict[str, Usage] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    about: dict[str, int | None] = field(default_factory=dict)

    async def ask(
        self,
        key: str,
        ceiling: Usage,
        call: Callable[[], Awaitable[tuple[str, Usage]]],
        experiment: int | None = None,
    ) -> str:
        self.asked.append(key)
        self.about[key] = experiment
        if key not in self.answers:
            self.answers[key], self.usages[key] = await call()
        return self.answers[key]

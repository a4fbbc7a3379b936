"""What is said to a language model and what it says: requests, replies, and who answers them."""

import enum
from dataclasses import dataclass
from typing import Protocol

from ...core.answers import Phase, Usage


class AnswerForm(enum.StrEnum):
    """How a server can be made to answer in the shape that is asked for, the best first."""

    STRUCTURED = "structured"  # output_config.format
    TOOL = "tool"  # by calling a tool named `answer`
    TEXT = "text"  # one JSON object in the text


class Effort(enum.StrEnum):
    """How much a model may think. Sent only to servers that know the word."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Stop(enum.StrEnum):
    """Why a reply ended."""

    END = "end"
    TOOLS = "tools"  # it waits for the results of its calls
    CUT = "cut"  # max_tokens reached
    REFUSED = "refused"
    BROKEN = "broken"  # the stream ended before it did


@dataclass(frozen=True)
class ToolSpec:
    """A tool as a model sees it. ``takes`` is the frozen dataclass of its arguments; its docstring is not shown."""

    name: str
    description: str
    takes: type


@dataclass(frozen=True)
class ToolCall:
    """A call that a model wants made; ``arguments`` as the JSON text it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class ToolResult:
    """What a call gave."""

    call: str
    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Said:
    """Our turn: the results of the calls before it, and a text."""

    text: str = ""
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Reply:
    """The model's turn. ``content`` are its blocks as the JSON text of a list, to be sent back unchanged; ``text`` is
    that of its text blocks; ``category`` of a refusal, where the server named one."""

    content: str
    stop: Stop
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    category: str | None = None


@dataclass(frozen=True)
class Request:
    """One call. ``turns`` begin and end with ours. ``answer`` is the frozen dataclass that the last reply has to fit,
    None for plain text. With ``is_last`` the model is told by the protocol to call no tool (``tool_choice`` none)."""

    model: str
    system: str
    turns: tuple[Said | Reply, ...]
    tools: tuple[ToolSpec, ...] = ()
    answer: type | None = None
    form: AnswerForm = AnswerForm.STRUCTURED
    max_tokens: int = 8192
    effort: Effort = Effort.MEDIUM
    is_last: bool = False


@dataclass(frozen=True)
class Abilities:
    """What a model on a server can do, as a probe found."""

    form: AnswerForm = AnswerForm.TEXT
    tools: bool = False


class Model(Protocol):
    """Who answers: a server that speaks the Messages API, or a command."""

    def identity(self, request: Request) -> str:
        """A digest of everything that is sent for ``request``: the same for the same request to the same server."""

    def ceiling(self, request: Request, phase: Phase) -> Usage:
        """The most that ``request`` can cost."""

    async def ask(self, request: Request, phase: Phase) -> tuple[str, Usage]:
        """The reply as text to be logged, and what it took. A refusal, a cut or a broken reply is a reply.

        Raises ResearcherFailed where trying later may help, ResearcherStopped where only the person can.
        """

    def reply(self, logged: str) -> Reply:
        """The reply that ``ask`` answered. Pure."""

    async def abilities(self, model: str, probe: "Probe") -> Abilities:
        """What ``model`` can do, asked of the server by small requests through ``probe``, or known without asking."""


class Probe(Protocol):
    """Makes a request through the meter. Raises as ``Model.ask``, and BudgetReached."""

    async def __call__(self, request: Request) -> Reply: ...


__all__ = [
    "Abilities",
    "AnswerForm",
    "Effort",
    "Model",
    "Phase",
    "Probe",
    "Reply",
    "Request",
    "Said",
    "Stop",
    "ToolCall",
    "ToolResult",
    "ToolSpec",
]

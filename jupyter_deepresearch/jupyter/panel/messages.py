"""What a view may send, read strictly since a page may send anything, and what is sent to it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Meta

from ...errors import InvalidInput
from ...service.commands import parse
from ...text import one_line, value_of

MESSAGE_LIMIT_BYTES = 100_000
PAGE_ROWS = 25

Whole = Annotated[int, Meta(ge=0, le=2**53)]
Id = Annotated[str, Meta(min_length=1, max_length=200)]


@dataclass(frozen=True)
class Hello:
    """A view has come, or has missed something: what changed after ``seq``?"""

    seq: Whole = 0


@dataclass(frozen=True)
class Here:
    """A view can be seen."""


@dataclass(frozen=True)
class HistoryAsked:
    """A page of the history, newest first, of experiments numbered below ``before``."""

    before: Whole | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = PAGE_ROWS


@dataclass(frozen=True)
class ExperimentAsked:
    experiment: Whole


@dataclass(frozen=True)
class DiffAsked:
    """What ``experiment`` changes; with ``to``, what leads from it to that one."""

    experiment: Whole
    to: Whole | None = None


@dataclass(frozen=True)
class ParametersAsked:
    """The lines of the parameters cell."""


Question = HistoryAsked | ExperimentAsked | DiffAsked | ParametersAsked


@dataclass(frozen=True)
class Ask:
    """A question; ``id`` is the view's own."""

    id: str
    question: Question


@dataclass(frozen=True)
class Tell:
    """A command of the contract; ``command_id`` makes a repeat of it the same command."""

    id: str
    kind: str
    body: Mapping[str, Any]
    command_id: str = field(default_factory=lambda: uuid.uuid4().hex)


Received = Hello | Here | Ask | Tell


@dataclass(frozen=True)
class Points:
    """Experiments that changed after ``after``, in the message's buffer. Of several pages only the last has the new
    ``seq``, the others ``after`` itself, so that a view that misses one knows."""

    after: int
    seq: int
    kind: str = "points"


@dataclass(frozen=True)
class Answer:
    """The answer to ``Ask`` or ``Tell`` of this id: a body, or one line that says why there is none."""

    id: str | None
    body: Any = None
    error: str | None = None

    kind: str = "answer"


@dataclass(frozen=True)
class Beat:
    """The kernel is there, and has nothing new to say."""

    kind: str = "beat"


Sent = Points | Answer | Beat

_QUESTIONS: Mapping[str, type[Question]] = {
    "history": HistoryAsked,
    "experiment": ExperimentAsked,
    "diff": DiffAsked,
    "parameters": ParametersAsked,
}
_KINDS = ("hello", "here", "ask", "tell")
T = TypeVar("T")


def read(content: object) -> Received:
    """A message of a view. Raises InvalidInput: what was found, what is accepted."""
    message = _object("a message", content)
    _check_size(message)
    kind = message.pop("kind", None)
    match kind:
        case "hello":
            return _as("hello", message, Hello)
        case "here":
            return _as("here", message, Here)
        case "ask":
            number, what = _id(message), message.pop("what", None)
            if not isinstance(what, str) or what not in _QUESTIONS:
                raise InvalidInput(f"ask: what is {_short(what)}; accepted: {', '.join(_QUESTIONS)}")
            return Ask(number, _as(what, message, _QUESTIONS[what]))
        case "tell":
            return _tell(message)
        case _:
            raise InvalidInput(f"a message's kind is {_short(kind)}; accepted: {', '.join(_KINDS)}")


def id_of(content: object) -> str | None:
    """The id with which a message that cannot be read is answered, None where it has none that could be sent back."""
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str) and 1 <= len(found) <= 200 else None


def to_json(message: Sent) -> dict[str, Any]:
    """A message as it is sent: an answer has a body or an error."""
    found = cast("dict[str, Any]", msgspec.to_builtins(message))
    if isinstance(message, Answer):
        found.pop("body" if message.error is not None else "error")
    return found


def _tell(message: dict[str, Any]) -> Tell:
    number = _id(message)
    body = _object("tell: the command", message.pop("command", None))
    _none_left("tell", message, "id, command")
    kind, command_id = body.pop("kind", None), body.pop("command_id", None)
    if isinstance(body.get("parameters"), dict):
        body["parameters"] = {name: _value(name, value) for name, value in body["parameters"].items()}
    parse(kind, body)
    if command_id is None:
        return Tell(number, kind, body)
    return Tell(number, kind, body, _convert("command_id", command_id, Id))


def _value(name: str, value: object) -> object:
    """A parameter's value out of a text as a person types it."""
    try:
        return value_of(value.strip()) if isinstance(value, str) else value
    except InvalidInput as error:
        raise InvalidInput(f"{one_line(name)}: {error}") from None


def _id(message: dict[str, Any]) -> str:
    return cast("str", _convert("id", message.pop("id", None), Id))


def _as(what: str, rest: Mapping[str, Any], kind: type[T]) -> T:
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    _none_left(what, {key: value for key, value in rest.items() if key not in names}, ", ".join(names))
    return cast("T", _convert(what, dict(rest), kind))


def _none_left(what: str, rest: Mapping[str, Any], accepted: str) -> None:
    for key in rest:
        raise InvalidInput(f"{what}: unknown key {_short(key)}; accepted: {accepted or 'none'}")


def _convert(what: str, value: object, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{what}: {one_line(str(error), 200)}".replace("`", "'")) from None


def _object(what: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InvalidInput(f"{what} is {_short(value)}; accepted: an object")
    return dict(value)


def _check_size(message: Mapping[str, Any]) -> None:
    try:
        size = len(msgspec.json.encode(message))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"a message is not JSON ({one_line(str(error), 100)}); accepted: an object") from None
    if size > MESSAGE_LIMIT_BYTES:
        raise InvalidInput(f"a message has {size:,} bytes; at most {MESSAGE_LIMIT_BYTES:,} are accepted")


def _short(value: object) -> str:
    return "missing" if value is None else one_line(repr(value)[:200], 60)

"""What a model has to answer: the JSON schema of a frozen dataclass, and the answer out of a text."""

import dataclasses
import enum
import functools
import json
import math
import re
import types
import typing
from collections.abc import Iterator

import msgspec

MAX_OPTIONAL = 24
MAX_UNIONS = 16
"""What structured outputs accept in one schema, counted over all its objects."""

_PRIMITIVES: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_STARTS = 200  # places in a text where an object may begin
_MOST_WORDS = 80  # characters of what was found, in a complaint


def schema(cls: type) -> str:
    """The JSON schema of a frozen dataclass as compact JSON text: no field beyond its own, none described.

    Fields without a default are required. Raises TypeError for a type that structured outputs cannot say.
    """
    return _schema(cls)


@functools.cache
def _schema(cls: type) -> str:
    drawn = _Drawn()
    text = json.dumps(drawn.of(cls), separators=(",", ":"), ensure_ascii=False)
    if drawn.optional > MAX_OPTIONAL or drawn.unions > MAX_UNIONS:
        raise TypeError(
            f"{cls.__name__} has {drawn.optional} optional fields and {drawn.unions} unions: "
            f"at most {MAX_OPTIONAL} and {MAX_UNIONS} are accepted"
        )
    return text


class _Drawn:
    """Draws types as schemas and counts what is limited."""

    def __init__(self) -> None:
        self.optional = 0
        self.unions = 0
        self._inside: list[type] = []

    def of(self, kind: typing.Any) -> dict[str, object]:
        if kind in _PRIMITIVES:
            return {"type": _PRIMITIVES[kind]}
        if kind is types.NoneType:
            return {"type": "null"}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [member.value for member in kind]}
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            return self._object(kind)
        arguments = typing.get_args(kind)
        if typing.get_origin(kind) is tuple and len(arguments) == 2 and arguments[1] is ...:
            return {"type": "array", "items": self.of(arguments[0])}
        if _is_union(kind):
            self.unions += 1
            drawn = [self.of(one) for one in arguments]
            plain = [one["type"] for one in drawn if set(one) == {"type"}]
            return {"type": plain} if len(plain) == len(drawn) else {"anyOf": drawn}
        raise TypeError(f"{kind!r} has no schema: dataclasses, enums, str, int, float, bool, tuple[X, ...], unions do")

    def _object(self, cls: type) -> dict[str, object]:
        if cls in self._inside:
            raise TypeError(f"{cls.__name__} holds itself, which structured outputs do not accept")
        self._inside.append(cls)
        hints = typing.get_type_hints(cls)
        properties = {field.name: self.of(hints[field.name]) for field in dataclasses.fields(cls)}
        required = [field.name for field in dataclasses.fields(cls) if not _has_default(field)]
        self.optional += len(properties) - len(required)
        self._inside.pop()
        drawn: dict[str, object] = {"type": "object", "properties": properties}
        return {**drawn, **({"required": required} if required else {}), "additionalProperties": False}


T = typing.TypeVar("T")


def parse(text: str, cls: type[T]) -> T:
    """The instance of ``cls`` that a text holds: bare, in a code fence, or after prose (the last one that fits).

    Raises ValueError, one line for the model that wrote it: where, what was found, what is accepted.
    """
    complaint, last = "", None
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    objects = list(_objects(text))
    for found in [one for one in objects if names & one.keys()] or objects:
        try:
            last = _converted(found, cls)
        except ValueError as error:
            complaint = str(error)
    if last is not None:
        return last
    raise ValueError(complaint or f"no JSON object in the answer; found {_shown(text)}; accepted: {schema(cls)}")


def bare(text: str, cls: type[T]) -> T | None:
    """The instance that the whole text is, None where it is anything else."""
    try:
        return _converted(json.loads(text), cls)
    except (ValueError, RecursionError):
        return None


def _converted(found: object, cls: type[T]) -> T:
    try:
        return msgspec.convert(_fitted(found, cls, "$"), cls)
    except msgspec.ValidationError as error:
        raise ValueError(_complaint(str(error))) from None


def _complaint(said: str) -> str:
    """msgspec's words in our order: where, found, accepted."""
    what, _, where = said.partition(" - at ")
    place = where.strip("`") or "$"
    if mismatch := re.fullmatch(r"Expected (.+), got (.+)", what):
        return f"{place}: found {mismatch[2]}; accepted: {mismatch[1]}"
    if missing := re.fullmatch(r"Object missing required field (.+)", what):
        return f"{place}: found no {missing[1]}, which is required"
    return f"{place}: {what}"


def _fitted(found: object, kind: typing.Any, path: str) -> object:
    """``found`` with the letter case of words as the schema has it, and null dropped where a field may be missing."""
    if isinstance(found, str) and isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _word(found, kind, path)
    if isinstance(found, float) and kind is int and found.is_integer():
        return int(found)
    if isinstance(found, list) and typing.get_origin(kind) is tuple:
        return [_fitted(one, typing.get_args(kind)[0], f"{path}[{place}]") for place, one in enumerate(found)]
    if isinstance(found, dict) and isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        absent = {field.name for field in dataclasses.fields(kind) if _has_default(field)}
        return {
            name: _fitted(value, hints.get(name), f"{path}.{name}")
            for name, value in found.items()
            if value is not None or name not in absent
        }
    return found


def _word(found: str, kind: type[enum.Enum], path: str) -> object:
    words = {str(member.value).casefold(): member.value for member in kind}
    word = words.get(found.strip().casefold())
    if word is None:
        accepted = ", ".join(str(member.value) for member in kind)
        raise ValueError(f"{path}: found {_shown(found)}; accepted: {accepted}")
    return word


def _objects(text: str) -> Iterator[dict[str, object]]:
    """The outermost JSON objects of a text, in their order. What is no finite number is null."""
    decoder = json.JSONDecoder(strict=False, parse_constant=_nothing, parse_float=_finite)
    place = text.find("{")
    for _ in range(_STARTS):
        if place < 0:
            return
        try:
            found, place = decoder.raw_decode(text, place)
            yield found
        except (ValueError, RecursionError):
            place += 1
        place = text.find("{", place)


def _nothing(constant: str) -> None:
    """NaN and the infinities are no JSON."""


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _has_default(field: dataclasses.Field[typing.Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _is_union(kind: object) -> bool:
    return isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _MOST_WORDS else line[:_MOST_WORDS] + "...")

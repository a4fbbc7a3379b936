"""The JSON schemas that structured outputs take: a part of JSON Schema, and not too much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .complaint import must

OPTIONAL, UNIONS = 24, 16
COMMON = {"type", "title", "description", "default", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "definitions"}
BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format"},
}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}


def check_schema(schema: Any, where: str) -> None:
    """Raise Complaint unless the API can hold a model to ``schema``."""
    must(isinstance(schema, dict), f"{where}: Input should be a valid dictionary")
    found = list(_schemas(schema, where))
    for place, part in found:
        _check_words(part, place)
    _check_recursion(schema, schema, where, ())
    optional = sum(len(set(part.get("properties") or ()) - set(part.get("required") or ())) for _, part in found)
    unions = sum("anyOf" in part or isinstance(part.get("type"), list) for _, part in found)
    must(optional <= OPTIONAL, f"{where}: Schema is too complex: {optional} optional parameters, at most {OPTIONAL}")
    must(unions <= UNIONS, f"{where}: Schema is too complex: {unions} parameters with union types, at most {UNIONS}")


def _schemas(schema: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all within it, each with its place."""
    yield where, schema
    for place, inner in _within(schema):
        must(isinstance(inner, dict), f"{where}.{place}: a schema should be an object")
        yield from _schemas(inner, f"{where}.{place}")


def _within(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for word in ("properties", "$defs", "definitions"):
        yield from ((f"{word}.{name}", inner) for name, inner in (schema.get(word) or {}).items())
    for word in ("anyOf", "allOf"):
        yield from ((f"{word}.{index}", inner) for index, inner in enumerate(schema.get(word) or ()))
    if "items" in schema:
        yield "items", schema["items"]


def _check_words(schema: Mapping[str, Any], where: str) -> None:
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    for kind in kinds:
        must(kind in TYPES, f"{where}.type: '{kind}' is not supported")
    must(kinds or {"anyOf", "allOf", "enum", "const", "$ref"} & set(schema), f"{where}: a type is required")
    allowed = COMMON.union(*(BY_TYPE.get(kind, set()) for kind in kinds))
    for word in schema:
        must(word in allowed, f"{where}: For '{'|'.join(kinds) or 'any'}' type, property '{word}' is not supported")
    if "object" in kinds:
        must(schema.get("additionalProperties") is False, f"{where}: 'additionalProperties' must be explicitly false")
        unknown = set(schema.get("required") or ()) - set(schema.get("properties") or ())
        must(not unknown, f"{where}.required: {', '.join(sorted(unknown))} is not among the properties")
    must(schema.get("minItems", 0) in (0, 1), f"{where}.minItems: values other than 0 or 1 are not supported")
    must("format" not in schema or schema["format"] in FORMATS, f"{where}.format: is not supported")


def _check_recursion(root: Mapping[str, Any], schema: Mapping[str, Any], where: str, trail: tuple[str, ...]) -> None:
    """Follow every reference; ``trail`` are those that lead here."""
    if (named := schema.get("$ref")) is not None:
        must(named not in trail, f"{where}: Recursive schemas are not supported: {named}")
        _check_recursion(root, _target(root, str(named), where), where, (*trail, str(named)))
    for place, inner in _within(schema):
        if not place.startswith(("$defs", "definitions")):
            _check_recursion(root, inner, f"{where}.{place}", trail)


def _target(root: Mapping[str, Any], named: str, where: str) -> Mapping[str, Any]:
    must(named.startswith("#"), f"{where}: external $ref '{named}' is not supported")
    found: Any = root
    for step in filter(None, named.removeprefix("#").split("/")):
        must(isinstance(found, dict) and step in found, f"{where}: $ref '{named}' leads nowhere")
        found = found[step]
    must(isinstance(found, dict), f"{where}: $ref '{named}' is not a schema")
    return found  # type: ignore[no-any-return]

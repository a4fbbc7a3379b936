"""What programs may send to the REST routes, as typed values. Every refusal is an InvalidInput of one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..config.loading import Options
from ..errors import InvalidInput
from ..service.commands import Command, parse

BODY_LIMIT_BYTES = 1_000_000
_NUMBER_LIMIT = 2**53


@dataclass(frozen=True)
class Start:
    """The body of ``POST projects``."""

    folder: Path
    options: Options
    brief: str | None


@dataclass(frozen=True)
class Told:
    """The body of ``POST commands``."""

    command: Command
    command_id: str | None


def read_object(body: bytes) -> dict[str, Any]:
    """A request's body as a JSON object. Raises InvalidInput."""
    if len(body) > BODY_LIMIT_BYTES:
        raise InvalidInput(f"the body has {len(body):,} bytes; at most {BODY_LIMIT_BYTES:,} are accepted")
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the body is not JSON ({error}); accepted: a JSON object") from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply; accepted: a JSON object") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"the body is {_kind(found)}; accepted: a JSON object")
    _check_values("the body", found)
    return found


def read_start(body: bytes, root: Path, live_kernels: Mapping[Path, str] | None = None) -> Start:
    """``{path, brief?, notebook?, kernel?, ...tables}``; ``path`` is relative to ``root``. Raises InvalidInput.

    ``live_kernels`` as in ``Options``.
    """
    found = read_object(body)
    path = _text(found, "path")
    if path is None:
        raise InvalidInput("path is missing; accepted: the project's folder, relative to the server's root")
    brief = _text(found, "brief")
    tables = {key: value for key, value in found.items() if key not in ("path", "brief", "kernel")}
    options = Options(kernel=_text(found, "kernel"), tables=tables, live_kernels=live_kernels or {})
    return Start(root / path, options, brief)


def read_command(body: bytes) -> Told:
    """``{kind, command_id?, ...}``. Raises InvalidInput."""
    found = read_object(body)
    kind, command_id = _text(found, "kind"), _text(found, "command_id")
    if command_id is not None and not 1 <= len(command_id) <= 200:
        raise InvalidInput(f"command_id has {len(command_id):,} characters; accepted: 1 to 200")
    rest = {key: value for key, value in found.items() if key not in ("kind", "command_id")}
    return Told(parse(kind or "", rest), command_id)


def read_path(text: str | None) -> str:
    """The ``path`` of a query. Raises InvalidInput."""
    if text is None:
        raise InvalidInput("path is missing; accepted: a notebook, or a folder with one, relative to the server's root")
    return text


def read_number(name: str, text: str | None, default: int | None, low: int, high: int = _NUMBER_LIMIT) -> int | None:
    """A whole number out of a query, ``default`` where it is absent. Raises InvalidInput."""
    if text is None:
        return default
    sign, digits = text[:1] == "-", text.removeprefix("-")
    number = int(digits) * (-1 if sign else 1) if digits.isascii() and digits.isdigit() and len(digits) < 17 else None
    if number is None or not low <= number <= high:
        most = f"{low} to {high}" if high < _NUMBER_LIMIT else f"a whole number, at least {low}"
        raise InvalidInput(f"{name}: found {text[:40]!r}; accepted: {most}")
    return number


def _text(found: Mapping[str, object], key: str) -> str | None:
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{key} is {_kind(value)}; accepted: a text")
    return value


def _kind(value: object) -> str:
    words: Mapping[type, str] = {bool: "a truth value", str: "a text", list: "a list", dict: "an object"}
    return "null" if value is None else words.get(type(value), "a number")


def _check_values(where: str, value: object) -> None:
    """Refuse what neither a file name nor the ledger can hold: NUL characters, numbers beyond 2^53."""
    if isinstance(value, str) and "\0" in value:
        raise InvalidInput(f"{where} holds a NUL character; accepted: text without one")
    if isinstance(value, int) and abs(value) > _NUMBER_LIMIT:
        raise InvalidInput(f"{where}: found {str(value)[:40]}; accepted: whole numbers up to 2^53")
    if isinstance(value, list):
        for i, item in enumerate(value):
            _check_values(f"{where}[{i}]", item)
    if isinstance(value, dict):
        for key, item in value.items():
            _check_values("a key", key)
            _check_values(str(key)[:80] if where == "the body" else f"{where}.{str(key)[:80]}", item)

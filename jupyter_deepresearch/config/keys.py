"""What each key of ``deepresearch.toml`` accepts, and the reading of one table of it.

Keys and types are those of the dataclasses in ``core/project.py``; only what a type cannot say (a range, a syntax) is
written here. A refusal is one line: where, what was found, what is accepted.
"""

import dataclasses
import difflib
import enum
import json
import math
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import msgspec

from ..core.project import Constraint, Price, Project
from ..errors import InvalidConfig
from .researcher import ADDRESS, plain_address


@dataclass(frozen=True)
class Entry:
    """One accepted value and where it was given. ``table`` is "" for a key at the top."""

    where: str
    table: str
    key: str
    value: Any


def _is_metric(name: str) -> bool:
    return re.fullmatch(r"(?=.*[^\W\d_])\w([\w./@%:+\- ]{0,98}[\w./@%+])?", name) is not None


def _is_relative(pattern: str) -> bool:
    absolute = PurePosixPath(pattern).is_absolute() or PureWindowsPath(pattern).drive != ""
    return pattern.strip() != "" and pattern.isprintable() and not absolute and ".." not in PurePosixPath(pattern).parts


def _constraint(text: str) -> Constraint | None:
    match = re.fullmatch(r"\s*(.+?)\s*([<>=!~]+)\s*(\S+)\s*", text)
    try:
        parsed = Constraint(match[1], match[2], float(match[3])) if match else None
        if parsed is not None:
            parsed.holds(0.0)
    except (ValueError, KeyError):
        return None
    return parsed if parsed is not None and _is_metric(parsed.metric) and math.isfinite(parsed.bound) else None


def _are_gpus(value: str | tuple[int, ...]) -> bool:
    if isinstance(value, str):
        return value in ("auto", "none")
    return len(value) > 0 and len(set(value)) == len(value) and min(value) >= 0


def _address(value: str | None) -> str | None:
    return None if value is None else plain_address(value)


@dataclass(frozen=True)
class _Rule:
    """What a key accepts beyond its type. ``reads`` is its type in the file where that differs from the dataclass's."""

    accepted: str
    allows: Callable[[Any], bool]
    reads: Any = None
    make: Callable[[Any], Any] | None = None


_SPAN = _Rule("a number greater than 0", lambda v: v > 0)
_COUNT = _Rule("a whole number, at least 1", lambda v: 1 <= v < 2**53)
_TEXT = _Rule("a text that is not empty", lambda v: v.strip() != "" and v.isprintable())
_PATTERNS = _Rule("a list of paths inside the project, * and ** allowed", lambda v: all(map(_is_relative, v)))
_RULES: Mapping[str, _Rule] = {
    "notebook": _Rule(
        "a notebook (.ipynb) inside the project folder",
        lambda v: v.endswith(".ipynb") and _is_relative(v),
        make=lambda v: str(PurePosixPath(v)),
    ),
    "objective.metric": _Rule("the name of a reported metric, such as val_accuracy or val/loss", _is_metric),
    "objective.target": _Rule("a number", lambda v: True),
    "objective.constraints": _Rule(
        'a list such as ["params_m <= 10"], compared by <=, >=, <, > or ==',
        lambda v: all(_constraint(text) is not None for text in v),
        reads=tuple[str, ...],
        make=lambda v: tuple(_constraint(text) for text in v),
    ),
    "code.files": _PATTERNS,
    "code.locked": _PATTERNS,
    "budget.hours": _SPAN,
    "budget.run_minutes": _SPAN,
    "budget.disk_gb": _SPAN,
    "budget.patience": _COUNT,
    "approval.auto_after_minutes": _SPAN,
    "researcher.leader_model": _TEXT,
    "researcher.worker_model": _TEXT,
    "researcher.fallback_model": _TEXT,
    "researcher.base_url": _Rule(ADDRESS, lambda v: plain_address(v) is not None, make=_address),
    "trust.seeds": _COUNT,
    "guard.stall_minutes": _SPAN,
    "launcher.kernel": _Rule(
        "the name of an installed kernel, as `jupyter kernelspec list` shows it",
        lambda v: re.fullmatch(r"[\w.-]+", v, re.A) is not None,
    ),
    "launcher.gpus": _Rule('"auto", "none" or a list of different GPU numbers such as [0, 1]', _are_gpus),
    "launcher.gpus_per_run": _COUNT,
    "launcher.gpu_free_gb": _SPAN,
    "launcher.max_parallel": _COUNT,
    "launcher.dry_run_minutes": _SPAN,
    "launcher.private": _Rule("a list of names inside the project, * allowed", lambda v: all(map(_is_relative, v))),
    "launcher.env": _Rule(
        "a list of environment variables' names", lambda v: all(re.fullmatch(r"[A-Za-z_]\w*", name, re.A) for name in v)
    ),
}
TABLES: Mapping[str, type] = {
    name: hint
    for name, hint in typing.get_type_hints(Project).items()
    if isinstance(hint, type) and dataclasses.is_dataclass(hint)
}
_TOP_KEYS = ("notebook",)


def _required(hint: Any) -> Any:
    """A type without its None."""
    parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
    return parts[0] if isinstance(hint, types.UnionType) and len(parts) == 1 else hint


def _rule(path: str, hint: Any) -> _Rule:
    if path in _RULES:
        return _RULES[path]
    if hint is int:
        return _Rule("a whole number, at least 0", lambda v: 0 <= v < 2**53)
    if hint is float:
        return _Rule("a number, at least 0", lambda v: v >= 0)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _Rule(" or ".join(shown(member.value) for member in hint), lambda v: True)
    return _Rule("true or false" if hint is bool else "a text", lambda v: True)


# Reading


def shown(value: object) -> str:
    """A found value as the file would write it, on one short line."""
    text = repr(value)
    if isinstance(value, str | bool) or value is None:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def refused(where: str, found: object, accepted: str, key: str) -> InvalidConfig:
    """The one line of a refusal, and the key that it is about ("budget.cycles")."""
    return InvalidConfig(f"{where}: found {shown(found)}; accepted: {accepted}", key)


def _value(where: str, path: str, raw: object, hint: Any) -> Any:
    """``raw`` as the type ``hint``, or one line that says why not."""
    kind = _required(hint)
    if kind is Price:
        return None if raw is None and kind is not hint else _price(where, path, raw)
    rule = _rule(path, kind)
    try:
        value = msgspec.convert(raw, type=rule.reads or hint)
    except msgspec.ValidationError:
        raise refused(where, raw, rule.accepted, path) from None
    finite = not isinstance(value, float) or math.isfinite(value)
    if value is not None and not (finite and rule.allows(value)):
        raise refused(where, raw, rule.accepted, path)
    return rule.make(value) if rule.make else value


def _price(where: str, path: str, raw: object) -> Price:
    accepted = "{input = USD, output = USD} per million tokens"
    if not isinstance(raw, Mapping) or set(raw) != {f.name for f in dataclasses.fields(Price)}:
        raise refused(where, raw, accepted, path)
    return Price(**{key: _value(f"{where}.{key}", f"{path}.{key}", value, float) for key, value in raw.items()})


def _unknown(source: str, table: str, key: str, known: Sequence[str]) -> InvalidConfig:
    place = f" in [{table}]" if table else ""
    near = difflib.get_close_matches(key, known, n=1)
    home = [name for name, cls in TABLES.items() if name != table and key in typing.get_type_hints(cls)]
    hint = f"; did you mean {near[0]}?" if near else f"; it belongs in [{home[0]}]" if home else ""
    accepted = ", ".join(known)
    whole = f"{table}.{key}" if table else key
    return InvalidConfig(f"{source}: unknown key {shown(key)}{place}{hint}; accepted: {accepted}", whole)


def read_tables(source: str, tables: Mapping[str, object]) -> Iterator[Entry]:
    """Every value of a file or request named ``source``, checked. Raises InvalidConfig at the first that is refused."""
    for name, content in tables.items():
        if name in _TOP_KEYS:
            where = f"{source}: {name}"
            yield Entry(where, "", name, _value(where, name, content, str))
        elif name not in TABLES:
            raise _unknown(source, "", name, (*_TOP_KEYS, *TABLES))
        elif not isinstance(content, Mapping):
            known = ", ".join(typing.get_type_hints(TABLES[name]))
            raise refused(f"{source}: {name}", content, f"a table [{name}] with any of {known}", name)
        else:
            hints = typing.get_type_hints(TABLES[name])
            for key, raw in content.items():
                if key not in hints:
                    raise _unknown(source, name, key, tuple(hints))
                where = f"{source}: [{name}] {key}"
                yield Entry(where, name, key, _value(where, f"{name}.{key}", raw, hints[key]))


def option(name: str, table: str, key: str, raw: object) -> Entry:
    """A value given as the option ``--name`` for a key, checked as the file's."""
    hint = typing.get_type_hints(TABLES[table])[key] if table else str
    where = f"--{name}"
    return Entry(where, table, key, _value(where, f"{table}.{key}" if table else key, raw, hint))

"""The leaves of YAML configurations as options: Hydra's, OmegaConf's, and files that a script just reads."""

import ast
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from .options import Kind, Option, Passing, Setting, typed
from .source_options import kind_of, literal, parsed

MISSING = "???"
_SCIENTIFIC = re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+")
_MOST = 80


@dataclass(frozen=True)
class HydraMain:
    """What ``@hydra.main(...)`` says; None where it is no literal."""

    config_path: str | None
    config_name: str | None


def hydra_main(text: str) -> HydraMain | None:
    """The ``@hydra.main`` of a script, None where it has none."""
    for node in ast.walk(parsed(text)):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("hydra.main", "hydra_main"):
                given = {k.arg: literal(k.value, {}) for k in decorator.keywords if k.arg}
                path, name = given.get("config_path"), given.get("config_name")
                return HydraMain(path if isinstance(path, str) else None, name if isinstance(name, str) else None)
    return None


def yaml_names(texts: Sequence[str]) -> tuple[str, ...]:
    """The YAML files that sources name, in order of appearance."""
    names = [
        node.value
        for text in texts
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_yaml(node.value)
    ]
    return tuple(dict.fromkeys(names))


def is_yaml(name: object) -> bool:
    """Whether a value reads as the path of a YAML file."""
    return isinstance(name, str) and name.endswith((".yaml", ".yml")) and "\n" not in name and "*" not in name


def reads_overrides(texts: Sequence[str]) -> bool:
    """Whether ``OmegaConf.from_cli()`` takes ``name=value`` words."""
    return any("OmegaConf" in text and ".from_cli(" in text for text in texts)


def loaded(path: Path) -> object:
    """What a YAML file holds, None where it cannot be read."""
    try:
        return content(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def content(text: str) -> object:
    """What YAML text holds, None where it is none."""
    try:
        held: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return held


def leaf_options(node: object, passing: Passing, file: str = "") -> tuple[Option, ...]:
    """The plain values in a configuration, by dotted names; those that refer to others are worked out, not set."""
    return tuple(_option(name, value, passing, file) for name, value in _leaves(node, ""))[:_MOST]


def missing_leaves(node: object) -> tuple[str, ...]:
    """The dotted names that Hydra marks as to be given."""
    return tuple(name for name, value in _leaves(node, "", with_marks=True) if value == MISSING)


def _leaves(node: object, before: str, *, with_marks: bool = False) -> Iterator[tuple[str, Setting]]:
    if isinstance(node, Mapping):
        for key, child in node.items():
            if isinstance(key, str) and key not in ("defaults", "hydra") and "." not in key and "=" not in key:
                yield from _leaves(child, f"{before}.{key}" if before else key, with_marks=with_marks)
    elif isinstance(node, list) and before and node and all(map(_is_plain, node)):
        yield before, tuple(node)
    elif before and _is_plain(node) and _is_set(before, node, with_marks):
        yield before, node  # type: ignore[misc]


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def _is_set(name: str, value: object, with_marks: bool) -> bool:
    return name.rpartition(".")[2] != "_target_" and (with_marks or not _is_mark(value))


def _is_mark(value: object) -> bool:
    """Whether a text stands for another value, or could not be handed over in one word."""
    return isinstance(value, str) and ("${" in value or value == MISSING or "\\" in value or "\n" in value)


def _option(name: str, value: Setting, passing: Passing, file: str) -> Option:
    if isinstance(value, str) and _SCIENTIFIC.fullmatch(value):  # YAML 1.1 reads 1e-3 as a text
        value = typed(value, "float")
    kind: Kind | None = None if isinstance(value, tuple) else kind_of(value)
    return Option(flag=name, value=value, passing=passing, kind=kind, spellings=(name,), file=file)

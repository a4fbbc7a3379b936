"""Run by the kernel's own Python as ``probe.py FOUND SCRIPT WORDS...`` or ``probe.py FOUND -m MODULE WORDS...``: runs
the script, and notes the options that its command line has.

Standard library only, any Python from 3.6 on. Each parser that reads the command line becomes a line of JSON in
FOUND; the script ends there, as with ``--help``, before it does any work.
"""

import json
import os
import runpy
import sys
from typing import Any

_CLICK_TYPES = {"integer": "int", "text": "str", "boolean": "bool", "choice": "", "path": "str", "filename": "str"}


def _is_plain(value: Any) -> Any:
    return value is None or isinstance(value, (bool, int, float, str))


def _setting(value: Any) -> Any:
    """(whether the value can be written down, the value)"""
    if hasattr(value, "value") and hasattr(type(value), "__members__"):
        value = value.value
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, (list, tuple)) and all(_is_plain(v) for v in value):
        return True, list(value)
    return (True, value) if _is_plain(value) else (False, None)


def _choices(choices: Any) -> Any:
    listed: Any = []
    if choices is not None:
        for choice in choices:
            known, value = _setting(choice)
            if not known or isinstance(value, list) or len(listed) > 30:
                return []
            listed.append(value)
    return listed


def _action(action: Any) -> Any:
    known, default = _setting(action.default)
    return {
        "action": type(action).__name__.lstrip("_"),
        "spellings": list(action.option_strings),
        "dest": str(action.dest),
        "default": default,
        "known": known,
        "type": getattr(action.type, "__name__", "") if action.type is not None else "",
        "nargs": action.nargs if _is_plain(action.nargs) else None,
        "choices": _choices(action.choices),
        "required": bool(action.required),
        "help": action.help if isinstance(action.help, str) else "",
    }


def _note(found: Any, actions: Any) -> Any:
    with open(found, "a") as file:
        file.write(json.dumps(actions) + "\n")


def _watch_argparse(found: Any) -> Any:
    import argparse

    parse_known = argparse.ArgumentParser.parse_known_args
    parse = argparse.ArgumentParser.parse_args

    def parse_known_args(self: Any, args: Any = None, namespace: Any = None) -> Any:
        _note(found, [_action(action) for action in self._actions])
        return parse_known(self, args, namespace)

    def parse_args(self: Any, args: Any = None, namespace: Any = None) -> Any:
        parse(self, args, namespace)
        raise SystemExit(0)  # a parser without --help

    argparse.ArgumentParser.parse_known_args = parse_known_args  # type: ignore[method-assign]
    argparse.ArgumentParser.parse_args = parse_args  # type: ignore[method-assign]


def _parameter(parameter: Any) -> Any:
    """An option or argument of click, or of typer, which has its own copy of click."""
    flag, secondary = bool(getattr(parameter, "is_flag", False)), list(getattr(parameter, "secondary_opts", ()))
    default = parameter.default
    if type(default).__name__ == "Sentinel":  # nothing said
        default = False if flag else None
    known, default = _setting(default)
    kind = getattr(parameter, "type", None)
    described = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    name = str(getattr(kind, "name", "") or getattr(described, "__name__", ""))
    options = type(default).__name__ if hasattr(described, "__members__") else _CLICK_TYPES.get(name, name)
    return {
        "action": "BooleanOptionalAction" if flag and secondary else "StoreTrueAction" if flag else "StoreAction",
        "spellings": list(parameter.opts) + secondary if hasattr(parameter, "is_flag") else [],
        "dest": str(parameter.name),
        "default": default,
        "known": known and not getattr(parameter, "multiple", False),
        "type": options,
        "nargs": None if parameter.nargs == 1 else parameter.nargs,
        "choices": _choices(
            getattr(kind, "choices", None) or (described if hasattr(described, "__members__") else None)
        ),
        "required": bool(parameter.required),
        "help": getattr(parameter, "help", None) or "",
    }


def _watch_click(found: Any) -> Any:
    for module in ("click.core", "typer._click.core"):
        try:
            command = __import__(module, fromlist=["Command"]).Command  # quick, and most scripts have neither
        except (ImportError, AttributeError):
            continue
        command.make_context = _noting(found, command.make_context)


def _noting(found: Any, make_context: Any) -> Any:
    def noted(self: Any, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        actions = [_parameter(parameter) for parameter in self.params if getattr(parameter, "expose_value", True)]
        commands = getattr(self, "commands", None)
        if commands:
            actions.append(_parameter_of_group(commands))
        _note(found, actions)
        return make_context(self, info_name, args, parent, **extra)

    return noted


def _parameter_of_group(commands: Any) -> Any:
    return {"action": "SubParsersAction", "spellings": [], "dest": "command", "default": None, "known": True,
            "type": "", "nargs": None, "choices": sorted(commands), "required": True, "help": ""}  # fmt: skip


def main() -> Any:
    found, script = sys.argv[1], sys.argv[2]
    is_module = script == "-m"
    sys.argv = sys.argv[3:] if is_module else sys.argv[2:]
    sys.path[0] = os.getcwd() if is_module else os.path.dirname(os.path.abspath(script))
    _watch_argparse(found)
    _watch_click(found)
    if is_module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(script, run_name="__main__")


main()

"""Run by the kernel's own Python as ``probe.py FOUND SCRIPT WORDS...``: runs the script, and notes the options that its
command line has.

Standard library only, any Python from 3.6 on. Each parser that reads the command line becomes a line of JSON in
FOUND; the script ends there, as with ``--help``, before it does any work.
"""

import json
import os
import runpy
import sys
from typing import Any


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
    if choices is not None and not callable(choices):
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
    known, default = _setting(parameter.default)
    flag = bool(getattr(parameter, "is_flag", False))
    pair = flag and bool(getattr(parameter, "secondary_opts", ()))
    return {
        "action": "BooleanOptionalAction" if pair else "StoreTrueAction" if flag else "StoreAction",
        "spellings": list(parameter.opts) + list(parameter.secondary_opts) if hasattr(parameter, "is_flag") else [],
        "dest": str(parameter.name),
        "default": default,
        "known": known and not getattr(parameter, "multiple", False),
        "type": {"integer": "int", "text": "str", "boolean": "bool"}.get(parameter.type.name, parameter.type.name),
        "nargs": None if parameter.nargs == 1 else parameter.nargs,
        "choices": _choices(getattr(parameter.type, "choices", None)),
        "required": bool(parameter.required),
        "help": getattr(parameter, "help", None) or "",
    }


def _watch_click(found: Any) -> Any:
    try:
        import click
    except ImportError:
        return

    make_context = click.Command.make_context

    def noted(self: Any, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        actions = [_parameter(parameter) for parameter in self.params]
        commands = getattr(self, "commands", None)
        if commands:
            actions.append(dict(_parameter_of_group(commands)))
        _note(found, actions)
        return make_context(self, info_name, args, parent, **extra)

    click.Command.make_context = noted  # type: ignore[method-assign]


def _parameter_of_group(commands: Any) -> Any:
    return {"action": "SubParsersAction", "spellings": [], "dest": "command", "default": None, "known": True,
            "type": "", "nargs": None, "choices": sorted(commands), "required": True, "help": ""}  # fmt: skip


def main() -> Any:
    found, script = sys.argv[1], sys.argv[2]
    sys.argv = sys.argv[2:]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    _watch_argparse(found)
    with open(script, encoding="utf-8") as file:
        text = file.read()
    if "click" in text or "typer" in text:
        _watch_click(found)
    runpy.run_path(script, run_name="__main__")


main()

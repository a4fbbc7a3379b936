"""The options of a script, as values; their names as parameters of a notebook; what a command line sets of them."""

import dataclasses
import keyword
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Literal

from ..core.project import LauncherOptions
from ..core.types import SEED_NAMES, Value
from ..errors import InvalidInput

Setting = Value | tuple[Value, ...]
Kind = Literal["bool", "int", "float", "str"]

_WRITTEN = {
    *("output", "output_dir", "output_path", "out", "out_dir", "outdir", "save_dir", "savedir", "save_path", "log_dir"),
    *(
        "logdir",
        "logging_dir",
        "checkpoint_dir",
        "ckpt_dir",
        "results_dir",
        "result_dir",
        "run_dir",
        "work_dir",
        "exp_dir",
    ),
    *("default_root_dir", "experiment_dir", "artifacts_dir", "tensorboard_dir"),
}
# Names that the cell which starts the script uses itself.
_TAKEN = {"shlex", "sys", "command", "json", "yaml", "Path", "settings", "code", "old", "new"}


class Passing(Enum):
    """How a value reaches the script."""

    VALUE = "value"
    """``--lr=0.1``"""
    SWITCH = "switch"
    """``--amp``, given only when True"""
    PAIR = "pair"
    """``--amp`` or ``--no-amp``"""
    WORDS = "words"
    """``--sizes 64 32``"""
    OVERRIDE = "override"
    """``model.lr=0.1``"""
    FILE = "file"
    """in a copy of a YAML file"""
    TEXT = "text"
    """in a copy of the script"""


@dataclass(frozen=True)
class Option:
    """One option of a script.

    ``flag`` is its longest spelling, ``spellings`` all of them (none for a positional argument). ``computed``: the
    script works its default out when it runs, so the value seen now must not be frozen. ``about``: its help. ``file``:
    the YAML file that holds it. ``place``: the script's text before the value, and of the value.
    """

    flag: str
    value: Setting = None
    passing: Passing = Passing.VALUE
    kind: Kind | None = None
    choices: tuple[Value, ...] = ()
    spellings: tuple[str, ...] = ()
    off: str = ""
    required: bool = False
    computed: bool = False
    about: str = ""
    file: str = ""
    place: tuple[str, str] = ("", "")

    @property
    def is_positional(self) -> bool:
        return not self.spellings


@dataclass(frozen=True)
class Parameter:
    """An option under its name in the notebook."""

    name: str
    option: Option


@dataclass(frozen=True)
class Given:
    """What a command line leaves: the options with its values, and the words that are no known option's."""

    options: tuple[Option, ...]
    rest: tuple[str, ...] = ()
    set_flags: frozenset[str] = frozenset()


def longest(spellings: Sequence[str]) -> str:
    """The spelling that names an option: the first of its long ones."""
    return next((s for s in spellings if s.startswith("--")), spellings[0])


def settled(option: Option) -> Option:
    """``option`` with its value in its own type: argparse turns a text default into the type, and 1 is a float here."""
    value = option.value
    if isinstance(value, tuple) or value is None:
        return option
    if option.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return dataclasses.replace(option, value=float(value))
    if isinstance(value, str) and option.kind in ("int", "float", "bool"):
        return dataclasses.replace(option, value=typed(value, option.kind))
    return option


def typed(text: str, kind: Kind | None) -> Value:
    """A word of a command line as a value. Without a known type it is a number where it reads as one."""
    if kind == "bool":
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    for number in (int, float) if kind in (None, "int", "float") else ():
        if kind == "float" and number is int:
            continue
        try:
            found = number(text)
        except ValueError:
            continue
        return found if math.isfinite(found) else text
    return text


def given(options: Sequence[Option], words: Sequence[str]) -> Given:
    """What the words of a command line set. A word that belongs to no known option stays as it is, in its place."""
    by_spelling = {spelling: option for option in options for spelling in (*option.spellings, option.off) if spelling}
    values: dict[str, Setting] = {}
    rest: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        spelling, sign, text = word.partition("=")
        option = by_spelling.get(spelling)
        if option is None or (sign and option.passing in (Passing.SWITCH, Passing.PAIR)):
            rest.append(word)
        elif option.passing in (Passing.SWITCH, Passing.PAIR):
            values[option.flag] = spelling != option.off
        elif option.passing is Passing.WORDS:
            texts = [text] if sign else list(_until_flag(waiting))
            del waiting[: 0 if sign else len(texts)]
            values[option.flag] = tuple(typed(t, option.kind) for t in texts)
        elif sign or waiting:
            values[option.flag] = typed(text if sign else waiting.pop(0), option.kind)
        else:
            raise InvalidInput(f"{word} has no value; accepted: {word} VALUE")
    changed = [dataclasses.replace(o, value=values[o.flag], computed=False) if o.flag in values else o for o in options]
    return Given(tuple(changed), tuple(rest), frozenset(values))


def _until_flag(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if word.startswith("-") and not re.fullmatch(r"-\.?\d.*", word):
            return
        yield word


def copy_name(path: str) -> str:
    """The name of a changed copy of a file, beside it: ``config.parameters.yaml``."""
    own = PurePosixPath(path)
    return str(own.with_name(f"{own.stem}.parameters{own.suffix}"))


def named(options: Sequence[Option]) -> tuple[Parameter, ...]:
    """The options as parameters. Raises InvalidInput when two would have one name."""
    found: dict[str, Option] = {}
    for option in options:
        name = parameter_name(option.flag)
        if name in found:
            raise InvalidInput(
                f"{option.flag} and {found[name].flag} would both be the parameter `{name}`; "
                "accepted: options whose names differ in more than signs (rename one in the script)"
            )
        found[name] = option
    seeds = [name for name in found if name in SEED_NAMES]
    if seeds and "seed" not in found:
        found = {("seed" if name == seeds[0] else name): option for name, option in found.items()}
    return tuple(Parameter(name, option) for name, option in found.items())


def written_to(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """The folders inside the project that options of the usual names say are written to: each run needs its own."""
    values = [p.option.value for p in parameters if p.name.lower() in _WRITTEN]
    paths = [PurePosixPath(value) for value in values if isinstance(value, str)]
    inside = [path.parts[0] for path in paths if path.parts and not path.is_absolute() and ".." not in path.parts]
    usual = LauncherOptions().private
    return tuple(dict.fromkeys(name for name in inside if not any(fnmatchcase(name, u) for u in usual)))


def parameter_name(flag: str) -> str:
    """The identifier for an option's flag or dotted name: ``--weight-decay`` -> ``weight_decay``."""
    name = re.sub(r"\W", "_", flag.lstrip("-"), flags=re.ASCII)
    if not name or name[0].isdigit():
        name = f"option_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name

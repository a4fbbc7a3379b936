"""Which options a script has, whatever reads them: a parser, Hydra, OmegaConf, tyro, YAML files, its own text."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..core.types import SEED_NAMES
from ..errors import InvalidInput
from .asked_options import Answer, ask_options, run_in_links
from .options import Option, Passing, copy_name, given, parameter_name
from .source_options import source_options
from .text_options import command_line_fields, constants_as_flags, function_flags, text_options
from .yaml_options import (
    HydraMain,
    content,
    hydra_main,
    is_yaml,
    leaf_options,
    loaded,
    missing_leaves,
    reads_overrides,
    yaml_names,
)

_PARSERS = (
    "argparse",
    "ArgumentParser",
    "add_argument",
    "click",
    "typer",
    "parse_args",
    "HfArgumentParser",
    "simple_parsing",
)
_FEW_OPTIONS = 40


@dataclass(frozen=True)
class Start:
    """A script as a person would start it: ``python LAUNCH WORDS`` in ``folder``, LAUNCH being its path or
    ``-m`` and its module. ``texts``: its sources."""

    folder: Path
    path: str
    launch: tuple[str, ...]
    texts: tuple[str, ...]
    words: tuple[str, ...]
    python: str
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """The options with the person's values, the words that are left, and notes.

    ``renamed``: the script's text for the name of a file, and what stands there in a copy of the script.
    """

    options: tuple[Option, ...]
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    renamed: tuple[str, str] | None = None


def read_options(start: Start) -> Reading:
    """The options of a script. Raises InvalidInput where it needs words that are not given."""
    hydra = hydra_main(start.texts[0])
    if hydra is not None:
        return _of_hydra(start, hydra)
    if reads_overrides(start.texts):
        return _of_omegaconf(start)
    if any(word in text for text in start.texts for word in _PARSERS):
        return _with_files(start, _of_parser(start))
    fields = command_line_fields(start.texts) or function_flags(start.texts)
    if not fields and "configurator" in start.texts[0]:
        fields = constants_as_flags(start.texts[0])
    if fields:
        return _with_files(start, _given(start, fields, (), ()))
    reading = _with_files(start, _given(start, text_options(start.texts[0]), (), ()))
    why = (
        ""
        if reading.options
        else f"{start.path} reads no command line and has no settings at its top: no parameter to set"
    )
    return dataclasses.replace(reading, notes=(*reading.notes, *filter(None, [why])))


def _given(start: Start, options: Sequence[Option], lead: tuple[str, ...], notes: tuple[str, ...]) -> Reading:
    """The options as the person's words set them. Raises InvalidInput where one that is needed is not given."""
    set_ = given(options, start.words[len(lead) :])
    missing = [o for o in set_.options if o.required and not o.is_positional and o.flag not in set_.set_flags]
    places = [o for o in set_.options if o.required and o.is_positional]
    missing += places[len([word for word in set_.rest if not word.startswith("-")]) :]
    if missing:
        names = " ".join(o.flag.upper() if o.is_positional else f"{o.flag} VALUE" for o in missing)
        words = " ".join((*start.words, names))
        raise InvalidInput(f"{start.path} needs {names}; accepted: init {start.path} -- {words}")
    return Reading(set_.options, (*lead, *set_.rest), notes)


# A parser


def _of_parser(start: Start) -> Reading:
    read = source_options(start.texts)
    lead: tuple[str, ...] = ()
    answer = ask_options(start.python, start.folder, (*start.launch, "--help"), start.environ)
    if answer.commands:
        lead = _subcommand(start, answer)
        answer = ask_options(start.python, start.folder, (*start.launch, *lead, "--help"), start.environ)
    if answer.problem is not None:
        note = f"{start.path} --help told nothing ({answer.problem}): options are as its source has them"
        return _given(start, read or command_line_fields(start.texts), lead, (note,))
    return _given(start, _confirmed(start, answer.options, {o.flag: o for o in read}), lead, ())


def _subcommand(start: Start, answer: Answer) -> tuple[str, ...]:
    if not start.words or start.words[0] not in answer.commands:
        raise InvalidInput(
            f"{start.path} has subcommands and none is given; accepted: one of {', '.join(answer.commands)} "
            f"right after --, such as: init {start.path} -- {answer.commands[0]}"
        )
    return (start.words[0],)


def _confirmed(start: Start, asked: Sequence[Option], read: Mapping[str, Option]) -> tuple[Option, ...]:
    """The options that exist; a default that the source computes is the script's own business.

    Of a library's many options, those that the sources name or the person gives.
    """
    wanted = {word.partition("=")[0] for word in start.words}
    text = "\n".join(start.texts)
    kept = [
        option
        for option in asked
        if len(asked) <= _FEW_OPTIONS
        or option.flag in read
        or wanted & set(option.spellings)
        or parameter_name(option.flag) in SEED_NAMES
        or f"{option.flag.lstrip('-').replace('-', '_')}:" in text
    ]
    return tuple(
        dataclasses.replace(o, computed=o.computed or (o.flag in read and read[o.flag].computed)) for o in kept
    )


# Hydra and OmegaConf


def _of_hydra(start: Start, main: HydraMain) -> Reading:
    answer = run_in_links([start.python, *start.launch, "--cfg", "job", *start.words], start.folder, start.environ)
    notes: tuple[str, ...] = ()
    held = content(answer.text) if answer.problem is None else None
    if held is None:
        name = f"{main.config_name or 'config'}".removesuffix(".yaml") + ".yaml"
        held = loaded(start.folder / PurePosixPath(start.path).parent / (main.config_path or "") / name)
        notes = (f"{start.path} --cfg job told nothing ({answer.problem}): options are those of {name}",)
    missing = missing_leaves(held)
    if missing:
        words = " ".join(f"{name}=VALUE" for name in missing)
        raise InvalidInput(f"{start.path} needs {words}; accepted: init {start.path} -- {words}")
    added = {word.lstrip("+").partition("=")[0] for word in start.words if word.startswith("+")}
    options = tuple(o for o in leaf_options(held, Passing.OVERRIDE) if o.flag not in added)
    leaves = {option.flag for option in options}
    rest = tuple(word for word in start.words if word.partition("=")[0] not in leaves)
    return Reading(options, rest, notes)


def _of_omegaconf(start: Start) -> Reading:
    options: dict[str, Option] = {}
    for name in yaml_names(start.texts):
        path = _found(start, name)
        for option in leaf_options(loaded(path) if path is not None else None, Passing.OVERRIDE):
            options.setdefault(option.flag, option)
    return _given(start, tuple(options.values()), (), ())


# YAML files that are just read


def _found(start: Start, name: str) -> Path | None:
    """A file that a source names: from where the script starts, else from where it lies."""
    places = (start.folder / name, (start.folder / start.path).parent / name)
    inside = [p for p in places if p.is_file() and p.resolve().is_relative_to(start.folder.resolve())]
    return inside[0] if inside else None


def _with_files(start: Start, reading: Reading) -> Reading:
    """``reading`` with the leaves of the one YAML file that an option, a word or the script's text names."""
    texts = start.texts[0]
    named = [o for o in reading.options if is_yaml(o.value)]
    words = [w for w in reading.words if is_yaml(w.rpartition("=")[2])]
    written = [n for n in yaml_names(start.texts[:1]) if sum(texts.count(q + n + q) for q in "'\"") == 1]
    name = next(iter([*(str(o.value) for o in named), *(w.rpartition("=")[2] for w in words), *written]), None)
    path = _found(start, name) if name is not None else None
    if name is None or path is None:
        return reading
    inner = path.resolve().relative_to(start.folder.resolve()).as_posix()
    leaves = leaf_options(loaded(path), Passing.FILE, inner)
    if not leaves:
        return reading
    # An option without a value of its own overrides the file's where it is given: the file's value is the one to set.
    held = {parameter_name(leaf.flag) for leaf in leaves}
    options = tuple(o for o in reading.options if o.value is not None or parameter_name(o.flag) not in held)
    reading = dataclasses.replace(reading, options=options)
    taken = {parameter_name(o.flag) for o in options}
    leaves = tuple(leaf for leaf in leaves if parameter_name(leaf.flag) not in taken)
    new = copy_name(name)
    if named:
        options = tuple(o for o in reading.options if o is not named[0])
        word = (f"{named[0].flag}={new}",) if named[0].flag.startswith("--") else (named[0].flag, new)
        return Reading((*options, *leaves), (*reading.words, *word), reading.notes)
    if words:
        changed = tuple(w[: len(w) - len(name)] + new if w == words[0] else w for w in reading.words)
        return Reading((*reading.options, *leaves), changed, reading.notes)
    quote = next(q for q in "'\"" if q + name + q in texts)
    return Reading(
        (*reading.options, *leaves), reading.words, reading.notes, (f"{quote}{name}{quote}", f"{quote}{new}{quote}")
    )

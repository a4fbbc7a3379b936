"""A script -> what `init` proposes for it. Reads the project and asks the script; writes nothing in it."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import InvalidInput
from ..execution.environment import find_kernel, run_environment
from ..execution.notebooks.space import survey
from .around import Script, notebook_around, settable
from .asked_options import Answer, ask_options, interpreter, relative_to
from .metrics import source_names
from .options import Given, Option, Parameter, given, named
from .proposal import Proposal, Wishes, goal_of, project_files
from .source_options import source_options
from .sources import own_sources, read_script

_READS_WORDS = ("argparse", "ArgumentParser", "add_argument", "click", "typer", "parse_args", "Parser(")
_TRIES = {"dry_run", "fast_dev_run", "max_steps", "smoke_test", "limit_train_batches", "debug"}


@dataclass(frozen=True)
class _Found:
    """The options of a script, ``words`` of a subcommand, and notes for the person."""

    options: tuple[Option, ...]
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def propose_for_script(folder: Path, script: Path, words: Sequence[str], wishes: Wishes) -> Proposal:
    """A notebook around ``script``. ``words``: its command line, as the person would give it.

    Raises NotFound, InvalidInput, InvalidNotebook (no such kernel).
    """
    read_script(script)
    path = relative_to(folder, script)
    spec = find_kernel(wishes.kernel, path)
    texts = own_sources(folder.resolve(), script.resolve())
    found = _options(interpreter(spec.argv), folder, path, texts, words)
    set_ = given(found.options, words[len(found.words) :])
    _refuse_missing(path, set_)
    parameters = named(settable(set_.options))
    notebook = notebook_around(
        Script(path, (*found.words, *set_.rest), wishes.kernel, spec.display_name or wishes.kernel), parameters
    )
    seen = survey(notebook)
    goal = goal_of(path, source_names(texts), wishes.metric, wishes.direction)
    name = f"{PurePosixPath(path).stem}.ipynb"
    return Proposal(
        notebook=name,
        goal=goal,
        parameters=tuple((p.name, p.option.value) for p in parameters),
        space=tuple(map(str, seen.space)),
        roles=(),
        notes=(*found.notes, *_notes(set_, parameters)),
        files=((name, notebook.notebook), *project_files(folder, name, goal)),
        shown=_shown(notebook.notebook),
    )


def _options(python: str, folder: Path, path: str, texts: Sequence[str], words: Sequence[str]) -> _Found:
    read = source_options(texts)
    if not any(word in text for text in texts for word in _READS_WORDS):
        return _Found((), notes=(f"{path} reads no command line: its notebook has no parameter to set",))
    variables = run_environment(os.environ, ()).variables
    answer = ask_options(python, folder, path, (), variables)
    lead: tuple[str, ...] = ()
    if answer.commands:
        lead = _subcommand(path, answer, words)
        answer = ask_options(python, folder, path, lead, variables)
    if answer.problem is not None:
        note = f"{path} --help told nothing ({answer.problem}): options are as its source has them"
        return _Found(read, lead, (note,))
    return _Found(_confirmed(answer.options, {o.flag: o for o in read}, words), lead)


def _subcommand(path: str, answer: Answer, words: Sequence[str]) -> tuple[str, ...]:
    if not words or words[0] not in answer.commands:
        listed = ", ".join(answer.commands)
        raise InvalidInput(
            f"{path} has subcommands and none is given; accepted: one of {listed} right after --, "
            f"such as: init {path} -- {answer.commands[0]}"
        )
    return (words[0],)


def _confirmed(asked: Sequence[Option], read: Mapping[str, Option], words: Sequence[str]) -> tuple[Option, ...]:
    """The options that exist; a default that the source computes is the script's own business.

    Where a parser takes more than its source names (a library's), only what the source or the command line names.
    """
    wanted = {word.partition("=")[0] for word in words}
    few = len(asked) <= 40
    kept = [o for o in asked if few or o.flag in read or wanted & set(o.spellings)]
    return tuple(
        dataclasses.replace(o, computed=o.computed or (o.flag in read and read[o.flag].computed)) for o in kept
    )


def _refuse_missing(path: str, words: Given) -> None:
    missing = [o for o in words.options if o.required and not o.is_positional and o.flag not in words.set_flags]
    places = [o for o in words.options if o.required and o.is_positional]
    loose = [word for word in words.rest if not word.startswith("-")]
    missing += places[len(loose) :]
    if missing:
        names = " and ".join(f"{o.flag}{'' if o.is_positional else ' VALUE'}" for o in missing)
        raise InvalidInput(f"{path} needs {names}; accepted: init {path} -- {names}")


def _notes(words: Given, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    notes = []
    left = [o.flag for o in words.options if o.computed and not o.is_positional]
    if left:
        notes.append(f"left to the script, which works their defaults out: {', '.join(left)}")
    names = {p.name for p in parameters}
    tries = sorted(names & _TRIES)
    if "dry_run" not in names and tries:
        notes.append(f"no `dry_run` parameter; `{tries[0]}` may serve as one where you name it so")
    return tuple(notes)


def _shown(notebook: str) -> tuple[str, ...]:
    import json

    cells = json.loads(notebook)["cells"]
    return tuple("".join(cells[1]["source"]).splitlines())

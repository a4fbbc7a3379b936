"""A script -> what `init` proposes for it. Reads the project and asks the script; writes nothing in it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..execution.environment import find_kernel, run_environment
from ..execution.notebooks.space import survey
from .around import Script, notebook_around, settable
from .asked_options import interpreter
from .metrics import source_names
from .options import Parameter, named, written_to
from .proposal import Proposal, Wishes, goal_of, project_files
from .reading import Reading, Start, read_options
from .sources import own_sources, package_module, read_script

_TRIES = {"dry_run", "fast_dev_run", "max_steps", "smoke_test", "limit_train_batches", "debug"}


def propose_for_script(folder: Path, script: Path, words: Sequence[str], wishes: Wishes) -> Proposal:
    """A notebook around ``script``. ``words``: its command line, as the person would give it.

    Raises NotFound, InvalidInput, InvalidNotebook (no such kernel).
    """
    read_script(script)
    path = script.resolve().relative_to(folder.resolve()).as_posix()
    kernel = wishes.kernel or "python3"
    spec = find_kernel(kernel, path)
    texts = own_sources(folder.resolve(), script.resolve())
    goal = goal_of(path, source_names(texts), wishes.metric, wishes.direction)
    launch = ("-m", module) if (module := package_module(path, texts[0])) else (path,)
    environ = run_environment(os.environ, ()).variables
    start = Start(folder.resolve(), path, launch, texts, tuple(words), interpreter(spec.argv), environ)
    reading = read_options(start)
    parameters = named(settable(reading.options))
    around = Script(path, launch, reading.words, kernel, spec.display_name or kernel, reading.renamed)
    notebook = notebook_around(around, parameters)
    name = f"{PurePosixPath(path).stem}.ipynb"
    return Proposal(
        notebook=name,
        goal=goal,
        parameters=tuple((p.name, p.option.value) for p in parameters),
        space=tuple(map(str, survey(notebook).space)),
        roles=(),
        notes=(*reading.notes, *_notes(reading, parameters)),
        files=((name, notebook.notebook), *project_files(folder, name, goal, private=written_to(parameters))),
        shown=tuple("".join(json.loads(notebook.notebook)["cells"][1]["source"]).splitlines()),
    )


def _notes(reading: Reading, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    notes = []
    left = [o.flag for o in reading.options if o.computed and not o.is_positional]
    if left:
        notes.append(f"left to the script, which works their defaults out: {', '.join(left)}")
    names = {p.name for p in parameters}
    tries = sorted(names & _TRIES)
    if "dry_run" not in names and tries:
        notes.append(f"`{tries[0]}` may serve for dry runs: name its parameter `dry_run` if True makes the run short")
    return tuple(notes)

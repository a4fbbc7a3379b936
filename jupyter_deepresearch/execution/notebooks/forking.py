"""A fork: an experiment's notebook for a person to edit and to hand back, and what it then differs in."""

import json
from pathlib import Path

from nbformat import NotebookNode

from ...core.ports import Build, HandedBack, Origin
from ...core.sources import edits_between, has_other_cells
from ...core.types import Parameters, Source
from .cells import parameters_cell, parse, write
from .compose import checked_values, edited
from .space import parameters_of, survey
from .taking import continued, with_values


def marked(notebook: NotebookNode, origin: Origin) -> str:
    """The notebook as text that says what it is a fork of."""
    notebook.metadata["deepresearch"] = {"fork": {"project": origin.project, "experiment": origin.experiment}}
    return write(notebook)


def origin_of(path: Path) -> Origin | None:
    """What the notebook at ``path`` says that it is a fork of; None where it says nothing that can be understood."""
    try:
        mark = json.loads(path.read_text(encoding="utf-8-sig"))["metadata"]["deepresearch"]["fork"]
        project, experiment = mark["project"], mark["experiment"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(project, str) or not isinstance(experiment, int) or isinstance(experiment, bool):
        return None
    return Origin(project, experiment) if 0 <= experiment < 2**53 else None


def handed_back(fork: Source, build: Build) -> HandedBack:
    """``fork``, a notebook in canonical form, against the experiment that ``build`` makes. Raises InvalidNotebook.

    Values that the person set in the parameters cell, and nothing else there, count as values and not as an edit.
    """
    notebook, files = edited(build, ())
    before = Source(write(notebook), files)
    ran = checked_values(build.parameters, survey(before))
    made = parse(fork)
    own, values = parameters_of(notebook), parameters_of(made)
    _restore_parameters(made, notebook, values)
    after = Source(write(made), files)
    untouched, _ = continued(build)
    is_same = not has_other_cells(before, after) or not has_other_cells(Source(write(untouched)), fork)
    return HandedBack(
        source=None if is_same else after,
        settings=_others(values, own),
        changes=_others(values, {**own, **ran}),
        edits=() if is_same else edits_between(before, after),
    )


def _others(values: Parameters, known: Parameters) -> Parameters:
    """Those of the values whose names are known with another value."""
    return {
        name: value
        for name, value in values.items()
        if name in known and (known[name] != value or type(known[name]) is not type(value))
    }


def _restore_parameters(made: NotebookNode, before: NotebookNode, values: Parameters) -> None:
    """Put the parameters cell back as it was, where values are all that tells the two apart, however they are spelt."""
    index, own = parameters_cell(made), parameters_cell(before)
    if index is not None and own is not None and _spelt(made, index, values) == _spelt(before, own, values):
        made.cells[index].source = before.cells[own].source


def _spelt(notebook: NotebookNode, index: int, values: Parameters) -> str:
    """The parameters cell with these values written as code writes them."""
    text: str = with_values(parse(Source(write(notebook))), values).cells[index].source
    return text

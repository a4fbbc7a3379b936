"""An experiment's notebook out of the log: the root source, edits in order, then values by papermill."""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import papermill.parameterize
from nbformat import NotebookNode

from ...core.events import Survey
from ...core.ports import Build
from ...core.types import Dimension, Edit, Parameters, Piece, Purpose, Run, Source, Value, seed_name
from ...errors import InvalidNotebook
from ..trees.globs import matches
from .cells import DRY_RUN, INJECTED, LOCKED, PARAMETERS, locked_ids, parameters_cell, parse, roles, write
from .space import survey


@dataclass(frozen=True)
class Composed:
    """A notebook ready to run.

    ``parameters`` are all values it runs with, ``locked_cells`` indices into its cells, ``files`` the code files beside
    it as edited (path -> text).
    """

    notebook: NotebookNode
    parameters: Parameters
    locked_cells: tuple[int, ...]
    files: Mapping[str, str]


def compose(build: Build, run: Run, locked_files: Sequence[str] = ()) -> Composed:
    """The notebook that ``run`` executes. ``locked_files`` are globs on files that no edit may touch.

    Seed number k runs with the notebook's own ``seed`` + k - 1.
    Raises InvalidNotebook where an edit or a value does not fit.
    """
    notebook, files = edited(build, locked_files)
    offered = survey(Source(write(notebook)))
    values = dict(checked_values(build.parameters, offered))
    name = seed_name(offered.parameters) or ""
    seed = values.get(name, offered.parameters.get(name))
    if run.seed_index > 1 and isinstance(seed, int) and not isinstance(seed, bool):
        values[name] = seed + run.seed_index - 1
    if run.purpose is Purpose.DRY_RUN and offered.dry_run:
        values[DRY_RUN] = True
    locked = locked_ids(notebook)
    notebook = injected(notebook, values)
    _must_be_untouched(build.source, notebook)
    places = tuple(i for i, cell in enumerate(notebook.cells) if cell.id in locked)
    return Composed(notebook, {**offered.parameters, **values}, places, files)


def pieces(build: Build, locked_files: Sequence[str] = ()) -> tuple[Piece, ...]:
    """The code cells in order, then the code files by path, as ``build`` makes them. Raises InvalidNotebook."""
    notebook, files = edited(build, locked_files)
    locked, own = locked_ids(notebook), parameters_cell(notebook)
    cells = (
        Piece(cell.source, cell=cell.id, is_locked=cell.id in locked, is_parameters=i == own)
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
    )
    there = (Piece(files[path], file=path, is_locked=matches(path, locked_files)) for path in sorted(files))
    return (*cells, *there)


def check(build: Build, locked_files: Sequence[str] = ()) -> None:
    """Raise InvalidNotebook, one clear line, where an edit or a parameter of ``build`` does not fit its source."""
    compose(build, Run(0, Purpose.CANDIDATE), locked_files)


def checked_values(values: Parameters, offered: Survey) -> Parameters:
    """``values`` in the notebook's own types (1 for a float becomes 1.0). Raises InvalidNotebook naming a misfit."""
    known = offered.parameters
    for name in values:
        if name not in known:
            raise InvalidNotebook(_unknown(name, tuple(known)))
    dimensions = {d.name: d for d in offered.space}
    return {name: _fitted(name, value, known[name], dimensions.get(name)) for name, value in values.items()}


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"unknown parameter {name!r}: the notebook has no parameters cell with plain values"
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown parameter {name!r}; {hint}accepted: {', '.join(known)[:300]}"


def _fitted(name: str, value: Value, own: Value, dimension: Dimension | None) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidNotebook(f"parameter {name!r}: found {value}; accepted: a finite number")
    if own is None or (dimension is not None and dimension.choices and dimension.holds(value)):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(own, bool):
        fits, accepted = isinstance(value, bool), "true or false"
    elif isinstance(own, int):
        fits, accepted = is_number and float(value or 0).is_integer(), "a whole number"
    elif isinstance(own, float):
        fits, accepted = is_number, "a number"
    else:
        fits, accepted = isinstance(value, str), "a text"
    if not fits:
        raise InvalidNotebook(f"parameter {name!r}: found {value!r:.60}; accepted: {accepted} (its own is {own!r:.60})")
    if isinstance(own, float) and isinstance(value, int):
        return float(value)
    return int(value) if isinstance(own, int) and isinstance(value, float) else value


def edited(build: Build, locked_files: Sequence[str]) -> tuple[NotebookNode, Mapping[str, str]]:
    notebook = parse(build.source)
    files = dict(build.source.files)
    locked = locked_ids(notebook)
    root_parameters = parameters_cell(notebook)
    cells = {cell.id: cell for cell in notebook.cells}
    for edit in build.edits:
        if edit.cell is not None:
            if edit.cell not in cells:
                raise InvalidNotebook(f"edit of {edit.where}: there is no cell with this id")
            if edit.cell in locked:
                raise InvalidNotebook(f"edit of {edit.where}: the cell is locked")
            cells[edit.cell].source = _replaced(cells[edit.cell].source, edit)
        elif edit.file is not None and edit.file in files:
            if matches(edit.file, locked_files):
                raise InvalidNotebook(f"edit of {edit.where}: the file is locked")
            files[edit.file] = _replaced(files[edit.file], edit)
        else:
            raise InvalidNotebook(f"edit of {edit.where}: there is no such code file")
    if (parameters_cell(notebook), locked_ids(notebook)) != (root_parameters, locked):
        raise InvalidNotebook(
            "an edit changes which cells are `parameters` or `locked`; accepted: edits that keep roles"
        )
    return notebook, files


def _replaced(text: str, edit: Edit) -> str:
    if not edit.search:
        raise InvalidNotebook(f"edit of {edit.where}: the text to search for is empty")
    times = text.count(edit.search)
    if times != 1:
        found = "not found" if times == 0 else f"found {times} times; accepted: a text that occurs exactly once"
        raise InvalidNotebook(f"edit of {edit.where}: the text {edit.search!r:.80} is {found}")
    return text.replace(edit.search, edit.replace)


def injected(notebook: NotebookNode, values: Parameters) -> NotebookNode:
    """``notebook`` with one cell that sets ``values``, right after the parameters cell; unchanged without any."""
    if not values:
        return notebook
    before = [cell.source for cell in notebook.cells if INJECTED in roles(cell)]
    notebook.cells = [cell for cell in notebook.cells if INJECTED not in roles(cell)]
    own = parameters_cell(notebook)
    for i, cell in enumerate(notebook.cells):  # papermill wants tags on every cell, and finds its cells by them alone
        tags = list(cell.metadata.get("tags", ()))
        cell.metadata["tags"] = [*tags, PARAMETERS] if i == own and PARAMETERS not in tags else tags
    notebook.metadata["papermill"] = NotebookNode()
    made: NotebookNode = papermill.parameterize.parameterize_notebook(
        notebook, dict(values), comment="Parameters of this experiment"
    )
    del made.metadata["papermill"]  # a second copy of the values
    for cell in made.cells:
        if not cell.metadata["tags"]:
            del cell.metadata["tags"]
    taken = {cell.id for cell in made.cells}
    new = next(cell for cell in made.cells if INJECTED in cell.metadata.get("tags", ()))
    # What was injected by hand earlier goes on to hold; the later line wins.
    new.source = "\n".join([*(source.rstrip("\n") for source in before), new.source.rstrip("\n")])
    new.id = next(i for i in (INJECTED, *(f"{INJECTED}-{k}" for k in range(len(taken)))) if i not in taken)
    return made


def _must_be_untouched(source: Source, made: NotebookNode) -> None:
    """Hold the promise that locked cells are the source's own, byte for byte and in order."""
    before = [(cell.id, cell.source) for cell in parse(source).cells if LOCKED in roles(cell)]
    after = [(cell.id, cell.source) for cell in made.cells if cell.id in {i for i, _ in before}]
    if before != after:
        raise InvalidNotebook("the locked cells of the experiment are not those of the project's notebook")

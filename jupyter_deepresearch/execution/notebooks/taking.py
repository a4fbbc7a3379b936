"""An experiment as files that a person goes on with: its notebook, its code, and a patch of the project's files."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from ...core.ports import Build
from ...core.sources import fingerprint
from ...core.types import Parameters, Source
from ...errors import InvalidNotebook
from .cells import injected_cells, parameters_cell, parse, write
from .compose import checked_values, edited, injected
from .patch import patch
from .source import read_source
from .space import parameters_of, survey, tree


@dataclass(frozen=True)
class Taken:
    """``notebook`` without outputs, ``files`` that differ from the project's own (path -> text), and ``patch``, which
    makes them of the files that are in the project's folder now; empty where there is no difference."""

    notebook: str
    files: Mapping[str, str]
    patch: str
    notes: tuple[str, ...] = ()


def take(build: Build, own: Source, folder: Path, notebook: str) -> Taken:
    """The experiment that ``build`` makes, whose project began with ``own``; its notebook lies at ``notebook``.

    Values are set where the notebook has them, so that there is no second place to change. Raises InvalidNotebook.
    """
    made, files = continued(build)
    changed = {path: files.get(path) for path in {*files, *own.files} if files.get(path) != own.files.get(path)}
    before: dict[str, str | None] = {path: _text(folder / path) for path in changed}
    after: dict[str, str | None] = dict(changed)
    if _cells(made) != _cells(parse(own)):
        before[notebook], after[notebook] = _relaid(folder / notebook, parse(own), made)
    texts = {path: text for path, text in sorted(changed.items()) if text is not None}
    return Taken(write(made), texts, patch(before, after), _notes(own, folder, notebook, texts.keys()))


def continued(build: Build) -> tuple[NotebookNode, Mapping[str, str]]:
    """The notebook and code files of an experiment, its values set in the parameters cell where that can be done."""
    notebook, files = edited(build, ())
    values = checked_values(build.parameters, survey(Source(write(notebook))))
    return with_values(notebook, values), files


def with_values(notebook: NotebookNode, values: Parameters) -> NotebookNode:
    """The notebook, changed in place, with these values in its parameters cell, else in a cell after it."""
    if not values:
        return notebook
    index, wanted = parameters_cell(notebook), {**parameters_of(notebook), **values}
    if index is not None and not injected_cells(notebook):
        before = notebook.cells[index].source
        notebook.cells[index].source = _set(before, values)
        if parameters_of(notebook) == wanted:
            return notebook
        notebook.cells[index].source = before
    return injected(notebook, values)


def _set(text: str, values: Parameters) -> str:
    """The text of a parameters cell with these values in place of its own; comments stay."""
    lines = text.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    made = text.encode()
    for statement in reversed(tree(text).body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        name = targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None
        if name is None or name not in values or value is None:
            continue
        start = starts[value.lineno - 1] + value.col_offset
        end = starts[value.end_lineno - 1] + value.end_col_offset
        made = made[:start] + repr(values[name]).encode() + made[end:]
    return made.decode()


def _relaid(path: Path, own: NotebookNode, made: NotebookNode) -> tuple[str | None, str]:
    """The notebook file as it is, and with the experiment's cells in it: all else of the file stays as it was."""
    text = _text(path)
    if text is None:
        return None, write(made)
    try:
        there = parse(read_source(path))
        raw = json.loads(text.removeprefix("\ufeff"))
        cells = dict(zip([cell.id for cell in there.cells], raw["cells"], strict=True))
    except (InvalidNotebook, ValueError, KeyError, TypeError):  # no notebook any more, or one of an old format
        return text, write(made)
    raw["cells"] = _laid(cells, own, made, with_ids=(raw["nbformat"], raw.get("nbformat_minor", 0)) >= (4, 5))
    return text, _written(text)(raw)


def _laid(cells: dict[str, Any], own: NotebookNode, made: NotebookNode, with_ids: bool) -> list[Any]:
    """The experiment's cells in their order, among them those that only the file has, after the one they followed."""
    before = {cell.id: cell for cell in own.cells}
    laid: dict[str, Any] = {}
    for cell in made.cells:
        is_same = cell.id in before and _content(cell) == _content(before[cell.id])
        if is_same and cell.id not in cells:
            continue  # the person has removed it meanwhile
        laid[cell.id] = cells[cell.id] if is_same else _raw(cell, cells.get(cell.id), with_ids)
    order, last = list(laid), -1
    for name in cells:
        if name in laid:
            last = order.index(name)
        elif name not in before:
            last += 1
            order.insert(last, name)
    return [laid.get(name, cells.get(name)) for name in order]


def _raw(cell: NotebookNode, there: Any, with_ids: bool) -> dict[str, Any]:
    """A cell as a notebook file holds it, with what the file has of it besides."""
    own: dict[str, Any] = dict(there) if there else {"cell_type": cell.cell_type, "metadata": {}}
    if not there and with_ids:
        own["id"] = cell.id
    if not there and cell.cell_type == "code":
        own |= {"execution_count": None, "outputs": []}
    if cell.metadata.get("tags", []) != own["metadata"].get("tags", []):
        own["metadata"] = {**own["metadata"], "tags": list(cell.metadata.get("tags", []))}
    is_list = not there or isinstance(there.get("source"), list)
    return {**own, "source": cell.source.splitlines(keepends=True) if is_list else cell.source}


def _written(text: str) -> Callable[[Any], str]:
    """How to write JSON so that what is not changed stays byte for byte as in ``text``, where that can be done."""
    start = "\ufeff" if text.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    found = re.match(r"\s*\{\r?\n([ \t]+)", text.removeprefix("\ufeff"))
    end = newline if text.endswith("\n") else ""

    def written(raw: Any, ascii_only: bool = text.isascii()) -> str:
        made = json.dumps(raw, indent=found[1] if found else None, ensure_ascii=ascii_only)
        return start + made.replace("\n", newline) + end

    return written


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _content(cell: NotebookNode) -> tuple[str, list[str]]:
    return cell.source, list(cell.metadata.get("tags", []))


def _cells(notebook: NotebookNode) -> list[tuple[str, tuple[str, list[str]]]]:
    return [(cell.id, _content(cell)) for cell in notebook.cells]


def _notes(own: Source, folder: Path, notebook: str, paths: Any) -> tuple[str, ...]:
    try:
        now = Source(read_source(folder / notebook).notebook)
    except InvalidNotebook as error:
        return (f"{error}; the patch is made for it all the same",)
    texts = {path: _text(folder / path) for path in paths}
    is_same = fingerprint(now) == fingerprint(Source(own.notebook)) and all(
        text == own.files.get(path) for path, text in texts.items()
    )
    said = "the project's files have changed since: the patch is made for them as they now are"
    return () if is_same else (said,)

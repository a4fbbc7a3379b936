"""What the code of a source is, and how a person's edit of it reads as searches and replacements. Pure."""

import ast
import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from .types import Edit, Source

_LOCKED = "locked"


@dataclass(frozen=True)
class Cell:
    """A cell that is executed, or locked: its id (unique in a notebook), its text, its sorted tags."""

    id: str
    text: str
    tags: tuple[str, ...] = ()

    @property
    def is_locked(self) -> bool:
        """Whether a tag or a leading ``#| locked`` line says so."""
        head = takewhile(lambda line: line.startswith("#|"), self.text.splitlines())
        return _LOCKED in self.tags or any(line[2:].strip() == _LOCKED for line in head)


def cells(source: Source) -> tuple[Cell, ...]:
    """The cells of a source that its runs depend on, in order; prose is left out unless it is locked."""
    try:
        notebook = json.loads(source.notebook)
    except ValueError:  # no notebook at all, which others refuse: here its text stands for it
        return (Cell("", source.notebook),)
    found = notebook.get("cells", ()) if isinstance(notebook, dict) else ()
    made = ((raw.get("cell_type"), _cell(raw)) for raw in found)
    return tuple(cell for kind, cell in made if kind == "code" or cell.is_locked)


def _cell(raw: Mapping[str, Any]) -> Cell:
    text = raw.get("source", "")
    tags = raw.get("metadata", {}).get("tags", ())
    return Cell(str(raw.get("id", "")), text if isinstance(text, str) else "".join(text), tuple(sorted(map(str, tags))))


def fingerprint(source: Source, edits: Sequence[Edit] = ()) -> str:
    """A digest of what runs of a source with these edits depend on, however they came about.

    Two with the same one are the same experiment. An edit that does not fit, which no run survives, counts as it is.
    """
    texts, misfits = _edited(source, edits)
    made = [(texts["cell", cell.id], cell.tags) for cell in cells(source)]
    content = [made, sorted((path, texts["file", path]) for path in source.files), *misfits]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


_Texts = dict[tuple[str, str], str]


def _edited(source: Source, edits: Sequence[Edit]) -> tuple[_Texts, list[tuple[str, str, str]]]:
    """The texts of cells and files with the edits applied, and the edits that do not fit."""
    texts: _Texts = {("cell", cell.id): cell.text for cell in cells(source)}
    texts |= {("file", path): text for path, text in source.files.items()}
    misfits: list[tuple[str, str, str]] = []
    for edit in edits:
        place = ("file", edit.file or "") if edit.cell is None else ("cell", edit.cell)
        if place in texts and texts[place].count(edit.search) == 1:
            texts[place] = texts[place].replace(edit.search, edit.replace)
        else:
            misfits.append((edit.where, edit.search, edit.replace))
    return texts, misfits


def sense(source: Source, edits: Sequence[Edit] = ()) -> str:
    """A digest of what code means: as ``fingerprint``, but comments and layout make no difference to it.

    Prose in locked cells, and files that are not Python, count without blank lines and trailing spaces.
    """
    texts, misfits = _edited(source, edits)
    made = [(_meaning(texts["cell", cell.id]), cell.tags) for cell in cells(source)]
    files = [(path, _meaning(texts["file", path], path)) for path in sorted(source.files)]
    return hashlib.sha256(json.dumps([made, files, *misfits]).encode()).hexdigest()


def _meaning(text: str, path: str = ".py") -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not path.endswith(".py"):
        return "\n".join(lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model's strings may hold odd escapes
            return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # cell magics, or code that cannot run
        return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def changed_files(before: Source, after: Source) -> tuple[str, ...]:
    """The paths of code files that differ, those new and gone too, sorted."""
    paths = sorted({*before.files, *after.files})
    return tuple(path for path in paths if before.files.get(path) != after.files.get(path))


def has_other_cells(before: Source, after: Source) -> bool:
    """Whether cells differ, in what they hold or in their order."""
    return [(c.text, c.tags) for c in cells(before)] != [(c.text, c.tags) for c in cells(after)]


def has_other_locked_cells(before: Source, after: Source) -> bool:
    """Whether the locked cells differ."""
    return [c.text for c in cells(before) if c.is_locked] != [c.text for c in cells(after) if c.is_locked]


def edits_between(before: Source, after: Source) -> tuple[Edit, ...]:
    """The edits that make ``after`` of ``before``, one a place, as far as they can be said.

    Cells and files that are new, gone, moved or were empty have no text to search for and are left out.
    """
    return tuple(_edits(before, after))


def _edits(before: Source, after: Source) -> Iterator[Edit]:
    own = {cell.id: cell.text for cell in cells(before)}
    for cell in cells(after):
        if cell.id in own and (said := _said(own[cell.id], cell.text)) is not None:
            yield Edit(*said, cell=cell.id)
    for path in changed_files(before, after):
        is_kept = path in before.files and path in after.files
        if is_kept and (said := _said(before.files[path], after.files[path])) is not None:
            yield Edit(*said, file=path)


def _said(before: str, after: str) -> tuple[str, str] | None:
    """What to search for, which occurs once, and what to put there; as few whole lines as will do."""
    if before == after or not before:
        return None
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    shift = len(new) - len(old)
    start = _equal(old, new)
    end = len(old) - min(_equal(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    while not _is_once(before, "".join(old[start:end])):
        start, end = max(0, start - 1), min(len(old), end + 1)
    return "".join(old[start:end]), "".join(new[start : end + shift])


def _equal(a: Sequence[str], b: Sequence[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _is_once(text: str, search: str) -> bool:
    """Whether ``search`` says one place of ``text``; two that overlap are two."""
    return search != "" and text.find(search) == text.rfind(search)


__all__ = [
    "Cell",
    "cells",
    "changed_files",
    "edits_between",
    "fingerprint",
    "has_other_cells",
    "has_other_locked_cells",
    "sense",
]

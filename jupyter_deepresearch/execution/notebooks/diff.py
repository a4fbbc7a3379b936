"""What differs between two notebooks or sets of code files, place by place."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from ...core.types import Source
from .cells import parse


@dataclass(frozen=True)
class CellDiff:
    """The changed lines of one place (a cell's id, or a file's path), as a unified diff's hunks without its header."""

    cell: str
    lines: tuple[str, ...]


def cell_diff(before: Source | NotebookNode, after: Source | NotebookNode) -> tuple[CellDiff, ...]:
    """The cells that differ, in the order of ``after``, then those only in ``before``; outputs are not looked at."""
    return _differing(_cells(before), _cells(after))


def file_diff(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[CellDiff, ...]:
    """The files (path -> text) that differ, in the order of ``after``, then those that only ``before`` has."""
    return _differing(before, after)


def _cells(notebook: Source | NotebookNode) -> Mapping[str, str]:
    parsed = parse(notebook) if isinstance(notebook, Source) else notebook
    return {cell.id: cell.source for cell in parsed.cells}


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[CellDiff, ...]:
    places = [*after, *(place for place in before if place not in after)]
    changed = [place for place in places if before.get(place) != after.get(place)]
    return tuple(CellDiff(place, _hunks(before.get(place), after.get(place))) for place in changed)


def _hunks(before: str | None, after: str | None) -> tuple[str, ...]:
    old, new = (before or "").splitlines(), (after or "").splitlines()
    return tuple(difflib.unified_diff(old, new, lineterm="", n=2))[2:]

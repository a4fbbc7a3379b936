"""What differs between the notebooks and code files of two experiments: changed lines, or whole texts side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .core.ports import Build
from .core.types import Purpose, Run
from .service.opened import OpenedProject
from .service.views import ChangedView, ChangesView

if TYPE_CHECKING:
    from .execution.notebooks.compose import Composed

MOST_CHARS = 200_000
_RUN = Run(0, Purpose.CANDIDATE)


@dataclass(frozen=True)
class CodeView:
    """A cell (``place`` is its id) or a file (its path) whose text differs; null on the side that does not have it."""

    place: str
    kind: Literal["cell", "file"]
    before: str | None
    after: str | None


@dataclass(frozen=True)
class CodesView:
    """The places that differ between two experiments, and how many others are the same; ``before`` is null for the
    person's own notebook."""

    before: int | None
    after: int
    places: tuple[CodeView, ...]
    unchanged: int


def changes(project: OpenedProject, number: int, to: int | None = None) -> ChangesView:
    """From experiment ``number`` to experiment ``to``; without ``to``, from the parent of ``number`` to it.

    An experiment without a parent is held against the project's notebook as the log has it. Raises NotFound.
    """
    before, after, old, new = _sides(project, number, to)
    return ChangesView(before, after, _changed(old, new))


def codes(project: OpenedProject, number: int, to: int | None = None) -> CodesView:
    """The same two sides as ``changes``, as whole texts; one beyond ``MOST_CHARS`` is cut, and says so.

    Raises NotFound.
    """
    before, after, old, new = _sides(project, number, to)
    places = tuple(_places(*_composed(old, new)))
    differing = tuple(_bounded(place) for place in places if place.before != place.after)
    return CodesView(before, after, differing, len(places) - len(differing))


def _sides(project: OpenedProject, number: int, to: int | None) -> tuple[int | None, int, Build, Build]:
    """The numbers of both sides, and how each comes about."""
    if to is not None:
        return number, to, project.recipe(number), project.recipe(to)
    experiment = project.experiment(number)
    parent, recipe = experiment.parent, project.recipe(number)
    before = project.recipe(parent) if parent is not None else Build(project.store.source(experiment.measure))
    return parent, number, before, recipe


def _composed(before: Build, after: Build) -> "tuple[Composed, Composed]":
    from .execution.notebooks.compose import compose  # papermill takes a moment to import

    return compose(before, _RUN), compose(after, _RUN)


def _changed(before: Build, after: Build) -> tuple[ChangedView, ...]:
    from .execution.notebooks.diff import cell_diff, file_diff

    old, new = _composed(before, after)
    found = (*cell_diff(old.notebook, new.notebook), *file_diff(old.files, new.files))
    return tuple(ChangedView(change.cell, change.lines) for change in found)


def _places(old: "Composed", new: "Composed") -> Iterator[CodeView]:
    yield from _paired("cell", _cells(old), _cells(new))
    yield from _paired("file", old.files, new.files)


def _cells(composed: "Composed") -> Mapping[str, str]:
    return {cell.id: cell.source for cell in composed.notebook.cells}


def _paired(kind: Literal["cell", "file"], old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[CodeView]:
    """In the order of ``new``, then what only ``old`` has."""
    for place in (*new, *(place for place in old if place not in new)):
        yield CodeView(place, kind, old.get(place), new.get(place))


def _bounded(place: CodeView) -> CodeView:
    return CodeView(place.place, place.kind, _cut(place.before), _cut(place.after))


def _cut(text: str | None) -> str | None:
    """A text that a page can show, and a last line that says what was left out."""
    if text is None or len(text) <= MOST_CHARS:
        return text
    return f"{text[:MOST_CHARS]}\n[... {len(text) - MOST_CHARS:,} characters left out ...]"

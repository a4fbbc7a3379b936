"""What differs between the notebooks and code files of two experiments."""

from .core.ports import Build
from .core.types import Purpose, Run
from .service.opened import OpenedProject
from .service.views import ChangedView, ChangesView


def changes(project: OpenedProject, number: int, to: int | None = None) -> ChangesView:
    """From experiment ``number`` to experiment ``to``; without ``to``, from the parent of ``number`` to it.

    An experiment without a parent is held against the project's notebook as the log has it. Raises NotFound.
    """
    if to is not None:
        return ChangesView(number, to, _changed(project.recipe(number), project.recipe(to)))
    experiment = project.experiment(number)
    parent, recipe = experiment.parent, project.recipe(number)
    before = project.recipe(parent) if parent is not None else Build(project.store.source(experiment.measure))
    return ChangesView(parent, number, _changed(before, recipe))


def _changed(before: Build, after: Build) -> tuple[ChangedView, ...]:
    from .execution.notebooks.compose import compose  # papermill takes a moment to import
    from .execution.notebooks.diff import cell_diff, file_diff

    run = Run(0, Purpose.CANDIDATE)
    old, new = compose(before, run), compose(after, run)
    found = (*cell_diff(old.notebook, new.notebook), *file_diff(old.files, new.files))
    return tuple(ChangedView(change.cell, change.lines) for change in found)

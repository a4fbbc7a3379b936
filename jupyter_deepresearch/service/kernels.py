"""Which kernel a project's runs use, where the notebook is open with another one than it names."""

from dataclasses import replace
from pathlib import Path

from ..config.loading import Options
from ..core.events import Survey
from ..core.project import Project
from ..errors import InvalidNotebook
from .opened import Makers


def choose_kernel(
    folder: Path, project: Project, survey: Survey, options: Options, makers: Makers
) -> tuple[Project, tuple[str, ...]]:
    """The project on the kernel of its open notebook, where nobody configured one, and the preflight's remarks.

    Raises as ``Makers.preflight``; a live kernel that cannot be started from here is passed over, and it is said.
    """
    live = options.live_kernels.get((folder / project.notebook).resolve())
    if project.launcher.kernel is not None or live is None or live == survey.kernel:
        return project, makers.preflight(project, survey)
    there = f"{project.notebook} is open with the kernel {live}"
    chosen = replace(project, launcher=replace(project.launcher, kernel=live))
    try:
        remarks = makers.preflight(chosen, survey)
    except InvalidNotebook:
        remarks = makers.preflight(project, survey)
        return project, (f"{there}, which runs cannot use: they use its own, {survey.kernel}", *remarks)
    return chosen, (f"{there}: runs use it, not {survey.kernel}, which is saved in the notebook", *remarks)

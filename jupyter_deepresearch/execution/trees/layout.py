"""What a configuration says of a project's files: which are private, which have no place in a run."""

import functools
import re
from dataclasses import dataclass, field
from fnmatch import translate

from ...core.project import CodeOptions, LauncherOptions, Project
from .globs import matches

_OURS = ("forks", "reports", "directives", "experiments", "HUMAN_DIRECTIVE.md", "MEMORY_LOG.md")
# Compiled files in one folder that runs share would give one run the code of another: an edit of the same size, made in
# the same second, looks the same to Python.
NEVER_IN_A_RUN = {".git", ".deepresearch", ".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True)
class Layout:
    """What a configuration says of a project's files. ``notebook`` is relative, with forward slashes."""

    notebook: str
    code: CodeOptions = field(default_factory=CodeOptions)
    private: tuple[str, ...] = LauncherOptions().private

    @classmethod
    def of(cls, project: Project) -> "Layout":
        return cls(project.notebook, project.code, project.launcher.private)


def is_private(path: str, layout: Layout) -> bool:
    """Whether ``[launcher] private`` names this path, by its last name or, for a pattern with a slash, as a whole."""
    names, places = _private(layout.private)
    return names.match(path.rpartition("/")[2]) is not None or (places != () and matches(path, places))


def private_names(layout: Layout) -> re.Pattern[str]:
    """What matches the last names that ``[launcher] private`` gives without a folder."""
    return _private(layout.private)[0]


def is_ours(path: str, layout: Layout) -> bool:
    """Whether a path has no place in a run: what the research itself keeps, a repository's inside, the notebook."""
    return path in _OURS or path == layout.notebook or path.rpartition("/")[2] in NEVER_IN_A_RUN


@functools.lru_cache(maxsize=64)
def _private(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    stripped = [pattern.strip("/") for pattern in patterns]
    names = "|".join(translate(pattern) for pattern in stripped if "/" not in pattern)
    return re.compile(names or r"(?!)"), tuple(pattern for pattern in stripped if "/" in pattern)

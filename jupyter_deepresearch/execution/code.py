"""Which files of a project are its code: those that a run gets as copies and a researcher may edit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ..core.project import Project
from .globs import fixed_part, matches

_OURS = ("forks", "reports", "directives", "experiments", "HUMAN_DIRECTIVE.md", "MEMORY_LOG.md")
_SUFFIXES = (".py", ".yaml", ".yml", ".toml")
_LIMIT_BYTES = 200_000
_LIMIT_FILES = 2000
_OTHERS_OF_A_DATA_FOLDER = 200
_DATA = {"data", "dataset", "datasets", "node_modules", "site-packages", "__pycache__"}
_NEVER = {".git", ".deepresearch", ".ipynb_checkpoints"}
_NO_CODE = {"deepresearch.toml"}


@dataclass(frozen=True)
class Code:
    """The code files of a project: relative paths with forward slashes, sorted; and one-line notes for the person."""

    paths: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def find_code(folder: Path, project: Project) -> Code:
    """The code files of the project in ``folder``. No link is followed; a folder that cannot be read has none."""
    remarks: list[str] = []
    paths: list[str] = []
    for path in _walk(folder, "", project, remarks):
        if project.code.files is None and len(paths) == _LIMIT_FILES:
            remarks.append(
                f"more than {_LIMIT_FILES} code files: the others are linked, not copied; name yours in [code] files"
            )
            break
        paths.append(path)
    return Code(tuple(sorted(paths)), tuple(remarks))


def read_code(folder: Path, project: Project) -> tuple[dict[str, str], tuple[str, ...]]:
    """The texts of the code files by path, and remarks. A file that is no UTF-8 text or is gone is left out."""
    code = find_code(folder, project)
    texts: dict[str, str] = {}
    for path in code.paths:
        try:
            texts[path] = (folder / path).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return texts, code.remarks


def is_private(path: str, project: Project) -> bool:
    """Whether ``[launcher] private`` names this path, by its last name or, for a pattern with a slash, as a whole."""
    name = path.rpartition("/")[2]
    return any(
        matches(path, (pattern,)) if "/" in pattern.strip("/") else fnmatchcase(name, pattern.strip("/"))
        for pattern in project.launcher.private
    )


def is_ours(path: str, project: Project) -> bool:
    """Whether a path has no place in a run: what the research itself keeps, a repository's inside, the notebook."""
    return path in _OURS or path == project.notebook or path.rpartition("/")[2] in _NEVER


def _walk(folder: Path, inside: str, project: Project, remarks: list[str]) -> Iterator[str]:
    try:
        with os.scandir(folder / inside) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    if any(entry.name == "pyvenv.cfg" for entry in entries):
        return  # a virtual environment, whatever its name
    found, folders, others = [], [], 0
    for entry in entries:
        path = f"{inside}/{entry.name}" if inside else entry.name
        if is_ours(path, project) or is_private(path, project) or entry.is_symlink():
            continue
        if entry.is_dir():
            folders.append(path)
        elif entry.is_file() and _is_code(entry, path, project):
            found.append(path)
        else:
            others += 1
    if others > _OTHERS_OF_A_DATA_FOLDER and inside:
        remarks += _crowded(inside, others, len(found), project)
        if project.code.files is None:
            return
    yield from found
    for path in folders:
        if _enters(path, project):
            yield from _walk(folder, path, project, remarks)


def _crowded(inside: str, others: int, found: int, project: Project) -> list[str]:
    if not found:
        return []
    if project.code.files is None:
        return [
            f"{inside}/ holds {others} other files: it is linked as data, and its {found} code files are not copied"
        ]
    return [f"{inside}/ holds code named in [code] files and {others} other files: making a run's tree will be slow"]


def _is_code(entry: "os.DirEntry[str]", path: str, project: Project) -> bool:
    if path in _NO_CODE:
        return False
    if project.code.files is not None:
        return matches(path, (*project.code.files, *project.code.locked))
    if matches(path, project.code.locked):
        return True
    hidden = entry.name.startswith(".")
    return not hidden and entry.name.endswith(_SUFFIXES) and entry.stat(follow_symlinks=False).st_size < _LIMIT_BYTES


def _enters(path: str, project: Project) -> bool:
    """Whether a folder may hold code: unless its name says data or hidden, or where ``[code]`` names what is in it."""
    parts = tuple(path.split("/"))
    name = parts[-1]
    named = [fixed_part(pattern) for pattern in (*(project.code.files or ()), *project.code.locked)]
    if any(fixed[: len(parts)] == parts for fixed in named):
        return True
    if name.startswith(".") or name.lower() in _DATA:
        return False
    return project.code.files is None or any(parts[: len(fixed)] == fixed for fixed in named)

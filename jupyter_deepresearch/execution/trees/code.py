"""Which files of a project are its code: those that a run gets as copies and a researcher may edit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from ...core.project import CodeOptions, LauncherOptions, Project
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
class Layout:
    """What a configuration says of a project's files. ``notebook`` is relative, with forward slashes."""

    notebook: str
    code: CodeOptions = field(default_factory=CodeOptions)
    private: tuple[str, ...] = LauncherOptions().private

    @classmethod
    def of(cls, project: Project) -> "Layout":
        return cls(project.notebook, project.code, project.launcher.private)


@dataclass(frozen=True)
class Code:
    """The code files of a project: relative paths with forward slashes, sorted; and one-line notes for the person."""

    paths: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def find_code(folder: Path, layout: Layout) -> Code:
    """The code files of the project in ``folder``. No link is followed; a folder that cannot be read has none."""
    remarks: list[str] = []
    paths: list[str] = []
    for path in _walk(folder, "", layout, remarks):
        if layout.code.files is None and len(paths) == _LIMIT_FILES:
            remarks.append(
                f"more than {_LIMIT_FILES} code files: the others are linked, not copied; name yours in [code] files"
            )
            break
        paths.append(path)
    return Code(tuple(sorted(paths)), tuple(remarks))


def read_code(folder: Path, layout: Layout) -> tuple[dict[str, str], tuple[str, ...]]:
    """The texts of the code files by path, and remarks. A file that is no UTF-8 text or is gone is left out."""
    code = find_code(folder, layout)
    texts: dict[str, str] = {}
    for path in code.paths:
        try:
            texts[path] = (folder / path).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return texts, code.remarks


def is_private(path: str, layout: Layout) -> bool:
    """Whether ``[launcher] private`` names this path, by its last name or, for a pattern with a slash, as a whole."""
    name = path.rpartition("/")[2]
    return any(
        matches(path, (pattern,)) if "/" in pattern.strip("/") else fnmatchcase(name, pattern.strip("/"))
        for pattern in layout.private
    )


def is_ours(path: str, layout: Layout) -> bool:
    """Whether a path has no place in a run: what the research itself keeps, a repository's inside, the notebook."""
    return path in _OURS or path == layout.notebook or path.rpartition("/")[2] in _NEVER


def _walk(folder: Path, inside: str, layout: Layout, remarks: list[str]) -> Iterator[str]:
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
        if is_ours(path, layout) or is_private(path, layout) or entry.is_symlink():
            continue
        if entry.is_dir():
            folders.append(path)
        elif entry.is_file() and _is_code(entry, path, layout):
            found.append(path)
        else:
            others += 1
    if others > _OTHERS_OF_A_DATA_FOLDER and inside:
        remarks += _crowded(inside, others, len(found), layout)
        if layout.code.files is None:
            return
    yield from found
    for path in folders:
        if _enters(path, layout):
            yield from _walk(folder, path, layout, remarks)


def _crowded(inside: str, others: int, found: int, layout: Layout) -> list[str]:
    if not found:
        return []
    if layout.code.files is None:
        return [
            f"{inside}/ holds {others} other files: it is linked as data, and its {found} code files are not copied"
        ]
    return [f"{inside}/ holds code named in [code] files and {others} other files: making a run's tree will be slow"]


def _is_code(entry: "os.DirEntry[str]", path: str, layout: Layout) -> bool:
    if path in _NO_CODE:
        return False
    if layout.code.files is not None:
        return matches(path, (*layout.code.files, *layout.code.locked))
    if matches(path, layout.code.locked):
        return True
    hidden = entry.name.startswith(".")
    return not hidden and entry.name.endswith(_SUFFIXES) and entry.stat(follow_symlinks=False).st_size < _LIMIT_BYTES


def _enters(path: str, layout: Layout) -> bool:
    """Whether a folder may hold code: unless its name says data or hidden, or where ``[code]`` names what is in it."""
    parts = tuple(path.split("/"))
    name = parts[-1]
    named = [fixed_part(pattern) for pattern in (*(layout.code.files or ()), *layout.code.locked)]
    if any(fixed[: len(parts)] == parts for fixed in named):
        return True
    if name.startswith(".") or name.lower() in _DATA:
        return False
    return layout.code.files is None or any(parts[: len(fixed)] == fixed for fixed in named)

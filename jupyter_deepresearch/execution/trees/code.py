"""Which files of a project are its code: those that a run gets as copies and a researcher may edit."""

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .globs import fixed_part, matches
from .layout import Layout, is_ours, is_private, private_names

_SUFFIXES = (".py", ".yaml", ".yml", ".toml")
_LIMIT_BYTES = 200_000
_LIMIT_FILES = 2000
_LIMIT_FOLDERS = 5000
_OTHERS_OF_A_DATA_FOLDER = 200
_MOST_LISTED = 5000
_MANY_AT_THE_TOP = 2000
_DATA = {"data", "dataset", "datasets", "node_modules", "site-packages", "__pycache__"}
_NO_CODE = {"deepresearch.toml"}
ENVIRONMENT_MARKS = {"pyvenv.cfg", "conda-meta"}
"""What lies at the top of a Python environment, whatever its own name is."""

Entry = os.DirEntry[str]


@dataclass(frozen=True)
class Code:
    """The code files of a project: relative paths with forward slashes, sorted; and one-line notes for the person.

    ``listings``: what lies in the folders that were searched, by their relative paths, sorted by name.
    """

    paths: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    listings: Mapping[str, list[Entry]] = field(default_factory=dict, compare=False, repr=False)


def find_code(folder: Path, layout: Layout) -> Code:
    """The code files of the project in ``folder``. No link is followed; a folder that cannot be read has none.

    Folders nearest to the project's own come first: they count where there are more files or folders than the limits.
    """
    search = _Search(folder, layout)
    waiting = deque([""])
    while waiting:
        waiting.extend(search.enter(waiting.popleft()))
        if layout.code.files is None and len(search.paths) > _LIMIT_FILES:
            del search.paths[_LIMIT_FILES:]
            search.say(f"more than {_LIMIT_FILES} code files: the others are linked, not copied")
            break
        if len(search.listings) == _LIMIT_FOLDERS and waiting:
            search.say(f"more than {_LIMIT_FOLDERS} folders: the others are linked, not searched for code")
            break
    if layout.code.files and not search.paths:
        search.remarks.append(f"[code] files names no file of the project: found none for {list(layout.code.files)}")
    return Code(tuple(sorted(search.paths)), tuple(search.remarks), search.listings)


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


def list_folder(folder: Path, inside: str, most: int | None = None) -> list[Entry]:
    """What lies in a project's folder; ``most``: stop reading there. Raises OSError."""
    with os.scandir(os.path.join(folder, inside)) as listing:
        return list(islice(listing, most))


def is_package(entry: Entry) -> bool:
    """Whether a folder is a Python package: one that imports need, even where ``[launcher] private`` has its name."""
    return entry.is_dir(follow_symlinks=False) and os.path.exists(os.path.join(entry.path, "__init__.py"))


class _Search:
    """The search for code, folder by folder."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder, self._layout = folder, layout
        options = layout.code
        self._is_by_default = options.files is None
        self._named = [fixed_part(pattern) for pattern in (*(options.files or ()), *options.locked)]
        self.paths: list[str] = []
        self.remarks: list[str] = []
        self.listings: dict[str, list[Entry]] = {}

    def say(self, remark: str) -> None:
        self.remarks.append(f"{remark}; name yours in [code] files")

    def enter(self, inside: str) -> list[str]:
        """Take the code files of one folder; the folders in it that may hold more."""
        prefix = f"{inside}/" if inside else ""
        most = _MOST_LISTED + 1 if inside and self._is_by_default else None
        try:
            entries = list_folder(self._folder, inside, most)
        except OSError:
            return []
        is_crowded = inside != "" and len(entries) > _OTHERS_OF_A_DATA_FOLDER and self._is_crowd(entries, prefix)
        if is_crowded and self._is_by_default:
            code = [entry for entry in entries if entry.name.endswith(_SUFFIXES)]
            self._remark_on_crowd(inside, sum(self._is_code(entry, prefix + entry.name) for entry in code))
            return []
        if not inside and len(entries) > _MANY_AT_THE_TOP:
            self.remarks.append(
                f"{len(entries)} entries lie in the project's own folder: each run links them one by one"
            )
        if inside and any(entry.name in ENVIRONMENT_MARKS for entry in entries):
            return []
        entries.sort(key=lambda entry: entry.name)
        self.listings[inside] = entries
        found, folders = self._sorted_out(entries, prefix)
        self.paths += found
        if is_crowded:
            self._remark_on_crowd(inside, len(found))
        return [path for path in folders if self._enters(path)]

    def _is_crowd(self, entries: list[Entry], prefix: str) -> bool:
        """Whether more than 200 entries are neither code nor private. Looks at names alone, at no more than it must."""
        if self._is_by_default:
            rest = (entry.name for entry in entries if not entry.name.endswith(_SUFFIXES))
        else:
            rest = (entry.name for entry in entries if not self._is_code(entry, prefix + entry.name))
        is_kept = private_names(self._layout).match
        others = (name for name in rest if is_kept(name) is None)
        return next(islice(others, _OTHERS_OF_A_DATA_FOLDER, None), None) is not None

    def _sorted_out(self, entries: list[Entry], prefix: str) -> tuple[list[str], list[str]]:
        """Code files and folders, but for those that have no place in a run."""
        found, folders = [], []
        for entry in entries:
            path = prefix + entry.name
            if is_ours(path, self._layout):
                continue
            if is_private(path, self._layout) and not is_package(entry):
                continue
            if self._is_code(entry, path):
                found.append(path)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
        return found, folders

    def _remark_on_crowd(self, inside: str, found: int) -> None:
        if not found:
            return
        many = f"more than {_OTHERS_OF_A_DATA_FOLDER} other files or folders"
        if self._is_by_default:
            files = "1 code file is" if found == 1 else f"{found} code files are"
            self.remarks.append(f"{inside}/ holds {many}: it is linked as data, and its {files} not copied")
        else:
            self.remarks.append(
                f"{inside}/ holds code named in [code] files and {many}: making a run's tree will be slow"
            )

    def _is_code(self, entry: Entry, path: str) -> bool:
        """Whether a file is code; the cheapest questions first: they are asked of every file."""
        options = self._layout.code
        is_named = (options.files is not None or options.locked != ()) and matches(
            path, (*(options.files or ()), *options.locked)
        )
        if not is_named and not (self._is_by_default and entry.name.endswith(_SUFFIXES)):
            return False
        if path in _NO_CODE or not entry.is_file(follow_symlinks=False) or not is_text(path):
            return False
        try:
            is_small = entry.stat(follow_symlinks=False).st_size < _LIMIT_BYTES
        except OSError:  # removed meanwhile
            return False
        return is_named or (is_small and not entry.name.startswith("."))

    def _enters(self, path: str) -> bool:
        """Whether a folder may hold code: unless its name says data or hidden, or where ``[code]`` names its inside."""
        parts = tuple(path.split("/"))
        if any(fixed[: len(parts)] == parts for fixed in self._named):
            return True
        if parts[-1].startswith(".") or parts[-1].lower() in _DATA:
            return False
        return self._is_by_default or any(parts[: len(fixed)] == fixed for fixed in self._named)


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8, as paths of code are in logs and proposals."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

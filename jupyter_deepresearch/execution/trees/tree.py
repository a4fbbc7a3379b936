"""A run's own tree: code copied, private names fresh, everything else of the project linked as high up as possible."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ...core.project import Project
from ...errors import InvalidNotebook, StorageFailed
from .code import Layout, find_code, is_ours, is_private

_SMALL_BYTES = 1_000_000
_SMALL_TOTAL_BYTES = 50_000_000


@dataclass(frozen=True)
class TreeRecord:
    """What a run's tree was made of; paths are relative to it, with forward slashes.

    ``copied`` maps a path to the sha256 of its content, ``linked`` are links into the project, ``fresh`` folders that
    are empty although the project's are not, ``remarks`` one-line notes for the person.
    """

    copied: Mapping[str, str]
    linked: tuple[str, ...]
    fresh: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass
class _Making:
    """A tree while it is made."""

    folder: Path
    work: Path
    layout: Layout
    files: Mapping[str, str]
    real: frozenset[str]
    copied: dict[str, str] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    small_bytes: int = 0


def make_tree(folder: Path, work: Path, project: Project, files: Mapping[str, str]) -> TreeRecord:
    """Make ``work``, a run's tree, for the project in ``folder``; a half-made one is removed first.

    ``files`` are the experiment's code files (path -> text); a code file that it lacks is copied as it lies on disk.
    Small files beside code are copied as well: a write through a linked file would change the person's.
    Raises InvalidNotebook for a path that leads out of the tree, StorageFailed when the disk does not allow it.
    """
    for path in files:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or not path:
            raise InvalidNotebook(f"code file {path!r}: accepted: a path inside the project")
    layout = Layout.of(project)
    code = find_code(folder, layout)
    # The notebook itself stays out, but its folder is where the run works: as a link it would be the person's own.
    real = _parents((*code.paths, *files, project.notebook, *_private_places(folder, layout)))
    making = _Making(folder.resolve(), work, layout, files, real)
    try:
        remove_tree(work)
        work.mkdir(parents=True)
        _fill(making, "", frozenset(code.paths))
        for path in sorted(set(files) - set(making.copied)):
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            _write(making, path, files[path].encode("utf-8"))
    except OSError as error:
        raise StorageFailed(f"the run's tree {work} could not be made: {error.strerror or error}") from error
    return TreeRecord(making.copied, tuple(making.linked), tuple(making.fresh), code.remarks)


def remove_tree(work: Path) -> None:
    """Remove a run's tree with its links, never what they point to. Raises OSError."""
    if work.is_symlink():
        work.unlink()
    elif work.exists():
        shutil.rmtree(work)  # removes links as links


def _parents(paths: tuple[str, ...]) -> frozenset[str]:
    return frozenset(str(parent) for path in paths for parent in PurePosixPath(path).parents if str(parent) != ".")


def _private_places(folder: Path, layout: Layout) -> tuple[str, ...]:
    """Private paths named with their folders: these folders must be real for the path in them to be fresh."""
    named = [pattern.strip("/") for pattern in layout.private if "/" in pattern.strip("/")]
    return tuple(pattern for pattern in named if (folder / pattern).parent.is_dir())


def _fill(making: _Making, inside: str, code: frozenset[str]) -> None:
    with os.scandir(making.folder / inside) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{inside}/{entry.name}" if inside else entry.name
        if is_ours(path, making.layout):
            continue
        if path in code or path in making.files:
            _copy_code(making, path)
        elif is_private(path, making.layout):
            if entry.is_dir():
                (making.work / path).mkdir()
                making.fresh.append(path)
        elif path in making.real:
            if entry.is_dir():
                (making.work / path).mkdir()
                _fill(making, path, code)
        elif not _copied_as_small(making, entry, path):
            (making.work / path).symlink_to(making.folder / path)
            making.linked.append(path)


def _copy_code(making: _Making, path: str) -> None:
    origin = making.folder / path
    text = making.files.get(path)
    on_disk = origin.read_bytes() if origin.is_file() else None
    content = text.encode("utf-8") if text is not None else on_disk
    if content is None:
        return
    _write(making, path, content)
    if on_disk is not None:
        shutil.copymode(origin, making.work / path)
    if content == on_disk:
        _keep_times(making, path)


def _copied_as_small(making: _Making, entry: "os.DirEntry[str]", path: str) -> bool:
    if entry.is_symlink() or not entry.is_file():
        return False
    size = entry.stat(follow_symlinks=False).st_size
    if size >= _SMALL_BYTES or making.small_bytes + size > _SMALL_TOTAL_BYTES:
        return False
    try:
        content = (making.folder / path).read_bytes()
    except OSError:
        return False  # unreadable for us is unreadable for the run, through a link as well
    making.small_bytes += len(content)
    _write(making, path, content)
    shutil.copymode(making.folder / path, making.work / path)
    _keep_times(making, path)
    return True


def _write(making: _Making, path: str, content: bytes) -> None:
    (making.work / path).write_bytes(content)
    making.copied[path] = hashlib.sha256(content).hexdigest()


def _keep_times(making: _Making, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # the person may have removed the original meanwhile
        seen = (making.folder / path).stat()
        os.utime(making.work / path, ns=(seen.st_atime_ns, seen.st_mtime_ns))

"""A run's own tree: code copied, private names fresh, everything else of the project linked as high up as possible."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ...core.project import Project
from ...errors import InvalidNotebook, StorageFailed
from .code import Code, Entry, find_code, is_package, is_text, list_folder
from .layout import Layout, is_ours, is_private
from .record import MOST_RECORDED, Seen, TreeRecord

_SMALL_BYTES = 1_000_000
_SMALL_TOTAL_BYTES = 50_000_000
_MOST_OF_A_KIND = 20
_OURS_IN_A_RUN = (".deepresearch-run", ".deepresearch", ".git")


@dataclass
class _Making:
    """A tree while it is made. ``real``: the folders in it that are no links."""

    folder: Path
    work: Path
    layout: Layout
    files: Mapping[str, str]
    code: Code
    real: frozenset[str]
    copied: dict[str, str] = field(default_factory=dict)
    edited: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    small_bytes: int = 0


def make_tree(folder: Path, work: Path, project: Project, files: Mapping[str, str]) -> TreeRecord:
    """Make ``work``, a run's tree, for the project in ``folder``; a half-made one is removed first.

    ``files`` are the experiment's code files (path -> text); a code file that it lacks is copied as it lies on disk.
    Small files beside code are copied as well, unless they are many of a kind: a write through a linked file would
    change the person's. Raises InvalidNotebook for a path that leads out of the tree or into what is ours in it,
    StorageFailed when the disk does not allow it.
    """
    _refuse_impossible(files)
    layout = Layout.of(project)
    code = find_code(folder, layout)
    # The notebook itself stays out, but its folder is where the run works: as a link it would be the person's own.
    real = frozenset(_parents((*code.paths, *files, project.notebook, *_private_places(folder, layout))))
    making = _Making(folder.resolve(), work, layout, files, code, real)
    try:
        remove_tree(work)
        work.mkdir(parents=True)
        _fill(making, "", frozenset(code.paths))
        for path in sorted(set(files) - set(making.copied)):
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            _write(making, path, files[path].encode("utf-8"), None)
            making.edited.append(path)
    except OSError as error:
        raise StorageFailed(f"the run's tree {work} could not be made: {error.strerror or error}") from error
    return _record(making)


def _record(making: _Making) -> TreeRecord:
    return TreeRecord(
        making.copied,
        tuple(making.linked),
        tuple(making.fresh),
        tuple(making.withheld),
        tuple(making.edited),
        making.seen,
        making.code.remarks,
    )


def remove_tree(work: Path) -> None:
    """Remove a run's tree with its links, never what they point to. Raises OSError."""
    if work.is_symlink():
        work.unlink()
    elif work.exists():
        shutil.rmtree(work)  # removes links as links


def _refuse_impossible(files: Mapping[str, str]) -> None:
    for path, text in files.items():
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or "/".join(parts) != path or not parts or "\0" in path:
            raise InvalidNotebook(f"code file {path!r}: accepted: a path inside the project, such as src/model.py")
        if parts[0] in _OURS_IN_A_RUN:
            raise InvalidNotebook(f"code file {path!r}: accepted: a path outside {parts[0]}/")
        if not (is_text(path) and is_text(text)):
            raise InvalidNotebook(f"code file {path!r}: found characters that no UTF-8 text has; accepted: UTF-8")
    clash = next((parent for parent in sorted(_parents(files)) if parent in files), None)
    if clash is not None:
        raise InvalidNotebook(f"code file {clash!r}: found files inside it as well; accepted: a file or a folder")


def _parents(paths: Iterable[str]) -> Iterator[str]:
    known = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in known:
            known.add(parent)
            yield parent
            parent = parent.rpartition("/")[0]


def _private_places(folder: Path, layout: Layout) -> tuple[str, ...]:
    """Private paths named with their folders: these folders must be real for the path in them to be fresh."""
    named = [pattern.strip("/") for pattern in layout.private if "/" in pattern.strip("/")]
    return tuple(pattern for pattern in named if (folder / pattern).parent.is_dir())


def _fill(making: _Making, inside: str, code: frozenset[str]) -> None:
    entries = making.code.listings.get(inside)
    if entries is None:
        entries = sorted(list_folder(making.folder, inside), key=lambda entry: entry.name)
    many = _kinds_of_many(entries)
    for entry in entries:
        path = f"{inside}/{entry.name}" if inside else entry.name
        if is_ours(path, making.layout):
            continue
        if path in making.files or path in code:
            _copy_code(making, path)
        elif is_private(path, making.layout) and not (path in making.real and is_package(entry)):
            _keep_private(making, entry, path)
        elif path in making.real:
            if _is_folder(entry):
                (making.work / path).mkdir()
                _fill(making, path, code)
        elif _kind(entry.name) in many or not _copied_as_small(making, entry, path):
            _link(making, entry, path)


def _kinds_of_many(entries: list[Entry]) -> frozenset[str]:
    """The suffixes that more than 20 names share: such files are data. A run's own logs and results are few."""
    if len(entries) <= _MOST_OF_A_KIND:
        return frozenset()
    counts = Counter(_kind(entry.name) for entry in entries)
    return frozenset(kind for kind, count in counts.items() if count > _MOST_OF_A_KIND)


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _is_folder(entry: Entry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _keep_private(making: _Making, entry: Entry, path: str) -> None:
    if not _is_folder(entry):
        making.withheld.append(path)
        return
    (making.work / path).mkdir()
    try:
        with os.scandir(entry.path) as listing:
            is_empty = next(listing, None) is None
    except OSError:
        is_empty = False
    if not is_empty:
        making.fresh.append(path)


def _link(making: _Making, entry: Entry, path: str) -> None:
    os.symlink(making.folder / path, making.work / path)
    making.linked.append(path)
    if len(making.seen) < MOST_RECORDED:
        with contextlib.suppress(OSError):
            if not entry.is_dir():
                status = entry.stat()
                making.seen[path] = Seen(status.st_size, status.st_mtime_ns)


def _copy_code(making: _Making, path: str) -> None:
    text = making.files.get(path)
    try:
        on_disk, status = _read(making.folder / path)
    except OSError as error:
        if text is None:
            if not isinstance(error, FileNotFoundError):  # unreadable for us is so for the run, through a link as well
                os.symlink(making.folder / path, making.work / path)
                making.linked.append(path)
            return
        on_disk, status = b"", None
    content = on_disk if text is None else text.encode("utf-8")
    is_edited = status is None or content != on_disk
    _write(making, path, content, status, keep_times=not is_edited)
    if is_edited:
        making.edited.append(path)


def _copied_as_small(making: _Making, entry: Entry, path: str) -> bool:
    if entry.is_symlink() or not entry.is_file():
        return False
    try:
        size = entry.stat(follow_symlinks=False).st_size
        if size >= _SMALL_BYTES or making.small_bytes + size > _SMALL_TOTAL_BYTES:
            return False
        content, status = _read(making.folder / path)
    except OSError:
        return False
    making.small_bytes += len(content)
    _write(making, path, content, status)
    return True


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    """A regular file's content and status. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise IsADirectoryError(f"{path} is no file")
        parts = [os.read(descriptor, status.st_size + 1)]
        while parts[-1] and len(parts[0]) != status.st_size:  # it grows, or the file system gives less at a time
            parts.append(os.read(descriptor, 1 << 20))
        return b"".join(parts), status
    finally:
        os.close(descriptor)


def _write(
    making: _Making, path: str, content: bytes, status: os.stat_result | None, *, keep_times: bool = True
) -> None:
    """Write a file of the tree, with the permissions of the person's own and, where asked, its times."""
    mode = 0o644 if status is None else stat.S_IMODE(status.st_mode)
    descriptor = os.open(making.work / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fchmod(descriptor, mode)
        if status is not None and keep_times:
            os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        os.close(descriptor)
    making.copied[path] = hashlib.sha256(content).hexdigest()

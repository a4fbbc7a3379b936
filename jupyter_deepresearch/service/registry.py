"""The projects known on this account: one JSON file in Jupyter's data folder, shared by all its processes.

Writers take turns by a lock file; readers see the file before or after a change, never within.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from jupyter_core.paths import jupyter_data_dir

from ..errors import InvalidInput, StorageFailed

_LOG = logging.getLogger(__name__)
_LOCK_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Known:
    """One project and where it was last seen. ``folder`` is absolute."""

    project_id: str
    folder: Path


@dataclass(frozen=True)
class _Line:
    project_id: str
    folder: str


@dataclass(frozen=True)
class _Content:
    projects: tuple[_Line, ...] = ()


class Registry:
    """The file that lists known projects: ``jupyter_deepresearch/projects.json`` under Jupyter's data folder."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(jupyter_data_dir()) / "jupyter_deepresearch" / "projects.json"

    def all(self) -> tuple[Known, ...]:
        """Every known project, the latest added last. Raises StorageFailed."""
        try:
            return self._read()
        except msgspec.MsgspecError:
            with self._locked():
                return self._read_or_set_aside()

    def add(self, project_id: str, folder: Path) -> None:
        """Know a project here; one with the same id (moved) or in the same folder (made anew) is replaced.

        Raises StorageFailed, InvalidInput for a path that is not Unicode.
        """
        added = Known(project_id, folder.resolve())
        try:
            str(added.folder).encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidInput(f"{str(folder)!a}: not a Unicode path; accepted: a folder named in UTF-8") from None
        with self._locked():
            known = self._read_or_set_aside()
            if known[-1:] == (added,):
                return
            others = (k for k in known if k.project_id != project_id and k.folder != added.folder)
            self._write((*others, added))

    def remove(self, project_id: str) -> None:
        """Forget a project; its folder stays as it is. Does nothing for an unknown one. Raises StorageFailed."""
        with self._locked():
            known = self._read_or_set_aside()
            left = tuple(k for k in known if k.project_id != project_id)
            if left != known:
                self._write(left)

    def _read(self) -> tuple[Known, ...]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageFailed(f"{self.path} cannot be read: {error.strerror}") from error
        content = msgspec.json.decode(text, type=_Content)
        return tuple(Known(line.project_id, Path(line.folder)) for line in content.projects)

    def _read_or_set_aside(self) -> tuple[Known, ...]:
        """What the file holds; one that cannot be understood is renamed, so that nothing is lost. Needs the lock."""
        try:
            return self._read()
        except msgspec.MsgspecError as error:
            broken, number = self.path.with_name(f"{self.path.name}.broken"), 1
            while broken.exists():
                number += 1
                broken = self.path.with_name(f"{self.path.name}.broken-{number}")
            with _writing(self.path):
                os.rename(self.path, broken)
            _LOG.warning("%s is not readable (%s); kept as %s, starting an empty list", self.path, error, broken.name)
            return ()

    def _write(self, known: tuple[Known, ...]) -> None:
        content = _Content(tuple(_Line(k.project_id, str(k.folder)) for k in known))
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        with _writing(self.path):
            with temporary.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the registry against all other processes and threads; the kernel frees it at our death."""
        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(lock)
            yield
        finally:
            os.close(lock)

    def _wait_for(self, lock: int) -> None:
        deadline = time.monotonic() + _LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StorageFailed(f"{self.path} is held by another process for {_LOCK_TIMEOUT_S:g} s") from None
                time.sleep(0.01)
            except OSError as error:
                raise StorageFailed(f"{self.path} cannot be locked: {error.strerror}") from error


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror}") from error

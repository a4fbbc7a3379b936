"""The project that a command is about."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from ..app import RealMakers
from ..errors import NotFound
from ..opened import OpenedProject, has_log
from .parser import PROGRAM


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[OpenedProject]:
    """The project in ``folder``. Raises NotFound where the folder or its log is not there, StorageFailed."""
    if not folder.is_dir():
        raise NotFound(f"{folder}: no such folder")
    if not has_log(folder):
        raise NotFound(f"{folder} holds no research project yet; start one: {command_line('run', folder)}")
    project = OpenedProject.at(folder.resolve(), RealMakers())
    try:
        yield project
    finally:
        project.store.close()


def command_line(command: str, folder: Path, *words: str) -> str:
    """A command as a person may paste it into a shell."""
    return " ".join([PROGRAM, command, shlex.quote(str(folder)), *map(shlex.quote, words)])

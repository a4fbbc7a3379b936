"""The project that a command is about."""

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ..app import RealMakers
from ..errors import NotFound
from ..service.opened import OpenedProject, has_log


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
    """One of our commands as a person may paste it into a shell."""
    return jupyter_line("deepresearch", command, _from_here(folder), *words)


def jupyter_line(*words: str) -> str:
    """A command of Jupyter as a person may paste it: with its path, where the shell would find another one or none."""
    own = Path(sys.executable).with_name("jupyter")
    found = shutil.which("jupyter")
    is_other = own.exists() and (found is None or not Path(found).samefile(own))
    return shlex.join([_from_here(own) if is_other else "jupyter", *words])


def lab_line(folder: Path) -> str:
    """How to open a folder in JupyterLab, which wants to be told that root means it."""
    return jupyter_line("lab", *(["--allow-root"] if os.getuid() == 0 else []), _from_here(folder))


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

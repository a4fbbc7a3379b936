"""The one line that puts what is missing into a Python: by the installer that its environment was made with."""

import shlex
from collections.abc import Sequence
from pathlib import Path

_FROM_CONDA = frozenset({"ipykernel"})


def install_line(python: str, packages: Sequence[str]) -> str:
    """A command for a shell that installs ``packages`` (their names on the package index) for the program ``python``.

    An environment without pip, as uv makes them, is served by uv; ipykernel in a conda environment by conda.
    """
    prefix = Path(python).parent.parent
    names = shlex.join(packages)
    if (prefix / "conda-meta").is_dir() and set(packages) <= _FROM_CONDA:
        return f"conda install -p {_quoted(prefix)} {names}"
    if _is_venv(prefix) and not any(prefix.glob("lib/python*/site-packages/pip")) and not _sees_base(prefix):
        return f"uv pip install --python {_quoted(python)} {names}"
    return f"{_quoted(python)} -m pip install {names}"


def _quoted(path: object) -> str:
    return f'"{path}"'


def _is_venv(prefix: Path) -> bool:
    return (prefix / "pyvenv.cfg").is_file()


def _sees_base(prefix: Path) -> bool:
    """Whether the environment also uses what is installed in the Python that it was made from."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").lower().splitlines()
    except OSError:
        return False
    return any(line.replace(" ", "") == "include-system-site-packages=true" for line in lines)

"""The one line that puts what is missing into a Python: by the installer that its environment was made with."""

import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

_FROM_CONDA = frozenset({"ipykernel"})


def install_line(python: str, packages: Sequence[str]) -> str:
    """A command for a shell that installs ``packages`` (their names on the package index) for the program ``python``.

    An environment without pip is served by uv where uv made it or is there; ipykernel in a conda environment by conda.
    """
    prefix = Path(python).parent.parent
    names = shlex.join(packages)
    if (prefix / "conda-meta").is_dir() and set(packages) <= _FROM_CONDA:
        return f"conda install -p {_quoted(prefix)} {names}"
    settings = _settings(prefix)
    sees_base = settings.get("include-system-site-packages") == "true"
    if settings and not sees_base and not any(prefix.glob("lib/python*/site-packages/pip")):
        if "uv" in settings or shutil.which("uv") is not None:
            return f"uv pip install --python {_quoted(python)} {names}"
        return f"{_quoted(python)} -m ensurepip && {_quoted(python)} -m pip install {names}"
    return f"{_quoted(python)} -m pip install {names}"


def _quoted(path: object) -> str:
    return f'"{path}"'


def _settings(prefix: Path) -> Mapping[str, str]:
    """What a virtual environment notes of itself, in lower case; nothing where it is none."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").lower().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}

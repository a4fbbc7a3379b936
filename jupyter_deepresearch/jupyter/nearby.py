"""What Tab may offer of this machine: folders, notebooks and kernels. Folders are looked at, nothing is asked."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_path

MOST_PATHS = 200


@dataclass(frozen=True)
class Offer:
    """One completion: the text that takes the place of what is typed, and its kind in a word."""

    text: str
    kind: str


def quoted(text: str) -> str:
    """As a person must type it: in quotes where it holds spaces."""
    return f'"{text}"' if re.search(r"\s", text) else text


def kernels() -> Iterator[str]:
    """The names of the kernelspecs on this machine. Only folders are looked at."""
    for place in jupyter_path("kernels"):
        with contextlib.suppress(OSError):
            yield from (entry.name for entry in sorted(Path(place).iterdir()) if (entry / "kernel.json").is_file())


def paths(fragment: str, folder: Path) -> Iterator[Offer]:
    """Folders and notebooks that begin with what is typed, which may be in quotes."""
    quote = fragment[:1] if fragment[:1] in ("'", '"') else ""
    begun = fragment.removeprefix(quote)
    above, _, name = begun.rpartition("/")
    above = f"{above}/" if "/" in begun else ""
    with contextlib.suppress(RuntimeError):  # a home of nobody
        folder /= Path(above).expanduser()
    for entry in _entries(folder, name):
        path = f"{above}{entry}"
        mark = quote or ('"' if re.search(r"\s", path) else "")
        yield Offer(f"{mark}{path}" + ("" if path.endswith("/") else mark), "path")


def _entries(folder: Path, name: str) -> Iterator[str]:
    found: list[str] = []
    with contextlib.suppress(OSError, ValueError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(name) or (entry.name.startswith(".") and not name.startswith(".")):
                continue
            if entry.is_dir():
                found.append(f"{entry.name}/")
            elif entry.name.endswith(".ipynb"):
                found.append(entry.name)
            if len(found) == MOST_PATHS:
                break
    yield from sorted(found)

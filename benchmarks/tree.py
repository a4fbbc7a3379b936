"""How long the tree of a run takes to be made, for a project with 100,000 files."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from jupyter_deepresearch.core.project import Direction, Objective, Project
from jupyter_deepresearch.execution.trees.tree import make_tree, remove_tree

from .projects import folder
from .result import Result, Row, median

_PROJECT = Project("benchmark", "train.ipynb", Objective("acc", Direction.MAXIMIZE))
_CODE_FILES = 200
_DATA_FOLDERS = 200
_MOST_LINKS = 20_000
_MIXED_FOLDERS, _OTHERS = 40, 95
_EDITED = ("src/m000.py", "src/part00/m000.py")


def measure(quick: bool) -> Result:
    """Three projects: data apart from the code, under a name that tells and one that does not; folders of both."""
    files, times = (4_000, 3) if quick else (100_000, 9)
    with folder() as root:
        _write_data(root / "data", files)
        named = _made(root, "data", times, mixed=False)
        unnamed = _made(root, "images", times, mixed=False)
        mixed = _made(root, "data", times, mixed=True)
    what = f"a run's tree: {files:,} files in 200 data folders, {_CODE_FILES} code files in src/"
    many = f"the same with {_MIXED_FOLDERS} mixed folders of {_OTHERS} other files each"
    rows = (
        Row(what, median(named.seconds), "s", 0.1, 0.02),
        Row("the same where no name tells that the data are data", median(unnamed.seconds), "s"),
        Row(many, median(mixed.seconds), "s", 3.0, 0.5),
    )
    spread = ", ".join(f"{min(made.seconds):.2g} to {max(made.seconds):.2g} s" for made in (named, unnamed, mixed))
    links = f"{named.links}, {unnamed.links} and {mixed.links:,} links"
    note = f"medians of {times} trees, each removed before the next: {spread}; {links}"
    return Result("A run's tree", rows, (note,))


@dataclass(frozen=True)
class _Made:
    """How long each tree took, and how many links one holds."""

    seconds: tuple[float, ...]
    links: int


def _made(root: Path, data: str, times: int, *, mixed: bool) -> _Made:
    """Trees of the project in a folder beside the data, which are moved in under a name of their own."""
    project = root / f"{data}-mixed-{mixed}"
    _write_code(project, mixed=mixed)
    (root / "data").rename(project / data)
    os.sync()  # the disk is done with the project itself
    seconds, links = [], 0
    for number in range(times):
        work = project / ".deepresearch" / "runs" / str(number) / "work"
        started = time.perf_counter()
        record = make_tree(project, work, _PROJECT, {_EDITED[mixed]: "changed = True\n"})
        seconds.append(time.perf_counter() - started)
        links = len(record.linked)
        assert len(record.copied) == _CODE_FILES, "code is copied, and nothing of the data"
        remove_tree(work)
    (project / data).rename(root / "data")
    return _Made(tuple(seconds), links)


def _write_code(root: Path, *, mixed: bool) -> None:
    for number in range(_CODE_FILES):
        inside = root / "src" / (f"part{number % _MIXED_FOLDERS:02d}" if mixed else "")
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"m{number:03d}.py").write_bytes(b"value = 1\n" * 300)
        for other in range(_OTHERS if mixed and number < _MIXED_FOLDERS else 0):
            (inside / f"sample{other:05d}.png").write_bytes(b"image")


def _write_data(root: Path, files: int) -> None:
    """So many files in 200 folders. They share their content: only their number costs."""
    first = root
    for number in range(files):
        path = root / f"class{number % _DATA_FOLDERS:03d}" / f"sample{number:06d}.png"
        if number < _DATA_FOLDERS:
            path.parent.mkdir(parents=True)
        if number % _MOST_LINKS == 0:
            path.write_bytes(b"image")
            first = path
        else:
            os.link(first, path)

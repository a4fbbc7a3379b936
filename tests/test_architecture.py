"""Imports point one way. The table says for each part of the package which others it may import."""

import ast
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "jupyter_deepresearch"
VALUES = {"core", "errors"}
SURFACE = VALUES | {"_version", "app", "changes", "config", "detached", "forks", "guess", "service", "text"}
ARROWS: dict[str, set[str]] = {
    # what it is                may import
    "_version": set(),
    "errors": set(),
    "report": set(),  # runs in kernels where nothing of ours is installed
    "processes": set(),
    "terminal": set(),
    "core": {"errors"},
    "config": VALUES,
    "store": VALUES | {"processes"},
    "researchers": VALUES,
    "execution": VALUES | {"processes", "terminal"},  # report.py by its path, as a file to copy
    "loop": VALUES,
    "service": VALUES | {"_version", "config", "loop", "processes"},
    "app": VALUES | {"config", "execution", "researchers", "service", "store"},  # names concrete classes, alone
    "testing": VALUES | {"app", "execution", "service", "store"},
    "text": VALUES | {"service"},  # tables for terminals
    "changes": VALUES | {"execution", "service"},
    "forks": VALUES | {"execution", "service"},
    "guess": VALUES | {"config", "intake", "service"},
    "detached": VALUES | {"app", "config", "execution", "processes", "service"},
    "intake": VALUES | {"config", "execution"},  # a person's own code, before it is a project
    "doctor": VALUES | {"config", "execution", "researchers"},
    "cli": SURFACE | {"doctor", "intake", "jupyter", "terminal"},
    "jupyter": SURFACE,
    "__init__": {"_version", "report", "jupyter"},
}
STANDARD_LIBRARY_ONLY = {"errors", "core", "report", "processes", "terminal"}


def imported(path: Path, package: Path) -> Iterator[tuple[str, ...]]:
    """The dotted names that a module imports, relative ones resolved; those inside functions count."""
    here = (PACKAGE, *path.relative_to(package).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            whole = (*base, *(node.module.split(".") if node.module else ()))
            yield from ((*whole, alias.name) for alias in node.names) if whole == (PACKAGE,) else (whole,)


def forbidden(package: Path) -> list[str]:
    """Every import that the table does not allow, in words."""
    found = []
    for path in sorted(package.rglob("*.py")):
        inner = path.relative_to(package)
        part = inner.parts[0].removesuffix(".py")
        if part not in ARROWS:
            found.append(f"{inner}: {part} has no line in the table")
            continue
        for name in imported(path, package):
            ours = name[0] == PACKAGE
            if ours and len(name) > 1 and name[1] != part and name[1] not in ARROWS[part]:
                found.append(f"{inner}: {part} must not import {name[1]}")
            if not ours and part in STANDARD_LIBRARY_ONLY and name[0] not in sys.stdlib_module_names:
                found.append(f"{inner}: {part} must not import {name[0]}")
    return found


def test_imports_point_one_way(repository: Path) -> None:
    assert forbidden(repository / PACKAGE) == []


def test_the_table_itself_has_no_circle() -> None:
    done: set[str] = set()
    while ready := {part for part, others in ARROWS.items() if part not in done and others <= done}:
        done |= ready
    assert done == set(ARROWS)


@pytest.mark.parametrize(
    ("place", "line", "complaint"),
    [
        ("core/rules.py", "from ..store import SqliteStore", "core must not import store"),
        ("core/rules.py", "from .. import loop", "core must not import loop"),
        ("core/rules.py", "import msgspec", "core must not import msgspec"),
        ("loop.py", "def f():\n    from .execution.local import LocalLauncher", "loop must not import execution"),
        ("execution/runner.py", "from jupyter_deepresearch.report import report", "execution must not import report"),
        ("service.py", "import jupyter_deepresearch.jupyter.extension", "service must not import jupyter"),
        ("novel.py", "import os", "novel has no line in the table"),
    ],
)
def test_a_forbidden_arrow_is_caught(tmp_path: Path, place: str, line: str, complaint: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(line)
    assert forbidden(tmp_path) == [f"{place}: {complaint}"]


def test_allowed_arrows_pass(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "rules.py").write_text("import math\nfrom .types import Run\nfrom ..errors import NotFound")
    (tmp_path / "app.py").write_text("from . import store, service\nfrom .core import events\nimport msgspec")
    assert forbidden(tmp_path) == []


SIDEBAR = ("ids", "icon", "api", "text", "live", "parts", "experiments", "lab", "main", "sidebar", "start", "index")
"""The parts of the sidebar's TypeScript: each may import those before it, and those named beside it here not at all."""
STRANGERS = {"sidebar": {"main"}, "start": {"main", "sidebar"}, "api": {"ids", "icon"}}


def upwards(source: Path) -> list[str]:
    """Every import of a part of the sidebar that comes later, in words."""
    found = []
    for path in sorted(source.rglob("*.ts*")):
        inner = path.relative_to(source).as_posix()
        part = inner.split("/")[0].split(".")[0]
        for name in re.findall(r"""(?:from|import\()\s*['"](\.[^'"]*)['"]""", path.read_text(encoding="utf-8")):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(inner), name)).split("/")[0]
            later = SIDEBAR.index(other) > SIDEBAR.index(part)
            if later or other in STRANGERS.get(part, ()):
                found.append(f"{inner}: {part} must not import {other}")
    return found


def test_the_sidebars_imports_point_one_way(repository: Path) -> None:
    assert upwards(repository / "labextension" / "src") == []


def test_a_sidebars_import_that_points_back_is_caught(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "project.ts").write_text(
        "import { a } from '../api/client';\nimport { b } from '../parts/list';"
    )
    (tmp_path / "index.ts").write_text("const merge = await import('./main/merge');")
    assert upwards(tmp_path) == ["live/project.ts: live must not import parts"]

"""Which modules a notebook and the code that it reaches import. Reads, never runs."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from IPython.core.inputtransformer2 import TransformerManager

from ...core.types import Source
from ..notebooks.cells import parse

_GIVEN = frozenset({"jupyter_deepresearch", "__main__"})
_SCRIPT = re.compile(r"[\w./-]+\.py\b")
_MODULE = re.compile(r"-m\s+([A-Za-z_][\w.]*)")
_OTHER_LANGUAGE = re.compile(r"%%(?!time\b|timeit\b|capture\b|prun\b)")


@dataclass(frozen=True)
class Imports:
    """Top-level names of modules. ``needed`` outside of functions, ``late`` only inside of them; ``own`` are modules
    and packages of the project by name, with the folder (relative, "" for the project's) that they lie in."""

    needed: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    own: Mapping[str, str] = field(default_factory=dict)
    changes_path: bool = False


@dataclass
class _Reached:
    """What was found so far."""

    files: Mapping[str, str]
    roots: tuple[str, ...]
    waiting: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    own: dict[str, str] = field(default_factory=dict)
    changes_path: bool = False

    def take(self, text: str, folder: str) -> None:
        """The imports of one text, which runs in ``folder`` where it is a script. Text that is no Python has none."""
        self.changes_path = self.changes_path or "sys.path" in text
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return
        for each in _imported(tree, False):
            if each.level:
                around = _up(folder, each.level - 1)
                self.waiting += [path for path in _places(around, each.name) if path in self.files]
            else:
                self._import(each.name, each.is_late, folder)

    def _import(self, name: str, is_late: bool, folder: str) -> None:
        top = name.partition(".")[0]
        for root in dict.fromkeys((folder, *self.roots)):
            found = [path for path in _places(root, name) if path in self.files]
            is_package = any(path.startswith(_under(root, top) + "/") for path in self.files)
            if found or is_package:
                self.own.setdefault(top, root)
                self.waiting += found
                return
        (self.late if is_late else self.needed).add(top)

    def follow_scripts(self, text: str, folder: str) -> None:
        """Files of the project that a cell names, as a command or otherwise, are taken as run."""
        for word in _SCRIPT.findall(text):
            self.waiting += [path for path in (_under(folder, word), _under("", word)) if path in self.files]
        for name in _MODULE.findall(text):
            self.waiting += [path for root in self.roots for path in _places(root, name) if path in self.files]


def imports_of(source: Source, notebook: str) -> Imports:
    """The imports of the notebook at the relative path ``notebook``, and of the files of ``source`` that it reaches.

    Imports that may fail (in ``try`` with a handler for it) or never happen (``TYPE_CHECKING``) are left out.
    """
    folder = _folder(notebook)
    reached = _Reached(source.files, tuple(dict.fromkeys((folder, "", "src"))))
    for cell in parse(source).cells:
        if cell.cell_type == "code":
            reached.take(_as_python(cell.source), folder)
            reached.follow_scripts(cell.source, folder)
    while reached.waiting:
        path = reached.waiting.pop()
        if path not in reached.seen:
            reached.seen.add(path)
            reached.take(source.files[path], _folder(path))
    own = frozenset(reached.own) | _GIVEN
    return Imports(
        frozenset(reached.needed) - own,
        frozenset(reached.late - reached.needed) - own,
        reached.own,
        reached.changes_path,
    )


def _folder(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def _up(folder: str, levels: int) -> str:
    return "/".join(folder.split("/")[: -levels or None])


def _under(root: str, path: str) -> str:
    return str(PurePosixPath(root, path))


def _places(root: str, name: str) -> Iterator[str]:
    """Where a dotted name may lie: its own module and the packages around it."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        base = _under(root, "/".join(parts[:end]))
        yield from (f"{base}.py", f"{base}/__init__.py")


def _as_python(cell: str) -> str:
    """A cell's text without IPython's own syntax; "" for a cell in another language."""
    if cell.lstrip().startswith("%%"):
        if _OTHER_LANGUAGE.match(cell.lstrip()):
            return ""
        cell = cell.lstrip().partition("\n")[2]
    try:
        return TransformerManager().transform_cell(cell)
    except SyntaxError:
        return cell


@dataclass(frozen=True)
class _Import:
    """A dotted name; ``level`` counts the dots before it, ``is_late`` tells that it stands inside of a function."""

    name: str
    is_late: bool
    level: int = 0


def _imported(node: ast.AST, is_late: bool) -> Iterator[_Import]:
    """All that is imported by what stands in ``node``."""
    if isinstance(node, ast.Import):
        yield from (_Import(alias.name, is_late) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        before = f"{node.module}." if node.module else ""
        yield from (_Import(f"{before}{alias.name}", is_late, node.level) for alias in node.names)
    is_late = is_late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in _certain(node):
        yield from _imported(child, is_late)


def _certain(node: ast.AST) -> Iterable[ast.AST]:
    """The children of a node that are not guarded against a missing module."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return node.orelse
    if isinstance(node, ast.Try) and any(map(_catches_imports, node.handlers)):
        return (*node.orelse, *node.finalbody)
    return ast.iter_child_nodes(node)


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    names = ("ImportError", "ModuleNotFoundError", "'Exception'", "'BaseException'")
    return handler.type is None or any(name in ast.dump(handler.type) for name in names)

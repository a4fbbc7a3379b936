"""The sources that a script consists of: itself, and the project's own modules that it imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ..errors import InvalidInput, NotFound
from .source_options import parsed

_MOST_FILES, _MOST_CHARS = 40, 400_000


def read_script(path: Path) -> str:
    """A script's text. Raises NotFound, InvalidInput where it is no Python."""
    if not path.is_file():
        raise NotFound(f"{path}: there is no such script")
    try:
        text = path.read_text(encoding="utf-8-sig")
        ast.parse(text)
    except SyntaxError as error:
        raise InvalidInput(
            f"{path}, line {error.lineno}: not Python ({error.msg}); accepted: a Python script"
        ) from None
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput(f"{path}: not Python (no UTF-8 text); accepted: a Python script") from None
    return text


def package_module(path: str, text: str) -> str | None:
    """The module that a script inside the project is, where it imports from beside itself and so needs ``-m``."""
    nodes = [node for node in ast.walk(parsed(text)) if isinstance(node, ast.ImportFrom)]
    parts = path.removesuffix(".py").split("/")
    inside = len(parts) > 1 and all(part.isidentifier() for part in parts)
    return ".".join(parts) if inside and any(node.level > 0 for node in nodes) else None


def own_sources(folder: Path, script: Path) -> tuple[str, ...]:
    """The texts of a script and of the modules in ``folder`` that it imports, directly or not, in order of finding."""
    text = _text(script)
    return (text, *imported_sources(folder, text, script))


def imported_sources(folder: Path, text: str, place: Path) -> tuple[str, ...]:
    """The texts of the modules in ``folder`` that ``text``, which lies at ``place``, imports, directly or not."""
    roots = [place.parent, folder, folder / "src"]
    queue: list[Path] = []
    texts: list[str] = []
    seen = {place}
    here = place
    while len(texts) < _MOST_FILES:
        for found in _imported(parsed(text), here, roots):
            if found not in seen:
                seen.add(found)
                queue.append(found)
        if not queue:
            break
        here = queue.pop(0)
        text = _text(here)
        texts.append(text)
    return tuple(texts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")[:_MOST_CHARS]
    except (OSError, UnicodeDecodeError):
        return ""


def _imported(tree: ast.Module, path: Path, roots: list[Path]) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name.split("."), roots)
        elif isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1] if 0 < node.level <= len(path.parents) else None
            where = [base] if base is not None else roots
            whole = (node.module or "").split(".") if node.module else []
            yield from _files(whole, where)
            for alias in node.names:
                yield from _files([*whole, alias.name], where)


def _files(parts: list[str], roots: list[Path]) -> Iterator[Path]:
    for root in roots:
        for path in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
            if parts and path.is_file():
                yield path
                return

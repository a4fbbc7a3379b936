"""Globs on paths relative to a project, with forward slashes: ``*`` stays within a folder, ``**`` crosses folders."""

import functools
import re
from collections.abc import Sequence


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns names the path."""
    return any(_compiled(pattern).fullmatch(path) is not None for pattern in patterns)


def fixed_part(pattern: str) -> tuple[str, ...]:
    """The folders that a pattern names before its first wildcard: ``src/data/**/*.py`` has ("src", "data")."""
    fixed: list[str] = []
    for part in _clean(pattern).split("/")[:-1]:
        if re.search(r"[*?[]", part):
            break
        fixed.append(part)
    return tuple(fixed)


def _clean(pattern: str) -> str:
    return pattern.removeprefix("./").strip("/")


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[!^]?[^\]/]+\])", _clean(pattern))
    wild = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    written = []
    for i, part in enumerate(parts):
        if i % 2 == 0:
            written.append(re.escape(part))
        elif part in wild:
            written.append(wild[part])
        else:
            inside = part[1:-1].replace("\\", r"\\")
            written.append(f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]")
    return re.compile("".join(written), re.DOTALL)

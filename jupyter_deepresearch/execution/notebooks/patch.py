"""A patch as ``git apply`` and ``patch -p1`` take it."""

import difflib
from collections.abc import Iterator, Mapping

_NO_END = "\\ No newline at end of file\n"


def patch(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> str:
    """What makes the files ``after`` of those ``before``: texts by relative path, None for a file that is not there.

    Lines end where a newline is, whatever else a text holds. Empty where nothing differs. Without git's own headers,
    which would make git take the paths from the repository's root, and do nothing in a folder of it.
    """
    paths = sorted({*before, *after})
    return "".join(line for path in paths for line in _of_file(path, before.get(path), after.get(path)))


def _of_file(path: str, before: str | None, after: str | None) -> Iterator[str]:
    if before == after:
        return
    old = "/dev/null" if before is None else _name("a", path) + _end(path)
    new = "/dev/null" if after is None else _name("b", path) + _end(path)
    found = difflib.unified_diff(_lines(before or ""), _lines(after or ""), old, new)
    for line in found:
        yield line if line.endswith("\n") else f"{line}\n{_NO_END}"


def _lines(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    return [*(line + "\n" for line in whole), *([rest] if rest else [])]


def _name(side: str, path: str) -> str:
    """A path as git writes it: in C's quotes where something in it would be taken for more than a name."""
    name = f"{side}/{path}"
    if not any(c in '"\\' or ord(c) < 32 for c in name):
        return name
    quoted = "".join(f"\\{c}" if c in '"\\' else f"\\{ord(c):03o}" if ord(c) < 32 else c for c in name)
    return f'"{quoted}"'


def _end(path: str) -> str:
    """A tab after a name with blanks, which tells readers where it ends."""
    return "\t" if " " in path else ""

"""A run imports its own copies of the project's code, and says which originals it used after all.

``pip install -e`` puts the project's folders on ``sys.path``, or into a finder that knows packages by their paths. Both
would give a run the person's files instead of the copies in its own tree, and with them none of its edits.
"""

import os
import sys

if False:  # for type checkers alone: `typing` would be a part of what this file costs
    from collections.abc import Mapping
    from typing import Any

_MOST_NAMES = 8
_place: "list[str]" = []  # reports file, project, tree: a notebook may clear its environment
_pythons: "list[str]" = []  # where this Python lies, if it lies in the project
_said: "set[str]" = set()
_looked_at = [0]


def install() -> None:
    """Turn this process's paths into the project to the run's copies; look back when the process ends."""
    reports, project, work = (os.environ.get("DEEPRESEARCH_" + name) for name in ("REPORTS", "PROJECT", "WORK"))
    if _place or not reports or not project or not work:
        return
    import atexit

    atexit.register(look)
    project, work = os.path.realpath(project), os.path.realpath(work)
    _place[:] = [reports, project, work]
    prefixes = {os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    _pythons[:] = [prefix for prefix in prefixes if prefix != project and _is_inside(prefix, project)]
    sys.path[:] = [path for entry in sys.path for path in _mended(entry, project, work)]
    for finder in list(sys.meta_path):
        kind = finder if isinstance(finder, type) else type(finder)
        if "editable" in kind.__module__:  # of setuptools, editables (hatch, pdm), scikit-build-core
            for place in (sys.modules.get(kind.__module__), kind, finder):
                _mend(getattr(place, "__dict__", {}), project, work)


def look(*_: object) -> None:
    """Note once which of the project's own files are imported although the run has copies of them.

    Raises nothing; takes any argument, so that it can be called after each cell.
    """
    try:
        if _place and len(sys.modules) != _looked_at[0]:
            _looked_at[0] = len(sys.modules)
            _note(_originals(_place[1], _place[2]))
    except Exception as error:  # noqa: BLE001 (the person's program goes on, or ends, as it would without us)
        sys.stderr.write("deepresearch: " + repr(error) + "\n")


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _copy(path: str, project: str, work: str) -> "str | None":
    """The run's copy of a path into the project, None where there is none: a link's content is the project's own."""
    real = os.path.realpath(path)
    if not _is_inside(real, project) or _is_inside(real, work):
        return None
    if any(_is_inside(real, prefix) for prefix in _pythons):
        return None
    copy = os.path.normpath(os.path.join(work, os.path.relpath(real, project)))
    exists = os.path.exists(copy) or os.path.exists(copy + ".py")  # a finder may know a module without its suffix
    return copy if exists and os.path.realpath(copy) == copy else None


def _mended(entry: str, project: str, work: str) -> "list[str]":
    """What stands in the place of an entry of ``sys.path``."""
    if not entry:
        return [entry]
    found = []
    if os.path.basename(entry).startswith("__editable__.") and os.path.isdir(entry):
        # Setuptools' strict mode: a folder of links to the sources. Where their copies begin comes before it.
        for name in os.listdir(entry):
            inner = name if name.endswith(".py") else os.path.join(name, "__init__.py")
            copy = _copy(os.path.join(entry, inner), project, work)
            if copy is not None and copy.endswith(os.sep + inner):
                found.append(copy[: -len(inner) - 1])
    return [*found, _copy(entry, project, work) or entry]


def _mend(names: "Mapping[str, Any]", project: str, work: str) -> None:
    """Replace paths in dicts whose values are paths, or lists or sets of them."""
    for known in [names[name] for name in list(names) if not name.startswith("__")]:
        for key, value in list(known.items()) if isinstance(known, dict) else ():
            if isinstance(value, str) and os.path.isabs(value):
                known[key] = _copy(value, project, work) or value
            elif isinstance(value, (list, set)) and all(isinstance(path, str) for path in value):
                known[key] = type(value)((os.path.isabs(p) and _copy(p, project, work)) or p for p in value)


def _originals(project: str, work: str) -> "set[str]":
    """Relative paths of the project's files that are imported although the run has its own of them."""
    is_in_project: dict[str, bool] = {}  # by folder: thousands of modules lie in a few hundred
    found = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(path, str) or not os.path.isabs(path):
            continue
        folder = os.path.dirname(path)
        if folder not in is_in_project:
            real = os.path.realpath(folder)
            is_in_project[folder] = _is_inside(real, project) and not _is_inside(real, work)
        if is_in_project[folder]:
            copy = _copy(path, project, work)
            if copy is not None and os.path.isfile(copy):
                found.add(os.path.relpath(copy, work))
    return found


def _note(found: "set[str]") -> None:
    names = sorted(found - _said)
    if not names:
        return
    import json
    import time

    _said.update(names)
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    text = "imported from the project itself, not from the run's copies: " + ", ".join(names[:_MOST_NAMES]) + more
    line = json.dumps({"t": time.time(), "note": text}) + "\n"
    reports = os.open(_place[0], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(reports, line.encode("ascii"))
    finally:
        os.close(reports)

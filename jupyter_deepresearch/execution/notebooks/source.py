"""Reading a person's notebook: any version, brought to one canonical form without outputs."""

import hashlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from ...core.types import Source
from ...errors import InvalidNotebook
from ..trees.globs import matches
from .cells import LOCKED, parse, roles, write

_CELL_KINDS = ("code", "markdown", "raw")
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# Notes about the last execution or display, Jupyter's and others'; a change of them is no change of the notebook.
_TRANSIENT_CELL = {"ExecuteTime", "collapsed", "execution", "papermill", "scrolled", "trusted"}
_TRANSIENT_NOTEBOOK = {"deepresearch", "papermill", "signature", "widgets"}


def read_source(path: Path) -> Source:
    """The notebook at ``path`` in canonical form: nbformat 4.5, a stable id for every cell, no outputs or counts.

    Only the notebook; ``Source.files`` is empty. Raises InvalidNotebook when the file cannot be read, is no notebook,
    has no code cell or is not written in Python.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidNotebook(f"{path.name}: there is no such notebook") from None
    except UnicodeDecodeError:
        raise InvalidNotebook(f"{path.name}: not a notebook (the file is not UTF-8 text)") from None
    except OSError as error:
        raise InvalidNotebook(f"{path.name}: cannot be read ({error.strerror})") from None
    return Source(_canonical(text, path.name))


def measure_digest(source: Source, metric: str, locked_files: Sequence[str] = ()) -> str:
    """What values of ``metric`` depend on beyond the experiment: a digest of the locked cells and files.

    Two sources with different digests must not have their values compared. ``locked_files`` are globs on file paths.
    """
    digest = hashlib.sha256()
    notebook = parse(source)
    parts = [metric, *(cell.source for cell in notebook.cells if LOCKED in roles(cell))]
    for path in sorted(path for path in source.files if matches(path, locked_files)):
        parts += [path, source.files[path]]
    for part in parts:
        content = part.encode("utf-8", "backslashreplace")
        digest.update(b"%d:" % len(content) + content)
    return digest.hexdigest()


def _canonical(text: str, name: str) -> str:
    raw = _loaded(text, name)
    cells = [_clean_cell(cell, i, name) for i, cell in enumerate(raw["cells"])]
    if not any(cell["cell_type"] == "code" for cell in cells):
        raise InvalidNotebook(f"{name}: the notebook has no code cell; accepted: at least one")
    _identify(cells)
    content = {"cells": cells, "metadata": _clean_metadata(raw, name), "nbformat": 4, "nbformat_minor": 5}
    notebook = nbformat.from_dict(content)
    try:
        nbformat.validate(notebook)
        canonical = write(notebook)
        canonical.encode("utf-8")
    except nbformat.ValidationError as error:
        raise InvalidNotebook(f"{name}: not a valid notebook ({error.message[:200]})") from None
    except UnicodeEncodeError as error:
        raise InvalidNotebook(f"{name}: holds text that is not Unicode ({error.reason})") from None
    return canonical


def _loaded(text: str, name: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise InvalidNotebook(f"{name}: not a notebook (not JSON: {error})") from None
    version = raw.get("nbformat") if isinstance(raw, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidNotebook(f"{name}: not a notebook (no `nbformat` number in it)")
    if version not in (3, 4):
        raise InvalidNotebook(f"{name}: notebook format {version} found; accepted: 3 and 4")
    if version == 3:
        raw = _upgraded(raw, name)
    if not isinstance(raw.get("cells"), list) or not isinstance(raw.get("metadata", {}), dict):
        raise InvalidNotebook(f"{name}: not a notebook (no list of cells in it)")
    return dict(raw)


def _upgraded(raw: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            upgraded = nbformat.v4.upgrade(nbformat.v3.to_notebook_json(raw))
    except (KeyError, AttributeError, TypeError, ValueError, nbformat.ValidationError):
        raise InvalidNotebook(f"{name}: not a valid notebook of format 3") from None
    for cell in upgraded["cells"]:
        cell.pop("id", None)  # random, and wanted the same at every reading
    return dict(upgraded)


def _clean_cell(cell: Any, index: int, name: str) -> dict[str, Any]:
    place = f"{name}, cell {index + 1}"
    if not isinstance(cell, Mapping) or cell.get("cell_type") not in _CELL_KINDS:
        raise InvalidNotebook(f"{place}: not a cell; accepted: {', '.join(_CELL_KINDS)}")
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    metadata = cell.get("metadata", {})
    if not isinstance(source, str) or not isinstance(metadata, Mapping):
        raise InvalidNotebook(f"{place}: its source is not text or its metadata not an object")
    kept = {key: value for key, value in metadata.items() if key not in _TRANSIENT_CELL}
    if not isinstance(kept.get("tags", []), list) or not kept.get("tags", True):
        del kept["tags"]
    cleaned: dict[str, Any] = {"cell_type": cell["cell_type"], "source": source, "metadata": kept, "id": cell.get("id")}
    if cleaned["cell_type"] == "code":
        cleaned |= {"outputs": [], "execution_count": None}
    elif isinstance(cell.get("attachments"), Mapping):
        cleaned["attachments"] = cell["attachments"]
    return cleaned


def _identify(cells: Sequence[dict[str, Any]]) -> None:
    """Give every cell without a usable id one made of its content, so that each reading finds the same."""
    ids = [cell["id"] for cell in cells]
    taken = {i for i in ids if isinstance(i, str) and _CELL_ID.fullmatch(i)}
    seen: set[str] = set()
    for cell in cells:
        if cell["id"] not in taken or cell["id"] in seen:
            cell["id"] = _made_id(cell, taken)
            taken.add(cell["id"])
        seen.add(cell["id"])


def _made_id(cell: Mapping[str, Any], taken: set[str]) -> str:
    copies = 0
    while True:
        content = f"{copies}:{cell['cell_type']}:{cell['source']}".encode("utf-8", "backslashreplace")
        made = hashlib.sha256(content).hexdigest()[:12]
        if made not in taken:
            return made
        copies += 1


def _clean_metadata(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    kept = {key: value for key, value in raw.get("metadata", {}).items() if key not in _TRANSIENT_NOTEBOOK}
    spec = kept.get("kernelspec")
    spec = dict(spec) if isinstance(spec, Mapping) else {}
    described = kept.pop("language_info", None)
    language = spec.get("language") or (described.get("name") if isinstance(described, Mapping) else None) or "python"
    if str(language).lower() not in ("python", "ipython"):
        raise InvalidNotebook(f"{name}: the notebook's language is {language!s:.40}; accepted: python")
    kernel = spec.get("name")
    spec["name"] = kernel if isinstance(kernel, str) and kernel else "python3"
    display = spec.get("display_name")
    spec["display_name"] = display if isinstance(display, str) and display else spec["name"]
    spec["language"] = "python"
    return {**kept, "kernelspec": spec, "language_info": {"name": "python"}}

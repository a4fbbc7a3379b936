"""The cells of a notebook in canonical form, and their roles."""

import re

import nbformat
from nbformat import NotebookNode

from ...core.types import Source
from ...errors import InvalidNotebook

PARAMETERS = "parameters"
INJECTED = "injected-parameters"
LOCKED = "locked"
DRY_RUN = "dry_run"

_ROLE_LINE = re.compile(r"#\|\s*([\w-]+)\s*")


def parse(source: Source) -> NotebookNode:
    """A source's notebook as nbformat's object; the caller may change it."""
    notebook: NotebookNode = nbformat.v4.reads(source.notebook)
    return notebook


def write(notebook: NotebookNode) -> str:
    """A notebook of format 4.5 as text, always the same for the same content. Raises ValueError where it is invalid."""
    text: str = nbformat.v4.writes(notebook)
    return text if text.endswith("\n") else text + "\n"


def roles(cell: NotebookNode) -> frozenset[str]:
    """A cell's roles: its tags, and for code the words of its leading ``#| word`` lines."""
    found = {tag for tag in cell.metadata.get("tags", ()) if isinstance(tag, str)}
    if cell.cell_type == "code":
        for line in cell.source.splitlines():
            match = _ROLE_LINE.fullmatch(line)
            if match is None:
                if line.startswith("#|"):
                    continue
                break
            found.add(match[1])
    return frozenset(found)


def parameters_cell(notebook: NotebookNode) -> int | None:
    """The index of the parameters cell, None where there is none. Raises InvalidNotebook when there are several."""
    found = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and PARAMETERS in roles(cell)]
    if len(found) > 1:
        places = ", ".join(str(i + 1) for i in found)
        raise InvalidNotebook(f"the notebook has {len(found)} parameters cells (cells {places}); accepted: at most one")
    return found[0] if found else None


def injected_cells(notebook: NotebookNode) -> tuple[int, ...]:
    """The indices of cells that papermill injected."""
    return tuple(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and INJECTED in roles(cell))


def locked_ids(notebook: NotebookNode) -> tuple[str, ...]:
    """The ids of the cells that no researcher may change, in their order."""
    return tuple(cell.id for cell in notebook.cells if LOCKED in roles(cell))

"""A notebook -> what `init` proposes for it: roles, metric, a marked copy. The notebook itself is never written to."""

import json
from collections.abc import Iterator
from pathlib import Path

from ..core.types import Source
from ..errors import InvalidNotebook, NotFound
from ..execution.environment import find_kernel
from ..execution.notebooks.cells import parse
from ..execution.notebooks.source import read_source
from ..execution.notebooks.space import survey
from .marking import Marked, code_of, marked
from .metrics import printed_names, ranked, source_names
from .proposal import Proposal, Wishes, goal_of, project_files
from .sources import imported_sources, own_sources

COPY_SUFFIX = ".research.ipynb"
_MOST_PRINTED_CHARS = 50_000


def propose_for_notebook(folder: Path, notebook: Path, wishes: Wishes) -> Proposal:
    """Roles for the cells of ``notebook`` in a copy of it, beside it; where nothing is to be marked, it serves itself.

    Raises NotFound, InvalidNotebook, InvalidInput (no metric).
    """
    if not notebook.is_file():
        raise NotFound(f"{notebook}: there is no such notebook")
    source = read_source(notebook)
    copy = marked(source)
    seen = survey(copy.source)
    find_kernel(wishes.kernel or seen.kernel, notebook.name)
    goal = goal_of(notebook.name, metrics_seen(folder, notebook, source), wishes.metric, wishes.direction)
    name = _copy_name(folder, notebook, copy)
    files = ((name, copy.source.notebook),) if copy.marks else ()
    return Proposal(
        notebook=name,
        goal=goal,
        parameters=tuple(seen.parameters.items()),
        space=tuple(map(str, seen.space)),
        roles=copy.marks,
        notes=seen.remarks,
        files=(*files, *project_files(folder, name, goal, wishes.kernel)),
        shown=copy.diff,
    )


def metrics_seen(folder: Path, notebook: Path, source: Source) -> tuple[str, ...]:
    """The metrics that ``notebook``, whose source this is, prints or logs or has printed, the likeliest first."""
    names = (*_stored_names(notebook), *source_names(_sources(folder.resolve(), notebook.resolve(), source)))
    return ranked(names)


def the_notebook(folder: Path) -> Path:
    """The only notebook of a folder. Raises InvalidNotebook naming what is there."""
    there = sorted(p for p in folder.glob("*.ipynb") if p.is_file() and not p.name.startswith("."))
    if len(there) == 1:
        return there[0]
    if there:
        names = ", ".join(p.name for p in there[:8])
        raise InvalidNotebook(
            f"{folder}: found {len(there)} notebooks ({names}); accepted: init {folder / there[0].name}"
        )
    scripts = sorted(p.name for p in folder.glob("*.py"))
    listed = f"; it has the scripts {', '.join(scripts[:8])}: init {folder / scripts[0]}" if scripts else ""
    raise InvalidNotebook(f"{folder}: found no notebook (*.ipynb){listed}")


def _copy_name(folder: Path, notebook: Path, copy: Marked) -> str:
    inner = notebook.resolve().relative_to(folder.resolve())
    name = inner.with_name(inner.stem + COPY_SUFFIX) if copy.marks else inner
    return name.as_posix()


def _sources(folder: Path, notebook: Path, source: Source) -> tuple[str, ...]:
    """The code that a notebook runs: its own, the project's modules that it imports, the scripts that it starts."""
    parsed = parse(source)
    code = code_of(parsed)
    lines = [line for cell in parsed.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    words = [word for line in lines if line.lstrip().startswith(("!", "%", "python")) for word in line.split()]
    scripts = [notebook.parent / word for word in dict.fromkeys(words) if word.endswith(".py")]
    started = [text for script in scripts if script.is_file() for text in own_sources(folder, script)]
    return (code, *imported_sources(folder, code, notebook), *started)


def _stored_names(notebook: Path) -> tuple[str, ...]:
    """The metrics among what the notebook printed when it was last run and saved; of a flood, its beginning and end."""
    printed = "\n".join(_printed(json.loads(notebook.read_text(encoding="utf-8-sig")).get("cells")))
    if len(printed) > _MOST_PRINTED_CHARS:
        half = _MOST_PRINTED_CHARS // 2
        printed = f"{printed[:half]}\n{printed[-half:]}"
    return ranked(printed_names(printed + "\n"))


def _printed(cells: object) -> Iterator[str]:
    """The texts of a notebook's streams. Nobody has checked its outputs: what is none of them is passed over."""
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, dict) and output.get("output_type") == "stream":
                text = output.get("text", "")
                yield "".join(map(str, text)) if isinstance(text, list) else str(text)

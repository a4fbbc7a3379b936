"""`init`: a project made around a person's notebook or script, shown first, and never over anything that is there."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import InvalidInput, NotFound
from ..intake.from_notebook import propose_for_notebook, the_notebook
from ..intake.from_script import propose_for_script
from ..intake.proposal import Proposal, Wishes, refuse_a_project, refuse_in_the_way, write_files
from ..service import views
from ..text import one_line, space_text
from .opening import command_line
from .request import Request

_ROOT_SIGNS = (
    ".git",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "environment.yml",
    "PROJECT_BRIEF.md",
)


def perform(request: Request) -> int:
    """See ``main``. Raises InvalidInput, InvalidNotebook, NotFound, Conflict, StorageFailed."""
    folder, target = _target(request.words)
    refuse_a_project(folder)
    wishes = Wishes(request.options.metric, request.options.direction, request.options.kernel)
    if target.suffix == ".ipynb":
        if request.arguments:
            raise InvalidInput(
                f"found {request.arguments[0]!r} after --; accepted: arguments of a script, not of a notebook"
            )
        proposal = propose_for_notebook(folder, target, wishes)
    else:
        proposal = propose_for_script(folder, target, request.arguments, wishes)
    refuse_in_the_way(folder, proposal)
    if not request.as_json:
        print(_shown(folder, target, proposal), flush=True)
    if _is_asked(request) and not _agreed():
        print("nothing was written")
        return 0
    written = write_files(folder, proposal)
    _conclude(request, folder, proposal, written)
    return 0


def _target(words: Sequence[str]) -> tuple[Path, Path]:
    """The project's folder, and the script or notebook in it, of ``[PROJECT] [FILE]``."""
    here = Path.cwd()
    if len(words) == 2:
        folder, file = here / words[0], Path(words[1])
        path = folder / file if (folder / file).exists() else here / file
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InvalidInput(f"{path}: accepted: a file in the project folder {folder}")
        return Path(os.path.abspath(folder)), _file(path)
    named = Path(os.path.abspath(here / words[0])) if words else here
    if named.is_dir():
        refuse_a_project(named)
        return named, the_notebook(named)
    path = _file(named)
    return (here if path.is_relative_to(here) and _is_root(here) else path.parent), path


def _file(path: Path) -> Path:
    kind = {".py": "script", ".ipynb": "notebook"}.get(path.suffix)
    if kind is None and path.is_file():
        raise InvalidInput(f"{path}: accepted: a Python script (.py), a notebook (.ipynb) or a folder")
    if not path.is_file():
        raise NotFound(f"{path}: there is no such {kind or 'folder, script or notebook'}")
    return Path(os.path.abspath(path))


def _is_root(folder: Path) -> bool:
    """Whether a folder looks like the root of someone's code, whose scripts are started from there."""
    return any((folder / sign).exists() for sign in _ROOT_SIGNS)


def _shown(folder: Path, target: Path, proposal: Proposal) -> str:
    goal = proposal.goal
    how = "as you gave it" if goal.given else f"of those that {target.name} prints or logs"
    others = f" (also seen: {', '.join(goal.others[:6])})" if goal.others else ""
    if target.suffix == ".py":
        lines = [f"{proposal.notebook} around {target.name}:", "", *(f"    {line}" for line in proposal.shown), ""]
    elif proposal.shown:
        lines = [f"--- {target.name}", f"+++ {proposal.notebook}", *proposal.shown, ""]
    else:
        lines = [f"{target.name} serves as it is: there is nothing to mark", ""]
    lines += [f"cell {mark.cell:<5}{mark.role}: {mark.why}" for mark in proposal.roles]
    lines.append(f"metric    {goal.direction.value} {one_line(goal.metric)}, {how}{others}")
    lines.append(f"searching {space_text(proposal.space)}")
    lines += [f"note      {one_line(note, 240)}" for note in proposal.notes]
    return "\n".join(lines)


def _is_asked(request: Request) -> bool:
    return not (request.yes or request.as_json) and sys.stdin.isatty() and sys.stdout.isatty()


def _agreed() -> bool:
    try:
        answer = input("write this? [Y/n] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("", "y", "yes")


def _conclude(request: Request, folder: Path, proposal: Proposal, written: tuple[str, ...]) -> None:
    if request.as_json:
        goal = proposal.goal
        told = {
            "path": str(folder),
            "notebook": proposal.notebook,
            "metric": goal.metric,
            "direction": goal.direction.value,
            "metrics_seen": list(goal.others),
            "parameters": {name: list(v) if isinstance(v, tuple) else v for name, v in proposal.parameters},
            "space": list(proposal.space),
            "roles": [{"cell": mark.cell, "role": mark.role, "why": mark.why} for mark in proposal.roles],
            "notes": list(proposal.notes),
            "diff": list(proposal.shown),
            "written": list(written),
        }
        print(views.to_json(told))
        return
    print(f"wrote     {', '.join(written)}")
    print(f"next      {command_line('run', folder, '--cycles', '3')}")

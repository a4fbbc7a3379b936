"""What `init` proposes, as a value: the notebook, the objective, the files, and what a person should know of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.brief import BRIEF_NAME
from ..config.loading import CONFIG_NAME
from ..core.project import Direction, guess_direction
from ..errors import Conflict, InvalidInput, StorageFailed
from .marking import Mark
from .metrics import ranked
from .options import Setting
from .settings import brief_text, settings_text


@dataclass(frozen=True)
class Goal:
    """The metric to improve; ``others`` were seen as well."""

    metric: str
    direction: Direction
    others: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True)
class Proposal:
    """What would be written, nothing is yet. ``files``: (name, text), new ones all; ``shown``: lines for the person."""

    notebook: str
    goal: Goal
    parameters: tuple[tuple[str, Setting], ...]
    space: tuple[str, ...]
    roles: tuple[Mark, ...]
    notes: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    shown: tuple[str, ...]


def goal_of(where: str, seen: Sequence[str], metric: str | None, direction: str | None) -> Goal:
    """The goal: the one given, else the most likely of the names seen. Raises InvalidInput where there is none."""
    names = ranked(seen)
    if metric is None and not names:
        raise InvalidInput(
            f"{where}: found no metric that it prints or logs; accepted: --metric NAME, as the program prints it "
            "(`NAME=0.97`)"
        )
    chosen = metric if metric is not None else names[0]
    way = Direction(direction) if direction is not None else guess_direction(chosen)
    return Goal(chosen, way, tuple(name for name in names if name != chosen), metric is not None)


@dataclass(frozen=True)
class Wishes:
    """What a person asked for beside the script or notebook."""

    metric: str | None = None
    direction: str | None = None
    kernel: str | None = None


def project_files(
    folder: Path, notebook: str, goal: Goal, kernel: str | None = None, private: Sequence[str] = ()
) -> tuple[tuple[str, str], ...]:
    """The settings, and the brief where the folder has none. ``kernel``, ``private``: see ``settings_text``."""
    settings = (CONFIG_NAME, settings_text(notebook, goal.metric, goal.direction, goal.others, kernel, private))
    if (folder / BRIEF_NAME).exists():
        return (settings,)
    return (settings, (BRIEF_NAME, brief_text(folder.resolve().name, goal.metric, goal.direction)))


def write_files(folder: Path, proposal: Proposal) -> tuple[str, ...]:
    """Write the proposal's files into ``folder``; their names. Nothing is ever overwritten.

    Raises Conflict naming what is in the way (nothing is written then), StorageFailed.
    """
    refuse_in_the_way(folder, proposal)
    done: list[Path] = []
    try:
        for name, text in proposal.files:
            with (folder / name).open("x", encoding="utf-8") as file:
                done.append(folder / name)
                file.write(text)
    except OSError as error:
        for path in done:
            path.unlink(missing_ok=True)
        raise StorageFailed(f"{name} cannot be written: {error.strerror}") from error
    return tuple(path.name for path in done)


def refuse_a_project(folder: Path) -> None:
    """Raise Conflict where a folder has its settings already."""
    if os.path.lexists(folder / CONFIG_NAME):
        raise Conflict(f"{folder / CONFIG_NAME} is there, and nothing is overwritten: edit it, or move it away first")


def refuse_in_the_way(folder: Path, proposal: Proposal) -> None:
    """Raise Conflict where a file that would be written is there."""
    for name, _ in proposal.files:
        if os.path.lexists(folder / name):
            raise Conflict(f"{folder / name} is in the way, and nothing is overwritten: move or rename it")

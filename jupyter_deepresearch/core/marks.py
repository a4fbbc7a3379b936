"""What the latest verdict did to the memory, line by line: what entered it, what reads otherwise, what was dropped."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .frozen import changed
from .memory import Memory
from .notes import NOTES_HEADING
from .project import Objective

_OF_EXPERIMENT = re.compile(r"- #(\d+) ")


@dataclass(frozen=True)
class Marks:
    """Lines on experiments: those that ``entered`` and those that were ``changed`` as they now are and in their order,
    those ``dropped`` as they were."""

    entered: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def marks(before: Memory, after: Memory, objective: Objective) -> Marks:
    """What tells ``after`` from ``before``. Notes by hand are no such difference: both are taken with those of today.

    Headings and the sentence that there is no champion yet are about no experiment.
    """
    before = changed(before, notes=after.notes, archived_chars=after.archived_chars)
    old, new = (lines(memory.render(objective)) for memory in (before, after))
    return Marks(
        entered=tuple(line for number, line in new.items() if number not in old),
        changed=tuple(line for number, line in new.items() if number in old and old[number] != line),
        dropped=tuple(line for number, line in old.items() if number not in new),
    )


def lines(log: str) -> Mapping[int, str]:
    """The lines on experiments of a rendered memory, by their numbers, as far as they are ours and not the person's."""
    ours = log.partition(f"\n\n{NOTES_HEADING}")[0].split("\n")
    return {int(found[1]): line for line in ours if (found := _OF_EXPERIMENT.match(line))}

"""What an interrupted attempt had made goes into the next one's tree: as by hand, where a crash removes nothing."""

import os
import shutil
from pathlib import Path

_OWN = frozenset({".deepresearch-run", "__pycache__"})


def carry(before: Path, work: Path, place: Path) -> tuple[str, ...]:
    """Put into the fresh tree ``work`` what the attempt in the tree ``before`` had made; the names at the top of that.

    What the fresh tree has already (code, data) stays as it is there. Files are linked hard, for the price of a name:
    nothing of the ended attempt writes to them any more. ``place`` is where ``work`` will lie. Raises OSError.
    """
    return tuple(sorted(_carried(before, work, (str(before), str(place))))) if before.is_dir() else ()


def _carried(before: Path, work: Path, moved: tuple[str, str]) -> set[str]:
    found: set[str] = set()
    with os.scandir(before) as listing:
        entries = [entry for entry in listing if entry.name not in _OWN]
    for entry in entries:
        target = work / entry.name
        if entry.is_symlink():
            is_carried = not os.path.lexists(target) and _linked_anew(Path(entry.path), target, moved)
        elif entry.is_dir():
            is_carried = not target.is_symlink() and _carried_folder(Path(entry.path), target, moved)
        else:
            is_carried = entry.is_file() and not os.path.lexists(target) and _linked_hard(entry.path, target)
        if is_carried:
            found.add(entry.name)
    return found


def _carried_folder(before: Path, target: Path, moved: tuple[str, str]) -> bool:
    if os.path.lexists(target) and not target.is_dir():
        return False
    is_new = not target.exists()
    target.mkdir(exist_ok=True)
    return bool(_carried(before, target, moved)) or is_new


def _linked_hard(path: str, target: Path) -> bool:
    try:
        os.link(path, target, follow_symlinks=False)
    except OSError:  # another device, or a file system without hard links
        shutil.copy2(path, target, follow_symlinks=False)
    return True


def _linked_anew(link: Path, target: Path, moved: tuple[str, str]) -> bool:
    """A link that the attempt made within its tree, such as ``latest``; those into the project are the tree's own."""
    to = os.readlink(link)
    before, place = moved
    if os.path.isabs(to):
        if not Path(to).is_relative_to(before):
            return False
        to = os.path.join(place, os.path.relpath(to, before))
    target.symlink_to(to)
    return True

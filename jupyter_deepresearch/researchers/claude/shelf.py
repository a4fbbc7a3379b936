"""The texts beside a project: a person's notes, the researcher's own, and its reports. Nothing outside the project."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ...errors import Forbidden, InvalidInput, NotFound, StorageFailed

MARK = "<!-- written by the researcher -->"
"""The first line of a note that the researcher wrote: no other is ever rewritten."""

NOTE_CHARS = 20_000
REPORT_CHARS = 60_000
READ_BYTES = 1_000_000
SHOWN_NOTES = 50
MOST_FILES = 500
"""So many notes, or reports of one name, and no more."""

_NAME = re.compile(r"\w[\w .-]*\.md")
_NAME_BYTES = 120


@dataclass(frozen=True)
class Shelf:
    """``notes/*.md`` and ``reports/*.md`` of the project in ``folder``.

    Every method raises Forbidden for a name or a link that leads elsewhere, and StorageFailed where the disk does not
    let it, each in one line.
    """

    folder: Path

    def notes(self) -> tuple[str, ...]:
        """The names of the notes, sorted; after the first 50 one line that counts the rest. None where it cannot be
        read: a prompt is made of these."""
        try:
            with os.scandir(self._inside("notes")) as entries:
                names = sorted(e.name for e in entries if _NAME.fullmatch(e.name) and e.is_file())
        except (Forbidden, OSError):
            return ()
        rest = len(names) - SHOWN_NOTES
        return (*names[:SHOWN_NOTES], *((f"and {rest} more",) if rest > 0 else ()))

    def by_hand(self) -> tuple[str, ...]:
        """As ``notes``, without the researcher's own: a note that a step writes must not change what it asks when it is
        taken again."""
        return tuple(name for name in self.notes() if not self._is_own(name))

    def read(self, name: str) -> str:
        """A note's text, at most its first megabyte, without our mark; what is no UTF-8 is replaced.

        Raises NotFound for a note that is not there.
        """
        name = _plain(name, "notes")
        place = self._inside("notes") / name
        text = _unmarked(self._text(place))
        if text is None:
            known = ", ".join(self.notes()) or "none"
            raise NotFound(f"notes/{name} is not there; the notes are: {known}")
        return text

    def write(self, name: str, text: str) -> str:
        """Writes a note of the researcher's, whole, and answers its path; the same text again changes nothing.

        Raises Forbidden for a note that somebody else wrote, InvalidInput for more than 20,000 characters.
        """
        name = _plain(name, "notes")
        folder = self._inside("notes")
        place = folder / name
        wanted = _written(text, NOTE_CHARS)
        there = self._text(place)
        if there is None and _count(folder) >= MOST_FILES:
            raise InvalidInput(f"notes/ holds {MOST_FILES} files; rewrite one of your own instead")
        if there is not None and not there.startswith(MARK):
            raise Forbidden(f"notes/{name} was not written by you and is never overwritten; choose another name")
        if there != (whole := f"{MARK}\n{wanted}"):
            _store(place, whole)
        return f"notes/{name}"

    def report(self, name: str, text: str) -> str:
        """Writes a new report and answers its path in the project. Nothing is overwritten: the next free NAME-2.md is
        taken, and the path of one that says the very same is answered as it is."""
        stem = _plain(name, "reports").removesuffix(".md")
        folder = self._inside("reports")
        wanted = _written(text, REPORT_CHARS)
        for k in range(1, MOST_FILES + 1):
            path = f"{stem}.md" if k == 1 else f"{stem}-{k}.md"
            if not os.path.lexists(folder / path):
                _store(folder / path, wanted)
                return f"reports/{path}"
            if self._says(folder / path, wanted):
                return f"reports/{path}"
        raise InvalidInput(f"reports/ holds {MOST_FILES} reports named {stem}; choose another name")

    def has_report(self, path: str) -> bool:
        """Whether a report lies at ``path``, as ``report`` answers paths: what a model says it wrote may be nowhere."""
        folder, _, name = path.rpartition("/")
        try:
            return folder == "reports" and self._text(self._inside("reports") / _plain(name, "reports")) is not None
        except (Forbidden, StorageFailed):
            return False

    def _inside(self, name: str) -> Path:
        """The folder of that name, not one that it links to."""
        place = self.folder / name
        if place.is_symlink():
            raise Forbidden(f"{name}/ is a link; the researcher keeps to the project's own folders")
        return place

    def _text(self, place: Path) -> str | None:
        """What a file says, None where there is none. One that links out of the project is refused."""
        try:
            if not place.resolve().is_relative_to(self.folder.resolve()):
                raise Forbidden(f"{place.parent.name}/{place.name} links to outside of the project")
            with open(place, "rb", opener=_opened) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Forbidden(f"{place.parent.name}/{place.name} is no plain file")
                return file.read(READ_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, in Python 3.11
            raise StorageFailed(f"{place.parent.name}/{place.name} cannot be read: {_why(error)}") from error

    def _is_own(self, name: str) -> bool:
        try:
            return (self._text(self._inside("notes") / name) or "").startswith(MARK)
        except (Forbidden, StorageFailed):
            return False

    def _says(self, place: Path, wanted: str) -> bool:
        try:
            return self._text(place) == wanted
        except (Forbidden, StorageFailed):
            return False


def _plain(name: str, folder: str) -> str:
    """A plain file name of a note. Models leave its ending out, and put its folder before it: both are understood."""
    name = name.removeprefix(f"{folder}/")
    name = name if "." in name else f"{name}.md"
    if not _NAME.fullmatch(name) or len(name.encode("utf-8", "replace")) > _NAME_BYTES:
        raise Forbidden(f"{name[:80]!r} is no name of a note; accepted: a plain file name such as ideas.md")
    return name


def _written(text: str, limit: int) -> str:
    """The text as it is stored. A mark of ours that was copied into it does not count twice."""
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\0", "")
    clean = (_unmarked(clean) or "").strip() + "\n"
    if len(clean) > limit:
        raise InvalidInput(f"the text has {len(clean):,} characters; at most {limit:,} are kept: shorten it")
    return clean


def _unmarked(text: str | None) -> str | None:
    return text if text is None else text.removeprefix(MARK).removeprefix("\n")


def _opened(path: str, flags: int) -> int:
    """Without waiting: a pipe of that name has no other end."""
    return os.open(path, flags | os.O_NONBLOCK)


def _count(folder: Path) -> int:
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0


def _store(place: Path, text: str) -> None:
    """Writes the file whole or not at all."""
    draft = place.with_name(f".{place.name}.draft")
    try:
        place.parent.mkdir(exist_ok=True)
        draft.unlink(missing_ok=True)  # of a process that died here; whatever it may be, it is not written through
        with draft.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, place)
    except OSError as error:
        raise StorageFailed(f"{place.parent.name}/{place.name} cannot be written: {_why(error)}") from error


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__

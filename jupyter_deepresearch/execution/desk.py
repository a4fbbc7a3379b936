"""The files that a person and the loop exchange in a project folder: brief, directive and memory log.

Looking costs one ``stat`` a file; a file is read only when it changed. What cannot be used is announced once and left
where it is: nothing that a person wrote is ever overwritten, cut or deleted.
"""

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..core.events import Announced, Briefed, Directive, Event, Noted
from ..core.notes import NOTES_LIMIT_CHARS, person_lines, split_notes
from ..core.project import BRIEF_LIMIT_CHARS
from ..errors import StorageFailed

DIRECTIVE_LIMIT_CHARS = 2000
_READ_LIMIT_BYTES = 1_000_000
# A file changed this recently may change again without its time stamp telling (FAT's clock ticks every 2 s).
_UNSETTLED_S = 2.5


@dataclass(frozen=True)
class _Look:
    """What a file holds: text and the digest of its bytes, or why it cannot be used; neither where there is none."""

    text: str | None = None
    digest: str = ""
    problem: str | None = None


class _Watched:
    """A small text file, read again only after it changed."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path = path
        self._now = now
        self._mark: tuple[int, ...] | None = None
        self._seen = _Look()

    def look(self) -> _Look:
        """The file as it now is. Never raises."""
        try:
            found = self.path.stat()
            mark = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
            if mark != self._mark:
                self._seen = self._read(found)
                settled = self._now() - max(found.st_mtime, found.st_ctime) > _UNSETTLED_S
                self._mark = mark if settled else None
        except FileNotFoundError:
            self._mark, self._seen = None, _Look()
        except OSError as error:
            self._mark, self._seen = None, _Look(problem=f"{self.path.name} cannot be read: {error.strerror}")
        return self._seen

    def _read(self, found: os.stat_result) -> _Look:
        name = self.path.name
        if not stat.S_ISREG(found.st_mode):
            return _Look(problem=f"{name}: found a folder or device; accepted: a text file")
        if found.st_size > _READ_LIMIT_BYTES:
            return _Look(problem=f"{name} has {found.st_size:,} bytes; at most {_READ_LIMIT_BYTES:,} are read")
        content = self.path.read_bytes()
        try:
            text = _plain(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            return _Look(problem=f"{name}: not valid UTF-8 at byte {error.start}; accepted: UTF-8 text")
        return _Look(text, hashlib.sha256(content).hexdigest())


class FolderDesk:
    """The Desk of a project folder. Only the holder of the project's lease may use it."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now = now
        self._brief = _Watched(folder / "PROJECT_BRIEF.md", now)
        self._directive = _Watched(folder / "HUMAN_DIRECTIVE.md", now)
        self._memory = _Watched(folder / "MEMORY_LOG.md", now)
        self._rendered = _Watched(folder / ".deepresearch" / "memory_rendered.md", now)
        self._next = _Watched(folder / ".deepresearch" / "memory_next.md", now)
        self._announced: dict[str, str] = {}
        # An edit of MEMORY_LOG.md that the log has but no rendering shows yet, and the notes from before it.
        self._taken: str | None = None
        self._notes_before: str | None = None

    def inbox(self, brief: str, notes: str, directives: Sequence[str]) -> tuple[Event, ...]:
        """What the person changed on disk. A missing brief leaves the one in force, a blank memory log the notes.

        Raises StorageFailed where the folder cannot be read or long notes cannot be archived.
        """
        self._require_folder()
        return (*self._new_brief(brief), *self._new_directive(directives), *self._new_notes(notes))

    def settle(self, digest: str) -> None:
        """Move the directive with this digest to ``directives/``, unless it changed since. Raises StorageFailed."""
        if self._directive.look().digest != digest:
            return
        with _writing("directives/"):
            target = self._free_name(self._folder / "directives")
            try:
                os.rename(self._directive.path, target)
            except FileNotFoundError:
                target.unlink()
                return
            if hashlib.sha256(target.read_bytes()).hexdigest() != digest:
                # Saved anew between look and rename, so not read yet: it goes back, unless a newer one is there.
                with contextlib.suppress(FileExistsError):
                    os.link(target, self._directive.path)
                    target.unlink()

    def write_memory(self, text: str) -> None:
        """Render MEMORY_LOG.md, unless the person edited it since the last inbox. Raises StorageFailed."""
        self._require_folder()
        text = _plain(text.encode("utf-8", "replace").decode("utf-8"))
        there = self._memory.look()
        rendered = self._last_rendered(there.text or "")
        if there.problem is not None or (_is_written(there) and there.text not in (rendered, self._taken)):
            return
        if not there.text == rendered == text:
            with _writing("MEMORY_LOG.md"):
                self._next.path.parent.mkdir(exist_ok=True)
                _replace(self._next.path, text)
                _replace(self._memory.path, text)
                os.replace(self._next.path, self._rendered.path)
        self._taken = self._notes_before = None

    def _require_folder(self) -> None:
        if not os.access(self._folder, os.R_OK | os.X_OK) or not os.path.isdir(self._folder):
            raise StorageFailed(f"the project folder {self._folder} is gone or cannot be read")

    def _new_brief(self, brief: str) -> Iterator[Event]:
        there = self._brief.look()
        if there.problem is not None or there.text is None:
            yield from self._once("brief", there.problem, "the brief in force stays")
        elif len(there.text) > BRIEF_LIMIT_CHARS:
            yield from self._once(
                "brief",
                f"PROJECT_BRIEF.md has {len(there.text):,} characters; at most {BRIEF_LIMIT_CHARS:,} are accepted: "
                "move the rest to notes/*.md",
                "the brief in force stays",
                there.digest,
            )
        else:
            self._announced.pop("brief", None)
            if there.text != brief:
                yield Briefed(there.text)

    def _new_directive(self, directives: Sequence[str]) -> Iterator[Event]:
        there = self._directive.look()
        text = (there.text or "").strip()
        if len(text) > DIRECTIVE_LIMIT_CHARS:
            yield from self._once(
                "directive",
                f"HUMAN_DIRECTIVE.md has {len(text):,} characters; at most {DIRECTIVE_LIMIT_CHARS:,} are accepted: "
                "move the rest to notes/*.md",
                "it is not used",
                there.digest,
            )
            return
        yield from self._once("directive", there.problem, "it is not used")
        if text and there.digest not in directives:
            yield Directive(text, there.digest)

    def _new_notes(self, notes: str) -> Iterator[Event]:
        there = self._memory.look()
        yield from self._once("memory", there.problem, "it is neither read nor rendered")
        if there.text is None or not _is_written(there):
            return
        rendered = self._last_rendered(there.text)
        lines = person_lines(there.text, rendered) if there.text != rendered else None
        if lines is None:
            # As we rendered it: an edit taken in earlier was undone.
            lines = notes if self._notes_before is None else self._notes_before
        elif self._notes_before is None:
            self._notes_before = notes
        if lines != notes:
            yield from self._archived(lines)
            yield Noted(lines)
        self._taken = there.text

    def _archived(self, lines: str) -> Iterator[Event]:
        """Notes too long for a prompt, kept whole where the researcher can read them on demand."""
        if not split_notes(lines)[1]:
            return
        path = self._folder / "notes" / "memory_notes.md"
        with _writing("notes/memory_notes.md"):
            path.parent.mkdir(exist_ok=True)
            if not path.exists() or lines not in path.read_text(encoding="utf-8", errors="replace"):
                with path.open("a", encoding="utf-8", errors="replace") as archive:
                    archive.write(f"## {datetime.fromtimestamp(self._now(), UTC):%Y-%m-%d %H:%M:%S} UTC\n\n{lines}\n\n")
        yield Announced(
            f"MEMORY_LOG.md: your notes have {len(lines):,} characters; {NOTES_LIMIT_CHARS} of them are in prompts, "
            "all of them in notes/memory_notes.md"
        )

    def _once(self, about: str, problem: str | None, effect: str, digest: str = "") -> Iterator[Event]:
        """Announce a problem when it is new; no problem ends the one before."""
        if problem is None:
            self._announced.pop(about, None)
        elif self._announced.get(about) != problem + digest:
            self._announced[about] = problem + digest
            yield Announced(f"{problem}; {effect}")

    def _last_rendered(self, now: str) -> str:
        """What we last wrote into MEMORY_LOG.md, which now holds ``now``; settles a rendering that a crash cut off."""
        pending, rendered = self._next.look().text, self._rendered.look().text or ""
        if pending is None:
            return rendered
        # Whichever of the two leaves less for the person to have written is the one that they saw.
        happened = len(person_lines(now, pending) or "") <= len(person_lines(now, rendered) or "")
        with _writing(".deepresearch/memory_rendered.md"):
            if happened:
                os.replace(self._next.path, self._rendered.path)
            else:
                self._next.path.unlink(missing_ok=True)
        return pending if happened else rendered

    def _free_name(self, folder: Path) -> Path:
        """An empty new file named after the time in UTC, so that nothing there can be overwritten."""
        folder.mkdir(exist_ok=True)
        stem = f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%dT%H-%M-%SZ}"
        number = 1
        while True:
            path = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                return path


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_written(look: _Look) -> bool:
    return look.text is not None and look.text.strip() != ""


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)


@contextlib.contextmanager
def _writing(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{name} cannot be written: {error.strerror}") from error

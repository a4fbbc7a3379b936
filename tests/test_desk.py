"""The files that a person and the loop exchange, on a real disk."""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from jupyter_deepresearch.core.events import Announced, Briefed, Directive, Event, Noted
from jupyter_deepresearch.core.notes import NOTES_HEADING
from jupyter_deepresearch.errors import StorageFailed
from jupyter_deepresearch.execution.desk import FolderDesk

NOON = 1_750_000_000.0
OURS = "# Memory\n## Key Results\n- #3 acc 0.9\n"


def rendered(notes: str, result: str = "- #3 acc 0.9") -> str:
    return f"# Memory\n## Key Results\n{result}\n" + (f"{NOTES_HEADING}\n{notes}\n" if notes else "")


class Log:
    """What the loop's log makes of the events: just enough of State to ask the desk again."""

    def __init__(self, desk: FolderDesk) -> None:
        self.desk = desk
        self.brief, self.notes = "", ""
        self.digests: tuple[str, ...] = ()

    def take_in(self) -> Sequence[Event]:
        events = self.desk.inbox(self.brief, self.notes, self.digests)
        for event in events:
            match event:
                case Briefed(text=text):
                    self.brief = text
                case Noted(text=text):
                    self.notes = text
                case Directive(digest=str(digest)):
                    self.digests += (digest,)
                case _:
                    pass
        return events


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(FolderDesk(tmp_path))


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def age(path: Path) -> None:
    """As if the file had been there for a while (its change time cannot be set, so the desk's clock moves instead)."""
    os.utime(path, (NOON, NOON))


# Brief


def test_a_changed_brief_is_taken_in_once(log: Log, tmp_path: Path) -> None:
    assert log.take_in() == ()
    (tmp_path / "PROJECT_BRIEF.md").write_bytes(b"\xef\xbb\xbfBeat 0.9\r\n")
    assert log.take_in() == (Briefed("Beat 0.9\n"),)
    assert log.take_in() == ()
    (tmp_path / "PROJECT_BRIEF.md").write_text("Beat 0.8\n")
    assert log.take_in() == (Briefed("Beat 0.8\n"),)
    (tmp_path / "PROJECT_BRIEF.md").unlink()
    assert log.take_in() == ()


def test_a_brief_too_long_is_announced_once_until_it_changes(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "PROJECT_BRIEF.md"
    path.write_text("x" * 3412)
    (event,) = log.take_in()
    assert isinstance(event, Announced)
    assert event.text.startswith("PROJECT_BRIEF.md has 3,412 characters; at most 3,000 are accepted: move the rest")
    assert log.take_in() == log.take_in() == ()
    path.write_text("y" * 3412)
    assert len(log.take_in()) == 1
    path.write_text("z" * 3000)
    assert log.take_in() == (Briefed("z" * 3000),)
    path.write_text("y" * 3412)
    assert len(log.take_in()) == 1


@pytest.mark.parametrize("name", ["PROJECT_BRIEF.md", "HUMAN_DIRECTIVE.md", "MEMORY_LOG.md"])
def test_what_is_no_text_is_announced_once_and_left_alone(log: Log, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"ab\xff\xfe")
    (event,) = log.take_in()
    assert isinstance(event, Announced) and event.text.startswith(f"{name}: not valid UTF-8 at byte 2")
    assert log.take_in() == ()
    log.desk.write_memory(OURS)
    log.desk.settle("")
    assert path.read_bytes() == b"ab\xff\xfe"
    path.unlink()
    path.mkdir()
    (event,) = log.take_in()
    assert isinstance(event, Announced) and event.text.startswith(f"{name}: found a folder or device")
    log.desk.write_memory(OURS)
    assert log.take_in() == () and path.is_dir()
    path.rmdir()
    os.mkfifo(path)
    assert log.take_in() == ()
    path.unlink()
    path.write_bytes(b"x" * 1_000_001)
    (event,) = log.take_in()
    assert isinstance(event, Announced) and event.text.startswith(f"{name} has 1,000,001 bytes")
    path.unlink()
    path.symlink_to(name)
    (event,) = log.take_in()
    assert isinstance(event, Announced) and "cannot be read" in event.text


def test_a_file_at_rest_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(FolderDesk(tmp_path, now=lambda: time.time() + 60))
    path = tmp_path / "PROJECT_BRIEF.md"
    path.write_text("one")
    age(path)
    reads: list[Path] = []
    read_bytes = Path.read_bytes

    def counted(self: Path) -> bytes:
        reads.append(self)
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", counted)
    assert log.take_in() == (Briefed("one"),)
    assert [log.take_in() for _ in range(10)] == [()] * 10
    assert reads == [path]
    path.write_text("two")
    age(path)
    assert log.take_in() == (Briefed("two"),), "the same size and time of modification hide no change"


def test_an_edit_within_one_tick_of_the_disks_clock_is_seen(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "PROJECT_BRIEF.md"
    for number in range(200):
        path.write_text(f"{number:03d}")
        assert log.take_in() == (Briefed(f"{number:03d}"),)


@pytest.mark.parametrize("replaced_by_file", [True, False])
def test_a_folder_that_is_gone_is_one_line(tmp_path: Path, replaced_by_file: bool) -> None:
    folder = tmp_path / "gone"
    if replaced_by_file:
        folder.write_text("")
    desk = FolderDesk(folder)
    with pytest.raises(StorageFailed, match="is gone or cannot be read"):
        desk.inbox("", "", ())
    with pytest.raises(StorageFailed, match="is gone or cannot be read"):
        desk.write_memory(OURS)
    desk.settle("0" * 64)


# Directive


def test_a_directive_is_read_once_and_filed_when_used(tmp_path: Path) -> None:
    log = Log(FolderDesk(tmp_path, now=lambda: NOON))
    path = tmp_path / "HUMAN_DIRECTIVE.md"
    path.write_text("\n  \n")
    assert log.take_in() == ()
    path.write_text("lr: 1e-4..1e-2\n")
    digest = digest_of(path)
    assert log.take_in() == (Directive("lr: 1e-4..1e-2", digest),)
    assert log.take_in() == ()
    log.desk.settle(digest)
    assert not path.exists()
    assert (tmp_path / "directives" / "2025-06-15T15-06-40Z.md").read_text() == "lr: 1e-4..1e-2\n"
    log.desk.settle(digest)
    path.write_text("second")
    log.desk.settle(digest_of(path))
    filed = {p.name: p.read_text() for p in (tmp_path / "directives").iterdir()}
    assert filed == {"2025-06-15T15-06-40Z.md": "lr: 1e-4..1e-2\n", "2025-06-15T15-06-40Z-2.md": "second"}


def test_a_directive_changed_meanwhile_stays_and_is_read(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "HUMAN_DIRECTIVE.md"
    path.write_text("first")
    (first,) = log.take_in()
    assert isinstance(first, Directive) and first.digest is not None
    path.write_text("other")
    log.desk.settle(first.digest)
    assert path.read_text() == "other" and not (tmp_path / "directives").exists()
    assert log.take_in() == (Directive("other", digest_of(path)),)


def test_a_directive_saved_during_the_move_comes_back(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "HUMAN_DIRECTIVE.md"
    path.write_text("first")
    digest = digest_of(path)
    rename = os.rename

    def after_a_save(source: Path, target: Path) -> None:
        path.write_text("saved just now")
        rename(source, target)

    monkeypatch.setattr(os, "rename", after_a_save)
    log.desk.settle(digest)
    assert path.read_text() == "saved just now"
    assert list((tmp_path / "directives").iterdir()) == []


def test_a_directive_too_long_stays_and_is_announced_once(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "HUMAN_DIRECTIVE.md"
    path.write_text("x" * 2001 + "\n")
    (event,) = log.take_in()
    assert isinstance(event, Announced)
    assert event.text.startswith("HUMAN_DIRECTIVE.md has 2,001 characters; at most 2,000 are accepted")
    assert log.take_in() == () and path.exists()
    path.write_text("x" * 2000)
    assert log.take_in() == (Directive("x" * 2000, digest_of(path)),)


def test_a_directive_that_cannot_be_filed_stays(log: Log, tmp_path: Path) -> None:
    (tmp_path / "directives").write_text("in the way")
    path = tmp_path / "HUMAN_DIRECTIVE.md"
    path.write_text("first")
    with pytest.raises(StorageFailed, match="directives/ cannot be written"):
        log.desk.settle(digest_of(path))
    assert path.read_text() == "first"


# Memory log


def test_memory_is_rendered_and_only_when_it_changed(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "MEMORY_LOG.md"
    log.desk.write_memory(OURS)
    assert path.read_text() == OURS and log.take_in() == ()
    inode = path.stat().st_ino
    log.desk.write_memory(OURS)
    assert path.stat().st_ino == inode
    log.desk.write_memory(rendered("", "- #4 \ud800 acc"))
    assert "- #4 ? acc" in path.read_text() and log.take_in() == ()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".deepresearch", "MEMORY_LOG.md"]
    assert [p.name for p in (tmp_path / ".deepresearch").iterdir()] == ["memory_rendered.md"]


def test_a_persons_lines_are_taken_in_and_survive_every_rendering(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "MEMORY_LOG.md"
    log.desk.write_memory(OURS)
    path.write_text(OURS + "try batch norm\n")
    assert log.take_in() == (Noted("try batch norm"),)
    assert log.take_in() == ()
    log.desk.write_memory(rendered("try batch norm", "- #5 acc 0.95"))
    assert path.read_text() == rendered("try batch norm", "- #5 acc 0.95")
    assert log.take_in() == ()
    path.write_text(rendered("", "- #5 acc 0.95"))
    assert log.take_in() == (Noted(""),)


def test_an_edit_since_the_last_inbox_is_not_overwritten(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "MEMORY_LOG.md"
    log.desk.write_memory(OURS)
    path.write_text(OURS + "mine\n")
    log.desk.write_memory(rendered("", "- #9 acc 0.99"))
    assert path.read_text() == OURS + "mine\n"
    assert log.take_in() == (Noted("mine"),)
    path.write_text(OURS + "mine\nand more\n")
    log.desk.write_memory(rendered("mine", "- #9 acc 0.99"))
    assert log.take_in() == (Noted("mine\nand more"),)
    log.desk.write_memory(rendered("mine\nand more", "- #9 acc 0.99"))
    assert path.read_text() == rendered("mine\nand more", "- #9 acc 0.99")


def test_an_edit_undone_before_it_was_rendered_is_undone_in_the_log(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "MEMORY_LOG.md"
    log.notes = "old"
    log.desk.write_memory(rendered("old"))
    path.write_text(rendered("old\nnew"))
    assert log.take_in() == (Noted("old\nnew"),)
    path.write_text(rendered("old"))
    assert log.take_in() == (Noted("old"),)
    assert log.take_in() == ()


def test_a_note_that_the_log_could_not_take_is_offered_again(tmp_path: Path) -> None:
    desk = FolderDesk(tmp_path)
    desk.write_memory(OURS)
    (tmp_path / "MEMORY_LOG.md").write_text(OURS + "mine\n")
    assert desk.inbox("", "", ()) == desk.inbox("", "", ()) == (Noted("mine"),)


def test_a_memory_log_deleted_or_emptied_is_rendered_again(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "MEMORY_LOG.md"
    log.notes = "mine"
    log.desk.write_memory(rendered("mine"))
    path.unlink()
    assert log.take_in() == ()
    log.desk.write_memory(rendered("mine"))
    assert path.read_text() == rendered("mine")
    path.write_text("\n")
    assert log.take_in() == ()
    log.desk.write_memory(rendered("mine"))
    assert path.read_text() == rendered("mine")


def test_a_restart_still_tells_our_lines_from_theirs(log: Log, tmp_path: Path) -> None:
    log.desk.write_memory(OURS)
    (tmp_path / "MEMORY_LOG.md").write_text(OURS + "while you were out\n")
    assert FolderDesk(tmp_path).inbox("", "", ()) == (Noted("while you were out"),)
    assert FolderDesk(tmp_path).inbox("", "while you were out", ()) == ()


@pytest.mark.parametrize("crash_at", [1, 2, 3])
@pytest.mark.parametrize("edit", ["", "mine"])
def test_a_crash_within_a_rendering_makes_no_notes_of_our_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash_at: int, edit: str
) -> None:
    path = tmp_path / "MEMORY_LOG.md"
    FolderDesk(tmp_path).write_memory(OURS)
    replace, calls = os.replace, 0

    def crash(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == crash_at:
            raise KeyboardInterrupt
        replace(source, target)

    newer = rendered("", "- #4 acc 0.95\n- #5 acc 0.96")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            FolderDesk(tmp_path).write_memory(newer)
    path.write_text(path.read_text() + edit)
    again = FolderDesk(tmp_path)
    assert again.inbox("", "", ()) == ((Noted("mine"),) if edit else ())
    again.write_memory(newer)
    assert path.read_text() == newer
    assert FolderDesk(tmp_path).inbox("", "", ()) == ()


def test_long_notes_are_kept_whole_in_an_archive_and_announced(tmp_path: Path) -> None:
    log = Log(FolderDesk(tmp_path, now=lambda: NOON))
    log.desk.write_memory(OURS)
    long = "note " * 150 + "end"
    (tmp_path / "MEMORY_LOG.md").write_text(OURS + long)
    announced, noted = FolderDesk(tmp_path, now=lambda: NOON).inbox("", "", ())
    assert noted == Noted(long)
    assert isinstance(announced, Announced) and "753 characters; 600 of them" in announced.text
    archive = tmp_path / "notes" / "memory_notes.md"
    assert archive.read_text() == f"## 2025-06-15 15:06:40 UTC\n\n{long}\n\n"
    assert len(log.take_in()) == 2, "a crash before the log had them offers them again"
    assert archive.read_text().count(long) == 1
    assert log.take_in() == ()
    (tmp_path / "MEMORY_LOG.md").write_text(OURS + "other " * 120)
    log.take_in()
    assert archive.read_text().startswith(f"## 2025-06-15 15:06:40 UTC\n\n{long}\n\n## 2025")


def test_a_memory_log_that_cannot_be_written_is_one_line(log: Log, tmp_path: Path) -> None:
    (tmp_path / ".deepresearch").write_text("in the way")
    with pytest.raises(StorageFailed, match=r"MEMORY_LOG.md cannot be written"):
        log.desk.write_memory(OURS)
    assert not (tmp_path / "MEMORY_LOG.md").exists()

"""The person's brief: read, checked, never cut; written only where there is none."""

from pathlib import Path

from ..core.project import BRIEF_LIMIT_CHARS
from ..errors import Conflict, InvalidConfig, StorageFailed

BRIEF_NAME = "PROJECT_BRIEF.md"


def read_text(path: Path) -> str | None:
    """A file's text with ``\\n`` line ends, None where there is none."""
    key = "brief" if path.name == BRIEF_NAME else None
    try:
        if not path.exists():
            return None
        if not path.is_file():
            raise InvalidConfig(f"{path.name}: found a folder or device; accepted: a text file", key)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidConfig(f"{path.name}: not valid UTF-8 at byte {error.start}; accepted: UTF-8 text", key) from None
    except OSError as error:
        raise StorageFailed(f"{path.name} cannot be read: {error.strerror}") from error


def check_brief(text: str, source: str = BRIEF_NAME) -> str:
    """``text`` if it may be a brief. Raises InvalidConfig; a brief is never cut."""
    if len(text) > BRIEF_LIMIT_CHARS:
        raise InvalidConfig(
            f"{source} has {len(text):,} characters; at most {BRIEF_LIMIT_CHARS:,} are accepted: "
            "move the rest to notes/*.md",
            "brief",
        )
    return text


def read_brief(folder: Path) -> str:
    """The person's brief; "" where there is none. Raises InvalidConfig (too long, not text), StorageFailed."""
    return check_brief(read_text(folder / BRIEF_NAME) or "")


def write_project_files(folder: Path, brief: str | None) -> None:
    """Keep a brief given at a start as PROJECT_BRIEF.md. A file is never overwritten, and no options are written.

    Raises Conflict where another brief is there, InvalidConfig, StorageFailed.
    """
    if brief is None or not brief.strip():
        return
    check_brief(brief, "the brief given")
    there = read_text(folder / BRIEF_NAME)
    if there is not None:
        if there.strip() != brief.strip():
            raise Conflict(
                f"{BRIEF_NAME} already exists and differs from the brief given; edit that file instead", "brief"
            )
        return
    try:
        _create(folder / BRIEF_NAME, brief.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidConfig("the brief given: not valid Unicode; accepted: UTF-8 text", "brief") from None
    except OSError as error:
        raise StorageFailed(f"{BRIEF_NAME} cannot be written: {error.strerror}") from error


def _create(path: Path, content: bytes) -> None:
    """A new file, whole or not at all. Raises OSError, also where one is there."""
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise

"""Text that people and models write, made safe for a bounded memory; and what a person wrote into MEMORY_LOG.md."""

import unicodedata
from collections import Counter

NOTES_HEADING = "## Notes by hand"
NOTES_LIMIT_CHARS = 600
ELLIPSIS = "…"

_READ_CHARS_PER_CHAR = 8
_UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


def one_line(text: str, limit_chars: int) -> str:
    """``text`` as one line of at most ``limit_chars`` characters, cut with an ellipsis.

    White space becomes single spaces; lone surrogates, control characters, byte order marks and changes of writing
    direction go, and an HTML comment cannot be opened, so that no text can hide what stands after it.
    """
    start = text.lstrip()
    read = limit_chars * _READ_CHARS_PER_CHAR
    cleaned = _cleaned(start[:read])
    if len(start) > read and len(cleaned) <= limit_chars:
        cleaned += ELLIPSIS
    return shortened(cleaned, limit_chars)


def shortened(text: str, limit_chars: int) -> str:
    """``text`` cut to ``limit_chars`` characters, at a word where one ends near, never inside a combined character."""
    if len(text) <= limit_chars:
        return text
    if limit_chars < 1:
        return ""
    end = _whole_character(text, limit_chars - 1)
    space = text.rfind(" ", max(0, end - 16), end + 1)
    if space > 0:
        end = space
    return text[:end].rstrip(" ,;:") + ELLIPSIS


def split_notes(text: str) -> tuple[str, str]:
    """A person's lines as kept (their first 600 characters) and the rest, which only the ledger holds.

    Blank lines and trailing spaces do not count. A line that fits in part is cut there and ends in an ellipsis.
    """
    whole = "\n".join(_lines(text))
    if len(whole.removesuffix(ELLIPSIS)) <= NOTES_LIMIT_CHARS:
        return whole, ""
    kept, rest = whole[:NOTES_LIMIT_CHARS], whole[NOTES_LIMIT_CHARS:]
    if kept.endswith("\n") or rest.startswith("\n"):
        return kept.removesuffix("\n"), rest.removeprefix("\n")
    return kept + ELLIPSIS, rest.removeprefix(ELLIPSIS + "\n")


def archive_line(chars: int) -> str:
    """The one line that says how much of a person's notes stands only in the ledger."""
    return f"_({chars:,} more characters of these notes are archived in the ledger.)_"


def person_lines(text_on_disk: str, last_rendered: str) -> str | None:
    """What a person wrote into MEMORY_LOG.md: their lines in order as they now stand, None where nothing changed.

    ``last_rendered`` is the text that we wrote there last. Lines of ours that they deleted are not theirs and are
    simply rendered again; lines of theirs that they deleted are gone. Where nothing was rendered before, everything
    under the heading of the notes is theirs, or the whole text when it has no such heading.
    """
    before = _lines(last_rendered)
    now = _lines(text_on_disk)
    if now == before:
        return None
    top, notes = _parts(before)
    if not before and NOTES_HEADING in now:
        now = now[now.index(NOTES_HEADING) :]
    ours = Counter([*top, NOTES_HEADING])
    theirs = []
    for line in now:
        if ours[line] > 0:
            ours[line] -= 1
        elif not _is_archive_line(line):
            theirs.append(line)
    return None if theirs == notes else "\n".join(theirs)


def _parts(lines: list[str]) -> tuple[list[str], list[str]]:
    if NOTES_HEADING not in lines:
        return lines, []
    at = lines.index(NOTES_HEADING)
    return lines[:at], [line for line in lines[at + 1 :] if not _is_archive_line(line)]


def _is_archive_line(line: str) -> bool:
    opening, closing = archive_line(0).split("0", 1)
    return line.startswith(opening) and line.endswith(closing)


def _lines(text: str) -> list[str]:
    """The lines of a text as MEMORY_LOG.md holds them: cleaned like our own, indentation kept, blank ones left out."""
    lines = (_indented(line) for line in text.splitlines())
    return [line for line in lines if line.strip()]


def _indented(line: str) -> str:
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)].expandtabs(4) + _cleaned(body.expandtabs(4), collapse=False).strip()


def _cleaned(text: str, collapse: bool = True) -> str:
    safe = text.encode("utf-8", "replace").decode("utf-8")
    words = " ".join(safe.split()) if collapse else safe
    kept = "".join(c for c in words if unicodedata.category(c) != "Cc" and c not in _UNSEEN)
    return kept.replace("<!--", "<! --").strip() if collapse else kept


def _whole_character(text: str, end: int) -> int:
    """The last place up to ``end`` where a character as people see it ends; ``end`` itself in a hostile pile."""
    at = end
    while at > max(0, end - 32) and (_joins(text[at]) or text[at - 1] == "\u200d"):
        at -= 1
    return at if at > max(0, end - 32) else end


def _joins(char: str) -> bool:
    return unicodedata.combining(char) != 0 or char in _JOINERS

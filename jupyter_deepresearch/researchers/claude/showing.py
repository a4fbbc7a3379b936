"""Cells and files as agents see them: whole where they fit, else a line each. Pure."""

from collections.abc import Sequence

from ...core.notes import one_line
from ...core.types import Piece
from .blocks import quoted

_MORE_CHARS = 60


def places(pieces: Sequence[Piece], chars: int) -> str:
    """The cells and files, a line each, with their roles, sizes and first lines, as far as they fit."""
    kept: list[str] = []
    left = chars - _MORE_CHARS
    for piece in pieces:
        line = _place(piece)
        if len(line) >= left:
            break
        kept.append(line)
        left -= len(line) + 1
    rest = len(pieces) - len(kept)
    return "\n".join([*kept, *([f"and {rest} more, which list_code shows to the programmer"] if rest else [])])


def overview(pieces: Sequence[Piece], list_chars: int, chars: int) -> str:
    """All places as far as ``list_chars`` let it, and of the ``chars`` in all as many of them whole as fit: those that
    may be edited first. Values stand elsewhere, so the parameters cell stays a line."""
    shown: set[str] = set()
    listed = len(places(pieces, list_chars))
    left = chars - listed
    for piece in sorted(pieces, key=lambda p: p.is_locked):
        size = len(whole(piece)) + 1
        if size <= left and not piece.is_parameters:
            shown.add(piece.where)
            left -= size
    lines = places([p for p in pieces if p.where not in shown], list_chars)
    return "\n".join(filter(None, (lines, *(whole(p) for p in pieces if p.where in shown))))


def whole(piece: Piece) -> str:
    """A piece as it is shown: a line that names it, then its text, in which no block can end."""
    return f"=== {one_line(piece.where, 200)}{_role(piece)}\n{quoted(piece.text)}"


def _place(piece: Piece) -> str:
    lines = [line.strip() for line in piece.text.splitlines()]
    first = next((line for line in lines if line and not line.startswith(("#", "import ", "from ", '"""'))), "")
    return f"{one_line(piece.where, 80)}{_role(piece)}, {len(lines)} lines: {one_line(first, 60)}"


def _role(piece: Piece) -> str:
    return " (locked)" if piece.is_locked else " (parameters)" if piece.is_parameters else ""

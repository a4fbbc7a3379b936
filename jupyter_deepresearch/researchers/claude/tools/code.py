"""The code worker's tools: the cells and files of an experiment, what its runs printed, a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ....core.notes import one_line
from ....core.research import Seen
from ....core.types import Piece
from ....errors import InvalidInput, NotFound
from ...llm.talk import ToolSpec
from ..blocks import block, last_lines, quoted
from .leader import account_of
from .tool import RESULT_CHARS, Tool

LINES = 80
CODE_CHARS = 3600

_LINE_CHARS = 300
_LIST_CHARS = 1100
_HIT_CHARS = 120
_OUTPUT_CHARS = 1100
_NAMED = 12


@dataclass(frozen=True)
class ListCode:
    """Arguments of list_code: only places that have ``part`` in their name."""

    part: str = ""


@dataclass(frozen=True)
class ReadCode:
    """Arguments of read_code: "cell ID" or "file PATH", lines from 1, the last one included (0: as many as fit)."""

    place: str
    first_line: int = 1
    last_line: int = 0


@dataclass(frozen=True)
class ReadOutput:
    """Arguments of read_output."""

    experiment: int


@dataclass(frozen=True)
class SearchCode:
    """Arguments of search_code."""

    text: str


def code_tools(seen: Seen, of: int | None) -> tuple[Tool, ...]:
    """What the code worker may ask for. ``of``: whose code, None for that which the next hypothesis grows from."""
    code = _Code(seen, of)
    return (_list_code(code), _read_code(code), _read_output(seen), _search_code(code))


class _Code:
    """The pieces of one experiment, composed once, when they are asked for first."""

    def __init__(self, seen: Seen, of: int | None) -> None:
        self._seen = seen
        self._of = of
        self._pieces: tuple[Piece, ...] | None = None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Raises InvalidNotebook."""
        if self._pieces is None:
            self._pieces = self._seen.evidence.pieces(self._of)
        return self._pieces

    def piece(self, place: str) -> Piece:
        """The piece at "cell ID", "file PATH", or just that. Raises NotFound, which names some that exist."""
        asked = " ".join(place.split())
        for piece in self.pieces:
            if asked in (piece.where, piece.cell, piece.file):
                return piece
        names = [piece.where for piece in self.pieces]
        near = get_close_matches(asked, names, _NAMED // 2, 0.5) or names[:_NAMED]
        left = f" and {len(names) - len(near)} more (list_code)" if len(near) < len(names) else ""
        there = ", ".join(one_line(name, 80) for name in near) or "no code at all"
        raise NotFound(f"there is no {one_line(place, 60)!r}; there is {there}"[:_LINE_CHARS] + left)


def _list_code(code: _Code) -> Tool:
    async def run(asked: ListCode) -> str:
        lines = [_line(piece) for piece in code.pieces if asked.part.casefold() in piece.where.casefold()]
        if not lines:
            raise NotFound(f"no cell or file has {one_line(asked.part, 60)!r} in its name")
        return _block_of(lines, _LIST_CHARS, "more; give a part of their names")

    return Tool(ToolSpec("list_code", "Cells and files; part of a name to filter.", ListCode), run)


def _line(piece: Piece) -> str:
    lines = piece.text.splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#|")), "")
    return f"{one_line(piece.where, 100)}{_role(piece)}, {len(lines)} lines: {one_line(first, 60)}"


def _role(piece: Piece) -> str:
    return " (locked)" if piece.is_locked else " (parameters)" if piece.is_parameters else ""


def _read_code(code: _Code) -> Tool:
    async def run(asked: ReadCode) -> str:
        piece = code.piece(asked.place)
        lines = piece.text.splitlines()
        first = max(asked.first_line, 1)
        if first > max(len(lines), 1):
            raise InvalidInput(f"{piece.where} has {len(lines)} lines: first_line {first} is past its end")
        last = asked.last_line if asked.last_line >= first else len(lines)
        shown = _fitting(lines[first - 1 : min(last, first + LINES - 1)])
        head = f"=== {piece.where}{_role(piece)}, lines {first}-{first - 1 + len(shown)} of {len(lines)}"
        return block("code", "\n".join([head, *shown]), CODE_CHARS + len(head) + 1)

    spec = ToolSpec("read_code", 'Up to 80 lines of "cell ID" or "file PATH".', ReadCode)
    return Tool(spec, run, CODE_CHARS + 300)


def _fitting(lines: Sequence[str]) -> list[str]:
    """The first lines that fit, each cut where it is very long."""
    kept: list[str] = []
    left = CODE_CHARS
    for line in lines:
        cut = _whole_line(line)
        if len(cut) >= left:
            break
        kept.append(cut)
        left -= len(cut) + 1
    return kept


def _whole_line(line: str) -> str:
    """A line of code as it is shown: whole, but for one so long that nobody wrote it."""
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}… ({len(line):,} characters)"


def _read_output(seen: Seen) -> Tool:
    async def run(asked: ReadOutput) -> str:
        account_of(seen, asked.experiment)
        printed = seen.evidence.output(asked.experiment, 4 * _OUTPUT_CHARS)
        tail = last_lines(quoted(printed), _OUTPUT_CHARS)
        return block("output", tail, _OUTPUT_CHARS) if tail else f"experiment {asked.experiment} printed nothing"

    return Tool(ToolSpec("read_output", "The last that an experiment printed.", ReadOutput), run)


def _search_code(code: _Code) -> Tool:
    async def run(asked: SearchCode) -> str:
        if not asked.text.strip():
            raise InvalidInput("text is empty: give what to look for")
        hits = _hits(code.pieces, asked.text, exact=True) or _hits(code.pieces, asked.text, exact=False)
        if not hits:
            raise NotFound(f"{one_line(asked.text, 80)!r} is nowhere in the code")
        return _block_of(hits, _LIST_CHARS, "more places; search for more of the text")

    return Tool(ToolSpec("search_code", "Places and lines that have a text.", SearchCode), run)


def _hits(pieces: Sequence[Piece], text: str, exact: bool) -> list[str]:
    wanted = text.strip() if exact else text.strip().casefold()
    return [
        one_line(f"{piece.where}{_role(piece)}:{i}: {line}", _HIT_CHARS)
        for piece in pieces
        for i, line in enumerate(piece.text.splitlines(), 1)
        if wanted in (line if exact else line.casefold())
    ]


def _block_of(lines: Sequence[str], chars: int, more: str) -> str:
    """The lines that fit as a block of code, and how many do not."""
    kept: list[str] = []
    left = chars - 80
    for line in lines:
        if len(line) >= left:
            break
        kept.append(line)
        left -= len(line) + 1
    rest = len(lines) - len(kept)
    return block("code", "\n".join(kept), RESULT_CHARS) + (f"\n{rest} {more}" if rest else "")

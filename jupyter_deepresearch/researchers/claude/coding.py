"""What the code worker is shown: the change asked for, the code that it is made on, what went wrong. Pure."""

from collections.abc import Sequence

from ...core.notes import one_line, shortened
from ...core.types import Parameters, Piece, RunError, RunState
from ..directive import NEVER_SEARCHED
from .blocks import block, last_lines, quoted
from .digest import values_line
from .showing import places, whole

PATCH_CHARS = 10_000
"""What the code worker is shown at first is never longer, its job and its tools not counted."""
FIX_CHARS = 2000
"""What it is told of one failure is never longer."""

_CODE_CHARS = 6000
_LIST_CHARS = 1500
_CLAIM_CHARS = 300
_CHANGE_CHARS = 1200
_VALUES_CHARS = 500
_TAIL_CHARS = 1200
_ENDINGS = {
    RunState.OUT_OF_MEMORY: "ran out of memory",
    RunState.TIMED_OUT: "did not end in the time it has",
    RunState.STALLED: "stood still",
    RunState.DIVERGED: "diverged",
}


def patch_text(claim: str, change: str, pieces: Sequence[Piece], values: Parameters, branch: int | None = None) -> str:
    """The change asked for and the code that it is made on: all of it where it fits, else the places that the change
    names, and a list of the others. ``values`` are those that runs use in place of those in the parameters cell,
    ``branch`` is the experiment whose code it is by the person's wish."""
    shown, listed = chosen(pieces, f"{claim}\n{change}")
    parts = [
        f"Claim to be tested: {shortened(quoted(one_line(claim, _CLAIM_CHARS)), _CLAIM_CHARS)}",
        f"Change asked for: {shortened(quoted(one_line(change, _CHANGE_CHARS)), _CHANGE_CHARS)}" if change else "",
        f"The code is experiment {branch}'s: the person asked to grow from it." if branch is not None else "",
        block("code", "\n".join(map(whole, shown)), _CODE_CHARS) if shown else "",
    ]
    if listed:
        parts.append(
            "Not shown; read_code shows them:\n" + block("code_places", places(listed, _LIST_CHARS), _LIST_CHARS)
        )
    in_force = {name: value for name, value in values.items() if name.lower() not in NEVER_SEARCHED}
    if in_force:
        parts.append(f"Values in force, whatever the parameters cell says: {_short(in_force)}")
    return "\n\n".join(part for part in parts if part)


def chosen(pieces: Sequence[Piece], wish: str) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """The pieces shown in full, and those that are only listed."""
    if sum(_size(p) for p in pieces) <= _CODE_CHARS:
        return pieces, ()
    named = [p for p in pieces if _is_named(p, wish)]
    free = [p for p in pieces if p not in named and not p.is_locked]
    shown: list[Piece] = []
    left = _CODE_CHARS
    for piece in [*named, *(p for p in free if p.is_parameters), *(p for p in free if not named)]:
        if _size(piece) <= left and piece not in shown:
            shown.append(piece)
            left -= _size(piece)
    return [p for p in pieces if p in shown], [p for p in pieces if p not in shown]


def _is_named(piece: Piece, wish: str) -> bool:
    """Whether a plan speaks of a place: by its id, its path, or the name of its file."""
    if piece.cell is not None:
        return f"cell {piece.cell}" in wish or (len(piece.cell) > 3 and piece.cell in wish)
    path = piece.file or ""
    return path in wish or path.rsplit("/", 1)[-1] in wish


def _size(piece: Piece) -> int:
    return len(whole(piece)) + 1


def _short(values: Parameters) -> str:
    return shortened(quoted(values_line(values)), _VALUES_CHARS)


def misfit_text(problem: str, left: int) -> str:
    """What is told of a patch that does not fit. ``left``: how many tries there are after this one."""
    return f"The patch cannot be used: {quoted(one_line(problem, 600))}\n{_again(left)}"


def failure_text(error: RunError | None, state: RunState | None, left: int) -> str:
    """What is told of a dry run that failed, in at most ``FIX_CHARS`` characters."""
    how = _ENDINGS.get(state, "failed") if state is not None else "failed"
    if error is None:
        return f"The dry run {how}, and left no error.\n{_again(left)}"
    rule = f" (rule {one_line(error.rule, 60)})" if error.rule else ""
    tail = last_lines(quoted(error.tail), _TAIL_CHARS)
    said = quoted(f"The dry run {how}: {one_line(error.line, 300)}{rule}")
    return "\n".join([said, *([block("output", tail, _TAIL_CHARS)] if tail else []), _again(left)])


def _again(left: int) -> str:
    tries = "this is the last try" if left == 0 else f"{left} more {'try' if left == 1 else 'tries'} after this"
    return f"Answer with the whole patch again, against the code as it was shown; {tries}."

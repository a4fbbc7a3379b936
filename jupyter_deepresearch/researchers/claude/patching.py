"""A patch as a hypothesis: places found, values read, and what is wrong with it in one line. Pure."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...core.notes import one_line
from ...core.types import Edit, Parameters, Piece, Value
from ...errors import InvalidNotebook
from ..directive import NEVER_SEARCHED
from .blocks import unquoted
from .plans import Patch, PatchEdit, Setting

_NAMED_PLACES = 12


@dataclass(frozen=True)
class Patched:
    """What a patch amounts to: edits with places that exist, and values by name."""

    edits: tuple[Edit, ...] = ()
    parameters: Parameters = field(default_factory=dict)


def patched(patch: Patch, pieces: Sequence[Piece]) -> Patched:
    """The patch on top of ``pieces``, the code that its author was shown.

    A search that is not there as it stands, but once without the line breaks around it, is taken without them.
    Raises InvalidNotebook, in one line: an empty patch, no such place, a text not found or found twice, a locked place,
    an edit that only sets values in the parameters cell.
    """
    if not patch.edits and not patch.parameters:
        why = f': "{one_line(patch.note, 200)}"' if patch.note.strip() else ""
        raise InvalidNotebook(f"the patch changes nothing{why}")
    texts = {piece.where: piece.text for piece in pieces}
    edits: list[Edit] = []
    for asked in patch.edits:
        piece = _place(asked.place, pieces)
        edit = _fitted(asked, piece, texts[piece.where])
        texts[piece.where] = texts[piece.where].replace(edit.search, edit.replace)
        edits.append(edit)
    for piece in pieces:
        if piece.is_parameters and texts[piece.where] != piece.text:
            _must_not_only_set(piece, texts[piece.where])
    return Patched(tuple(edits), settings(patch.parameters))


def settings(chosen: Sequence[Setting]) -> Parameters:
    """Values by name; a later one of the same name counts."""
    return {setting.name: setting.value for setting in chosen}


def checked(values: Parameters, own: Parameters) -> Parameters:
    """Values in the types of the notebook's own, as far as they fit: 128.0 for a whole number is 128.

    Raises InvalidNotebook for what the loop sets itself, the seed and the dry-run switch.
    """
    for name in values:
        if name.lower() in NEVER_SEARCHED:
            raise InvalidNotebook(f"parameter {name!r} is set by code for each run; accepted: any other")
    return {name: _typed(value, own.get(name)) for name, value in values.items()}


def _typed(value: Value, own: Value) -> Value:
    if isinstance(value, bool) or isinstance(own, bool):
        return value
    if isinstance(own, int) and isinstance(value, float) and value.is_integer():
        return int(value)
    return float(value) if isinstance(own, float) and isinstance(value, int) else value


def as_patch(edits: Sequence[Edit], parameters: Parameters) -> Patch:
    """The patch that would have said this."""
    asked = tuple(PatchEdit(edit.where, edit.search, edit.replace) for edit in edits)
    return Patch(asked, tuple(Setting(name, value) for name, value in parameters.items() if value is not None))


def _place(named: str, pieces: Sequence[Piece]) -> Piece:
    """The piece that a place names: as it was shown, or by its id or path alone."""
    name = " ".join(named.strip().strip("`\"'").split())
    for wanted in (name, f"cell {name}", f"file {name}"):
        for piece in pieces:
            if piece.where == wanted:
                return piece
    known = ", ".join(one_line(p.where, 60) for p in pieces if not p.is_locked)
    raise InvalidNotebook(f'edit of "{one_line(named, 80)}": there is no such place; accepted: {one_line(known, 400)}')


def _fitted(asked: PatchEdit, piece: Piece, text: str) -> Edit:
    if piece.is_locked:
        raise InvalidNotebook(f"edit of {piece.where}: it is locked and cannot be edited")
    if not asked.search:
        raise InvalidNotebook(f"edit of {piece.where}: the text to search for is empty")
    search, replace = asked.search, asked.replace
    if search not in text and unquoted(search) in text:
        search, replace = unquoted(search), unquoted(replace)
    if search not in text and text.count(search.strip("\n")) == 1 and search.strip("\n"):
        search, replace = search.strip("\n"), replace.strip("\n")
    times = text.count(search)
    if times != 1:
        found = "is not found there" if times == 0 else f"is found {times} times there; accepted: a text found once"
        raise InvalidNotebook(f"edit of {piece.where}: the text {one_line(search, 80)!r} {found}")
    if search == replace:
        raise InvalidNotebook(f"edit of {piece.where}: it replaces {one_line(search, 80)!r} by itself")
    return Edit(search, replace, cell=piece.cell, file=piece.file)


def _must_not_only_set(piece: Piece, after: str) -> None:
    """Refuse to set a value by an edit: what the run uses is injected after that cell."""
    before, now = _values(piece.text), _values(after)
    changed = [name for name in before if name in now and now[name] != before[name]]
    if changed:
        raise InvalidNotebook(
            f"edit of {piece.where}: it sets {', '.join(changed[:8])}; values of parameters that exist go into "
            "`parameters` of the patch, without an edit"
        )


def _values(text: str) -> Mapping[str, str]:
    """The plain assignments of a parameters cell, each value as it would be written anew."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, str] = {}
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            target = node.target
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            found[target.id] = ast.dump(node.value)
    return found

"""What a notebook offers to a researcher: the values of its parameters cell, and the space searched among them."""

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from ...core.events import Survey
from ...core.types import SEED_NAMES, Dimension, Parameters, Source, Value, seed_name
from ...errors import InvalidNotebook
from .cells import DRY_RUN, injected_cells, locked_ids, parameters_cell, parse
from .sweep_comment import FORMS, dimension_of, sweep_words

NEVER_SEARCHED = (*SEED_NAMES, DRY_RUN)
_NO_SEED = "no parameter `seed`: repeated runs differ only as far as the notebook is random by itself"
_NO_PARAMETERS = "no cell is tagged `parameters`: only repeated runs and code edits are possible"
_NOT_LOCKED = "scorer not locked: no cell is tagged `locked`, so a code edit could change how the metric is measured"
_NOT_SEARCHED_WORDS = {
    *("val", "valid", "validation", "test", "split", "holdout"),
    *("threshold", "thresh", "cutoff", "tol", "tolerance"),
}
_PARTS = {"train", "training", "dev", "eval", "data", "dataset"}
_SHARES = {"size", "ratio", "share", "portion", "fraction", "frac"}


@dataclass(frozen=True)
class Assigned:
    """One ``name = value`` of the parameters cell; lines count from 1. ``plain`` is whether the value can be set."""

    name: str
    value: Value
    plain: bool
    first_line: int
    last_line: int


def survey(source: Source) -> Survey:
    """The parameters, search space and remarks of a notebook.

    Raises InvalidNotebook when a parameters cell is not Python, there are several, or a sweep comment is wrong.
    """
    notebook = parse(source)
    index = parameters_cell(notebook)
    remarks: list[str] = []
    space: tuple[Dimension, ...] = ()
    if index is None:
        remarks.append(_NO_PARAMETERS)
    else:
        assigned = assignments(notebook.cells[index].source)
        remarks += [_not_plain(a) for a in assigned if not a.plain]
        space = _space(notebook.cells[index].source, assigned)
        remarks += [_NO_SEED] if seed_name({a.name: a.value for a in assigned}) is None else []
    parameters = parameters_of(notebook)
    remarks += _outside(space, parameters)
    locked = len(locked_ids(notebook))
    if not locked:
        remarks.append(_NOT_LOCKED)
    return Survey(
        parameters=parameters,
        space=space,
        kernel=str(notebook.metadata.kernelspec.name),
        dry_run=isinstance(parameters.get(DRY_RUN), bool),
        locked_cells=locked,
        remarks=tuple(remarks),
    )


def parameters_of(notebook: NotebookNode) -> Parameters:
    """The values a notebook runs with: its parameters cell's, overridden by what papermill injected before."""
    index = parameters_cell(notebook)
    if index is None:
        return {}
    values = {a.name: a.value for a in assignments(notebook.cells[index].source) if a.plain}
    for place in injected_cells(notebook):
        values |= {a.name: a.value for a in assignments(notebook.cells[place].source) if a.plain and a.name in values}
    return values


def assignments(cell: str) -> tuple[Assigned, ...]:
    """The ``name = value`` statements of a parameters cell, the last of each name. Raises InvalidNotebook."""
    found: dict[str, Assigned] = {}
    for statement in tree(cell).body:
        if isinstance(statement, ast.Assign):
            targets: Sequence[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        else:
            continue
        plain, value = _plain(statement.value)
        for target in targets:
            if isinstance(target, ast.Name):
                found.pop(target.id, None)
                last = statement.end_lineno or statement.lineno
                found[target.id] = Assigned(target.id, value, plain, statement.lineno, last)
    return tuple(found.values())


def tree(cell: str) -> ast.Module:
    """A parameters cell as Python reads it, its lines numbered as they stand. Raises InvalidNotebook."""
    # Magics and shell lines are IPython's, not Python's; blanking them keeps the line numbers.
    lines = ["" if line.startswith(("%", "!")) else line for line in cell.split("\n")]
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise InvalidNotebook(f"parameters cell, line {line}: not Python ({getattr(error, 'msg', error)})") from None


def _plain(node: ast.expr | None) -> tuple[bool, Value]:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -1 if isinstance(node.op, ast.USub) else 1
        node = node.operand
        if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
            return False, None
    if not isinstance(node, ast.Constant):
        return False, None
    value = node.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (True, sign * value) if math.isfinite(value) else (False, None)
    return (True, value) if value is None or isinstance(value, bool | str) else (False, None)


def _comments(cell: str) -> Iterator[tuple[int, str]]:
    """The comments of a cell with their lines."""
    readline = io.StringIO("\n".join("" if line.startswith(("%", "!")) else line for line in cell.split("\n"))).readline
    try:
        for token in tokenize.generate_tokens(readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return  # ast has parsed the cell, so only its end can be odd


def _space(cell: str, assigned: Sequence[Assigned]) -> tuple[Dimension, ...]:
    marked: dict[str, Dimension] = {}
    for line, comment in _comments(cell):
        wanted = sweep_words(comment)
        if wanted is not None:
            beside = [a for a in assigned if a.first_line <= line <= a.last_line]
            dimension = _marked(f"parameters cell, line {line}: `# {wanted}`", wanted, beside)
            marked[dimension.name] = dimension
    if marked:
        return tuple(marked[a.name] for a in assigned if a.name in marked)
    return tuple(_around(a.name, a.value) for a in assigned if type(a.value) is float and _searched(a.name, a.value))


def _marked(place: str, wanted: str, beside: Sequence[Assigned]) -> Dimension:
    if len(beside) != 1:
        found = "several parameters" if beside else "no parameter"
        raise InvalidNotebook(f"{place} stands beside {found}; accepted: beside one `name = value`")
    name, value = beside[0].name, beside[0].value
    if name.lower() in NEVER_SEARCHED:
        raise InvalidNotebook(f"{place} stands beside `{name}`, which is never searched")
    if not beside[0].plain:
        raise InvalidNotebook(f"{place} stands beside `{name}`, whose value is no plain number, text or bool")
    if wanted.lower() == "sweep" and type(value) is float and value > 0:
        return _around(name, value)
    dimension = dimension_of(name, value, wanted)
    if isinstance(dimension, str):
        raise InvalidNotebook(f"{place} of `{name}`: {dimension}; accepted: {FORMS}")
    return dimension


def _searched(name: str, value: float) -> bool:
    words = set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_"))
    is_split = bool(words & _PARTS) and bool(words & _SHARES)
    return value > 0 and not is_split and not words & _NOT_SEARCHED_WORDS and name.lower() not in NEVER_SEARCHED


def _around(name: str, value: float) -> Dimension:
    """A tenth to ten times the value. Below 1 it stays there: at the top, a tenth of the distance to 1 is left."""
    high = value * 10
    if value < 1:
        high = min(high, 1 - (1 - value) / 10)
    return Dimension(name, low=float(f"{value / 10:.6g}"), high=float(f"{high:.6g}"), log=True)


def _not_plain(assigned: Assigned) -> str:
    return (
        f"parameters cell, line {assigned.first_line}: `{assigned.name}` is no plain number, text or bool, "
        "so it cannot be set and does not follow the values that are"
    )


def _outside(space: Sequence[Dimension], parameters: Mapping[str, Value]) -> list[str]:
    outside = [d for d in space if d.name in parameters and not d.holds(parameters[d.name])]
    return [f"the notebook's own {d.name} = {parameters[d.name]!r} lies outside its sweep ({d})" for d in outside]

"""A person's directives as a narrower search space: ``name = value``, ``name: low..high [log]``, ``name: a | b``."""

import ast
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from ..core.events import Survey
from ..core.notes import shortened
from ..core.types import SEED_NAMES, Dimension, Parameters, Value

NEVER_SEARCHED = frozenset({*SEED_NAMES, "dry_run"})

_REMARKS_LIMIT = 6
_HUGE = 1e300
_LINE = re.compile(r"^[-*\s]*`?([^\W\d]\w*)`?\s*[:=]\s*(.+?)[`.;,\s]*$")
_SPLIT = re.compile(r"[;\n\r]|,(?=\s*[^\W\d]\w*\s*[:=])")
_RANGE = re.compile(r"^(\S+?)\s*\.\.\.?\s*(\S+?)(\s+log)?$")


_Answer = tuple[Dimension | None, str]
"""What a line asks for, None where it cannot be used, and a remark about what cannot."""


@dataclass(frozen=True)
class Narrowing:
    """The space that directives leave, the values they fix, per directive what could not be used of it,
    and what is in force of them, in words."""

    space: tuple[Dimension, ...]
    fixed: Parameters = field(default_factory=dict)
    remarks: tuple[tuple[str, ...], ...] = ()
    directed: tuple[str, ...] = ()


def narrow(survey: Survey, texts: Sequence[str]) -> Narrowing:
    """Apply directives, oldest first; a later line about a name replaces an earlier one, so a space can be widened
    again up to what the notebook says. A name outside the search space may be fixed or given a range as well."""
    declared = {d.name: d for d in survey.space}
    wanted: dict[str, Dimension] = {}
    remarks = []
    for text in texts:
        refused = []
        for line in _lines(text):
            dimension, remark = _read(line, declared, survey.parameters)
            if dimension is not None:
                wanted[dimension.name] = dimension
            if remark:
                refused.append(remark)
        more = len(refused) - _REMARKS_LIMIT
        remarks.append((*refused[:_REMARKS_LIMIT], *((f"{more} more lines could not be used",) if more > 0 else ())))
    space = {**declared, **wanted}
    fixed = {d.name: only[0] for d in wanted.values() if len(only := sole_value(d)) == 1}
    directed = tuple(f"{d.name} = {fixed[d.name]}" if d.name in fixed else str(d) for d in wanted.values())
    return Narrowing(tuple(d for d in space.values() if d.name not in fixed), fixed, tuple(remarks), directed)


def sole_value(dimension: Dimension) -> tuple[Value, ...]:
    """The one value that a dimension allows; empty where there are more."""
    if dimension.choices:
        return dimension.choices if len(dimension.choices) == 1 else ()
    if dimension.low is None or dimension.low != dimension.high:
        return ()
    return (int(dimension.low) if dimension.integer else dimension.low,)


def _lines(text: str) -> Iterator[str]:
    for part in _SPLIT.split(text):
        line = re.sub(r"(^|\s)#.*$", "", part).strip()
        if line and not re.fullmatch(r"[-*_=]{3,}", line):
            yield line


def _read(line: str, declared: Mapping[str, Dimension], parameters: Parameters) -> _Answer:
    """What a line says as a dimension (of one value for ``name = value``), and what of it cannot be used."""
    match = _LINE.match(line)
    if match is None:
        return _refused(
            line,
            'sweep understands only "name = value", "name: low..high" and "name: a | b" '
            "(a researcher with a language model reads free text)",
        )
    name, what = match.groups()
    if name.lower() in NEVER_SEARCHED:
        return _refused(line, f"{name} is set for each run by the loop")
    if name not in declared and name not in parameters:
        near = difflib.get_close_matches(name, [*declared, *parameters], n=1, cutoff=0.5)
        hint = f", did you mean {near[0]}?" if near else f"; it has {', '.join(parameters) or 'none'}"
        return _refused(line, f"the notebook has no parameter {name}{hint}")
    own = declared.get(name) or _open(name, parameters[name])
    if (span := _RANGE.match(what)) is not None:
        return _ranged(line, own, *span.groups())
    return _chosen(line, own, [_value(part.strip()) for part in what.split("|")])


def _open(name: str, value: Value) -> Dimension:
    """A parameter that the notebook does not search: anything of its type may be said of it."""
    if isinstance(value, bool):
        return Dimension(name, choices=(True, False))
    if isinstance(value, int | float):
        return Dimension(name, -_HUGE, _HUGE, integer=isinstance(value, int))
    return Dimension(name)


def _ranged(line: str, own: Dimension, low_text: str, high_text: str, log: str | None) -> _Answer:
    low, high = _value(low_text), _value(high_text)
    if own.low is None or own.high is None:
        return _refused(line, f"{own.name} is not a number; it takes {_accepted(own)}")
    if not _is_number(low) or not _is_number(high) or low > high:
        return _refused(line, "a range is low..high in numbers, such as 0.001..0.1")
    inside = max(float(low), own.low), min(float(high), own.high)
    if own.integer:
        inside = float(-(-inside[0] // 1)), float(inside[1] // 1)
    if inside[0] > inside[1]:
        return _refused(line, f"{own.name} takes {_accepted(own)}")
    used = replace(own, low=inside[0], high=inside[1], log=(own.log or log is not None) and inside[0] > 0)
    is_cut = low < own.low or high > own.high
    return used, f'of "{shortened(line, 80)}" only {used} was used: {own.name} takes {_accepted(own)}' if is_cut else ""


def _chosen(line: str, own: Dimension, said: Sequence[Value]) -> _Answer:
    fitted = [_fitted(own, value) for value in said]
    if not all(fitted):
        return _refused(line, f"{own.name} takes {_accepted(own)}")
    values = tuple(value for one in fitted for value in one)
    if len(values) == 1 and own.low is not None and _is_number(values[0]):
        return replace(own, low=float(values[0]), high=float(values[0]), log=False), ""
    return Dimension(own.name, choices=values), ""


def _refused(line: str, why: str) -> _Answer:
    return None, f'"{shortened(line, 80)}" was not used: {why}'


def _fitted(own: Dimension, value: Value) -> tuple[Value, ...]:
    """A value as the dimension's type has it, empty where it does not fit."""
    if own.choices:
        return next(((c,) for c in own.choices if str(c) == str(value)), ())
    if own.low is None:
        return (str(value),)
    if not _is_number(value) or not own.holds(value):
        return ()
    return (int(value) if own.integer else float(value),)


def _accepted(own: Dimension) -> str:
    if own.choices:
        return " | ".join(str(c) for c in own.choices)
    if own.low is None:
        return "a text"
    if own.low == -_HUGE:
        return "a whole number" if own.integer else "a number"
    return f"{str(own).split(': ', 1)[1]} (widen its `# sweep:` line in the notebook for more)"


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE

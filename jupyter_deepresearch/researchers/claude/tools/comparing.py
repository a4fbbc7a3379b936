"""Two experiments side by side: what came of them, and what differs in their values and code."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from ....core.notes import one_line, shortened
from ....core.research import Account, Seen
from ....core.types import Parameters, Piece, Value
from ....errors import DeepResearchError
from ..blocks import block
from ..changed_lines import changed_lines
from ..curves import Point
from ..digest import measured, number, plain
from .tool import RESULT_CHARS

_VALUES_CHARS = 300
_CODE_CHARS = 400
_STEPS = 5
_UNSET = "as in the notebook"


def compared(a: Account, b: Account, seen: Seen) -> str:
    """The two in at most 1,200 characters; of each pair the first is ``a``."""
    return shortened("\n".join(_lines(a, b, seen)), RESULT_CHARS)


def _lines(a: Account, b: Account, seen: Seen) -> Iterator[str]:
    name = one_line(seen.objective.metric, 40)
    yield f"experiment {a.experiment.number} | {b.experiment.number}"
    yield f"{name}: {_value(a)} | {_value(b)}"
    if a.experiment.measure != b.experiment.measure:
        yield "They were judged by different measures: their values cannot be compared."
    yield _parameters(a.experiment.settings, b.experiment.settings, seen.survey.parameters)
    yield _code(a, b, seen)
    if pairs := _common(_curve(a), _curve(b)):
        yield f"{name} by step: " + ", ".join(f"{number(s)}: {number(x)} | {number(y)}" for s, x, y in pairs)


def _value(account: Account) -> str:
    verdict = account.verdict
    if verdict is None:
        return "not judged"
    if verdict.value is None:
        return f"none ({verdict.decision.value})"
    return f"{measured(verdict.value, verdict.interval, verdict.seeds)} {verdict.decision.value}"


def _parameters(a: Parameters, b: Parameters, own: Parameters) -> str:
    """The values that differ; ``own`` are the notebook's."""
    names = sorted({*a, *b})
    said = [(name, *(_plain(name, of, own) for of in (a, b))) for name in names]
    differing = [f"{one_line(name, 40)} {one} | {other}" for name, one, other in said if one != other]
    return shortened("Parameters: " + ("; ".join(differing) or "the same"), _VALUES_CHARS)


def _plain(name: str, of: Parameters, own: Parameters) -> str:
    values: Mapping[str, Value] = {**own, **of}
    return plain(values[name]) if name in values else _UNSET


def _code(a: Account, b: Account, seen: Seen) -> str:
    """The lines that differ, by place: "-" as ``a`` has them, "+" as ``b``."""
    if a.experiment.code == b.experiment.code:
        return "Code: the same"
    try:
        one, other = (_texts(seen.evidence.pieces(account.experiment.number)) for account in (a, b))
    except DeepResearchError as problem:  # a notebook that was taken away since
        return f"Code: differs, and cannot be read: {one_line(str(problem), 120)}"
    places = [*one, *(place for place in other if place not in one)]
    found = [(p, changed_lines(one.get(p, ""), other.get(p, ""))) for p in places]
    changed = "\n".join(f"{place}\n{lines}" for place, lines in found if lines)
    return "Code: " + (block("code", changed, _CODE_CHARS) if changed else "the same lines")


def _texts(pieces: Sequence[Piece]) -> dict[str, str]:
    """By place; the values of the parameters cell are told apart from the code."""
    return {piece.where: piece.text for piece in pieces if not piece.is_parameters}


def _curve(account: Account) -> Sequence[Point]:
    return sorted(account.outcome.curve) if account.outcome is not None else ()


def _common(a: Sequence[Point], b: Sequence[Point]) -> list[tuple[float, float, float]]:
    """A few steps that both curves span, evenly spread, with the last value that each had by then."""
    if not a or not b:
        return []
    first, last = max(a[0][0], b[0][0]), min(a[-1][0], b[-1][0])
    steps = [step for step, _ in a if first <= step <= last]
    if not steps:
        return []
    count = min(_STEPS, len(steps))
    chosen = sorted({steps[round(i * (len(steps) - 1) / max(count - 1, 1))] for i in range(count)})
    return [(step, _by(a, step), _by(b, step)) for step in chosen]


def _by(curve: Sequence[Point], step: float) -> float:
    return curve[bisect_right(curve, step, key=lambda point: point[0]) - 1][1]

"""Whether a change was tried before, and what was not tried yet: one proposal against the whole ledger. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...core.answers import Trial
from ...core.notes import one_line, shortened
from ...core.research import Change, Evidence, Seen
from ...core.types import Decision, Dimension
from ...errors import NotFound
from ..directive import NEVER_SEARCHED
from ..space import key, place, value_at
from .digest import heading, plain

UNTRIED_CHARS = 700

_ACCOUNTS = 200
_NAMED = 8
_PARTS = 3


@dataclass(frozen=True)
class Repeat:
    """What a change repeats: an experiment (None: something proposed but not judged yet), and how that went."""

    experiment: int | None
    told: str


def repeated(change: Change, seen: Seen) -> Repeat | None:
    """The latest experiment of the measure with the same code and values, rejected ones too; None where it is new.

    Code is the same where only comments and layout differ, values where they are equal as numbers; the seed and the
    dry-run switch do not count.
    """
    wanted = key(change.parameters)
    same = [t for t in seen.trials(-1) if t.sense == change.sense and key(t.parameters) == wanted]
    if same:
        return Repeat(same[-1].experiment, _how_it_went(same[-1], seen))
    if any(open.sense == change.sense and key(open.parameters) == wanted for open in seen.pending):
        return Repeat(None, "the same was proposed already and is not judged yet")
    return None


def _how_it_went(trial: Trial, seen: Seen) -> str:
    """What a repeated experiment came to, in at most 500 characters."""
    try:
        account = seen.evidence.account(trial.experiment)
    except NotFound:  # a view that lags behind the log
        return f"the same code and values as experiment {trial.experiment} ({trial.decision.value})"
    reason = one_line(account.verdict.reason, 160) if account.verdict else ""
    if trial.decision is Decision.REJECTED:
        return f"experiment {trial.experiment}, which the person rejected{f': {reason}' if reason else ''}"
    lesson = f" Lesson: {one_line(account.lesson.text, 160)}" if account.lesson and account.lesson.text else ""
    return f"{heading(account.experiment, account.verdict, seen.objective)}.{f' {reason}.' if reason else ''}{lesson}"


def untried(seen: Seen) -> str:
    """What no experiment of the measure has touched: parameters, parts of ranges, cells and files; "" for nothing."""
    trials = tuple(seen.trials(-1))
    found = (
        _listed("parameters never moved", _unmoved(seen, trials)),
        _listed("ranges never visited", [part for d in seen.survey.space for part in _unvisited(d, trials)]),
        _listed("places never edited", _unedited(seen.evidence, trials)),
    )
    return shortened("; ".join(filter(None, found)), UNTRIED_CHARS)


def _listed(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(names[:_NAMED])}{more}" if names else ""


def _unmoved(seen: Seen, trials: Sequence[Trial]) -> list[str]:
    names = [name for name in seen.survey.parameters if name.lower() not in NEVER_SEARCHED]
    return [one_line(name, 40) for name in names if len({key({"v": t.parameters.get(name)}) for t in trials}) < 2]


def _unvisited(dimension: Dimension, trials: Iterable[Trial]) -> list[str]:
    """The choices that were never taken, or the thirds of a range in which no value lies."""
    name = one_line(dimension.name, 40)
    values = [v for t in trials if dimension.holds(v := t.parameters.get(dimension.name))]
    if dimension.choices:
        return [f"{name} {plain(c)}" for c in dimension.choices if not any(c == v for v in values)]
    met = {min(int(place(dimension, v) * _PARTS + 1e-9), _PARTS - 1) for v in values}
    empty = [part for part in range(_PARTS) if part not in met]
    ends = [plain(value_at(dimension, part / _PARTS)) for part in range(_PARTS + 1)]
    return [f"{name} {ends[part]}..{ends[part + 1]}" for part in empty if ends[part] != ends[part + 1]]


def _unedited(evidence: Evidence, trials: Sequence[Trial]) -> list[str]:
    """The places that no edit has touched, in the order of the notebook; told by the latest experiments with code."""
    edited: set[str] = set()
    with_code = [t for t in trials if t.code or t.sense]
    for trial in with_code[-_ACCOUNTS:]:
        try:
            edited |= {edit.where for edit in evidence.account(trial.experiment).experiment.edits}
        except NotFound:  # a view that lags behind the log
            continue
    free = (p for p in evidence.pieces(None) if not p.is_locked and not p.is_parameters)
    return [one_line(piece.where, 60) for piece in free if piece.where not in edited]

"""Sweeps: a leader's plan as a space, trials by Optuna without any call, and the whole of it in a few lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ...core.answers import Lesson, Proposal, Trial
from ...core.notes import one_line, shortened
from ...core.project import is_finite
from ...core.research import Account, Instruction, Meter, Seen
from ...core.types import Dimension, Experiment, Hypothesis, HypothesisKind, Sweep, Verdict
from ...errors import InvalidNotebook, NotFound
from .. import words
from ..directive import narrow, sole_value
from ..space import size
from ..study import Study
from ..sweep import SweepResearcher
from .digest import DIGEST_CHARS, number, plain

LEAST_TRIALS, MOST_TRIALS = 2, 50

_USUAL_TRIALS = 12
_SHOWN_TRIALS = 6
_ACCOUNTS = 400
_NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Space:
    """What a plan's lines come to, with what of them could be used in part only."""

    dimensions: tuple[Dimension, ...]
    remarks: tuple[str, ...] = ()


def space_of(seen: Seen, lines: Sequence[str]) -> Space:
    """The space that a plan's lines name, within what the notebook allows. A line ``name = value`` holds that fast.

    Raises InvalidNotebook, in one line, where a line cannot be used or nothing is left to search.
    """
    read = [narrow(seen.survey, [line]) for line in lines]
    remarks = tuple(remark for one in read for told in one.remarks for remark in told)
    if not read or not all(one.directed for one in read):
        why = "; ".join(remarks) or "it names no parameter with a range or choices"
        raise InvalidNotebook(shortened(f"the space of the sweep cannot be used: {why}", 600))
    found = narrow(seen.survey, lines)
    named = {match[0] for said in found.directed for match in (_NAME.match(said),) if match is not None}
    free = [d for d in found.space if d.name in named]
    if not free:
        raise InvalidNotebook("the space of the sweep holds everything fast; accepted: at least one range or choices")
    fast = [Dimension(name, choices=(value,)) for name, value in found.fixed.items()]
    return Space((*free, *fast), remarks)


def trials_of(wanted: int) -> int:
    """How many trials a sweep gets."""
    return min(max(wanted, LEAST_TRIALS), MOST_TRIALS) if wanted > 0 else _USUAL_TRIALS


@dataclass(frozen=True)
class Sweeps:
    """Optuna on the leader's behalf. Calls nobody."""

    optuna: SweepResearcher

    async def trial(self, seen: Seen, sweep: Sweep, meter: Meter) -> Proposal:
        """The next trial in the sweep's space: of the kind sweep, or exhausted. What the person directs was heeded when
        the space was chosen."""
        proposal = await self.optuna.think(_within(seen, sweep.space), meter)
        if proposal.hypothesis is None:
            return proposal
        return replace(proposal, hypothesis=replace(proposal.hypothesis, kind=HypothesisKind.SWEEP))

    async def first(self, seen: Seen, wanted: Hypothesis, sweep: Sweep, meter: Meter) -> Proposal:
        """The trial that opens a sweep, with the leader's own words; or exhausted."""
        proposal = await self.trial(seen, sweep, meter)
        if proposal.hypothesis is None:
            return proposal
        return replace(proposal, hypothesis=replace(wanted, parameters=proposal.hypothesis.parameters, sweep=sweep))

    async def is_exhausted(self, seen: Seen, sweep: Sweep, meter: Meter) -> bool:
        """Whether every combination of the sweep's space was tried; only one that can be counted ever is."""
        if size(_searched(sweep.space)) is None:
            return False
        return (await self.trial(seen, sweep, meter)).hypothesis is None

    async def any(self, seen: Seen, meter: Meter) -> Proposal:
        """One trial in the notebook's own space."""
        return await self.optuna.think(replace(seen, directives=()), meter)

    async def lesson(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        """What one trial of an open sweep taught."""
        within = _within(seen, seen.sweep.sweep.space) if seen.sweep is not None else replace(seen, directives=())
        return await self.optuna.reflect(within, experiment, verdict, meter)


def _within(seen: Seen, space: Sequence[Dimension]) -> Seen:
    """The project as a sweep of this space sees it; what it holds fast reads as a directive."""
    fast = [(d.name, only[0]) for d in space if len(only := sole_value(d)) == 1]
    directives = tuple(Instruction(0, f"{name} = {value!r}", fresh=False) for name, value in fast)
    searched = tuple(d for d in space if d.name not in dict(fast))
    return replace(seen, survey=replace(seen.survey, space=searched), directives=directives)


def trials_in(seen: Seen, first: int) -> tuple[Trial, ...]:
    """The judged trials of the sweep that experiment ``first`` opened, oldest first."""
    return tuple(_trials_in(seen, first))


def _trials_in(seen: Seen, first: int) -> Iterator[Trial]:
    for trial in islice(seen.trials(first - 1), _ACCOUNTS):
        account = _account(seen, trial.experiment)
        if account is not None and account.experiment.sweep == first:
            yield trial


def _account(seen: Seen, experiment: int) -> Account | None:
    try:
        return seen.evidence.account(experiment)
    except NotFound:
        return None


def sweep_digest(seen: Seen, first: int) -> str:
    """A sweep in at most 1,000 characters: what it claimed, its best trials, what mattered."""
    trials = trials_in(seen, first)
    opener = _account(seen, first)
    sweep = opener.experiment.hypothesis.sweep if opener is not None else None
    claim = one_line(opener.experiment.hypothesis.claim, 160) if opener is not None else ""
    space = sweep.space if sweep is not None else seen.survey.space
    study = Study.of(seen.objective, _searched(space), trials, (), 0)
    valued = [t for t in trials if is_finite(t.value)]
    ranked = sorted(valued, key=lambda t: -seen.objective.gain(t.value or 0.0, 0.0))
    lines = [
        f"Sweep of {len(trials)} trials (opened by experiment {first}, {len(trials) - len(valued)} without a value)",
        f"Claim: {claim}" if claim else "",
        shortened(f"Space: {', '.join(map(str, space))}", 200),
        f"{words.matters(study)}." if words.matters(study) else "",
        *(_row(t, space) for t in ranked[:_SHOWN_TRIALS]),
        f"worst: {_row(ranked[-1], space)}" if len(ranked) > _SHOWN_TRIALS else "",
    ]
    kept: list[str] = []
    left = DIGEST_CHARS
    for line in filter(None, lines):
        if len(line) < left:
            kept.append(line)
            left -= len(line) + 1
    return "\n".join(kept)


def _searched(space: Sequence[Dimension]) -> tuple[Dimension, ...]:
    return tuple(d for d in space if len(sole_value(d)) != 1)


def _row(trial: Trial, space: Sequence[Dimension]) -> str:
    values = ", ".join(f"{d.name} {plain(trial.parameters.get(d.name))}" for d in space)
    value = number(trial.value) if trial.value is not None else "no value"
    return shortened(f"#{trial.experiment} {value} {trial.decision.value}: {one_line(values, 90)}", 130)

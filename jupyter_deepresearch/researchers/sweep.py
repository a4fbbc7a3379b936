"""The offline researcher: Optuna's TPE over the notebook's parameters. No LLM, no network, all chance from one seed."""

import asyncio
from collections.abc import Sequence

from ..core.answers import Lesson, Proposal, Trial
from ..core.events import Survey
from ..core.research import Meter, RunFailure, Seen
from ..core.types import Decision, Dimension, Experiment, Hypothesis, HypothesisKind, Parameters, Verdict
from . import words
from .directive import Narrowing, narrow
from .space import Key, changed, combinations, distance, key, size
from .study import Study

_READ_AGAIN = 64


class SweepResearcher:
    """Proposes values for the parameters cell. ``seed`` belongs to the project.

    What it proposes depends on the project's log alone: a fresh one goes on where another was stopped. Earlier trials
    are kept as a cache; the latest, and any older one judged again, are read anew.
    """

    can_repair = False

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._trials: dict[int, Trial] = {}
        self._read_under: tuple[int | None, Survey] | None = None

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        """Nothing: it is always able to answer."""
        return ()

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        """Values that were never tried, with reasons; exhausted where the space holds no others. Costs nothing."""
        trials = self._read(seen)
        return await asyncio.to_thread(self._propose, seen, trials)

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        """Nothing: a sweep changes values, and code that fails its dry run needs another mind."""
        return Proposal(exhausted="sweep does not repair code")

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        """What the verdict and the study say in at most 200 characters."""
        self._trials.pop(experiment.number, None)
        trials = self._read(seen, experiment.number - 1)
        return await asyncio.to_thread(self._learn, seen, trials, experiment, verdict)

    def _propose(self, seen: Seen, trials: Sequence[Trial]) -> Proposal:
        narrowing = narrow(seen.survey, [i.text for i in seen.directives])
        remarks = _remarks(seen, narrowing)
        if not seen.survey.space and not narrowing.space and not narrowing.fixed:
            return Proposal(exhausted=_nothing_to_search(seen), remarks=remarks)
        base = seen.base.parameters if seen.base else seen.survey.parameters
        code = seen.base.code if seen.base else ""
        rival = seen.champion or seen.baseline
        tried = {key(p) for p in (*(t.parameters for t in trials if t.code == code), *seen.waiting, base)}
        study = _study(seen, narrowing, trials, self.seed)
        found = _untried(study, {**base, **narrowing.fixed}, tried)
        if found is None:
            return Proposal(exhausted=_all_tried(narrowing), remarks=remarks)
        parameters = {**narrowing.fixed, **found}
        changes = changed(parameters, base)
        ranked = sorted(changes, key=lambda name: -study.importances.get(name, 0.0))
        changes = {name: changes[name] for name in ranked}
        hypothesis = Hypothesis(
            claim=words.claim(seen.objective, changes, base if seen.base else {}, rival),
            kind=HypothesisKind.PARAMETERS,
            rationale=words.rationale(study, narrowing.directed, seen.branch),
            expected=words.expected(study, parameters, rival),
            parameters=changes,
        )
        return Proposal(hypothesis, remarks=remarks)

    def _learn(self, seen: Seen, trials: Sequence[Trial], experiment: Experiment, verdict: Verdict) -> Lesson:
        narrowing = narrow(seen.survey, [i.text for i in seen.directives])
        return Lesson(words.lesson(_study(seen, narrowing, trials, self.seed), experiment, verdict))

    def _read(self, seen: Seen, at_least_from: int | None = None) -> tuple[Trial, ...]:
        """All trials of the measure, oldest first, read from where something may have changed."""
        under = (seen.baseline.experiment if seen.baseline else None, seen.survey)
        if under != self._read_under:
            # Another measure, or a notebook with other values: what was read before means something else now.
            self._trials, self._read_under = {}, under
        known = sorted(self._trials)
        after = known[-_READ_AGAIN] if len(known) > _READ_AGAIN else -1
        after = after if at_least_from is None else min(after, at_least_from)
        fresh = {t.experiment: t for t in seen.trials(after)}
        self._trials = {**{n: t for n, t in self._trials.items() if n <= after}, **fresh}
        return tuple(self._trials[n] for n in sorted(self._trials))


def _study(seen: Seen, narrowing: Narrowing, trials: Sequence[Trial], seed: int) -> Study:
    """The study of the narrowed space; a trial that broke a constraint counts as failed, however good its value."""
    return Study.of(seen.objective, narrowing.space, [_feasible(seen, t) for t in trials], seen.waiting, seed)


def _feasible(seen: Seen, trial: Trial) -> Trial:
    if (
        not seen.objective.constraints
        or trial.decision is not Decision.WORSE
        or trial.value is None
        or not seen.champion
    ):
        return trial
    if seen.objective.gain(trial.value, seen.champion.value) <= 0:
        return trial
    return Trial(trial.experiment, trial.parameters, Decision.FAILED, None, trial.claim, trial.code)


def _untried(study: Study, base: Parameters, tried: set[Key]) -> Parameters | None:
    """The best suggestion that was never tried; in a finite space the untried combination next to it."""
    if size(study.space) is None:
        fresh = (p for p in study.suggestions() if key({**base, **p}) not in tried)
        return next(fresh, None)
    left = [p for p in combinations(study.space) if key({**base, **p}) not in tried]
    if len(left) < 2:
        return left[0] if left else None
    wish = next(study.suggestions())
    return min(left, key=lambda p: distance(study.space, p, wish))


def _remarks(seen: Seen, narrowing: Narrowing) -> tuple[str, ...]:
    """What could not be used of the directives that no proposal has followed yet."""
    told = zip(seen.directives, narrowing.remarks, strict=True)
    return tuple(remark for instruction, remarks in told if instruction.fresh for remark in remarks)


def _nothing_to_search(seen: Seen) -> str:
    mark = "mark there what to search, as in `lr = 1e-3  # sweep: 1e-5..1e-1 log`"
    if not seen.survey.parameters:
        return (
            "the notebook has no parameter to search: give it one cell tagged `parameters` (or with the first line "
            f"`#| parameters`) of `name = value` lines, and {mark}"
        )
    names = ", ".join(list(seen.survey.parameters)[:8])
    return f"the notebook has no parameter to search among {names} in its parameters cell: {mark}"


def _all_tried(narrowing: Narrowing) -> str:
    fixed = (
        f" with {', '.join(f'{n} = {words.number(v)}' for n, v in narrowing.fixed.items())}" if narrowing.fixed else ""
    )
    where = _listed_space(narrowing.space)
    count = size(narrowing.space)
    if not narrowing.space:
        return f"the only combination that the directives leave was tried:{fixed.removeprefix(' with')}"
    if count is None:
        return f"nothing new was found to try in {where}{fixed}; a directive with wider ranges opens the space again"
    return f"all {count} combinations of {where}{fixed} were tried"


def _listed_space(space: Sequence[Dimension]) -> str:
    return ", ".join(str(d) for d in space)

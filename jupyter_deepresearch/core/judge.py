"""``judge``: from the outcomes of an experiment to a verdict, with arithmetic alone."""

from .project import Objective
from .state import State, Work
from .statistics import interval95, mean
from .types import Decision, HypothesisKind, Outcome, Purpose, RunState, Verdict


def judge(state: State, work: Work) -> Verdict:
    """What the outcomes so far mean.

    The simple rule: an experiment whose first seed beats the champion's mean by ``min_delta`` is promising; it is
    confirmed when its mean over ``trust.seeds`` seeds still does, against the champion's mean over the same seeds.
    A run that failed can only make the experiment fail or be retracted, never give it a value.
    """
    objective = state.project.objective
    old = work.verdict
    if work.wanted is not None or work.is_outdated:
        decision = old.decision if old is not None and old.decision.is_final else Decision.INCONCLUSIVE
        return _verdict(work, decision, f"measured again: {len(work.values)} seeds")
    if work.experiment.measure != state.measure:
        return _verdict(work, Decision.INCONCLUSIVE, "measured by other locked cells than today's")
    failed = _failure(work)
    if not work.values:
        why = failed.error.line if failed and failed.error else "no run has a value"
        ended = failed.state if failed else RunState.LOST
        return _verdict(work, Decision.FAILED, f"{ended.value.replace('_', ' ')}: {why}", ended)
    if work.experiment.hypothesis.kind is HypothesisKind.BASELINE:
        return _verdict(work, Decision.BASELINE, "the notebook as it is")
    broken = _broken(objective, work)
    if broken is not None:
        return _verdict(work, Decision.WORSE, f"breaks the constraint {broken}")
    if failed is not None:
        why = failed.error.line if failed.error else "it has no value"
        return _verdict(work, Decision.RETRACTED, f"a further seed {failed.state.value.replace('_', ' ')}: {why}")
    return _compare(state, work)


def _compare(state: State, work: Work) -> Verdict:
    objective, seeds = state.project.objective, state.project.trust.seeds
    champion = state.champion
    if champion is None or not champion.values:
        return _verdict(work, Decision.INCONCLUSIVE, "there is no champion to compare with")
    value, best = mean(list(work.values.values())), mean(_comparable(champion, work))
    gain, count = objective.gain(value, best), len(work.values)
    against = f"{value:.6g} over {count} seed{'s' * (count > 1)} against {best:.6g} of experiment {champion.number}"
    if objective.is_better(value, best):
        if count >= seeds:
            return _verdict(work, Decision.CONFIRMED, f"better by {gain:.3g}: {against}", before=best)
        return _verdict(work, Decision.PROMISING, f"better by {gain:.3g} so far: {against}", before=best)
    if count > 1:
        return _verdict(work, Decision.RETRACTED, f"the gain did not hold on further seeds: {against}", before=best)
    if gain < 0 and -gain >= objective.min_delta:
        return _verdict(work, Decision.WORSE, f"worse by {-gain:.3g}: {against}", before=best)
    return _verdict(work, Decision.INCONCLUSIVE, f"no difference of at least min_delta: {against}", before=best)


def _comparable(champion: Work, work: Work) -> list[float]:
    """The champion's values on the work's own seeds, all of them where it lacks one."""
    same = [champion.values[seed] for seed in work.values if seed in champion.values]
    return same if len(same) == len(work.values) else list(champion.values.values())


def _verdict(
    work: Work, decision: Decision, reason: str, state: RunState | None = None, before: float | None = None
) -> Verdict:
    values = list(work.values.values())
    if before is None and work.verdict is not None:
        before = work.verdict.champion_before
    return Verdict(
        decision=decision,
        reason=reason,
        value=mean(values) if values else None,
        seeds=len(values),
        interval=interval95(values),
        champion_before=before,
        state=state or (RunState.SUCCEEDED if values else None),
    )


def _failure(work: Work) -> Outcome | None:
    """The last word of a seed without a value, None where each seed that was run has one."""
    passed = RunState.SUCCEEDED
    runs = [a for a in work.attempts if a.run.purpose is not Purpose.DRY_RUN or a.outcome.state is not passed]
    latest = {a.run.seed_index: a.outcome for a in runs}
    return next((outcome for seed, outcome in sorted(latest.items()) if seed not in work.values), None)


def _broken(objective: Objective, work: Work) -> str | None:
    for outcome in (a.outcome for a in work.attempts):
        if outcome.value is not None:
            for constraint in objective.broken_by(outcome.finals):
                found = outcome.finals.get(constraint.metric)
                return f"{constraint} (found {'nothing' if found is None else format(found, 'g')})"
    return None

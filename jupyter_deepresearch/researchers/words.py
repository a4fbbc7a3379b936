"""What a study knows, in plain sentences: claims, reasons, expectations and lessons. Deterministic, no model."""

import math
from collections.abc import Sequence

from ..core.answers import Trial
from ..core.notes import one_line, shortened
from ..core.project import Direction, Objective
from ..core.research import Standing
from ..core.types import Decision, Dimension, Experiment, HypothesisKind, Parameters, RunState, Value, Verdict
from .space import place
from .study import Study

LESSON_LIMIT_CHARS = 200

_NAMED_CHANGES = 5
_NEIGHBOURS = 3
_NEAR = 0.35
_BEST_REGION = 20
_ANYWHERE = 0.7


def number(value: Value) -> str:
    """A parameter's value for people."""
    return f"{value:.6g}" if isinstance(value, float) else one_line(str(value), 30)


def claim(objective: Objective, changes: Parameters, before: Parameters, rival: Standing | None) -> str:
    """A claim that a run can refute: "lr 0.012 and width 256 instead of 0.001 and 64 raise val_accuracy above 0.94".

    ``before`` are the values of what it grows from, ``rival`` is what it will be held against."""
    names = list(changes)[:_NAMED_CHANGES]
    more = len(changes) - len(names)
    new = _listed([f"{name} {number(changes[name])}" for name in names], more)
    old = ""
    if all(name in before for name in names):
        old = f" instead of {_listed([number(before[name]) for name in names])}"
    is_up = objective.direction is Direction.MAXIMIZE
    verb = ("raise" if is_up else "lower") + ("s" if len(changes) == 1 else "")
    bound = f" {'above' if is_up else 'below'} {rival.value:.4g}" if rival is not None else ""
    return f"{new}{old} {verb} {one_line(objective.metric, 60)}{bound}"


def rationale(study: Study, directed: Sequence[str] = (), branch: Standing | None = None) -> str:
    """What the study has learnt so far, and what follows for this proposal; ``directed`` is what a person narrowed,
    ``branch`` what they want it to grow from."""
    as_said = f" As directed: {', '.join(directed)}." if directed else ""
    grown = f" Grown from experiment {branch.experiment}, as you asked." if branch is not None else ""
    return _grounds(study) + as_said + grown


def _grounds(study: Study) -> str:
    if study.is_starting:
        return (
            f"Trial {len(study.trials) + len(study.busy) + 1} of a start that spreads the first {study.startup} trials "
            f"evenly over {_listed([str(d) for d in study.space])}, before the search follows what it has learnt."
        )
    learnt = f"{len(study.finished)} experiments in this space have a value{_failures(study)}."
    weights = matters(study)
    best = best_region(study)
    return " ".join(
        part for part in (learnt, f"{weights}." if weights else "", best, "TPE proposes from there.") if part
    )


def expected(study: Study, parameters: Parameters, standing: Standing | None) -> str:
    """What the nearest finished experiments let one expect."""
    near = [trial for far, trial in study.nearest(parameters, _NEIGHBOURS) if far <= _NEAR]
    values = [t.value for t in near if t.value is not None]
    metric = one_line(study.objective.metric, 60)
    if not values:
        return f"Unknown: nothing near these values has been tried; any {metric} here is news."
    mean = sum(values) / len(values)
    against = ""
    if standing is not None:
        gain = study.objective.gain(mean, standing.value)
        size = f"{abs(gain):.2g} {'better' if gain > 0 else 'worse'} than" if gain else "no better than"
        against = f", {size} the champion's {standing.value:.4g}"
    span = f" ({min(values):.4g} to {max(values):.4g})" if len(values) > 1 else ""
    subject = f"the {len(values)} nearest experiments" if len(values) > 1 else "the nearest experiment"
    return f"{metric} near {mean:.4g}, as {subject}{span}{against}."


def lesson(study: Study, experiment: Experiment, verdict: Verdict) -> str:
    """What one verdict taught, with what the study knows now; at most 200 characters."""
    sentences = [_outcome(study, experiment, verdict), failing_region(study, experiment, verdict)]
    sentences += [matters(study), _best_so_far(study)]
    text = ""
    for sentence in filter(None, sentences):
        joined = f"{text}; {sentence}" if text else sentence
        if len(joined) <= LESSON_LIMIT_CHARS:
            text = joined
    return text or shortened(sentences[0], LESSON_LIMIT_CHARS)


def matters(study: Study) -> str:
    """Which parameters explain the differences: "width matters most (62 %), then lr (25 %)"; empty while unknown."""
    ranked = [(name, share) for name, share in study.importances.items() if share >= 0.01]
    if not ranked:
        return ""
    first, *others = ranked
    then = f", then {others[0][0]} ({others[0][1]:.0%})".replace("%", " %") if others else ""
    return f"{first[0]} matters most ({first[1]:.0%})".replace("%", " %") + then


def best_region(study: Study) -> str:
    """Where the best quarter of the finished experiments lies (at most 20 of them); what lies anywhere is left out."""
    best = study.finished[: min(max(2, len(study.finished) // 4), _BEST_REGION)]
    where = [_extent(d, [t.parameters[d.name] for t in best]) for d in study.space]
    told = [words for words in where if words]
    return f"The best {len(best)} lie at {_listed(told)}." if len(best) > 1 and told else ""


def failing_region(study: Study, experiment: Experiment, verdict: Verdict) -> str:
    """From which value of a parameter on everything failed; empty where no such place shows."""
    if verdict.decision is not Decision.FAILED:
        return ""
    own = next((t for t in study.failed if t.experiment == experiment.number), None)
    if own is None:
        return ""
    found = [edge for d in study.space if (edge := _failing_edge(study, d, own)) is not None]
    return max(found, default=(0, ""))[1]


def _failing_edge(study: Study, dimension: Dimension, own: Trial) -> tuple[int, str] | None:
    name, value = dimension.name, own.parameters[dimension.name]
    if dimension.choices:
        bad = [t for t in study.failed if t.parameters[name] == value]
        good = [t for t in study.finished if t.parameters[name] == value]
        return (
            (len(bad), f"{name} {number(value)} failed {len(bad)} of {len(bad)}") if len(bad) > 1 and not good else None
        )
    at = float(value or 0)
    for word, sign in (("up", 1.0), ("down", -1.0)):
        bad = [t for t in study.failed if sign * (float(t.parameters[name] or 0) - at) >= 0]
        good = [t for t in study.finished if sign * (float(t.parameters[name] or 0) - at) >= 0]
        if len(bad) > 1 and not good and study.finished:
            return len(bad), f"{name} from {number(value)} {word} failed {len(bad)} of {len(bad)}"
    return None


def _outcome(study: Study, experiment: Experiment, verdict: Verdict) -> str:
    hypothesis = experiment.hypothesis
    metric = one_line(study.objective.metric, 40)
    what = (
        _listed(
            [f"{n} {number(v)}" for n, v in list(hypothesis.parameters.items())[:_NAMED_CHANGES]],
            max(len(hypothesis.parameters) - _NAMED_CHANGES, 0),
        )
        if hypothesis.parameters
        else ""
    )
    what = what or shortened(one_line(hypothesis.claim, 80), 80)
    if verdict.decision is Decision.BASELINE or hypothesis.kind is HypothesisKind.BASELINE:
        return f"the notebook as it is has {metric} {_measured(verdict)}"
    if verdict.decision is Decision.FAILED:
        return f"{what} {_ended(verdict.state)}"
    gain = None
    if verdict.value is not None and verdict.champion_before is not None:
        gain = study.objective.gain(verdict.value, verdict.champion_before)
    words = {
        Decision.CONFIRMED: "is better",
        Decision.PROMISING: "looks better",
        Decision.RETRACTED: "did not hold",
        Decision.WORSE: "is worse",
    }
    by = f" by {abs(gain):.2g}" if gain is not None and verdict.decision in (Decision.CONFIRMED, Decision.WORSE) else ""
    return f"{what} {words.get(verdict.decision, 'made no clear difference')}{by} ({metric} {_measured(verdict)})"


def _ended(state: RunState | None) -> str:
    if state is RunState.DIVERGED:
        return "diverged"
    if state is None or state is RunState.SUCCEEDED:
        return "failed"
    return "ran out of memory" if state is RunState.OUT_OF_MEMORY else f"failed ({state.value.replace('_', ' ')})"


def _measured(verdict: Verdict) -> str:
    return "unknown" if verdict.value is None or not math.isfinite(verdict.value) else f"{verdict.value:.4g}"


def _best_so_far(study: Study) -> str:
    if len(study.finished) < 2:
        return ""
    best = study.finished[0]
    names = list(study.importances or [d.name for d in study.space])[:2]
    return f"best so far near {_listed([f'{name} {number(best.parameters[name])}' for name in names])}"


def _extent(dimension: Dimension, values: Sequence[Value]) -> str:
    if dimension.choices:
        met = [number(c) for c in dimension.choices if c in values]
        return f"{dimension.name} {' or '.join(met)}" if len(met) < len(dimension.choices) else ""
    places = [place(dimension, value) for value in values]
    if max(places) - min(places) > _ANYWHERE:
        return ""
    low, high = (f(float(v or 0) for v in values) for f in (min, max))
    return f"{dimension.name} {low:.3g}..{high:.3g}" if low != high else f"{dimension.name} {low:.3g}"


def _failures(study: Study) -> str:
    return f", {len(study.failed)} failed" if study.failed else ""


def _listed(parts: Sequence[str], more: int = 0) -> str:
    parts = [*parts, f"{more} more"] if more else list(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)

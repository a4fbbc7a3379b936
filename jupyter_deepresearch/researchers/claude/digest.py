"""What came of an experiment in at most 1,000 characters: all that a leader sees of a run. Pure, always the same."""

import math
from collections.abc import Iterator, Mapping, Sequence

from ...core.notes import one_line, shortened
from ...core.ports import Curves
from ...core.project import Direction, Objective, guess_direction
from ...core.research import Account, Standing
from ...core.types import Decision, Experiment, Parameters, RunError, Value, Verdict
from .blocks import last_lines
from .curves import Gap, Point, Shape, gaps, shape

DIGEST_CHARS = 1000
TAIL_CHARS = 400

_CLAIM_CHARS = 180
_REASON_CHARS = 200
_CHANGES_CHARS = 160
_OTHER_SERIES = 3
_NAME_CHARS = 40


def digest(account: Account, curves: Curves, objective: Objective) -> str:
    """The experiment, its verdict, its error where it failed, its curves in words, its pace and memory.

    What matters least goes first where it does not all fit.
    """
    kept: list[str] = []
    left = DIGEST_CHARS
    for line in _lines(account, curves, objective):
        if len(line) < left:
            kept.append(line)
            left -= len(line) + 1
    return "\n".join(kept)


def _lines(account: Account, curves: Curves, objective: Objective) -> Iterator[str]:
    """Most telling first. Each is far shorter than the whole."""
    yield heading(account.experiment, account.verdict, objective)
    yield f"Claim: {one_line(account.experiment.hypothesis.claim, _CLAIM_CHARS)}"
    if account.verdict is not None and account.verdict.reason:
        yield f"Why: {one_line(account.verdict.reason, _REASON_CHARS)}"
    if account.outcome is not None and account.outcome.error is not None:
        yield _error(account.outcome.error)
    own = curves.series.get(objective.metric, account.outcome.curve if account.outcome else ())
    if (seen := shape(own, objective.direction)) is not None:
        yield _curve(objective.metric, seen, objective.direction)
    for gap in gaps(curves.series)[:2]:
        yield _gap(gap)
    yield from _cost(account)
    if changes := changes_line(account.experiment):
        yield changes
    yield from _others(curves.series, objective.metric)


def heading(experiment: Experiment, verdict: Verdict | None, objective: Objective) -> str:
    """One line: number, kind, decision, the value with its interval, what it was compared with."""
    kind = experiment.hypothesis.kind.value.replace("_", " ")
    if verdict is None:
        return f"Experiment {experiment.number} ({kind}): not judged yet"
    state = (
        f" ({verdict.state.value.replace('_', ' ')})" if verdict.decision is Decision.FAILED and verdict.state else ""
    )
    line = f"Experiment {experiment.number} ({kind}): {verdict.decision.value}{state}"
    if verdict.value is not None:
        line += (
            f", {one_line(objective.metric, _NAME_CHARS)} {measured(verdict.value, verdict.interval, verdict.seeds)}"
        )
    if verdict.champion_before is not None and verdict.decision is not Decision.BASELINE:
        line += f"; champion before it {number(verdict.champion_before)}"
    return line


def standing_line(word: str, standing: Standing, objective: Objective) -> str:
    """The champion or the baseline in one line."""
    value = measured(standing.value, standing.interval, standing.seeds)
    return f"{word}: experiment {standing.experiment}, {one_line(objective.metric, _NAME_CHARS)} {value}"


def measured(value: float, interval: tuple[float, float] | None, seeds: int) -> str:
    """A value with its 95 % interval, where there is one, and the number of seeds."""
    span = f" [{number(interval[0])}, {number(interval[1])}]" if interval and all(map(math.isfinite, interval)) else ""
    return f"{number(value)}{span} ({seeds} seed{'' if seeds == 1 else 's'})"


def changes_line(experiment: Experiment) -> str:
    """What the hypothesis changed: values, and the places that it edits; "" for nothing."""
    hypothesis = experiment.hypothesis
    places = list(dict.fromkeys(one_line(edit.where, _NAME_CHARS) for edit in experiment.edits))
    said = [values_line(hypothesis.parameters)] if hypothesis.parameters else []
    said += [f"edits of {', '.join(places)}"] if places else []
    return shortened(f"Changed: {'; '.join(said)}", _CHANGES_CHARS) if said else ""


def values_line(parameters: Parameters) -> str:
    """Values as ``name = value, ...``."""
    return ", ".join(f"{one_line(name, _NAME_CHARS)} = {plain(value)}" for name, value in parameters.items())


def plain(value: Value) -> str:
    """A parameter's value for a prompt."""
    return f"{value:.6g}" if isinstance(value, float) else one_line(str(value), 30)


def number(value: float) -> str:
    """A measured number for a prompt."""
    return f"{value:.5g}"


def _error(error: RunError) -> str:
    rule = f" (rule {one_line(error.rule, _NAME_CHARS)})" if error.rule else ""
    line = f"Error: {one_line(error.line, 200)}{rule}"
    tail = last_lines(error.tail, TAIL_CHARS)
    return f"{line}\nLast lines:\n{tail}" if tail else line


def _curve(name: str, seen: Shape, direction: Direction) -> str:
    """One series in words."""
    said = [f"ends at {_at(seen.last)}"]
    if seen.best != seen.last:
        said.append(f"{'highest' if direction is Direction.MAXIMIZE else 'lowest'} {_at(seen.best)}")
    if seen.slope is not None:
        said.append(f"{seen.slope:+.2g} a step over the last third")
    if seen.flat_since is not None:
        said.append(f"no gain since step {number(seen.flat_since)}")
    if seen.spikes and seen.largest is not None:
        count = "1 spike" if seen.spikes == 1 else f"{seen.spikes} spikes, the largest"
        said.append(f"{count} {_at(seen.largest)}")
    if seen.broke_at is not None:
        said.append(f"not finite from step {number(seen.broke_at)} on")
    elif seen.is_worse:
        said.append("ends worse than it began")
    return f"{one_line(name, _NAME_CHARS)}: {', '.join(said)}"


def _at(point: Point) -> str:
    return f"{number(point[1])} at step {number(point[0])}"


def _gap(gap: Gap) -> str:
    names = one_line(gap.held_out, _NAME_CHARS), one_line(gap.train, _NAME_CHARS)
    return (
        f"{names[0]} - {names[1]} at the end: {gap.size:+.3g} ({number(gap.held_out_value)}, {number(gap.train_value)})"
    )


def _cost(account: Account) -> Iterator[str]:
    """Seconds a step, peak memory, duration, as far as they are known."""
    outcome = account.outcome
    said = [f"{account.seconds_per_step:.3g} s a step"] if account.seconds_per_step is not None else []
    if outcome is not None and outcome.peak_memory_bytes is not None:
        said.append(f"peak memory {outcome.peak_memory_bytes / 1e9:.2g} GB")
    if outcome is not None and outcome.elapsed_s is not None:
        said.append(f"took {outcome.elapsed_s:.3g} s")
    if said:
        yield ", ".join(said)


def _others(series: Mapping[str, Sequence[Point]], metric: str) -> Iterator[str]:
    """A few further series, losses first."""
    names = sorted((n for n in series if n != metric), key=lambda n: ("loss" not in n.lower(), n))
    for name in names[:_OTHER_SERIES]:
        direction = guess_direction(name)
        if (seen := shape(series[name], direction)) is not None:
            yield _curve(name, seen, direction)

"""What the leader is shown when it reflects, and what its answer comes to. Pure."""

from collections.abc import Iterator, Sequence

from ...core.answers import Lesson, Recalled, Trial
from ...core.notes import one_line, shortened
from ...core.research import Seen
from ...core.types import Experiment, Verdict
from .blocks import block, quoted
from .digest import DIGEST_CHARS, number, standing_line
from .leader import objective_line
from .plans import Reflection

REFLECT_CHARS = 3500
"""What the leader is shown of an experiment is never longer, its job not counted."""
LESSON_CHARS = 200

_EXPECTED_CHARS = 300
_NEAREST = 3
_NEAREST_CHARS = 180
_LINE_CHARS = 300
_OBSOLETE = 10


def reflect_text(seen: Seen, experiment: Experiment, digest: str) -> str:
    """All that the leader sees of an experiment, or a sweep, that has ended."""
    return "\n\n".join(part for part in _parts(seen, experiment, digest) if part)


def _parts(seen: Seen, experiment: Experiment, digest: str) -> Iterator[str]:
    hypothesis = experiment.hypothesis
    yield objective_line(seen.objective)
    yield block("outcome", digest, DIGEST_CHARS)
    expected = shortened(quoted(one_line(hypothesis.expected, _EXPECTED_CHARS)), _EXPECTED_CHARS)
    yield f"Expected: {expected}" if expected else ""
    yield "\n".join(_standings(seen))
    yield block("nearest_earlier", "\n".join(_nearest(seen, experiment)), _NEAREST * _NEAREST_CHARS + 20)
    yield "What does it teach?"


def _standings(seen: Seen) -> Iterator[str]:
    if seen.champion is not None:
        yield shortened(standing_line("Champion now", seen.champion, seen.objective), _LINE_CHARS)
    if seen.baseline is not None and (seen.champion is None or seen.champion.experiment != seen.baseline.experiment):
        yield shortened(standing_line("Baseline", seen.baseline, seen.objective), _LINE_CHARS)


def _nearest(seen: Seen, experiment: Experiment) -> list[str]:
    """The earlier experiments that say most about this one: nearest in their words, else in their values."""
    hypothesis = experiment.hypothesis
    found: Sequence[Recalled | Trial] = ()
    if hypothesis.edits:
        found = seen.evidence.recall(one_line(f"{hypothesis.claim} {hypothesis.change}", 300), _NEAREST + 1)
    found = [f for f in found if f.experiment != experiment.number] or _near(seen, experiment)
    return [_line(f) for f in found[:_NEAREST]] or ["none"]


def _near(seen: Seen, experiment: Experiment) -> list[Recalled | Trial]:
    """The latest of those that differ in the fewest values, on the same code before others."""
    own = {**seen.survey.parameters, **experiment.settings}
    ranked: list[tuple[bool, int, int, Trial]] = []
    for trial in seen.trials(-1):
        if trial.experiment != experiment.number:
            others = sum(trial.parameters.get(name) != value for name, value in own.items())
            ranked.append((trial.sense != experiment.sense, others, -trial.experiment, trial))
    return [trial for *_, trial in sorted(ranked, key=lambda r: r[:3])[:_NEAREST]]


def _line(of: Recalled | Trial) -> str:
    decision = of.decision.value if of.decision is not None else "not judged"
    value = f" {number(of.value)}" if of.value is not None else ""
    return shortened(f"#{of.experiment} {decision}{value}: {one_line(of.claim, 120)}", _NEAREST_CHARS)


def lesson_of(reflection: Reflection, seen: Seen, experiment: Experiment, verdict: Verdict) -> Lesson:
    """The lesson as it is remembered. Only experiments that there are can be obsolete, never champion or baseline."""
    text = one_line(reflection.lesson, LESSON_CHARS) or one_line(verdict.reason, LESSON_CHARS)
    pinned = {s.experiment for s in (seen.champion, seen.baseline) if s is not None} | {experiment.number}
    wanted = set(reflection.obsolete) - pinned
    known = {t.experiment for t in seen.trials(-1) if t.experiment in wanted} if wanted else set()
    return Lesson(text, tuple(sorted(known))[:_OBSOLETE])

"""The leader's tools: one experiment, a search of all of them, two side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....core.notes import one_line, shortened
from ....core.research import Account, Seen
from ....errors import NotFound
from ...llm.talk import ToolSpec
from ..blocks import block
from ..changed_lines import changed_lines
from ..curves import shape
from ..digest import heading, number, values_line
from .comparing import compared
from .tool import Tool

EXPERIMENT_CHARS = 800
RECALL_CHARS = 800

_RECALLED = 8
_QUERY_CHARS = 200
_RECALL_LINE_CHARS = 220
_CLAIM_CHARS = 160
_MOST_EXPERIMENTS = 10**9
_EDITS_CHARS = 240
_FINALS = 5


@dataclass(frozen=True)
class ReadExperiment:
    """Arguments of read_experiment."""

    number: int


@dataclass(frozen=True)
class Recall:
    """Arguments of recall."""

    query: str


@dataclass(frozen=True)
class Compare:
    """Arguments of compare: two experiments."""

    a: int
    b: int


def leader_tools(seen: Seen) -> tuple[Tool, ...]:
    """What the leader may ask for."""
    return (read_experiment(seen), recall(seen), compare(seen))


def read_experiment(seen: Seen) -> Tool:
    """One experiment in at most 800 characters."""

    async def run(asked: ReadExperiment) -> str:
        account = account_of(seen, asked.number)
        return _joined(_experiment_lines(account, seen), EXPERIMENT_CHARS)

    return Tool(ToolSpec("read_experiment", "Claim, change, verdict, lesson of one.", ReadExperiment), run)


def recall(seen: Seen) -> Tool:
    """The experiments that fit words best, in at most 800 characters."""

    async def run(asked: Recall) -> str:
        lines = []
        for found in seen.evidence.recall(one_line(asked.query, _QUERY_CHARS), _RECALLED):
            value = f" {number(found.value)}" if found.value is not None else ""
            decision = found.decision.value if found.decision is not None else "not judged"
            told = f"#{found.experiment} {decision}{value}: {one_line(found.claim, 100)} | {found.excerpt}"
            lines.append(one_line(told, _RECALL_LINE_CHARS))
        said = one_line(asked.query, 60)
        return _joined(lines, RECALL_CHARS) or f"nothing fits {said!r}: try fewer words, such as a parameter's name"

    return Tool(ToolSpec("recall", "Search all experiments by words.", Recall), run)


def compare(seen: Seen) -> Tool:
    """What differs between two experiments, and what came of both."""

    async def run(asked: Compare) -> str:
        return compared(account_of(seen, asked.a), account_of(seen, asked.b), seen)

    return Tool(ToolSpec("compare", "Two experiments: values, parameters, code, curves.", Compare), run)


def account_of(seen: Seen, experiment: int) -> Account:
    """All that is told of an experiment. Raises NotFound, which names some that exist."""
    try:
        if not 0 <= experiment <= _MOST_EXPERIMENTS:
            raise NotFound("a number that no log can hold")
        return seen.evidence.account(experiment)
    except NotFound:
        known = [f"{word} {n}" for word, n in _known(seen) if n is not None]
        told = f"; there are: {', '.join(known)}" if known else ""
        raise NotFound(f"there is no experiment {str(experiment)[:20]}{told}; recall finds others by words") from None


def _known(seen: Seen) -> tuple[tuple[str, int | None], ...]:
    return (
        ("baseline", seen.baseline.experiment if seen.baseline is not None else None),
        ("champion", seen.champion.experiment if seen.champion is not None else None),
        ("branch", seen.branch.experiment if seen.branch is not None else None),
        ("judged last", seen.latest),
    )


def _experiment_lines(account: Account, seen: Seen) -> Iterator[str]:
    """Most telling first."""
    experiment, outcome, verdict = account.experiment, account.outcome, account.verdict
    hypothesis = experiment.hypothesis
    yield heading(experiment, verdict, seen.objective)
    yield f"Claim: {one_line(hypothesis.claim, _CLAIM_CHARS)}"
    if account.lesson is not None:
        yield f"Lesson: {one_line(account.lesson.text, 200)}"
    if outcome is not None and outcome.error is not None:
        yield f"Error: {block('output', one_line(outcome.error.line, 160), 160)}"
    grown = f"Grew from {experiment.parent}. " if experiment.parent is not None else ""
    if hypothesis.parameters:
        yield shortened(f"{grown}Changed: {values_line(hypothesis.parameters)}", 180)
    if experiment.edits:
        changes = [f"{edit.where}\n" + changed_lines(edit.search, edit.replace) for edit in experiment.edits]
        yield "Edits: " + block("code", "\n".join(changes), _EDITS_CHARS)
    if outcome is not None and outcome.finals:
        yield "Ends at: " + ", ".join(_finals(tuple(sorted(outcome.finals.items()))))
    best = shape(outcome.curve, seen.objective.direction) if outcome is not None else None
    if best is not None:
        yield f"Best {number(best.best[1])} at step {number(best.best[0])}"
    if verdict is not None and verdict.reason:
        yield f"Why: {one_line(verdict.reason, 160)}"


def _finals(values: Sequence[tuple[str, float]]) -> list[str]:
    return [f"{one_line(name, 40)} {number(value)}" for name, value in values[:_FINALS]]


def _joined(lines: Iterator[str] | Sequence[str], chars: int) -> str:
    """The lines that fit; what does not is left out, and those after it may still fit."""
    kept: list[str] = []
    left = chars
    for line in lines:
        if len(line) < left:
            kept.append(line)
            left -= len(line) + 1
    return "\n".join(kept)

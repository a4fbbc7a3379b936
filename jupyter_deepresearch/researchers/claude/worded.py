"""A plan in words and values, as a hypothesis has them. Pure."""

from ...core.notes import one_line
from ...core.research import Seen
from ...core.types import Hypothesis, HypothesisKind, Parameters
from .plans import Patch, Plan

CHANGE_CHARS = 1500

_CLAIM_CHARS = 300
_WHY_CHARS = 500


def values_in_force(seen: Seen) -> Parameters:
    """All values that the next hypothesis starts from."""
    return {**seen.survey.parameters, **(seen.base.parameters if seen.base else {})}


def worded(plan: Plan, kind: HypothesisKind, parameters: Parameters) -> Hypothesis:
    """A plan's words, bounded, as a hypothesis."""
    return Hypothesis(
        claim=one_line(plan.claim, _CLAIM_CHARS),
        kind=kind,
        rationale=one_line(plan.why, _WHY_CHARS),
        expected=one_line(plan.expected, _CLAIM_CHARS),
        parameters=parameters,
        change=one_line(plan.change, CHANGE_CHARS) if kind is HypothesisKind.CODE else "",
    )


def asked(plan: Plan) -> str:
    """The change in words, with the values that go with it."""
    values = ", ".join(f"{s.name} = {s.value}" for s in plan.parameters)
    return f"{one_line(plan.change, CHANGE_CHARS)}{f' Values: {values}' if values else ''}"


def is_declined(patch: Patch) -> bool:
    """Whether the code worker says why it cannot be done, and does nothing."""
    return not patch.edits and not patch.parameters and bool(patch.note.strip())

"""A failed dry run: the code worker goes on after its patch, with the error before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from ...core.answers import Phase, Proposal
from ...core.notes import one_line
from ...core.research import Meter, RunFailure, Seen
from ...core.types import Experiment, Hypothesis, Parameters, Piece, RunState
from ...errors import InvalidNotebook, NotFound
from ..llm.talk import Effort
from .coding import failure_text, misfit_text, patch_text
from .line import Step
from .patching import as_patch, checked, patched
from .plans import Patch
from .team import Team
from .thinking import MAX_FIXES


@dataclass(frozen=True)
class Mending:
    """What is needed to mend one failed dry run."""

    team: Team
    seen: Seen
    failure: RunFailure
    meter: Meter

    async def proposal(self) -> Proposal:
        """The mended hypothesis, or none, with a remark; of two tries in all, those that are left."""
        experiment = self.failure.experiment
        if experiment.source is not None:
            return Proposal(remarks=(f"experiment {experiment.number} is the person's own code and is not mended",))
        step = Step(f"fix {experiment.number}.{self.failure.repairs}", experiment.number)
        worker = self.team.code(self.seen, self.meter, step, _parent(self.seen, experiment))
        pieces = self._pieces()
        worker.remember(*self._past(pieces))
        hypothesis, used = None, self.failure.repairs
        text = failure_text(self.failure.error, self._state(), MAX_FIXES - used - 1)
        why = "no try is left"
        while hypothesis is None and used < MAX_FIXES:
            used += 1
            patch = await worker.ask(Phase.FIX, text, Patch, Effort.LOW)
            try:
                hypothesis = self._made(patch, pieces)
            except InvalidNotebook as misfit:
                why = str(misfit)
                text = misfit_text(why, MAX_FIXES - used - 1)
        told = () if hypothesis else (f"experiment {experiment.number} is not mended: {one_line(why, 300)}",)
        before = max(used - self.failure.repairs - 1, 0)
        remarks = tuple(filter(None, (worker.turned, *told)))
        return Proposal(hypothesis, remarks=remarks, answers=worker.keys, fixes=before)

    def _made(self, patch: Patch, pieces: Sequence[Piece]) -> Hypothesis:
        """The hypothesis with another patch; its claim stays, and so do values that the patch does not name."""
        old = self.failure.experiment.hypothesis
        made = patched(patch, pieces)
        values = checked(made.parameters, self.seen.survey.parameters)
        new = replace(old, edits=made.edits, parameters={**old.parameters, **values})
        if new == old:
            raise InvalidNotebook("it is the patch that has just failed")
        self.seen.evidence.change(new, of=self.failure.experiment.number)
        return new

    def _past(self, pieces: Sequence[Piece]) -> tuple[str, str]:
        """What the worker was asked and what it answered, told again from the log."""
        hypothesis = self.failure.experiment.hypothesis
        asked = patch_text(hypothesis.claim, hypothesis.change, pieces, self._values())
        return asked, msgspec.json.encode(as_patch(hypothesis.edits, hypothesis.parameters)).decode()

    def _pieces(self) -> Sequence[Piece]:
        """The code that the patch was made on: the parent's, or the notebook as the person has it."""
        return self.seen.evidence.pieces(_parent(self.seen, self.failure.experiment))

    def _values(self) -> Parameters:
        parent = _parent(self.seen, self.failure.experiment)
        settings = self.seen.evidence.account(parent).experiment.settings if parent is not None else {}
        return {**self.seen.survey.parameters, **settings}

    def _state(self) -> RunState | None:
        """How the dry run ended, where the log tells."""
        try:
            outcome = self.seen.evidence.account(self.failure.experiment.number).outcome
        except NotFound:  # a view that lags behind the log
            return None
        return outcome.state if outcome is not None else None


def _parent(seen: Seen, experiment: Experiment) -> int | None:
    """The experiment whose code this one's edits were made on."""
    if experiment.parent is not None:
        return experiment.parent
    return seen.baseline.experiment if seen.baseline is not None else None

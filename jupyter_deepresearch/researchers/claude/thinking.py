"""One THINK: a plan, what comes of it by its kind, and what the leader is told where nothing does."""

from dataclasses import dataclass, field, replace

from ...core.answers import Pause, Proposal
from ...core.notes import one_line, shortened
from ...core.research import Change, Meter, Seen
from ...core.types import Hypothesis, HypothesisKind, Parameters, Sweep
from ...errors import InvalidNotebook, ResearcherFailed
from ..llm.talk import Effort, Phase
from ..space import changed
from .blocks import block
from .coding import misfit_text, patch_text
from .conversation import Conversation
from .duplicates import Repeat, repeated, untried
from .leader import objective_line
from .line import Step
from .patching import Patched, checked, patched, settings
from .plans import Findings, Patch, Plan, PlanKind, Written
from .sweeping import Sweeps, space_of, trials_of
from .team import Team
from .worded import CHANGE_CHARS, asked, is_declined, values_in_force, worded

MAX_FIXES = 2

_FINDINGS_CHARS = 1500
_MOST_MINUTES = 1440
_REPEATS = 3
_UNFIT = 1
_LOOKUPS = 2


class _Told(Exception):
    """Nothing came of a plan; the message says to the leader why."""


class _Repeats(_Told):
    """The plan repeats an earlier experiment."""

    def __init__(self, repeat: Repeat) -> None:
        super().__init__(repeat.told)


class _LookedUp(_Told):
    """A colleague answered; now the leader has to decide."""


class NoPlan(ResearcherFailed):
    """The leader's answers came to nothing. They are in the log: the same questions would only find them again."""


@dataclass
class Think:
    """What one THINK has come to so far. ``text`` is all that the leader sees of the project."""

    team: Team
    sweeps: Sweeps
    seen: Seen
    meter: Meter
    step: str
    text: str
    remarks: list[str] = field(default_factory=list)
    spoken: list[Conversation] = field(default_factory=list)
    fixes: int = 0
    lookups: int = 0

    async def proposal(self) -> Proposal:
        """The leader's proposal. A repeat of what was tried is told three times, the last time with what was not; then
        Optuna makes one trial. Raises NoPlan where plans do not fit, and as conversations do."""
        leader = self._spoke(self.team.leader(self.seen, self.meter, Step(f"think {self.step}")))
        repeats = unfit = 0
        text = self.text
        while True:
            plan = await leader.ask(Phase.PLAN, text, Plan)
            try:
                return self._signed(await self._come_of(plan))
            except _Repeats as told:
                repeats += 1
                if repeats > _REPEATS:
                    return self._signed(await self._instead())
                text = self._repeat_text(str(told), repeats)
            except _LookedUp as told:
                self.lookups += 1
                if self.lookups > _LOOKUPS:
                    raise NoPlan("the leader looks things up and comes to no decision") from None
                text = str(told)
            except _Told as told:
                unfit += 1
                if unfit > _UNFIT:
                    raise NoPlan(f"no plan of the leader fits: {one_line(str(told), 300)}") from None
                text = f"Nothing comes of this plan: {shortened(str(told), 800)}\nPlan something else."

    async def _come_of(self, plan: Plan) -> Proposal:
        """What a plan comes to. Raises _Told with what the leader has to know where that is nothing."""
        match plan.kind:
            case PlanKind.WAIT:
                seconds = 60.0 * min(max(plan.minutes, 1), _MOST_MINUTES)
                reason = one_line(plan.change or plan.why or plan.claim, 200) or "the leader wants to wait"
                return Proposal(pause=Pause(reason, seconds))
            case PlanKind.IDEA | PlanKind.REPORT if self.lookups:
                raise _LookedUp("A colleague was asked already. Decide now, with what you know.")
            case PlanKind.IDEA:
                raise _LookedUp(await self._idea(plan))
            case PlanKind.REPORT:
                raise _LookedUp(await self._report(plan))
        if not plan.claim.strip():
            raise _Told("it has no claim; accepted: one sentence that a run can refute")
        try:
            if plan.kind is PlanKind.SWEEP:
                return await self._sweep(plan)
            if plan.kind is PlanKind.CODE:
                return await self._code(plan)
            hypothesis = self._valued(plan)
            return self._new(hypothesis, self.seen.evidence.change(hypothesis))
        except InvalidNotebook as misfit:
            raise _Told(str(misfit)) from None

    def _valued(self, plan: Plan) -> Hypothesis:
        """A plan of kind parameters."""
        if not plan.parameters:
            raise InvalidNotebook("it sets no parameter; accepted: at least one, or another kind")
        return worded(plan, HypothesisKind.PARAMETERS, self._changes(settings(plan.parameters)))

    def _changes(self, chosen: Parameters) -> Parameters:
        """Values in the notebook's types, those that are in force already left out. Raises InvalidNotebook."""
        return changed(checked(chosen, self.seen.survey.parameters), values_in_force(self.seen))

    def _new(self, hypothesis: Hypothesis, change: Change) -> Proposal:
        """A hypothesis that was never tried. Raises _Repeats."""
        if (repeat := repeated(change, self.seen)) is not None:
            raise _Repeats(repeat)
        return Proposal(hypothesis)

    # CODE

    async def _code(self, plan: Plan) -> Proposal:
        """The code worker's patch of a plan; what does not fit is told to it, twice at most in one THINK."""
        worker = self._spoke(self.team.code(self.seen, self.meter, Step(f"patch {self.step}")))
        pieces = self.seen.evidence.pieces(None)
        branch = self.seen.branch.experiment if self.seen.branch else None
        text = patch_text(plan.claim, asked(plan), pieces, values_in_force(self.seen), branch)
        patch = await worker.ask(Phase.PATCH, text, Patch)
        while True:
            try:
                hypothesis = self._made(plan, patched(patch, pieces))
                change = self.seen.evidence.change(hypothesis)
            except InvalidNotebook as misfit:
                if is_declined(patch):
                    raise _Told(f"the programmer cannot do it: {one_line(patch.note, 300)}") from None
                if self.fixes >= MAX_FIXES:
                    raise _Told(f"the programmer found no patch that fits: {misfit}") from None
                self.fixes += 1
                told = misfit_text(str(misfit), MAX_FIXES - self.fixes)
                patch = await worker.ask(Phase.FIX, told, Patch, Effort.LOW)
            else:
                return self._new(hypothesis, change)

    def _made(self, plan: Plan, made: Patched) -> Hypothesis:
        """The hypothesis of a patch; what the plan says of values holds where the patch says nothing."""
        values = self._changes({**settings(plan.parameters), **made.parameters})
        kind = HypothesisKind.CODE if made.edits else HypothesisKind.PARAMETERS
        return replace(worded(plan, kind, values), edits=made.edits)

    # SWEEP

    async def _sweep(self, plan: Plan) -> Proposal:
        space = space_of(self.seen, plan.space)
        sweep = Sweep(trials_of(plan.trials), space.dimensions)
        proposal = await self.sweeps.first(self.seen, worded(plan, HypothesisKind.SWEEP, {}), sweep, self.meter)
        if proposal.hypothesis is None:
            raise _Told(f"a sweep of this space has nothing left to try: {proposal.exhausted}")
        self.seen.evidence.change(proposal.hypothesis)
        return replace(proposal, remarks=(*space.remarks, *proposal.remarks))

    async def _instead(self) -> Proposal:
        """One trial by Optuna where the leader only repeats itself; exhausted where there is nothing to search."""
        self.remarks.append("stagnation: the leader proposed only what was tried before, four times in a row")
        proposal = await self.sweeps.any(self.seen, self.meter)
        if proposal.hypothesis is None:
            return Proposal(exhausted=f"the leader only repeats what was tried before, and {proposal.exhausted}")
        claim = f"{proposal.hypothesis.claim} (chosen by Optuna, as the leader only repeated what was tried)"
        return Proposal(replace(proposal.hypothesis, claim=claim), remarks=proposal.remarks)

    def _repeat_text(self, how: str, repeats: int) -> str:
        said = f"This was tried before: {shortened(how, 700)}"
        if repeats < _REPEATS:
            return f"{said}\nPlan something that was not."
        left = untried(self.seen)
        nothing = "nothing is left of what can be counted: only a new idea helps, or a sweep of wider ranges"
        return (
            f"{said}\nThat is the third repeat in a row: the research stands still. Not tried yet: {left or nothing}.\n"
            "Plan something of a different nature; after one more repeat a sweep decides instead of you."
        )

    # COLLEAGUES

    async def _idea(self, plan: Plan) -> str:
        worker = self._spoke(self.team.idea(self.seen, self.meter, Step(f"idea {self.step}")))
        found = await worker.ask(Phase.IDEA, self._question(plan, "Question"), Findings, Effort.LOW)
        return f"{block('findings', found.findings, _FINDINGS_CHARS)}\nDecide now, with these or without."

    async def _report(self, plan: Plan) -> str:
        worker = self._spoke(self.team.writing(self.seen, self.meter, Step(f"write {self.step}")))
        written = await worker.ask(Phase.WRITING, self._question(plan, "Report on"), Written, Effort.LOW)
        where, summary = one_line(written.path, 120), one_line(written.summary, 300)
        if not self.team.shelf.has_report(written.path):
            self.remarks.append(f"no report was written: {worker.model} names {where!r}, which is not there")
            return "No report was written: that colleague could not. Decide now what is tried next."
        self.remarks.append(f"a report was written: {where}: {summary}")
        return f"The report is written ({where}). Decide now what is tried next."

    def _question(self, plan: Plan, word: str) -> str:
        standing = self.seen.champion or self.seen.baseline
        known = (
            f"The best so far: experiment {standing.experiment}, {one_line(standing.claim, 200)}" if standing else ""
        )
        wish = one_line(plan.change or plan.claim, CHANGE_CHARS)
        brief = block("brief", self.seen.brief, 1200) if self.seen.brief.strip() else ""
        return "\n\n".join(filter(None, (objective_line(self.seen.objective), brief, known, f"{word}: {wish}")))

    # SIGNING

    def _spoke(self, conversation: Conversation) -> Conversation:
        self.spoken.append(conversation)
        return conversation

    def _signed(self, proposal: Proposal) -> Proposal:
        """The proposal with what it cost, and what the person should know of how it came about."""
        answers = tuple(dict.fromkeys(key for conversation in self.spoken for key in conversation.keys))
        turned = filter(None, (conversation.turned for conversation in self.spoken))
        told = (*self.remarks, *turned, *proposal.remarks)
        return replace(proposal, answers=answers, fixes=self.fixes, remarks=tuple(dict.fromkeys(told)))

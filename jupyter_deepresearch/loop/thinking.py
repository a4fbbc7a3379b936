"""The phases that ask the researcher: THINK, the repair of a failed dry run, REFLECT."""

from dataclasses import replace

from ..core import events as ev
from ..core.answers import Lesson, Proposal
from ..core.budget import ended_by
from ..core.growth import coded, grow, revise, standing
from ..core.project import ApprovalMode
from ..core.research import Change, RunFailure, Seen
from ..core.state import State, Work
from ..core.types import Hypothesis, HypothesisKind, OpenSweep, StopReason
from ..errors import BudgetReached, ResearcherFailed, ResearcherStopped
from .evidence import LedgerEvidence
from .holds import ASKING
from .logbook import Logbook

_BY_ITSELF = Proposal()


class _Outdated(Exception):
    """What a hypothesis was made for has changed while it was thought of."""


class Thinking:
    """What the researcher is asked, and how its answers get into the log."""

    def __init__(self, log: Logbook) -> None:
        self._log = log
        self._parts = log.parts
        self._remarks: tuple[str, ...] = ()

    async def think(self, state: State) -> None:
        """The next hypothesis; the end of the project where there is none and nothing is open."""
        try:
            proposal = await self._parts.researcher.think(self._seen(state), self._parts.meter)
        except BudgetReached as error:
            self._log.append(_out_of_budget(error))
            return
        except (ResearcherFailed, ResearcherStopped) as error:
            self._is_out(error)
            return
        self._log.worked(ASKING, "the researcher answers again")
        self._announce(proposal.remarks)
        if proposal.hypothesis is not None:
            self._propose(proposal.hypothesis, state, proposal)
        elif proposal.pause is not None:
            self._log.append(ev.Postponed(proposal.pause.reason, self._parts.clock.now() + proposal.pause.seconds))
        elif not state.open_works:
            why = proposal.exhausted or "the researcher has nothing more to try"
            self._log.append(ev.Finished(StopReason.EXHAUSTED, why))
        else:
            self._log.holds.until_news(self._log.state().seq)

    async def propose_baseline(self, state: State) -> None:
        """The person's notebook as it is, as an experiment of its own.

        A researcher that will not be able to answer, for a wrong key, is told of before the first run, not after it.
        """
        try:
            self._announce(await self._parts.researcher.prepare(self._seen(state), self._parts.meter))
        except ResearcherStopped as error:
            self._is_out(error)
            return
        except (BudgetReached, ResearcherFailed) as error:
            self._log.append(ev.Announced(f"the researcher cannot answer yet, the baseline runs meanwhile: {error}"))
        self._propose(Hypothesis("baseline: the notebook as it is", HypothesisKind.BASELINE), None)

    def _propose(self, hypothesis: Hypothesis, seen: State | None, of: Proposal = _BY_ITSELF) -> None:
        """Number the hypothesis at the moment of writing: a person's own may have come in between.

        One that the project has no cycle for any more, or that was made for another measure or branch, is dropped.
        """
        fresh = [n for n in seen.directives if n.instruction.fresh] if seen else []

        def proposed(state: State | None) -> ev.Event:
            assert state is not None
            if seen is not None and (_is_outdated(seen, state) or ended_by(state.project, state) is not None):
                raise _Outdated
            experiment = coded(self._parts.history, grow(state, hypothesis))
            read = tuple(n.instruction.seq for n in fresh)
            return ev.Proposed(experiment, read, answers=of.answers, fixes=of.fixes)

        try:
            self._parts.ledger.append(proposed, epoch=self._log.epoch)
        except _Outdated:
            return
        for note in fresh:
            if note.digest is not None:
                self._parts.desk.settle(note.digest)

    async def repair(self, state: State, work: Work) -> bool:
        """A mended hypothesis, asked again where it touches other cells; False where nothing can be mended."""
        failure = RunFailure(work.experiment, work.attempts[-1].outcome.error, work.repairs + work.fixes)
        old, proposal = work.experiment.hypothesis, Proposal()
        if self._parts.researcher.can_repair:
            try:
                proposal = await self._parts.researcher.repair(self._seen(state), failure, self._parts.meter)
            except BudgetReached as error:
                self._log.append(ev.Announced(f"experiment {work.number} is not repaired: {error}"))
            except (ResearcherFailed, ResearcherStopped) as error:
                self._is_out(error)
                return True
            self._log.worked(ASKING, "the researcher answers again")
            self._say(proposal.remarks)
        new = proposal.hypothesis or old
        if new == old:
            return False
        ask = state.project.approval.mode is ApprovalMode.ASK and not _places(new) <= _places(old)
        self._log.append(ev.Repaired(revise(self._parts.history, work.experiment, new), ask, proposal.fixes))
        return True

    async def reflect(self, state: State, work: Work) -> None:
        """The lesson of a verdict; without a budget for it, the verdict's own reason."""
        assert work.verdict is not None
        ask = self._parts.researcher.reflect
        try:
            lesson = await ask(self._seen(state), work.experiment, work.verdict, self._parts.meter)
        except BudgetReached:
            lesson = Lesson(work.verdict.reason)
        except (ResearcherFailed, ResearcherStopped) as error:
            self._is_out(error)
            return
        self._log.worked(ASKING, "the researcher answers again")
        self._say(lesson.remarks)
        self._log.append(ev.Reflected(work.number, replace(lesson, remarks=())))
        self._log.write_memory()

    def _is_out(self, error: ResearcherFailed | ResearcherStopped) -> None:
        """Nothing is lost: the step is taken again after a while, or once the person has done what it takes."""
        if isinstance(error, ResearcherStopped):
            self._log.append(ev.Failed(str(error), by="researcher"))
        else:
            self._log.put_off(ASKING, f"the researcher cannot answer: {error}", error.retry_after_s or 0.0)

    def _announce(self, remarks: tuple[str, ...]) -> None:
        """Say what the researcher remarked, once as long as it says the same."""
        if remarks != self._remarks:
            self._remarks = remarks
            self._say(remarks)

    def _say(self, remarks: tuple[str, ...]) -> None:
        for remark in remarks:
            self._log.append(ev.Announced(remark))

    def _seen(self, state: State) -> Seen:
        history, measure = self._parts.history, state.measure
        own = state.survey.parameters
        return Seen(
            objective=state.project.objective,
            cycle=state.next_cycle,
            brief=state.brief,
            memory=state.memory.render(state.project.objective),
            survey=state.survey,
            baseline=standing(state, state.baseline),
            champion=standing(state, state.champion),
            branch=standing(state, state.branch),
            directives=tuple(n.instruction for n in state.directives),
            trials=lambda after: history.trials(measure, after),
            evidence=LedgerEvidence(self._parts, state),
            options=state.project.researcher,
            measure=measure,
            turn=state.turn,
            since_gain=state.since_gain,
            latest=state.latest,
            sweep=_open_sweep(state),
            calls=state.bill.total.calls,
            pending=tuple(
                Change(w.experiment.sense, {**own, **w.experiment.settings}) for w in state.open_works if not w.verdict
            ),
            waiting=tuple({**own, **w.experiment.settings} for w in state.open_works if _is_on_base(state, w)),
        )


def _out_of_budget(error: BudgetReached) -> ev.Event:
    """A day's budget is waited out, one of the whole project ends it."""
    if error.until is not None:
        return ev.Postponed(str(error), error.until)
    return ev.Finished(StopReason(error.reason), str(error))


def _open_sweep(state: State) -> OpenSweep | None:
    if state.sweep is None:
        return None
    trials = [w for w in state.works.values() if w.experiment.sweep == state.sweep.first]
    return replace(state.sweep, unjudged=sum(not w.is_decided for w in trials))


def _is_outdated(seen: State, now: State) -> bool:
    """Whether a hypothesis thought of at ``seen`` would grow from something else now than its thinker had before it."""
    branches = [state.branch.number if state.branch else None for state in (seen, now)]
    return seen.measure != now.measure or branches[0] != branches[1]


def _is_on_base(state: State, work: Work) -> bool:
    """Whether a work differs in values alone from what the next hypothesis grows from."""
    code = state.base.experiment.code if state.base else ""
    return not work.is_baseline and work.experiment.code == code


def _places(hypothesis: Hypothesis) -> set[str]:
    """What a hypothesis edits."""
    return {edit.where for edit in hypothesis.edits}

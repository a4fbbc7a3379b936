"""``next_step``: what comes next, from the state alone. Pure: the loop performs it and appends what came of it."""

from collections.abc import Collection, Iterator
from itertools import chain

from .budget import ended_by, spent
from .needs import is_ready, may_repair, missing_seeds, needed
from .project import ApprovalMode, Project
from .state import State, Work
from .steps import AutoApprove, Baseline, Fail, Judge, Launch, Reflect, Repair, Rest, Step, Think, Wait, Watch
from .types import Decision, StopReason


def next_step(project: Project, state: State, now: float, put_off: Collection[type[Step]] = ()) -> Step:
    """The one thing to do next. ``now`` is wall time in seconds since 1970.

    Steps of the kinds in ``put_off`` are passed over (what they need cannot be had right now): the loop goes on with
    what else there is, and watches or waits where there is nothing.
    """
    steps = chain(_close(project, state), _recover(state), _start(project, state, now))
    return next((s for s in steps if type(s) not in put_off), None) or _rest(project, state, now)


def _close(project: Project, state: State) -> Iterator[Step]:
    """Ended runs first: verdicts, then lessons. With one run at a time nobody is asked anything while it lives."""
    may_ask = not (state.failed and state.failed.is_researchers) and not (state.runs and _is_serial(project))
    for work in _sorted(state):
        if work.is_decided:
            step = _conclude(state, work)
            if may_ask or not isinstance(step, Reflect):
                yield step
        elif is_ready(state, work):
            yield Judge(work)
    for rank in (state.baseline, state.champion):
        if rank is not None and rank.is_outdated and rank.number not in state.works:
            yield Judge(rank)


def _conclude(state: State, work: Work) -> Step:
    assert work.verdict is not None
    is_current = work.is_baseline and work.experiment.measure == state.measure
    if is_current and work.verdict.decision is Decision.FAILED:
        return Fail(f"the baseline failed: {work.verdict.reason}")
    return Reflect(work)


def _recover(state: State) -> Iterator[Step]:
    """Runs that were planned and may not have started; runs to be cancelled."""
    for open_run in state.runs.values():
        if open_run.handle is None:
            yield Launch(open_run.run)
    cancel = tuple(k for k, r in state.runs.items() if r.cancelled or state.stopped)
    if cancel:
        yield Watch(tuple(state.runs), cancel)


def _start(project: Project, state: State, now: float) -> Iterator[Step]:
    """Something new, where a slot is free and nothing forbids it."""
    free = project.launcher.max_parallel - len(state.runs)
    if free <= 0 or state.failed or state.stopped or state.paused or spent(project, state) is not None:
        return
    for work in _sorted(state):
        if not work.waiting:
            yield from _advance(state, work)
    overdue = _overdue(project, state)
    if overdue is not None and overdue[1] <= now:
        yield AutoApprove(overdue[0])
    if state.baseline is None:
        if not any(w.is_baseline and w.wanted is None for w in state.works.values()):
            yield Baseline()
        return
    waiting = sum(w.waiting for w in state.open_works)
    if waiting < free and state.finished is None and ended_by(project, state) is None and _may_think(state, now):
        yield Think()
    if waiting:
        yield from map(Launch, missing_seeds(state, state.baseline))


def _is_serial(project: Project) -> bool:
    return project.launcher.max_parallel == 1


def _may_think(state: State, now: float) -> bool:
    """Whether nothing but the budget is in the way of a further hypothesis."""
    opener = state.works.get(state.sweep.first) if state.sweep is not None else None
    is_answered = opener is None or not opener.waiting  # a sweep is approved before its further trials are proposed
    return is_answered and (state.postponed is None or now >= state.postponed.until)


def _advance(state: State, work: Work) -> Iterator[Step]:
    if may_repair(work) and not state.runs_of(work.number):
        yield Repair(work)
        return
    yield from (Launch(run) for run in needed(state, work) if run.id not in state.runs)


def _rest(project: Project, state: State, now: float) -> Step:
    """Nothing can be started: watch, wait, or come to an end."""
    overdue = _overdue(project, state)
    moments = [overdue[1]] if overdue else []
    until = min([*moments, *([state.postponed.until] if state.postponed else [])], default=None)
    if state.runs:
        return Watch(tuple(state.runs), until=until)
    if state.failed or state.stopped:
        return Rest()
    if state.paused:
        return Wait()
    end, is_over = spent(project, state), _is_over(project, state)
    if end is None and any(not (w.waiting and is_over) for w in state.open_works):
        return Wait(until)
    if state.finished is not None:
        return Rest()
    return end or ended_by(project, state) or Wait(until)


def _is_over(project: Project, state: State) -> bool:
    """Whether hypotheses that still wait for a person need no answer any more."""
    end = ended_by(project, state)
    return end is not None and end.reason in (StopReason.TARGET, StopReason.PATIENCE)


def approved_at(project: Project, state: State, work: Work) -> float | None:
    """When a waiting hypothesis is approved if nobody answers, in wall seconds; None where it waits for a person, or
    until one lets the project go on."""
    if not work.waiting or state.paused or state.stopped or state.failed or spent(project, state) is not None:
        return None
    minutes = _minutes(project)
    return work.proposed_at + 60 * minutes if minutes is not None and work in _asked(project, state) else None


def _minutes(project: Project) -> float | None:
    """So long a hypothesis that waits is left to the person."""
    return 0.0 if project.approval.mode is ApprovalMode.AUTO else project.approval.auto_after_minutes


def _asked(project: Project, state: State) -> tuple[Work, ...]:
    """The works that are approved in time.

    A person's own edit is theirs to approve wherever hypotheses run without being asked about, and where no cycle is
    left for it.
    """
    if _is_over(project, state):
        return ()
    is_auto = project.approval.mode is ApprovalMode.AUTO
    no_offers = is_auto or state.finished is not None or ended_by(project, state) is not None
    return state.open_works if no_offers else tuple(state.works.values())


def _overdue(project: Project, state: State) -> tuple[int, float] | None:
    """The waiting hypothesis that is approved first if nobody answers, and when."""
    minutes = _minutes(project)
    waiting = [(w.proposed_at, w.number) for w in _asked(project, state) if w.waiting]
    if minutes is None or not waiting:
        return None
    at, number = min(waiting)
    return number, at + 60 * minutes


def _sorted(state: State) -> list[Work]:
    return [state.works[k] for k in sorted(state.works)]

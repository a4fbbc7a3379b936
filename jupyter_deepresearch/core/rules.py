"""``next_step``: what comes next, from the state alone. Pure: the loop performs it and appends what came of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from .project import Project
from .state import Attempt, State, Work
from .statistics import mean
from .types import Decision, Purpose, Run, RunState, StopReason

MAX_REPAIRS = 2
MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Baseline:
    """Propose the person's notebook as it is."""


@dataclass(frozen=True)
class Think:
    """Ask the researcher for a hypothesis."""


@dataclass(frozen=True)
class Repair:
    """Ask the researcher to mend an experiment whose dry run failed."""

    work: Work


@dataclass(frozen=True)
class AutoApprove:
    """Nobody answered in time: the hypothesis may run."""

    experiment: int


@dataclass(frozen=True)
class Launch:
    """Start a run, or find it again where its start may have been cut off."""

    run: Run


@dataclass(frozen=True)
class Watch:
    """Wait for a live run to end, after asking those in ``cancel`` to. No longer than until ``until`` (wall time)."""

    runs: tuple[str, ...]
    cancel: tuple[str, ...] = ()
    until: float | None = None


@dataclass(frozen=True)
class Judge:
    """Give a verdict."""

    work: Work


@dataclass(frozen=True)
class Reflect:
    """Ask the researcher for the lesson; the cycle is over after it."""

    work: Work


@dataclass(frozen=True)
class Wait:
    """Nothing to do before a person says something, or ``until`` (wall time)."""

    until: float | None = None


@dataclass(frozen=True)
class Finish:
    """The project has come to its end."""

    reason: StopReason
    sentence: str


@dataclass(frozen=True)
class Fail:
    """The project cannot go on without the person."""

    sentence: str


@dataclass(frozen=True)
class Rest:
    """The project has ended, failed or been stopped, and nothing is live."""


Step = Baseline | Think | Repair | AutoApprove | Launch | Watch | Judge | Reflect | Wait | Finish | Fail | Rest


def next_step(project: Project, state: State, now: float) -> Step:
    """The one thing to do next. ``now`` is wall time in seconds since 1970."""
    return _close(state) or _recover(state) or _start(project, state, now) or _rest(project, state, now)


def _close(state: State) -> Step | None:
    """Ended runs first: verdicts, then lessons."""
    for work in _sorted(state):
        final = work.verdict is not None and work.verdict.decision.is_final
        if final and work.wanted is None:
            assert work.verdict is not None
            if work.is_baseline and work.verdict.decision is Decision.FAILED:
                return Fail(f"the baseline failed: {work.verdict.reason}")
            return Reflect(work)
        if not work.waiting and not state.runs_of(work.number) and _is_ready(state, work):
            return Judge(work)
    for rank in (state.baseline, state.champion):
        if rank is not None and rank.is_outdated and rank.number not in state.works:
            return Judge(rank)
    return None


def _is_ready(state: State, work: Work) -> bool:
    """Whether the work's outcomes are news and nothing of it has to run (or be repaired) before a verdict."""
    if len(work.attempts) <= work.judged and work.wanted is None:
        return False
    if work.wanted is not None:
        return next(_needed(state, work), None) is None
    last = work.attempts[-1]
    if last.run.purpose is Purpose.DRY_RUN:
        return not _may_repair(work, last) and next(_needed(state, work), None) is None
    return not _is_void(work, last)


def _recover(state: State) -> Step | None:
    """Runs that were planned and may not have started; runs to be cancelled."""
    for open_run in state.runs.values():
        if open_run.handle is None:
            return Launch(open_run.run)
    cancel = tuple(k for k, r in state.runs.items() if r.cancelled or state.stopped)
    return Watch(tuple(state.runs), cancel) if cancel else None


def _start(project: Project, state: State, now: float) -> Step | None:
    """Something new, where a slot is free and nothing forbids it."""
    free = project.launcher.max_parallel - len(state.runs)
    if free <= 0 or state.failed or state.stopped or state.paused or _spent(project, state) is not None:
        return None
    for work in _sorted(state):
        if not work.waiting:
            step = _advance(state, work)
            if step is not None:
                return step
    overdue = _overdue(project, state)
    if overdue is not None and overdue[1] <= now:
        return AutoApprove(overdue[0])
    if state.baseline is None:
        return None if state.works else Baseline()
    waiting = sum(w.waiting for w in state.works.values())
    if waiting < free and state.finished is None and ended_by(project, state) is None:
        return Think()
    idle = next(_missing_seeds(state, state.baseline), None) if waiting else None
    return Launch(idle) if idle else None


def _advance(state: State, work: Work) -> Step | None:
    last = work.attempts[-1] if work.attempts else None
    if last is not None and _may_repair(work, last) and not state.runs_of(work.number):
        return Repair(work)
    run = next((r for r in _needed(state, work) if r.id not in state.runs), None)
    return Launch(run) if run else None


def _rest(project: Project, state: State, now: float) -> Step:
    """Nothing can be started: watch, wait, or come to an end."""
    overdue = _overdue(project, state)
    until = overdue[1] if overdue else None
    if state.runs:
        return Watch(tuple(state.runs), until=until)
    if state.failed or state.stopped:
        return Rest()
    if state.paused:
        return Wait()
    spent = _spent(project, state)
    if spent is None and state.works:
        return Wait(until)
    if state.finished is not None:
        return Rest()
    return spent or ended_by(project, state) or Wait(until)


def _needed(state: State, work: Work) -> Iterator[Run]:
    """The runs that this work still needs, the next ones first; several may be live at once."""
    if work.wanted is not None:
        for seed in range(1, work.wanted + 1):
            if seed not in work.values:
                yield from _again(work, Purpose.REPRODUCE, seed)
        return
    if work.is_baseline:
        yield from _again(work, Purpose.BASELINE, 1)
        return
    if state.baseline is None:
        return
    if state.survey.dry_run and (work.experiment.hypothesis.edits or work.experiment.source):
        passed = any(a.run.purpose is Purpose.DRY_RUN and a.outcome.state is RunState.SUCCEEDED for a in work.attempts)
        if not passed:
            yield from _again(work, Purpose.DRY_RUN, 1, after_repairs=work.repairs)
            return
    yield from _again(work, Purpose.CANDIDATE, 1)
    if work.verdict is not None and work.verdict.decision is Decision.PROMISING:
        if state.champion is not None and state.champion.number != work.number:
            yield from _missing_seeds(state, state.champion)
        for seed in range(2, state.project.trust.seeds + 1):
            yield from _again(work, Purpose.CONFIRM, seed)


def _missing_seeds(state: State, rank: Work) -> Iterator[Run]:
    """Further seeds of the baseline or the champion, up to ``trust.seeds``."""
    for seed in range(2, state.project.trust.seeds + 1):
        if seed not in rank.values:
            yield from (r for r in _again(rank, Purpose.CONFIRM, seed) if r.id not in state.runs)


def _again(work: Work, purpose: Purpose, seed: int, after_repairs: int = 0) -> Iterator[Run]:
    """The run of this purpose and seed, unless it has been made; a void one is made once more."""
    made = work.of_seed(purpose, seed)
    if not made:
        yield Run(work.number, purpose, seed)
    elif _is_void(work, made[-1]) or len(made) <= after_repairs:
        yield made[-1].run.again()


def _is_void(work: Work, attempt: Attempt) -> bool:
    """Whether an attempt says nothing of its experiment: the first loss of a seed, an end by nobody's wish."""
    if attempt.run.attempt >= MAX_ATTEMPTS:
        return False
    made = work.of_seed(attempt.run.purpose, attempt.run.seed_index)
    if attempt.outcome.state is RunState.LOST:
        return sum(a.outcome.state is RunState.LOST for a in made) == 1
    return attempt.outcome.state is RunState.CANCELLED and not attempt.by_person


def _may_repair(work: Work, last: Attempt) -> bool:
    failed = last.run.purpose is Purpose.DRY_RUN and last.outcome.state is not RunState.SUCCEEDED
    made = len(work.of_seed(Purpose.DRY_RUN, 1))
    return failed and not _is_void(work, last) and not last.by_person and made > work.repairs < MAX_REPAIRS


def _sorted(state: State) -> list[Work]:
    return [state.works[k] for k in sorted(state.works)]


def _overdue(project: Project, state: State) -> tuple[int, float] | None:
    """The waiting hypothesis that is approved first if nobody answers, and when."""
    minutes = project.approval.auto_after_minutes
    waiting = [(w.proposed_at, w.number) for w in state.works.values() if w.waiting]
    if minutes is None or not waiting:
        return None
    at, number = min(waiting)
    return number, at + 60 * minutes


def _spent(project: Project, state: State) -> Finish | None:
    """A budget that forbids every further run."""
    budget = project.budget
    if budget.hours is not None and state.worked_s >= 3600 * budget.hours:
        return Finish(StopReason.HOURS, f"{budget.hours:g} hours of work reached")
    if budget.gpu_hours is not None and state.gpu_s >= 3600 * budget.gpu_hours:
        return Finish(StopReason.GPU_HOURS, f"{budget.gpu_hours:g} GPU hours reached")
    if state.finished is not None and state.finished.reason is StopReason.DISK:
        return Finish(state.finished.reason, state.finished.sentence)
    return None


def ended_by(project: Project, state: State) -> Finish | None:
    """What forbids a further hypothesis, None where one may be asked for."""
    budget, champion = project.budget, state.champion
    if champion is not None and champion.verdict is not None and champion.verdict.decision is Decision.CONFIRMED:
        value = mean(list(champion.values.values()))
        if project.objective.reaches_target(value):
            target = project.objective.target
            return Finish(
                StopReason.TARGET, f"the target {target:g} is reached: {value:.6g} in experiment {champion.number}"
            )
    if budget.cycles is not None and state.cycles >= budget.cycles:
        return Finish(StopReason.CYCLES, f"{budget.cycles} cycles done")
    if budget.patience is not None and state.since_gain >= budget.patience:
        return Finish(StopReason.PATIENCE, f"no confirmed gain in {state.since_gain} cycles")
    return None


def deadline(project: Project, state: State) -> tuple[float, str] | None:
    """The seconds that a run starting now may take, and the key that says so. None without a limit."""
    budget, limits = project.budget, []
    if budget.run_minutes is not None:
        limits.append((60 * budget.run_minutes, "budget.run_minutes"))
    if budget.hours is not None:
        limits.append((max(1.0, 3600 * budget.hours - state.worked_s), "budget.hours"))
    if budget.gpu_hours is not None and project.launcher.gpus != "none":
        per_run = max(1, project.launcher.gpus_per_run) * max(1, project.launcher.max_parallel)
        limits.append((max(1.0, (3600 * budget.gpu_hours - state.gpu_s) / per_run), "budget.gpu_hours"))
    return min(limits) if limits else None

"""The status object of a project: its state, what is happening and why, in one sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..core.answers import Usage
from ..core.memory import LOG_LIMIT_CHARS
from ..core.ports import Progress, Resources, RunRecords
from ..core.project import BRIEF_LIMIT_CHARS, Objective
from ..core.rules import approved_at
from ..core.state import OpenRun, State, Work
from ..core.statistics import interval95, mean
from ..core.types import Experiment, Parameters, ProjectState, Purpose
from .cost import reflections
from .past import Rows, nearest
from .remaining import estimate, expected_s
from .remembered import Remembered
from .views import (
    LatestView,
    Life,
    MemoryView,
    NearestView,
    ObjectiveView,
    PhaseView,
    RankView,
    ResourcesView,
    RunView,
    StatusView,
    SweepView,
    UsageView,
    WaitingView,
)


@dataclass(frozen=True)
class Situation:
    """What a status is made of."""

    state: State
    path: str
    rows: Rows
    records: RunRecords
    life: Life = field(default_factory=lambda: Life(True))
    place: str | None = None
    remembered: Remembered = field(default_factory=Remembered)
    runs_with: Callable[[int], Parameters] = field(default=lambda number: {})


def status(at: Situation) -> StatusView:
    """The status object of the contract."""
    state = at.state
    word, reason, running = course(at)
    baseline, champion = ranks(at)
    return StatusView(
        id=state.opened.project_id,
        project=state.project.name,
        path=at.path,
        state=word,
        reason=reason,
        stop_reason=_stop_reason(state),
        cycle=state.cycles,
        cycles=state.project.budget.cycles,
        objective=objective(state.project.objective),
        baseline=baseline,
        champion=champion,
        running=running,
        waiting=tuple(_waiting(at, w) for w in state.works.values() if w.waiting),
        usage=usage(state),
        memory=MemoryView(
            len(state.brief), len(state.memory.render(state.project.objective)), BRIEF_LIMIT_CHARS + LOG_LIMIT_CHARS
        ),
        space=tuple(map(str, state.survey.space)),
        remarks=tuple(filter(None, [*state.survey.remarks, state.announced])),
        seq=state.seq,
        place=at.place,
        branch=state.branch.number if state.branch else None,
    )


def course(at: Situation) -> tuple[ProjectState, str, tuple[RunView, ...]]:
    """The project's state, why in one sentence, and the live runs that say so."""
    word, reason = _course(at)
    running = tuple(_run(at, r, at.records.progress(k) or Progress()) for k, r in at.state.runs.items())
    return word, _doing(at.state, running) if word is ProjectState.RUNNING else reason, running


def ranks(at: Situation) -> tuple[RankView | None, RankView | None]:
    """Baseline and champion."""
    return _rank(at.rows, at.state.baseline), _rank(at.rows, at.state.champion)


def _course(at: Situation) -> tuple[ProjectState, str]:
    """The first state that holds, with its reason; for RUNNING the caller says what is being done."""
    state = at.state
    if state.failed is not None:
        return ProjectState.FAILED, state.failed.sentence
    if state.finished is not None:
        return ProjectState.FINISHED, state.finished.sentence
    if state.stopped:
        return ProjectState.STOPPED, "stopped by you" if not state.runs else "stopping: live runs are being cancelled"
    if not at.life.alive:
        return ProjectState.STOPPED, at.life.trouble or "nobody is researching it now: start it to go on"
    if state.paused:
        live = f"; {len(state.runs)} live run(s) finish first" if state.runs else ""
        return ProjectState.PAUSED, f"paused by you{live}"
    waiting = [w for w in state.open_works if w.waiting]
    if waiting and not state.runs and len(waiting) == len(state.open_works):
        names = ", ".join(f"#{w.number}" for w in waiting)
        return ProjectState.WAITING_APPROVAL, f"waiting for your approval of {names}"
    return ProjectState.RUNNING, ""


def _stop_reason(state: State) -> str | None:
    if state.finished is not None:
        return state.finished.reason.value
    return "person" if state.stopped else None


def _doing(state: State, running: Sequence[RunView]) -> str:
    if not running:
        if state.postponed is not None:
            return f"waiting: {state.postponed.reason}"
        if state.baseline is None:
            return "starting the baseline"
        grown = f", growing from #{state.branch.number} as you asked" if state.branch else ""
        return f"cycle {state.next_cycle}: thinking of the next hypothesis{grown}"
    first = running[0]
    work = state.works.get(first.experiment)
    claim = f' "{work.experiment.hypothesis.claim}"' if work else f" experiment {first.experiment}"
    if first.purpose is Purpose.BASELINE:
        claim = " the baseline"
    cycle = f"cycle {work.experiment.cycle}: " if work and work.experiment.cycle else ""
    word = "dry run of" if first.purpose is Purpose.DRY_RUN else "running"
    parts = [f"{cycle}{word}{claim}"]
    if first.seed > 1:
        parts.append(f"seed {first.seed}")
    if first.latest is not None and first.latest.step is not None:
        parts.append(f"step {first.latest.step:g}")
    if first.remaining_s is not None:
        parts.append(f"about {_duration(first.remaining_s)} left")
    if first.note:
        parts.append(first.note)
    if len(running) > 1:
        parts.append(f"and {len(running) - 1} more")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def objective(value: Objective) -> ObjectiveView:
    """An objective with its constraints as a person writes them."""
    return ObjectiveView(
        value.metric,
        value.direction.value,
        value.min_delta,
        value.target,
        value.value.value,
        tuple(str(c) for c in value.constraints),
    )


def _rank(rows: Rows, work: Work | None) -> RankView | None:
    if work is None or not work.values:
        return None
    values = list(work.values.values())
    found = rows.query("SELECT notebook FROM experiments WHERE experiment = ?", work.number)
    notebook = found[0][0] if found else None
    return RankView(
        work.number, mean(values), interval95(values), len(values), notebook, work.experiment.hypothesis.claim
    )


def _run(at: Situation, open_run: OpenRun, seen: Progress) -> RunView:
    run = open_run.run
    return RunView(
        run.id,
        run.experiment,
        run.purpose,
        run.seed_index,
        seen.pid,
        seen.kernel_pid,
        seen.elapsed_s,
        LatestView(seen.step, seen.values) if seen.values else None,
        "being cancelled" if open_run.cancelled else seen.note,
        expected_s(at.state, at.records, open_run, seen),
        _resources(seen.resources),
    )


def _resources(taken: Resources | None) -> ResourcesView | None:
    if taken is None:
        return None
    return ResourcesView(taken.cpu_percent, taken.memory_bytes, taken.gpu_percent, taken.gpu_memory_bytes)


def _waiting(at: Situation, work: Work) -> WaitingView:
    hypothesis = work.experiment.hypothesis
    sweep = hypothesis.sweep
    return WaitingView(
        work.number,
        hypothesis.claim,
        hypothesis.rationale,
        hypothesis.kind,
        hypothesis.parameters,
        work.experiment.edits,
        estimate(at.state, work, reflections(at.rows)),
        at.remembered.answer(("nearest", work.number), at.state.seq, lambda: _nearest(at, work)),
        None if sweep is None else SweepView(sweep.trials, tuple(map(str, sweep.space))),
        hypothesis.expected,
        work.experiment.parent,
        _before(at, work.experiment),
        approved_at(at.state.project, at.state, work),
        work.proposed_at,
    )


def _before(at: Situation, experiment: Experiment) -> Parameters:
    """What its parent, or without one the person's own notebook, runs with, for the names that it changes."""
    names, parent = experiment.hypothesis.parameters, experiment.parent
    if not names:
        return {}
    own = at.state.survey.parameters
    if parent is None:
        return {name: own[name] for name in names if name in own}
    found = at.remembered.answer(("runs with", parent), at.state.own, lambda: at.runs_with(parent))
    return {name: found[name] for name in names if name in found}


def _nearest(at: Situation, work: Work) -> NearestView | None:
    return nearest(at.rows, work, at.state.measure, at.state.survey.parameters)


def usage(state: State) -> UsageView:
    """What LLM calls have cost, in all and by phase."""

    def phase(u: Usage) -> PhaseView:
        return PhaseView(u.calls, u.tokens_in, u.tokens_out, u.usd)

    total = phase(state.bill.total)
    by_phase = {name: phase(u) for name, u in state.bill.by_phase.items()}
    return UsageView(total.calls, total.tokens_in, total.tokens_out, total.usd, by_phase)

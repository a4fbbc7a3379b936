"""The contract's JSON shapes as frozen dataclasses, made from a state, the history and the run folders."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from .core.events import Record, kind_of
from .core.memory import LOG_LIMIT_CHARS
from .core.ports import Progress, RunRecords
from .core.project import BRIEF_LIMIT_CHARS, Objective
from .core.state import OpenRun, State, Work
from .core.statistics import interval95, mean
from .core.types import (
    Decision,
    Edit,
    HypothesisKind,
    Parameters,
    ProjectState,
    Purpose,
    RunState,
    Usage,
    Value,
)


class Rows(Protocol):
    """What the views ask of a store."""

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class ObjectiveView:
    metric: str
    direction: str
    min_delta: float
    target: float | None
    value: str
    constraints: tuple[str, ...]


@dataclass(frozen=True)
class RankView:
    experiment: int
    value: float
    interval: tuple[float, float] | None
    seeds: int
    notebook: str | None
    claim: str


@dataclass(frozen=True)
class LatestView:
    step: float | None
    values: Mapping[str, float]


@dataclass(frozen=True)
class RunView:
    run: str
    experiment: int
    purpose: Purpose
    seed: int
    pid: int | None
    kernel_pid: int | None
    elapsed_s: float | None
    latest: LatestView | None
    note: str = ""


@dataclass(frozen=True)
class EstimateView:
    """``minutes`` None where nothing has run yet; ``basis`` says where the numbers come from."""

    minutes: float | None
    usd: float
    basis: str


@dataclass(frozen=True)
class NearestView:
    experiment: int
    claim: str
    decision: str
    value: float | None


@dataclass(frozen=True)
class WaitingView:
    hypothesis: int
    claim: str
    rationale: str
    kind: HypothesisKind
    parameters: Parameters
    edits: tuple[Edit, ...]
    estimate: EstimateView
    nearest: NearestView | None


@dataclass(frozen=True)
class PhaseView:
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float


@dataclass(frozen=True)
class UsageView:
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float
    by_phase: Mapping[str, PhaseView]


@dataclass(frozen=True)
class MemoryView:
    brief_chars: int
    log_chars: int
    limit_chars: int


@dataclass(frozen=True)
class StatusView:
    """One project's state; ``project`` is its name, ``path`` its folder."""

    id: str
    project: str
    path: str
    state: ProjectState
    reason: str
    stop_reason: str | None
    cycle: int
    cycles: int | None
    objective: ObjectiveView
    baseline: RankView | None
    champion: RankView | None
    running: tuple[RunView, ...]
    waiting: tuple[WaitingView, ...]
    usage: UsageView
    memory: MemoryView
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExperimentView:
    """One row of the history. ``interval`` is null below two seeds."""

    experiment: int
    cycle: int | None
    parent: int | None
    claim: str
    kind: HypothesisKind
    parameters: Parameters
    edits: tuple[Edit, ...]
    state: RunState
    decision: Decision | None
    value: float | None
    interval: tuple[float, float] | None
    seeds: int
    elapsed_s: float | None
    usd: float
    notebook: str | None
    reason: str | None = None
    measure: int = 1


@dataclass(frozen=True)
class MemoryTexts:
    """Both tiers as they would be sent, and the person's own lines."""

    brief: str
    log: str
    notes: str


@dataclass(frozen=True)
class Life:
    """Whether somebody researches the project right now, and what it says of itself where not."""

    alive: bool
    trouble: str = ""


@dataclass(frozen=True)
class Situation:
    """What a status is made of."""

    state: State
    path: str
    rows: Rows
    records: RunRecords
    life: Life = field(default_factory=lambda: Life(True))


def status(at: Situation) -> StatusView:
    """The status object of the contract."""
    state = at.state
    word, reason = _course(at)
    running = tuple(_run(r, at.records.progress(k)) for k, r in state.runs.items())
    if word is ProjectState.RUNNING:
        reason = _doing(state, running)
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
        baseline=_rank(at.rows, state.baseline),
        champion=_rank(at.rows, state.champion),
        running=running,
        waiting=tuple(_waiting(at, w) for w in state.works.values() if w.waiting),
        usage=usage(state),
        memory=MemoryView(
            len(state.brief), len(state.memory.render(state.project.objective)), BRIEF_LIMIT_CHARS + LOG_LIMIT_CHARS
        ),
        remarks=tuple(filter(None, [*state.survey.remarks, state.announced])),
    )


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
    waiting = [w for w in state.works.values() if w.waiting]
    if waiting and not state.runs and len(waiting) == len(state.works):
        names = ", ".join(f"#{w.number}" for w in waiting)
        return ProjectState.WAITING_APPROVAL, f"waiting for your approval of {names}"
    return ProjectState.RUNNING, ""


def _stop_reason(state: State) -> str | None:
    if state.finished is not None:
        return state.finished.reason.value
    return "person" if state.stopped else None


def _doing(state: State, running: Sequence[RunView]) -> str:
    if not running:
        return f"cycle {state.next_cycle}: thinking of the next hypothesis"
    first = running[0]
    work = state.works.get(first.experiment)
    claim = f' "{work.experiment.hypothesis.claim}"' if work else f" experiment {first.experiment}"
    cycle = f"cycle {work.experiment.cycle}: " if work and work.experiment.cycle else ""
    word = {Purpose.DRY_RUN: "dry run of", Purpose.BASELINE: "running the"}.get(first.purpose, "running")
    parts = [f"{cycle}{word}{claim}"]
    if first.seed > 1:
        parts.append(f"seed {first.seed}")
    if first.latest is not None and first.latest.step is not None:
        parts.append(f"step {first.latest.step:g}")
    if first.elapsed_s is not None and state.typical_s is not None and state.typical_s > first.elapsed_s:
        parts.append(f"about {_duration(state.typical_s - first.elapsed_s)} left")
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


def _run(open_run: OpenRun, progress: Progress | None) -> RunView:
    run, seen = open_run.run, progress or Progress()
    latest = LatestView(seen.step, seen.values) if seen.values else None
    note = "being cancelled" if open_run.cancelled else seen.note
    return RunView(
        run.id, run.experiment, run.purpose, run.seed_index, seen.pid, seen.kernel_pid, seen.elapsed_s, latest, note
    )


def _waiting(at: Situation, work: Work) -> WaitingView:
    hypothesis, typical = work.experiment.hypothesis, at.state.typical_s
    estimate = EstimateView(
        None if typical is None else round(typical / 60, 2),
        0.0,
        "no run has succeeded yet" if typical is None else "the running mean of successful runs",
    )
    return WaitingView(
        work.number,
        hypothesis.claim,
        hypothesis.rationale,
        hypothesis.kind,
        hypothesis.parameters,
        hypothesis.edits,
        estimate,
        _nearest(at, work),
    )


def _nearest(at: Situation, work: Work) -> NearestView | None:
    """The judged experiment whose values differ least: in number first, then in relative size."""
    wanted = work.experiment.settings
    best: tuple[tuple[int, float], NearestView] | None = None
    for number, claim, decision, value, settings in at.rows.query(
        "SELECT experiment, claim, decision, value, settings FROM trials WHERE measure = ? AND experiment <> ?"
        " ORDER BY experiment DESC LIMIT 1000",
        at.state.measure,
        work.number,
    ):
        distance = _distance(wanted, msgspec.json.decode(settings), at.state.survey.parameters)
        if best is None or distance < best[0]:
            best = distance, NearestView(number, claim, decision, value)
    return best[1] if best else None


def _distance(a: Parameters, b: Parameters, base: Parameters) -> tuple[int, float]:
    differing, size = 0, 0.0
    for name in {*a, *b}:
        x, y = a.get(name, base.get(name)), b.get(name, base.get(name))
        if x == y:
            continue
        differing += 1
        size += _relative(x, y)
    return differing, size


def _relative(x: Value, y: Value) -> float:
    if isinstance(x, int | float) and isinstance(y, int | float):
        return abs(x - y) / max(abs(x), abs(y))
    return 1.0


def usage(state: State) -> UsageView:
    """What LLM calls have cost, in all and by phase."""

    def phase(u: Usage) -> PhaseView:
        return PhaseView(u.calls, u.tokens_in, u.tokens_out, u.usd or 0.0)

    total = phase(state.bill.total)
    by_phase = {name: phase(u) for name, u in state.bill.by_phase.items()}
    return UsageView(total.calls, total.tokens_in, total.tokens_out, total.usd, by_phase)


_COLUMNS = (
    "experiment, cycle, parent, claim, kind, parameters, edits, state, decision, value, interval, seeds, elapsed_s,"
    " usd, notebook, reason, measure"
)


def history(rows: Rows, after: int = -1, limit: int | None = None) -> tuple[ExperimentView, ...]:
    """Experiments with a greater number, oldest first, at most ``limit``."""
    found = rows.query(
        f"SELECT {_COLUMNS} FROM experiments WHERE experiment > ? ORDER BY experiment LIMIT ?",
        after,
        -1 if limit is None else limit,
    )
    return tuple(_experiment(row) for row in found)


def experiment(rows: Rows, number: int) -> ExperimentView | None:
    """One experiment, None where there is none of this number."""
    found = rows.query(f"SELECT {_COLUMNS} FROM experiments WHERE experiment = ?", number)
    return _experiment(found[0]) if found else None


def _experiment(row: tuple[Any, ...]) -> ExperimentView:
    named = dict(zip(_COLUMNS.replace(" ", "").split(","), row, strict=True))
    for name in ("parameters", "edits", "interval"):
        named[name] = None if named[name] is None else msgspec.json.decode(named[name])
    named["parameters"] = named["parameters"] or {}
    named["edits"] = named["edits"] or ()
    return msgspec.convert(named, ExperimentView)


def to_json(view: object) -> str:
    """Any of these views (or a tuple of them) as JSON text; NaN and infinities become null."""
    return msgspec.json.encode(view).decode()


def events(records: Iterable[Record]) -> Iterator[Mapping[str, Any]]:
    """Records as JSON objects ``{seq, at, kind, body}``. Notebooks and code are left out: they are large."""
    for record in records:
        body = msgspec.to_builtins(record.event)
        for holder in (body, body.get("experiment")):
            if isinstance(holder, dict) and holder.get("source") is not None:
                holder["source"] = None
        yield {"seq": record.seq, "at": record.at, "kind": kind_of(record.event), "body": body}

"""The contract's JSON shapes as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from ..core.memory import LOG_LIMIT_CHARS
from ..core.project import BRIEF_LIMIT_CHARS
from ..core.types import Decision, Edit, HypothesisKind, Parameters, ProjectState, Purpose, RunState


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
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class ResourcesView:
    """What a live run and its children take, as last sampled: ``cpu_percent`` of one core, memory in bytes, GPUs as
    their driver counts them; null where it is not known or there is no GPU."""

    cpu_percent: float | None
    memory_bytes: int | None
    gpu_percent: float | None
    gpu_memory_bytes: int | None


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
    remaining_s: float | None = None
    resources: ResourcesView | None = None


@dataclass(frozen=True)
class EstimateView:
    """``minutes`` None where nothing has run yet, ``usd`` None where calls were paid for at an unknown price; ``basis``
    says where the numbers come from."""

    minutes: float | None
    usd: float | None
    basis: str


@dataclass(frozen=True)
class NearestView:
    experiment: int
    claim: str
    decision: str
    value: float | None


@dataclass(frozen=True)
class SweepView:
    """What is approved with the first trial of a sweep: so many trials, within this space, in words."""

    trials: int
    space: tuple[str, ...]


@dataclass(frozen=True)
class WaitingView:
    """A hypothesis that may run once it is approved. ``before``: what ``parent`` runs with, for the names in
    ``parameters``; ``at``: since when it waits, ``approved_at``: when it is approved by itself, null where a person has
    to (both in wall seconds since 1970)."""

    hypothesis: int
    claim: str
    rationale: str
    kind: HypothesisKind
    parameters: Parameters
    edits: tuple[Edit, ...]
    estimate: EstimateView
    nearest: NearestView | None
    sweep: SweepView | None = None
    expected: str = ""
    parent: int | None = None
    before: Parameters = field(default_factory=dict)
    approved_at: float | None = None
    at: float | None = None


@dataclass(frozen=True)
class PhaseView:
    """Calls to language models. ``usd`` is the sum of those with a known price, null where none has one."""

    calls: int
    tokens_in: int
    tokens_out: int
    usd: float | None


@dataclass(frozen=True)
class UsageView:
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    by_phase: Mapping[str, PhaseView]


@dataclass(frozen=True)
class SpentView(PhaseView):
    """The same in more detail: ``tokens_cached`` of those in were read from a cache, ``unpriced_calls`` are not in
    ``usd``, ``latency_s`` is the mean time to an answer, null where none was measured."""

    tokens_cached: int
    unpriced_calls: int
    latency_s: float | None


@dataclass(frozen=True)
class BudgetView:
    """One limit of ``[budget]`` on calls; ``left`` is null where what was spent has no known price."""

    key: str
    limit: float
    spent: float | None
    left: float | None


@dataclass(frozen=True)
class CostView:
    """The whole bill. ``by_day`` by UTC day, newest last; ``calls_while_training`` were answered between the launch of
    a run and its end, ``calls_about_live_runs`` while a run of the very experiment that they are about was live."""

    calls: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    by_phase: Mapping[str, SpentView]
    tokens_cached: int
    unpriced_calls: int
    latency_s: float | None
    by_day: Mapping[str, SpentView]
    by_model: Mapping[str, SpentView]
    calls_while_training: int
    calls_about_live_runs: int
    budgets: tuple[BudgetView, ...] = ()


@dataclass(frozen=True)
class MemoryView:
    brief_chars: int
    log_chars: int
    limit_chars: int


@dataclass(frozen=True)
class StatusView:
    """One project's state; ``project`` is its name, ``path`` its folder, ``space`` what is searched, in words.

    ``seq`` is that of its last event, ``place`` the folder relative to the server's root, null without a server,
    ``branch`` is the experiment that hypotheses grow from as the person asked, null where that is the champion.
    """

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
    space: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seq: int = 0
    place: str | None = None
    branch: int | None = None


@dataclass(frozen=True)
class ExperimentView:
    """One row of the history. ``interval`` is null below two seeds, ``usd`` where answers have no known price.

    ``delta`` is the value minus that of the champion it was judged against, null where it was against none.
    """

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
    usd: float | None
    notebook: str | None
    reason: str | None = None
    measure: int = 1
    delta: float | None = None


@dataclass(frozen=True)
class MemoryTexts:
    """Both tiers as they would be sent, and the person's own lines.

    Against the log before the last verdict: ``entered`` are its lines on experiments that were not in it, ``changed``
    those that read otherwise now, ``dropped`` the earlier lines on experiments that are no longer in it.
    """

    brief: str
    log: str
    notes: str
    brief_limit_chars: int = BRIEF_LIMIT_CHARS
    log_limit_chars: int = LOG_LIMIT_CHARS
    entered: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Life:
    """Whether somebody researches the project right now, and what it says of itself where not."""

    alive: bool
    trouble: str = ""


@dataclass(frozen=True)
class ChangedView:
    """The changed lines of one cell (by its id) or file (by its path), as a unified diff without its header."""

    place: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ChangesView:
    """What makes experiment ``after`` of ``before``; ``before`` is null for the person's own notebook."""

    before: int | None
    after: int
    changes: tuple[ChangedView, ...]


def to_json(view: object) -> str:
    """Any of these views (or a tuple of them) as JSON text; NaN and infinities become null."""
    return msgspec.json.encode(view).decode()

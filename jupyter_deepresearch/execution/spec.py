"""What a runner is told (``spec.json``) and tells (``owner.json``, ``live.json``); ``exit.json`` is an Outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.project import Guard, Objective
from ..core.types import Purpose


@dataclass(frozen=True)
class RunnerSpec:
    """One run, as its runner needs it.

    ``project`` (its folder), ``cwd`` and ``artifacts`` are absolute; ``env`` is the whole environment of the kernel but
    for GPUs and what the runner itself adds; ``locked_cells`` are indices into the notebook's cells; ``gpus``: "auto",
    "none" or indices. ``deadline_s`` counts from the moment the run holds its GPUs.
    """

    run: str
    project: str
    purpose: Purpose
    objective: Objective
    guard: Guard
    kernel: str
    cwd: str
    artifacts: str
    env: Mapping[str, str]
    locked_cells: tuple[int, ...] = ()
    dry_run: bool = False
    dry_run_s: float = 300.0
    deadline_s: float | None = None
    deadline_rule: str | None = None
    gpus: str | tuple[int, ...] = "auto"
    gpus_per_run: int = 1
    gpu_free_gb: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunnerOwner:
    """``owner.json``: the runner that owns the run folder. ``start_time`` in clock ticks since boot."""

    pid: int
    start_time: int | None
    boot_id: str | None
    host: str
    started_at: float


@dataclass(frozen=True)
class Live:
    """``live.json``: how far a run is. ``cell`` is the executing cell's index, ``since`` when it had its GPUs.

    ``waits``: it has not begun, since others have them.
    """

    kernel_pid: int | None = None
    cell: int | None = None
    cells: int = 0
    since: float | None = None
    note: str = ""
    gpus: tuple[str, ...] = ()
    waits: bool = False


@dataclass(frozen=True)
class MetricLine:
    """One line of ``metrics.jsonl``. ``source`` is "report", "printed" or a library's name; ``t`` wall time."""

    t: float
    cell: int | None
    step: float | None
    values: Mapping[str, float]
    source: str = "report"


@dataclass(frozen=True)
class ResourceLine:
    """One line of ``resources.jsonl``. Memory in bytes over the kernel and its children; GPU in percent and bytes.

    ``cpu_percent`` is None in a first sample: there is no earlier one to count from.
    """

    t: float
    cpu_percent: float | None
    memory_bytes: int
    processes: int
    gpu_percent: float | None = None
    gpu_memory_bytes: int | None = None
    gpus: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Descendants:
    """``processes.json``: the run's processes by pid, each with its start time in clock ticks since boot."""

    started: Mapping[int, int] = field(default_factory=dict)

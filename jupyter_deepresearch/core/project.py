"""A project's configuration as one frozen value: ``deepresearch.toml`` as ``config.py`` validated it."""

import enum
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field

BRIEF_LIMIT_CHARS = 3000


class Direction(enum.StrEnum):
    """Which way of the metric is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class ValueRule(enum.StrEnum):
    """Which report of a run counts as its value."""

    LAST = "last"
    BEST = "best"


class ApprovalMode(enum.StrEnum):
    """Whether a researcher's hypothesis runs at once or waits for a person."""

    AUTO = "auto"
    ASK = "ask"


class ResearcherKind(enum.StrEnum):
    """Who proposes."""

    CLAUDE = "claude"
    SWEEP = "sweep"
    CLAUDE_CLI = "claude-cli"


class LauncherKind(enum.StrEnum):
    """Where runs are started."""

    LOCAL = "local"
    SLURM = "slurm"


class SandboxKind(enum.StrEnum):
    """How the kernel of a run is closed in."""

    AUTO = "auto"
    BWRAP = "bwrap"
    NONE = "none"


_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}


@dataclass(frozen=True)
class Constraint:
    """``metric comparison bound``, held against the last value a run reported of ``metric``."""

    metric: str
    comparison: str
    bound: float

    def holds(self, value: float | None) -> bool:
        """Whether ``value`` keeps the constraint; a metric never reported (None) does not."""
        return value is not None and _COMPARISONS[self.comparison](value, self.bound)

    def __str__(self) -> str:
        return f"{self.metric} {self.comparison} {self.bound:g}"


@dataclass(frozen=True)
class Objective:
    """The one measure a project is about. Immutable for the life of a project."""

    metric: str
    direction: Direction
    min_delta: float = 0.0
    target: float | None = None
    value: ValueRule = ValueRule.LAST
    constraints: tuple[Constraint, ...] = ()

    def gain(self, new: float, old: float) -> float:
        """By how much ``new`` is better than ``old``; negative when worse."""
        return new - old if self.direction is Direction.MAXIMIZE else old - new

    def is_better(self, new: float, old: float) -> bool:
        """Whether ``new`` beats ``old`` by more than nothing and at least ``min_delta``."""
        gain = self.gain(new, old)
        return gain > 0 and gain >= self.min_delta

    def reaches_target(self, value: float) -> bool:
        """Whether ``value`` is as good as the target; never without one."""
        return self.target is not None and self.gain(value, self.target) >= 0

    def broken_by(self, finals: Mapping[str, float]) -> tuple[Constraint, ...]:
        """The constraints that the last reported values ``finals`` break."""
        return tuple(c for c in self.constraints if not c.holds(finals.get(c.metric)))


@dataclass(frozen=True)
class CodeOptions:
    """Which files beside the notebook belong to what is researched. ``files`` None means the documented default."""

    files: tuple[str, ...] | None = None
    locked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budget:
    """Limits of a project; None is no limit. Days are UTC; hours count the loop's working time."""

    cycles: int | None = None
    hours: float | None = None
    usd: float | None = None
    usd_per_day: float | None = None
    tokens: int | None = None
    tokens_per_day: int | None = None
    calls: int | None = None
    calls_per_day: int | None = None
    gpu_hours: float | None = None
    run_minutes: float | None = None
    patience: int | None = None
    disk_gb: float | None = None


@dataclass(frozen=True)
class Approval:
    """When a hypothesis may run: at once, or after a person (or ``auto_after_minutes``) said so."""

    mode: ApprovalMode = ApprovalMode.AUTO
    auto_after_minutes: float | None = None


@dataclass(frozen=True)
class Price:
    """USD per million tokens, for a model without a known price."""

    input: float
    output: float


@dataclass(frozen=True)
class ResearcherOptions:
    """Who proposes, and with which models. ``kind`` None is decided at start."""

    kind: ResearcherKind | None = None
    leader_model: str | None = None
    worker_model: str | None = None
    fallback_model: str | None = None
    base_url: str | None = None
    price: Price | None = None


@dataclass(frozen=True)
class Trust:
    """How many seeds a champion must win on."""

    seeds: int = 3


@dataclass(frozen=True)
class Guard:
    """Stop rules of a run, evaluated in its runner without an LLM."""

    stall_minutes: float | None = 15.0
    diverge: bool = True


@dataclass(frozen=True)
class LauncherOptions:
    """Where and with what a run is started. ``gpus``: "auto", "none" or device indices.

    ``kernel`` is the name of a kernelspec; None is the one that the notebook names.
    """

    kind: LauncherKind = LauncherKind.LOCAL
    kernel: str | None = None
    gpus: str | tuple[int, ...] = "auto"
    gpus_per_run: int = 1
    gpu_free_gb: float | None = None
    max_parallel: int = 1
    dry_run_minutes: float = 5.0
    private: tuple[str, ...] = (
        "checkpoints",
        "outputs",
        "runs",
        "lightning_logs",
        "wandb",
        "mlruns",
        "mlflow.db*",
        "*.ckpt",
        "*.pt",
    )
    env: tuple[str, ...] = ()
    sandbox: SandboxKind = SandboxKind.AUTO


@dataclass(frozen=True)
class Project:
    """Everything a person configured. ``notebook`` is relative to the project folder, with forward slashes."""

    name: str
    notebook: str
    objective: Objective
    code: CodeOptions = field(default_factory=CodeOptions)
    budget: Budget = field(default_factory=Budget)
    approval: Approval = field(default_factory=Approval)
    researcher: ResearcherOptions = field(default_factory=ResearcherOptions)
    trust: Trust = field(default_factory=Trust)
    guard: Guard = field(default_factory=Guard)
    launcher: LauncherOptions = field(default_factory=LauncherOptions)


def guess_direction(metric: str) -> Direction:
    """The usual direction of a metric, by its name: losses and errors go down, all else goes up."""
    down = ("loss", "error", "err", "mse", "mae", "rmse", "nll", "perplexity", "ppl", "bpb", "fid", "wer", "cer")
    words = "".join(c if c.isalnum() else " " for c in metric.lower()).split()
    return Direction.MINIMIZE if any(w in down for w in words) else Direction.MAXIMIZE


def is_finite(value: float | None) -> bool:
    """Whether a number is there and neither NaN nor infinite."""
    return value is not None and math.isfinite(value)

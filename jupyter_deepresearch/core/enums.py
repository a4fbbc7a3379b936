"""The closed lists of the product: states, decisions, purposes, kinds, ends. Their values are the contract's."""

import enum


class RunState(enum.StrEnum):
    """Where one run is, or how it ended. Exactly one end is true, and only SUCCEEDED has a value."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CRASHED = "crashed"
    DIVERGED = "diverged"
    STALLED = "stalled"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    PRUNED = "pruned"
    CANCELLED = "cancelled"
    LOST = "lost"
    INVALID = "invalid"

    @property
    def is_live(self) -> bool:
        """Whether the run has not ended yet."""
        return self in (RunState.PENDING, RunState.RUNNING)


class Decision(enum.StrEnum):
    """What a verdict says about an experiment."""

    BASELINE = "baseline"
    PROMISING = "promising"
    CONFIRMED = "confirmed"
    RETRACTED = "retracted"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether the experiment needs no further run for its verdict."""
        return self is not Decision.PROMISING


class Purpose(enum.StrEnum):
    """Why a run is made."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"
    CONFIRM = "confirm"
    REPRODUCE = "reproduce"
    DRY_RUN = "dry_run"


class HypothesisKind(enum.StrEnum):
    """What a hypothesis changes, or who made it."""

    BASELINE = "baseline"
    PARAMETERS = "parameters"
    CODE = "code"
    SWEEP = "sweep"
    BY_HAND = "by_hand"


class ProjectState(enum.StrEnum):
    """A project's state: the first that holds, in this order."""

    FAILED = "failed"
    FINISHED = "finished"
    STOPPED = "stopped"
    PAUSED = "paused"
    RUNNING = "running"
    WAITING_APPROVAL = "waiting_approval"


class StopReason(enum.StrEnum):
    """Why a project ended by itself, or by a person's word."""

    CYCLES = "cycles"
    HOURS = "hours"
    GPU_HOURS = "gpu_hours"
    USD = "usd"
    TOKENS = "tokens"
    CALLS = "calls"
    PATIENCE = "patience"
    DISK = "disk_gb"
    TARGET = "target"
    EXHAUSTED = "exhausted"
    PERSON = "person"

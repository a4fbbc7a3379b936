"""The stop rules of a run: decided here, purely, from what the runner samples. No LLM is ever asked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...core.project import Guard, Objective
from ...core.types import RunState

CPU_SHARE = 0.01
"""Of one core: a process that only waits (an idle kernel needs a third of this) is below, slow work above."""
IO_BYTES_PER_S = 4096
LOSSES_IN_A_ROW = 3


@dataclass(frozen=True)
class Stop:
    """A reason to end a run now. ``state`` SUCCEEDED is a dry run that lived long enough."""

    state: RunState
    kind: str
    rule: str
    message: str
    signal: int | None = None


@dataclass(frozen=True)
class Activity:
    """What a run's processes have done so far: counters that only grow, but for ``gpu_percent``, which is now."""

    output_bytes: int = 0
    cpu_s: float = 0.0
    io_bytes: int = 0
    gpu_percent: float | None = None

    def is_active_since(self, earlier: "Activity", seconds: float) -> bool:
        """Whether anything was done in the ``seconds`` since ``earlier``."""
        return (
            self.output_bytes > earlier.output_bytes
            or self.cpu_s - earlier.cpu_s > CPU_SHARE * seconds
            or self.io_bytes - earlier.io_bytes > IO_BYTES_PER_S * seconds
            or (self.gpu_percent or 0.0) > 0.0
        )


class Rules:
    """One run's rules. Times are seconds since the run holds its GPUs; the first rule that fires ends the run.

    ``deadline_rule`` names the key that set the deadline. With ``dry_run_s`` (a dry run), being alive then is a pass,
    and neither silence nor a NaN ends it.
    """

    def __init__(
        self,
        guard: Guard,
        objective: Objective,
        *,
        deadline_s: float | None = None,
        deadline_rule: str | None = None,
        dry_run_s: float | None = None,
    ) -> None:
        self._guard = guard
        self._objective = objective
        self._deadline_s = deadline_s
        self._deadline_rule = deadline_rule or "run_minutes"
        self._dry_run_s = dry_run_s
        self._running_nonfinite: dict[str, int] = {}
        self._last = Activity()
        self._sampled_s = 0.0
        self._active_s = 0.0

    def elapsed(self, elapsed_s: float) -> Stop | None:
        """The clock's rules: the deadline, and a dry run's pass."""
        if self._deadline_s is not None and elapsed_s >= self._deadline_s:
            message = f"ran {_minutes(elapsed_s)}, {self._deadline_rule} allowed {_minutes(self._deadline_s)}"
            return Stop(RunState.TIMED_OUT, "TimedOut", self._deadline_rule, message)
        if self._dry_run_s is not None and elapsed_s >= self._dry_run_s:
            message = f"alive and without an error after {_minutes(elapsed_s)}"
            return Stop(RunState.SUCCEEDED, "DryRunPassed", "dry_run_minutes", message)
        return None

    def reported(self, values: Mapping[str, float], *, printed: bool = False) -> Stop | None:
        """The rule ``diverge``, for one report. A printed objective must be non-finite three times running to count."""
        if not self._guard.diverge or self._dry_run_s is not None:
            return None
        for name, value in values.items():
            is_objective = name == self._objective.metric
            if not is_objective and "loss" not in name.lower():
                continue
            count = 0 if math.isfinite(value) else self._running_nonfinite.get(name, 0) + 1
            self._running_nonfinite[name] = count
            if count >= (1 if is_objective and not printed else LOSSES_IN_A_ROW):
                times = f" {count} times running" if count > 1 else ""
                return Stop(RunState.DIVERGED, "Diverged", "diverge", f"{name} = {value}{times}")
        return None

    def sampled(self, elapsed_s: float, activity: Activity) -> Stop | None:
        """The rule ``stall_minutes``, for one sample of what the run's processes do."""
        if activity.is_active_since(self._last, elapsed_s - self._sampled_s):
            self._active_s = elapsed_s
        self._last, self._sampled_s = activity, elapsed_s
        minutes = self._guard.stall_minutes
        quiet_s = elapsed_s - self._active_s
        if minutes is None or self._dry_run_s is not None or quiet_s < minutes * 60:
            return None
        message = (
            f"no output and no CPU, GPU, disk or network use for {_minutes(quiet_s)} "
            f"(stall_minutes = {minutes:g}); the last was seen {_minutes(self._active_s)} after the start"
        )
        return Stop(RunState.STALLED, "Stalled", "stall_minutes", message)


def _minutes(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min"

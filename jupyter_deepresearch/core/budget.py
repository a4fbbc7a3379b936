"""What a project may still spend: the limits that end it, and what one run may take of them. Pure."""

from .project import Project
from .state import State
from .statistics import mean
from .steps import Finish
from .types import Decision, StopReason

OVERRUN_S = 30.0
"""So long after the end of a budget a run's own deadline is past, unless it comes from before a wait."""


def spent(project: Project, state: State) -> Finish | None:
    """A budget that forbids every further run."""
    budget = project.budget
    if budget.hours is not None and state.worked_s >= 3600 * budget.hours:
        return Finish(StopReason.HOURS, f"{budget.hours:g} hours of work reached")
    if budget.gpu_hours is not None and state.gpu_s >= 3600 * budget.gpu_hours:
        return Finish(StopReason.GPU_HOURS, f"{budget.gpu_hours:g} GPU hours reached")
    if state.finished is not None and state.finished.reason is StopReason.DISK:
        return Finish(state.finished.reason, state.finished.sentence)
    return None


def overruns(project: Project, state: State, live_gpu_s: float, has_begun: bool) -> bool:
    """Whether a live run goes on although a budget of time is spent: its deadline is from before others spent it.

    ``live_gpu_s`` are the GPU seconds of all live runs so far. One that has begun, and not only waited for its GPUs, is
    left to its own deadline for a while.
    """
    budget, patience_s = project.budget, OVERRUN_S if has_begun else 0.0
    is_late = budget.hours is not None and state.worked_s >= 3600 * budget.hours + patience_s
    gpu_s, per_run = state.gpu_s + live_gpu_s, project.launcher.gpus_per_run
    return is_late or (budget.gpu_hours is not None and gpu_s >= 3600 * budget.gpu_hours + per_run * patience_s)


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
        return Finish(StopReason.CYCLES, f"{budget.cycles} cycle{'s' * (budget.cycles != 1)} done")
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

"""What a start says before anything runs."""

from ..service.opened import OpenedProject
from ..text import count_text, space_text


def introduction(project: OpenedProject) -> str:
    """What is about to be done: objective, who proposes, the space that is searched, what ends it."""
    state = project.state
    configured, objective = state.project, state.project.objective
    lines = [
        f"{configured.name}: {objective.direction.value} {objective.metric} of {configured.notebook}"
        f" (kernel {state.kernel})",
        *(f"note: {remark}" for remark in state.survey.remarks),
        *([f"note: {state.announced}"] if state.announced else []),
        f"searching: {space_text(tuple(map(str, state.survey.space)))}",
        f"until: {_limits(project)}",
    ]
    if state.next_experiment:
        lines.append(f"going on after experiment {state.next_experiment - 1}{_found_again(project)}")
    return "\n".join([*lines, ""])


def _found_again(project: OpenedProject) -> str:
    runs = list(project.state.runs)
    return f", with what is live: {', '.join(runs)}" if runs else ""


def _limits(project: OpenedProject) -> str:
    budget, target = project.state.project.budget, project.state.project.objective.target
    limits = [
        count_text(value, unit)
        for value, unit in ((budget.cycles, "cycle"), (budget.hours, "hour"), (budget.gpu_hours, "GPU hour"))
        if value is not None
    ]
    if budget.usd is not None:
        limits.append(f"{budget.usd:g} USD")
    if budget.patience is not None:
        limits.append(f"{count_text(budget.patience, 'cycle')} without a gain")
    if target is not None:
        limits.append(f"the target {target:g}")
    return ", or ".join(limits) or "you stop it"

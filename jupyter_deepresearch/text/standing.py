"""Where a project stands: its status, live runs, champion and what waits for a person."""

from collections.abc import Iterable, Sequence

from ..core.money import dollars
from ..core.types import HypothesisKind, Parameters
from ..service.views import RankView, ResourcesView, RunView, StatusView, WaitingView
from .pieces import bytes_text, labelled, measured_text, number_text, one_line, seconds_text


def headline(view: StatusView) -> str:
    """Project, state and cycle in one line."""
    of = "" if view.cycles is None else f" of {view.cycles}"
    return f"{one_line(view.project)}: {view.state.value.replace('_', ' ')}, cycle {view.cycle}{of}"


def status_text(view: StatusView) -> str:
    """The status in a dozen short lines."""
    memory, usage = view.memory, view.usage
    lines = [headline(view), one_line(view.reason, 200)]
    lines += labelled("best", _rank_text(view, view.champion))
    lines += labelled("baseline", _rank_text(view, view.baseline))
    for run in view.running:
        lines += labelled("running", run_text(run))
    for waiting in view.waiting:
        lines += labelled("waiting", f"#{waiting.hypothesis} {one_line(waiting.claim)}")
    lines += labelled("calls", f"{usage.calls} to a language model, {dollars(usage.usd)}")
    used = memory.brief_chars + memory.log_chars
    lines += labelled("memory", f"{used:,} of {memory.limit_chars:,} characters")
    lines += labelled("searching", space_text(view.space))
    for remark in view.remarks:
        lines += labelled("note", one_line(remark, 200))
    return "\n".join([*lines, *labelled("folder", view.path)])


def space_text(space: Sequence[str]) -> str:
    """What is searched, on one line."""
    return " · ".join(one_line(part) for part in space) or "nothing: the notebook has no parameter that may vary"


def _rank_text(view: StatusView, rank: RankView | None) -> str:
    if rank is None:
        return "none yet"
    value = measured_text(rank.value, rank.interval, rank.seeds)
    return f"#{rank.experiment} {one_line(view.objective.metric, 40)} {value}  {one_line(rank.claim)}"


def run_text(run: RunView) -> str:
    """A live run in one line: its id, age and latest report."""
    parts = [run.run, seconds_text(run.elapsed_s)]
    if run.latest is not None:
        step = "" if run.latest.step is None else f"step {run.latest.step:g}: "
        values = ", ".join(f"{one_line(k, 40)} {number_text(v)}" for k, v in list(run.latest.values.items())[:4])
        parts.append(step + values)
    if run.remaining_s is not None:
        parts.append(f"about {seconds_text(run.remaining_s)} left")
    if run.resources is not None:
        parts.append(resources_text(run.resources))
    return "  ".join([*filter(None, parts), *filter(None, [one_line(run.note)])])


def resources_text(taken: ResourcesView) -> str:
    """What a live run takes, such as ``cpu 180 %, 1.2 GB, gpu 71 %, 9.2 GB``; only what is known."""
    percents = ("cpu", taken.cpu_percent), ("", None), ("gpu", taken.gpu_percent)
    cpu, _, gpu = (f"{name} {percent:.0f} %" if percent is not None else "" for name, percent in percents)
    return ", ".join(filter(None, [cpu, bytes_text(taken.memory_bytes), gpu, bytes_text(taken.gpu_memory_bytes)]))


def best_text(view: StatusView) -> str:
    """Champion and baseline, and where the champion's notebook lies."""
    lines = labelled("best", _rank_text(view, view.champion))
    lines += labelled("baseline", _rank_text(view, view.baseline))
    if view.champion is not None and view.baseline is not None:
        gain = view.champion.value - view.baseline.value
        lines += labelled("change", f"{gain:+.3g} ({view.objective.direction} {one_line(view.objective.metric, 40)})")
    if view.champion is not None and view.champion.notebook is not None:
        lines += labelled("notebook", view.champion.notebook)
    return "\n".join(lines)


def parameters_text(parameters: Parameters) -> str:
    """``name = value`` pairs in one line."""
    return one_line(", ".join(f"{name} = {value!r}" for name, value in parameters.items()), 120)


def waiting_text(waiting: Sequence[WaitingView]) -> str:
    """Hypotheses that wait for a person: claim, reason, change, price and what was tried like it."""
    return "\n\n".join("\n".join(_card(w)) for w in waiting) or "nothing waits for you"


def _card(waiting: WaitingView) -> Iterable[str]:
    yield f"#{waiting.hypothesis} {one_line(waiting.claim, 200)}"
    if waiting.rationale:
        yield f"    why: {one_line(waiting.rationale, 300)}"
    yield f"    change: {change_text(waiting)}   {price_text(waiting)}"
    if waiting.nearest is not None:
        near = waiting.nearest
        value = number_text(near.value)
        yield f"    nearest: #{near.experiment} {one_line(near.claim)}, {near.decision.upper()} ({value})"


def change_text(waiting: WaitingView) -> str:
    """What is approved: values, edited places (their lines are in its diff), or all trials of a sweep."""
    edits = ", ".join(edit.where for edit in waiting.edits)
    change = "; ".join(filter(None, [parameters_text(waiting.parameters), edits and f"edits {edits}"]))
    if waiting.sweep is not None:
        space = one_line(", ".join(waiting.sweep.space), 200)
        return f"a sweep of {waiting.sweep.trials} trials over {space}, the first with {change}"
    return change or ("see its diff" if waiting.kind is HypothesisKind.BY_HAND else "none")


def price_text(waiting: WaitingView) -> str:
    """What a waiting hypothesis is expected to take."""
    minutes = waiting.estimate.minutes
    return f"~ {'? min' if minutes is None else seconds_text(60 * minutes)}, {dollars(waiting.estimate.usd)}"

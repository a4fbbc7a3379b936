"""Views as plain text for a terminal or a notebook: what the command line and the magic print."""

import ast
from collections.abc import Iterable, Sequence

from .core.money import dollars
from .core.types import Decision, HypothesisKind, Parameters, Value
from .errors import InvalidInput
from .service.views import (
    CostView,
    ExperimentView,
    MemoryTexts,
    RankView,
    RunView,
    SpentView,
    StatusView,
    WaitingView,
)

CLAIM_CHARS = 70
DAYS_SHOWN = 14
_LABEL_CHARS = 10


def one_line(text: str, limit: int = CLAIM_CHARS) -> str:
    """``text`` on one line of at most ``limit`` characters, without anything that steers a terminal."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def number_text(value: float | None) -> str:
    """A measured number in at most five significant digits; a dash where there is none."""
    return "-" if value is None else f"{value:.5g}"


def measured_text(value: float | None, interval: Sequence[float] | None, seeds: int) -> str:
    """A value with what is known of its uncertainty, such as ``0.9822 ± 0.0016 (3 seeds)``."""
    if value is None:
        return "-"
    spread = f" ± {(interval[1] - interval[0]) / 2:.2g}" if interval is not None else ""
    return f"{number_text(value)}{spread} ({seeds} {'seed' if seeds == 1 else 'seeds'})"


def decision_text(row: ExperimentView) -> str:
    """The verdict in capitals, the kind of failure in its place, else where the experiment stands."""
    if row.decision is None:
        return row.state.value.replace("_", " ")
    word = row.state if row.decision is Decision.FAILED and not row.state.is_live else row.decision
    return word.value.replace("_", " ").upper()


def seconds_text(seconds: float | None) -> str:
    """A duration for people."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def headline(view: StatusView) -> str:
    """Project, state and cycle in one line."""
    of = "" if view.cycles is None else f" of {view.cycles}"
    return f"{one_line(view.project)}: {view.state.value.replace('_', ' ')}, cycle {view.cycle}{of}"


def status_text(view: StatusView) -> str:
    """The status in a dozen short lines."""
    memory, usage = view.memory, view.usage
    lines = [headline(view), one_line(view.reason, 200)]
    lines += _labelled("best", _rank_text(view, view.champion))
    lines += _labelled("baseline", _rank_text(view, view.baseline))
    for run in view.running:
        lines += _labelled("running", run_text(run))
    for waiting in view.waiting:
        lines += _labelled("waiting", f"#{waiting.hypothesis} {one_line(waiting.claim)}")
    lines += _labelled("calls", f"{usage.calls} to a language model, {dollars(usage.usd)}")
    used = memory.brief_chars + memory.log_chars
    lines += _labelled("memory", f"{used:,} of {memory.limit_chars:,} characters")
    lines += _labelled("searching", space_text(view.space))
    for remark in view.remarks:
        lines += _labelled("note", one_line(remark, 200))
    return "\n".join([*lines, *_labelled("folder", view.path)])


def space_text(space: Sequence[str]) -> str:
    """What is searched, on one line."""
    return " · ".join(one_line(part) for part in space) or "nothing: the notebook has no parameter that may vary"


def count_text(count: float, unit: str) -> str:
    """A number with its unit in words, such as ``1 cycle`` or ``2 cycles``."""
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def _labelled(label: str, text: str) -> list[str]:
    return [f"{label:<{_LABEL_CHARS}}{text}"]


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
    return "  ".join([*parts, *filter(None, [one_line(run.note)])])


def best_text(view: StatusView) -> str:
    """Champion and baseline, and where the champion's notebook lies."""
    lines = _labelled("best", _rank_text(view, view.champion))
    lines += _labelled("baseline", _rank_text(view, view.baseline))
    if view.champion is not None and view.baseline is not None:
        gain = view.champion.value - view.baseline.value
        lines += _labelled("change", f"{gain:+.3g} ({view.objective.direction} {one_line(view.objective.metric, 40)})")
    if view.champion is not None and view.champion.notebook is not None:
        lines += _labelled("notebook", view.champion.notebook)
    return "\n".join(lines)


def parameters_text(parameters: Parameters) -> str:
    """``name = value`` pairs in one line."""
    return one_line(", ".join(f"{name} = {value!r}" for name, value in parameters.items()), 120)


def history_text(rows: Sequence[ExperimentView], champion: int | None = None) -> str:
    """The experiments as a table, in the order given; ``champion`` is marked by a star."""
    if not rows:
        return "no experiment yet"
    table = [("", "#", "decision", "value", "time", "claim")]
    for row in rows:
        star = "*" if row.experiment == champion else ""
        value = measured_text(row.value, row.interval, row.seeds)
        time = seconds_text(row.elapsed_s)
        table.append((star, str(row.experiment), decision_text(row), value, time, one_line(row.claim)))
    return aligned(table)


def aligned(table: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns of text, two spaces apart."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table)


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


def memory_text(texts: MemoryTexts) -> str:
    """Both tiers of the memory as they would be sent."""
    brief, log = plain(texts.brief).strip(), plain(texts.log).strip()
    return f"# Brief ({len(texts.brief):,} characters)\n\n{brief or '(none)'}\n\n{log}"


def plain(text: str) -> str:
    """``text`` with its lines, without anything that steers a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)


def cost_text(view: CostView) -> str:
    """What LLM calls have cost: by phase, by day (the last 14), when they were made, and what is left of budgets."""
    phases = [_spent_row("phase", None), *(_spent_row(*of) for of in view.by_phase.items()), _spent_row("in all", view)]
    days = [_spent_row("day (UTC)", None), *(_spent_row(*of) for of in tuple(view.by_day.items())[-DAYS_SHOWN:])]
    tables = [aligned(table) for table in (phases, days) if table is phases or len(table) > 1]
    return "\n\n".join([*tables, "\n".join(_cost_lines(view))])


def _spent_row(name: str, spent: SpentView | CostView | None) -> Sequence[str]:
    """One line of a bill, the head of its columns for None."""
    if spent is None:
        return (name, "calls", "tokens in", "cached", "tokens out", "seconds", "usd")
    seconds = "-" if spent.latency_s is None else f"{spent.latency_s:.1f}"
    counts = (spent.calls, spent.tokens_in, spent.tokens_cached, spent.tokens_out)
    return (one_line(name), *(f"{count:,}" for count in counts), seconds, dollars(spent.usd))


def _cost_lines(view: CostView) -> Iterable[str]:
    yield f"LLM calls while training: {view.calls_while_training}"
    if view.calls_about_live_runs:
        yield f"LLM calls about live runs: {view.calls_about_live_runs}"
    if view.unpriced_calls:
        yield f"calls of unknown price, not in the sums: {view.unpriced_calls:,}"
    for budget in view.budgets:
        spent, limit, left = (_budget_text(budget.key, value) for value in (budget.spent, budget.limit, budget.left))
        yield f"budget.{budget.key}: {spent} of {limit} spent, {left} left"


def _budget_text(key: str, amount: float | None) -> str:
    return dollars(amount) if key.startswith("usd") else "?" if amount is None else f"{amount:,.0f}"


def value_of(text: str) -> Value:
    """A parameter's value as a person types it: a Python literal, else the text itself."""
    words = {"true": True, "false": False}
    if text in words:
        return words[text]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InvalidInput(f"value {one_line(text)!r}: accepted: a number, a text, True, False or None")


def assignments(words: Iterable[str]) -> Parameters:
    """``NAME=VALUE`` words as values by name. Raises InvalidInput naming the word that is none."""
    values: dict[str, Value] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name.strip().isidentifier():
            raise InvalidInput(f"found {one_line(word)!r}; accepted: NAME=VALUE, such as lr=3e-4")
        if name.strip() in values:
            raise InvalidInput(f"{name.strip()} is given twice")
        values[name.strip()] = value_of(text.strip())
    return values

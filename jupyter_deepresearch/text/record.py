"""What a project has on record: its experiments, its memory, its bill."""

from collections.abc import Iterable, Sequence

from ..core.money import dollars
from ..service.views import BudgetView, CostView, ExperimentView, MemoryTexts, SpentView
from .pieces import (
    CLAIM_CHARS,
    aligned,
    decision_text,
    delta_text,
    measured_text,
    one_line,
    plain,
    seconds_text,
    used_text,
)

DAYS_SHOWN = 14
# A table's lines stay within it: those that break are no table.
_TABLE_CHARS = 118
_LEAST_CLAIM_CHARS = 24


def history_text(rows: Sequence[ExperimentView], champion: int | None = None) -> str:
    """The experiments as a table, in the order given; ``champion`` is marked by a star.

    ``change`` is against the champion of its time; that column and the cost are left out where no row has any.
    """
    if not rows:
        return "no experiment yet"
    table = [
        ("", "#", "decision", "value", "change", "time", "cost"),
        *(history_cells(row, champion, latest_measure(rows)) for row in rows),
    ]
    kept = [i for i in range(7) if i not in (4, 6) or any(row[i] for row in table[1:])]
    columns = [[row[i] for i in kept] for row in table]
    room = _TABLE_CHARS - sum(max(map(len, column)) + 2 for column in zip(*columns, strict=True))
    claims = ["claim", *(one_line(row.claim, min(CLAIM_CHARS, max(room, _LEAST_CLAIM_CHARS))) for row in rows)]
    return aligned([(*cells, claim) for cells, claim in zip(columns, claims, strict=True)])


def latest_measure(rows: Sequence[ExperimentView]) -> int:
    """The measure that the project has now, as far as these rows tell."""
    return max((row.measure for row in rows), default=1)


def history_cells(row: ExperimentView, champion: int | None, measure: int) -> tuple[str, ...]:
    """Star, number, decision, value, change, time and cost of one experiment.

    A value of another than the latest ``measure`` says so: the two must not be compared.
    """
    other = "" if row.measure == measure or row.value is None else f", measure {row.measure}"
    return (
        "*" if row.experiment == champion else "",
        str(row.experiment),
        decision_text(row),
        measured_text(row.value, row.interval, row.seeds) + other,
        delta_text(row.delta),
        seconds_text(row.elapsed_s),
        "" if row.usd == 0 else dollars(row.usd),
    )


def earlier_text(rows: Sequence[ExperimentView], total: int | None = None) -> str:
    """How many experiments are older than the last of these (newest first), of ``total``, "" for none."""
    count = total - len(rows) if total is not None else rows[-1].experiment if rows else 0
    return "" if count <= 0 else f"and {count:,} earlier {'experiment' if count == 1 else 'experiments'}"


def memory_text(texts: MemoryTexts) -> str:
    """Both tiers of the memory as they would be sent, and what the last verdict changed."""
    brief, log = plain(texts.brief).strip(), plain(texts.log).strip()
    head = f"# Brief ({used_text(texts.brief, texts.brief_limit_chars)})"
    changed = changed_lines(texts)
    news = "\n\nSince the verdict before:\n" + "\n".join(changed) if changed else ""
    return f"{head}\n\n{brief or '(none)'}\n\n{log}\n\n({used_text(texts.log, texts.log_limit_chars)}){news}"


def changed_lines(texts: MemoryTexts) -> tuple[str, ...]:
    """What the last verdict did to the log: ``+`` a new line, ``~`` one that reads otherwise, ``-`` one that went."""
    signed = (("+", texts.entered), ("~", texts.changed), ("-", texts.dropped))
    return tuple(f"{sign} {one_line(line.removeprefix('- '), 240)}" for sign, lines in signed for line in lines)


def cost_text(view: CostView) -> str:
    """What LLM calls have cost: by phase, by day (the last 14), when they were made, and what is left of budgets."""
    lines = [*cost_lines(view), *(f"budget.{budget.key}: {budget_text(budget)}" for budget in view.budgets)]
    return "\n\n".join([*map(aligned, cost_tables(view)), "\n".join(lines)])


def cost_tables(view: CostView) -> list[list[Sequence[str]]]:
    """The bill by phase and by day (the last 14, left out where there is none), each with its head."""
    phases = [_spent_row("phase", None), *(_spent_row(*of) for of in view.by_phase.items()), _spent_row("in all", view)]
    days = [_spent_row("day (UTC)", None), *(_spent_row(*of) for of in tuple(view.by_day.items())[-DAYS_SHOWN:])]
    return [phases, *([days] if len(days) > 1 else [])]


def _spent_row(name: str, spent: SpentView | CostView | None) -> Sequence[str]:
    """One line of a bill, the head of its columns for None."""
    if spent is None:
        return (name, "calls", "tokens in", "cached", "tokens out", "seconds", "usd")
    seconds = "-" if spent.latency_s is None else f"{spent.latency_s:.1f}"
    counts = (spent.calls, spent.tokens_in, spent.tokens_cached, spent.tokens_out)
    return (one_line(name), *(f"{count:,}" for count in counts), seconds, dollars(spent.usd))


def cost_lines(view: CostView) -> Iterable[str]:
    """When calls were made, and how many have no known price."""
    yield f"LLM calls while training: {view.calls_while_training}"
    if view.calls_about_live_runs:
        yield f"LLM calls about live runs: {view.calls_about_live_runs}"
    if view.unpriced_calls:
        yield f"calls of unknown price, not in the sums: {view.unpriced_calls:,}"


def budget_text(budget: BudgetView) -> str:
    """What is spent of a budget, and what is left."""
    spent, limit, left = (_amount(budget.key, amount) for amount in (budget.spent, budget.limit, budget.left))
    return f"{spent} of {limit} spent, {left} left"


def _amount(key: str, amount: float | None) -> str:
    return dollars(amount) if key.startswith("usd") else "?" if amount is None else f"{amount:,.0f}"

"""What calls to language models have cost, and when they were made: the bill as views, by SQL over the log."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..core.answers import Phase, Usage
from ..core.state import Bill, State
from .past import Rows
from .remembered import Remembered
from .views import BudgetView, CostView, SpentView

_SUMS = (
    "coalesce(sum(calls), 0), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),"
    " CASE WHEN count(*) = 0 THEN 0.0 ELSE sum(usd) END, coalesce(sum(tokens_cached), 0),"
    " coalesce(sum(CASE WHEN usd IS NULL THEN calls END), 0), avg(latency_s)"
)
_DAY = "date(at, 'unixepoch')"
# A run is live from its first launch that the log holds to its end; `live` is how many were when an answer was logged.
# CROSS JOIN: the runs of the experiment first, which are few; all launches of a long history would be read otherwise.
_DURING = """
WITH marks AS (
    SELECT min(seq) AS seq, 1 AS step, NULL AS experiment FROM events WHERE kind = 'launched' GROUP BY run
    UNION ALL
    SELECT e.seq, -1, NULL FROM events e WHERE e.kind = 'ended' AND EXISTS (
        SELECT 1 FROM events l WHERE l.run = e.run AND l.kind = 'launched' AND l.seq < e.seq)
    UNION ALL
    SELECT seq, 0, experiment FROM usage
), during AS (
    SELECT seq, experiment FROM (SELECT seq, step, experiment, sum(step) OVER (ORDER BY seq) AS live FROM marks)
    WHERE step = 0 AND live > 0
)
SELECT count(*), coalesce(sum(EXISTS (
    SELECT 1 FROM events p CROSS JOIN events l ON l.run = p.run AND l.kind = 'launched' AND l.seq < during.seq
    WHERE p.experiment = during.experiment AND p.kind = 'planned' AND NOT EXISTS (
        SELECT 1 FROM events e WHERE e.run = p.run AND e.kind = 'ended' AND e.seq < during.seq)
)), 0) FROM during
"""


def cost(rows: Rows, state: State, now: float, remembered: Remembered | None = None) -> CostView:
    """The whole bill: in all, by phase (in the order of their first call), UTC day and model; what budgets have left.

    A sum of US dollars is that of the calls with a known price, None where there are calls and none has one.
    ``remembered``: what was asked before; sums over years are then made anew where there is an answer more.
    """
    # All that counts is before the last answer; a proposal may say later what an answer was about.
    ((seq, attributed),) = rows.query("SELECT max(seq), count(experiment) FROM usage")
    bill = (remembered or Remembered()).answer("cost", (seq, attributed), lambda: _bill(rows))
    return replace(bill, budgets=tuple(_budgets(state, now)))


def _bill(rows: Rows) -> CostView:
    """The bill without budgets."""
    total = SpentView(*rows.query(f"SELECT {_SUMS} FROM usage")[0])
    (during, about_live) = rows.query(_DURING)[0]
    return CostView(
        calls=total.calls,
        tokens_in=total.tokens_in,
        tokens_out=total.tokens_out,
        usd=total.usd,
        by_phase=_by(rows, "phase", "min(seq)"),
        tokens_cached=total.tokens_cached,
        unpriced_calls=total.unpriced_calls,
        latency_s=total.latency_s,
        by_day=_by(rows, _DAY, _DAY),
        by_model=_by(rows, "model", "min(seq)"),
        calls_while_training=during,
        calls_about_live_runs=about_live,
    )


def _by(rows: Rows, group: str, order: str) -> Mapping[str, SpentView]:
    found = rows.query(f"SELECT {group}, {_SUMS} FROM usage GROUP BY {group} ORDER BY {order}")
    return {name: SpentView(*sums) for name, *sums in found}


def _budgets(state: State, now: float) -> Iterator[BudgetView]:
    """What is left of each budget that calls are held against, as the meter counts it."""
    bill, today = state.bill, dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat()
    for suffix, spent in (("", bill.total), ("_per_day", bill.today if bill.day == today else Bill().today)):
        for name, so_far in _spent(spent).items():
            limit: float | None = getattr(state.project.budget, name + suffix)
            if limit is not None:
                yield BudgetView(name + suffix, limit, so_far, None if so_far is None else max(0.0, limit - so_far))


def _spent(usage: Usage) -> Mapping[str, float | None]:
    return {"usd": usage.usd, "tokens": float(usage.tokens_in + usage.tokens_out), "calls": float(usage.calls)}


@dataclass(frozen=True)
class Reflections:
    """What was paid so far for ``experiments`` after they were proposed. ``usd`` is the mean of those with a known
    price: 0 where nothing was ever paid for, None where none has one."""

    usd: float | None
    experiments: int


NOTHING_PAID = Reflections(0.0, 0)


def reflections(rows: Rows) -> Reflections:
    """What it has cost on average to reflect on an experiment and to repair it."""
    ((experiments, priced, usd),) = rows.query(
        "SELECT count(DISTINCT experiment), count(DISTINCT CASE WHEN usd IS NOT NULL THEN experiment END), sum(usd)"
        " FROM usage WHERE phase IN (?, ?) AND experiment IS NOT NULL",
        Phase.REFLECT.value,
        Phase.FIX.value,
    )
    if not experiments:
        return NOTHING_PAID
    return Reflections(usd / priced if priced else None, experiments)

"""The one door to paid calls: a budget is held against the most a call can cost, its answer is logged before use."""

import datetime as dt
from collections.abc import Awaitable, Callable

from ..core.answers import Usage
from ..core.events import Answered
from ..core.ledger import Ledger
from ..core.ports import Clock, History
from ..core.project import Budget
from ..core.state import Bill, State
from ..errors import BudgetReached


class LedgerMeter:
    """A Meter over a project's ledger. Answers are kept by key, so that a restarted step pays nothing twice."""

    def __init__(self, ledger: Ledger, history: History, clock: Clock) -> None:
        self._ledger = ledger
        self._history = history
        self._clock = clock

    async def ask(
        self,
        key: str,
        ceiling: Usage,
        call: Callable[[], Awaitable[tuple[str, Usage]]],
        experiment: int | None = None,
    ) -> str:
        """See ``core.ports.Meter``. Usage is logged without a fence: money spent is spent."""
        paid = self._history.answer(key)
        if paid is not None:
            return paid
        state = self._ledger.state()
        assert state is not None
        reserve(state, ceiling, self._clock.now())
        answer, usage = await call()
        self._ledger.append(Answered(key, usage, answer, experiment))
        return answer


def reserve(state: State, ceiling: Usage, now: float) -> None:
    """Raise BudgetReached where a call that costs up to ``ceiling`` could overspend a budget."""
    budget, bill = state.project.budget, state.bill
    today = bill.today if bill.day == dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat() else Bill().today
    _hold(budget, ceiling, bill.total, per_day=False)
    _hold(budget, ceiling, today, per_day=True)


def _hold(budget: Budget, ceiling: Usage, spent: Usage, per_day: bool) -> None:
    suffix = "_per_day" if per_day else ""
    tokens = spent.tokens_in + spent.tokens_out + ceiling.tokens_in + ceiling.tokens_out
    for name, would_be in (
        ("usd", None if ceiling.usd is None else (spent.usd or 0.0) + ceiling.usd),
        ("tokens", float(tokens)),
        ("calls", float(spent.calls + ceiling.calls)),
    ):
        limit: float | None = getattr(budget, name + suffix)
        if limit is None:
            continue
        if would_be is None:
            raise BudgetReached(f"budget.{name}{suffix} is {limit:g} and the price of {ceiling.model} is unknown", name)
        if would_be > limit:
            raise BudgetReached(f"budget.{name}{suffix} of {limit:g} does not allow {would_be:g}", name)

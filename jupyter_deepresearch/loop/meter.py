"""The one door to paid calls: a budget is held against the most a call can cost, its answer is logged before use."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from ..core.answers import Usage
from ..core.events import Answered
from ..core.ledger import Ledger
from ..core.money import dollars
from ..core.ports import Clock, History
from ..core.state import Bill, State
from ..errors import BudgetReached


class LedgerMeter:
    """A Meter over a project's ledger. Answers are kept by key, so that a restarted step pays nothing twice.

    What calls under way may cost is held against the budgets, too; of two that ask under one key the second gets the
    answer of the first.
    """

    def __init__(self, ledger: Ledger, history: History, clock: Clock) -> None:
        self._ledger = ledger
        self._history = history
        self._clock = clock
        self._under_way: dict[str, Usage] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(
        self,
        key: str,
        ceiling: Usage,
        call: Callable[[], Awaitable[tuple[str, Usage]]],
        experiment: int | None = None,
    ) -> str:
        """See ``core.ports.Meter``. Usage is logged without a fence: money spent is spent."""
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            paid = self._history.answer(key)
            if paid is not None:
                return paid
            state = self._ledger.state()
            assert state is not None
            reserve(state, ceiling, self._clock.now(), self._under_way.values())
            self._under_way[key] = ceiling
            try:
                began = self._clock.monotonic()
                answer, usage = await call()
                if usage.latency_s is None:
                    usage = replace(usage, latency_s=self._clock.monotonic() - began)
                self._ledger.append(Answered(key, usage, answer, experiment))
            finally:
                del self._under_way[key]
            return answer


def reserve(state: State, ceiling: Usage, now: float, under_way: Collection[Usage] = ()) -> None:
    """Raise BudgetReached where a call that costs up to ``ceiling`` could overspend a budget.

    ``under_way`` are the ceilings of calls that have not been answered yet. A budget of one day allows spending again
    from the next midnight UTC, unless the call is more than a whole day allows.
    """
    budget, bill = state.project.budget, state.bill
    today = dt.datetime.fromtimestamp(now, dt.UTC).date()
    spent_today = bill.today if bill.day == today.isoformat() else Bill().today
    midnight = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), dt.UTC).timestamp()
    for suffix, spent, until in (("", bill.total, None), ("_per_day", spent_today, midnight)):
        for reason in ("usd", "tokens", "calls"):
            limit: float | None = getattr(budget, reason + suffix)
            if limit is not None:
                _hold(_Limit(reason, suffix, limit, until), spent, ceiling, under_way)


@dataclass(frozen=True)
class _Limit:
    """One budget: of US dollars, tokens or calls, in all or of a day that ends at ``until``."""

    reason: str
    suffix: str
    amount: float
    until: float | None

    @property
    def key(self) -> str:
        return f"budget.{self.reason}{self.suffix}"

    def of(self, usage: Usage) -> float | None:
        """What a usage takes of it, None where its price is not known."""
        tokens = float(usage.tokens_in + usage.tokens_out)
        return {"usd": usage.usd, "tokens": tokens, "calls": float(usage.calls)}[self.reason]

    def text(self, amount: float) -> str:
        return dollars(amount) if self.reason == "usd" else f"{amount:,.0f}"


def _hold(limit: _Limit, spent: Usage, ceiling: Usage, under_way: Collection[Usage]) -> None:
    most = limit.of(ceiling)
    if most is None:
        raise BudgetReached(
            f"{limit.key} is {limit.text(limit.amount)} and the price of {ceiling.model} is unknown:"
            " set researcher.price",
            limit.reason,
        )
    so_far = (limit.of(spent) or 0.0) + sum(limit.of(usage) or 0.0 for usage in under_way)
    if round(so_far + most, 9) <= limit.amount:
        return
    never = bool(limit.suffix) and most > limit.amount
    taken = "is spent or under way" if under_way else "is spent"
    when = " today" if limit.suffix else ""
    so_far_text = " on any day" if never else f": {limit.text(so_far)} {taken}{when}"
    raise BudgetReached(
        f"{limit.key} of {limit.text(limit.amount)} does not allow a call of up to {limit.text(most)}{so_far_text}",
        limit.reason,
        None if never else limit.until,
    )

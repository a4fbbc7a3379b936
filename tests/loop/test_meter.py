"""The one door to paid calls: never more than a budget, never twice for the same."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.project import Budget
from jupyter_deepresearch.core.types import Source
from jupyter_deepresearch.errors import BudgetReached, ResearcherFailed
from jupyter_deepresearch.loop.meter import LedgerMeter
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import FakeClock, memory_store
from tests.simulation import base_project

DAY = 86_400.0
CEILING = Usage("think", "model", 1000, 500, usd=0.5)
SPENT = Usage("think", "model", 800, 100, usd=0.2, latency_s=1.5)


@dataclass
class Door:
    """A meter over a budget, and how often somebody was really paid."""

    store: SqliteStore
    budget: Budget
    clock: FakeClock = field(default_factory=FakeClock)
    paid: int = 0

    def __post_init__(self) -> None:
        ledger = Ledger(self.store)
        ledger.append(ev.Opened("p", base_project(budget=self.budget), Source("{}"), ev.Survey()))
        self.meter = LedgerMeter(ledger, self.store, self.clock)

    def ask(self, key: str, ceiling: Usage = CEILING, spent: Usage = SPENT) -> str:
        async def call() -> tuple[str, Usage]:
            self.paid += 1
            return f"answer {self.paid}", spent

        return asyncio.run(self.meter.ask(key, ceiling, call))


Open = Callable[[Budget], Door]


@pytest.fixture
def door() -> Iterator[Open]:
    clock = FakeClock()
    with closing(memory_store(clock.now)) as store:
        yield lambda budget: Door(store, budget, clock)


def test_an_answer_is_logged_with_its_price_before_it_is_used_and_paid_once(door: Open) -> None:
    meter = door(Budget())
    assert meter.ask("a") == "answer 1" and meter.ask("a") == "answer 1" and meter.ask("b") == "answer 2"
    assert meter.paid == 2
    answered = [r.event for r in meter.store.records() if isinstance(r.event, ev.Answered)]
    assert [(e.key, e.answer, e.usage) for e in answered] == [("a", "answer 1", SPENT), ("b", "answer 2", SPENT)]


def test_a_restarted_step_replays_what_was_paid(door: Open) -> None:
    first = door(Budget(calls=1))
    assert first.ask("a") == "answer 1"
    ledger = Ledger(first.store)
    first.meter = LedgerMeter(ledger, first.store, first.clock)
    assert first.ask("a") == "answer 1", "also where the budget is spent"
    with pytest.raises(BudgetReached):
        first.ask("b")


@pytest.mark.parametrize(
    ("budget", "calls", "reason"),
    [
        (Budget(usd=1.0), 3, "usd"),  # 0.2 three times, then 0.6 + 0.5 > 1
        (Budget(tokens=3000), 2, "tokens"),  # 900 twice, then 1800 + 1500 > 3000
        (Budget(calls=4), 4, "calls"),
        (Budget(usd_per_day=0.6), 1, "usd"),
        (Budget(tokens_per_day=1500), 1, "tokens"),
        (Budget(calls_per_day=2), 2, "calls"),
        (Budget(usd=0.4), 0, "usd"),
    ],
)
def test_a_budget_is_held_against_the_most_that_a_call_can_cost(
    door: Open, budget: Budget, calls: int, reason: str
) -> None:
    meter = door(budget)
    for number in range(calls):
        meter.ask(str(number))
    with pytest.raises(BudgetReached) as reached:
        meter.ask("one too many")
    assert reached.value.reason == reason and f"budget.{reason}" in str(reached.value)
    assert meter.paid == calls, "it was paid before it was refused"
    bill = meter.store.query("SELECT coalesce(sum(usd), 0), count(*) FROM usage")
    assert bill == [(pytest.approx(0.2 * calls), calls)]


def test_a_day_ends_at_midnight_utc(door: Open) -> None:
    meter = door(Budget(calls_per_day=1))
    meter.clock.time = 10 * DAY - 2
    meter.ask("a")
    with pytest.raises(BudgetReached):
        meter.ask("b")
    meter.clock.time = 10 * DAY + 1
    assert meter.ask("b") == "answer 2"


def test_a_budget_in_money_refuses_a_model_without_a_price(door: Open) -> None:
    meter = door(Budget(usd=5.0))
    with pytest.raises(BudgetReached, match="the price of model is unknown"):
        meter.ask("a", Usage("think", "model", 10, 10))
    assert meter.paid == 0


def test_a_call_that_fails_is_asked_anew(door: Open) -> None:
    meter = door(Budget())

    async def fails() -> tuple[str, Usage]:
        raise ResearcherFailed("no network")

    with pytest.raises(ResearcherFailed):
        asyncio.run(meter.meter.ask("a", CEILING, fails))
    assert meter.ask("a") == "answer 1"


def refusal(budget: Budget, ceiling: Usage = CEILING, spent: Usage | None = SPENT, at: float = 10 * DAY + 60) -> str:
    """What is said of a call under this budget, after one that took ``spent``, and from when it may be made."""
    with closing(memory_store(lambda: at)) as store:
        meter = Door(store, budget, FakeClock(at))
        if spent is not None:
            meter.ask("first", Usage("think", "model", 0, 0, usd=0.0), spent)
        with pytest.raises(BudgetReached) as reached:
            meter.ask("next", ceiling)
    until = reached.value.until
    return f"{reached.value} until {'ever' if until is None else f'day {until / DAY:g}'}"


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(usd=0.65), "budget.usd of $0.65 does not allow a call of up to $0.50: $0.20 is spent until ever"),
        (
            Budget(usd_per_day=0.65),
            "budget.usd_per_day of $0.65 does not allow a call of up to $0.50: $0.20 is spent today until day 11",
        ),
        (
            Budget(tokens_per_day=2000),
            "budget.tokens_per_day of 2,000 does not allow a call of up to 1,500: 900 is spent today until day 11",
        ),
        (
            Budget(calls_per_day=1),
            "budget.calls_per_day of 1 does not allow a call of up to 1: 1 is spent today until day 11",
        ),
        (
            Budget(usd_per_day=0.4),
            "budget.usd_per_day of $0.40 does not allow a call of up to $0.50 on any day until ever",
        ),
        (
            Budget(usd=0.65, usd_per_day=0.65),
            "budget.usd of $0.65 does not allow a call of up to $0.50: $0.20 is spent until ever",
        ),
    ],
)
def test_a_refusal_names_budget_limit_and_spent_and_when_there_is_more(budget: Budget, said: str) -> None:
    assert refusal(budget) == said


def test_small_amounts_are_said_with_digits_that_count() -> None:
    cents = Usage("plan", "model", 10, 10, usd=0.0371289)
    said = refusal(Budget(usd=0.04), cents, replace(cents, usd=0.0031415))
    assert "of $0.04 does not allow a call of up to $0.0371: $0.00314 is spent" in said


def test_two_that_ask_at_once_do_not_both_pass_on_the_same_money(door: Open) -> None:
    meter = door(Budget(usd=0.9)).meter
    order: list[str] = []

    async def ask_both() -> list[str | BaseException]:
        release = asyncio.Event()

        async def call(name: str) -> tuple[str, Usage]:
            order.append(name)
            await release.wait()
            return name, SPENT

        async def second() -> str:
            try:
                return await meter.ask("b", CEILING, lambda: call("b"))
            finally:
                release.set()

        asked = (meter.ask("a", CEILING, lambda: call("a")), second())
        return list(await asyncio.gather(*asked, return_exceptions=True))

    first, refused = asyncio.run(ask_both())
    assert first == "a" and order == ["a"]
    assert isinstance(refused, BudgetReached) and "$0.50 is spent or under way" in str(refused)


def test_what_failed_holds_no_money_any_more(door: Open) -> None:
    meter = door(Budget(usd=0.6))

    async def cut() -> tuple[str, Usage]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(meter.meter.ask("a", CEILING, cut))
    assert meter.ask("b") == "answer 1"


def test_one_question_asked_twice_at_once_is_paid_once(door: Open) -> None:
    made = door(Budget())

    async def call() -> tuple[str, Usage]:
        made.paid += 1
        await asyncio.sleep(0)
        return "answer", SPENT

    async def ask_both() -> list[str]:
        return list(await asyncio.gather(*(made.meter.ask("a", CEILING, call) for _ in range(2))))

    assert asyncio.run(ask_both()) == ["answer", "answer"] and made.paid == 1


@pytest.mark.parametrize(("told", "logged"), [(None, 2.5), (0.7, 0.7)])
def test_how_long_an_answer_took_is_logged(door: Open, told: float | None, logged: float) -> None:
    meter = door(Budget())

    async def call() -> tuple[str, Usage]:
        meter.clock.time += 2.5
        return "answer", replace(SPENT, latency_s=told)

    asyncio.run(meter.meter.ask("a", CEILING, call))
    assert meter.store.query("SELECT latency_s FROM usage") == [(logged,)]

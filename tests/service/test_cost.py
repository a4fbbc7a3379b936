"""The bill: what calls have cost by phase, day and model, and that nothing asks while something trains."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from jupyter_deepresearch import text
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.project import Budget
from jupyter_deepresearch.core.types import Decision, Handle, Outcome, Purpose, Run, RunState, Source
from jupyter_deepresearch.service import views
from jupyter_deepresearch.service.cost import NOTHING_PAID, Reflections, cost, reflections
from jupyter_deepresearch.service.remembered import Remembered
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import memory_store
from tests.core.logs import SURVEY, candidate, experiment, judged, reflected
from tests.long_log import long_log
from tests.simulation import base_project

DAY = 86_400.0
PLAN = Usage("plan", "leader", 5000, 500, 1000, 0.5, latency_s=4.0)
PATCH = Usage("patch", "worker", 3000, 300, usd=0.25, latency_s=2.0)
REFLECT = Usage("reflect", "leader", 2000, 100, usd=0.125, latency_s=1.0)


@dataclass
class Book:
    """A log written at times of our own."""

    budget: Budget = field(default_factory=Budget)
    now: float = 20_000 * DAY + 60

    def __post_init__(self) -> None:
        self.store = memory_store(lambda: self.now)
        self.ledger = Ledger(self.store)
        self.write(ev.Opened("p", base_project(budget=self.budget), Source("{}"), SURVEY))

    def write(self, *events: ev.Event) -> None:
        for event in events:
            self.ledger.append(event)

    def pay(self, key: str, usage: Usage, about: int | None = None) -> None:
        self.write(ev.Answered(key, usage, f"answer {key}", about))

    def cycle(self, number: int, answers: Sequence[str] = ()) -> None:
        """A proposal that these answers led to, run, judged and reflected on."""
        self.write(ev.Proposed(experiment(number), answers=tuple(answers)), ev.Approve(number))
        self.begin(candidate(number))
        self.end(candidate(number))
        self.write(judged(number, Decision.WORSE, 1.0))
        self.pay(f"reflect {number}", REFLECT, number)
        self.write(reflected(number))

    def begin(self, run: Run) -> None:
        self.write(ev.Planned(run), ev.Launched(Handle(run.id, "fake", run.id)))

    def end(self, run: Run) -> None:
        self.write(ev.Ended(Outcome(run.id, RunState.SUCCEEDED, 1.0, elapsed_s=10.0)))

    def bill(self, remembered: Remembered | None = None) -> views.CostView:
        state = self.ledger.state()
        assert state is not None
        return cost(self.store, state, self.now, remembered)

    def usd(self) -> dict[int, float | None]:
        """What the history says of each experiment."""
        return dict(self.store.query("SELECT experiment, usd FROM experiments ORDER BY experiment"))


@pytest.fixture
def book() -> Iterator[Book]:
    made = Book()
    with closing(made.store):
        yield made


def test_nothing_asked_is_nothing_paid(book: Book) -> None:
    bill = book.bill()
    assert (bill.calls, bill.tokens_in, bill.tokens_out, bill.usd, bill.by_phase) == (0, 0, 0, 0.0, {})
    assert (bill.latency_s, bill.by_day, bill.by_model, bill.budgets) == (None, {}, {}, ())
    assert text.cost_text(bill).splitlines()[-1] == "LLM calls while training: 0"


def test_the_bill_by_phase_day_and_model(book: Book) -> None:
    book.pay("plan 1", PLAN)
    book.pay("patch 1", PATCH)
    book.cycle(1, ["plan 1", "patch 1"])
    book.now += DAY
    book.pay("plan 2", PLAN)
    bill = book.bill()
    assert (bill.calls, bill.tokens_in, bill.tokens_out, bill.tokens_cached) == (4, 15_000, 1400, 2000)
    assert bill.usd == 1.375 and bill.latency_s == pytest.approx(11 / 4)
    assert list(bill.by_phase) == ["plan", "patch", "reflect"] and list(bill.by_model) == ["leader", "worker"]
    assert bill.by_phase["plan"] == views.SpentView(2, 10_000, 1000, 1.0, 2000, 0, 4.0)
    assert bill.by_model["leader"].calls == 3
    assert {day: spent.calls for day, spent in bill.by_day.items()} == {"2024-10-04": 3, "2024-10-05": 1}


def test_json_keeps_the_keys_of_usage_at_its_top(book: Book) -> None:
    book.pay("plan 1", PLAN)
    told = json.loads(views.to_json(book.bill()))
    assert list(told)[:5] == ["calls", "tokens_in", "tokens_out", "usd", "by_phase"]
    assert told["by_phase"]["plan"].items() >= {"calls": 1, "tokens_in": 5000, "tokens_out": 500, "usd": 0.5}.items()


def test_an_unknown_price_is_null_and_counted(book: Book) -> None:
    book.pay("plan 1", Usage("plan", "local", 100, 10), 1)
    book.cycle(1)
    book.pay("plan 2", Usage("plan", "local", 100, 10))
    book.cycle(2, ["plan 2"])
    bill = book.bill()
    assert bill.by_phase["plan"].usd is None and bill.by_phase["plan"].unpriced_calls == 2
    assert bill.usd == 0.25 and bill.unpriced_calls == 2
    assert "calls of unknown price, not in the sums: 2" in text.cost_text(bill)
    state = book.ledger.state()
    assert state is not None and state.bill.by_phase["plan"].usd is None


def test_an_experiment_costs_what_led_to_it_and_what_was_said_of_it(book: Book) -> None:
    book.pay("plan 1", PLAN)
    book.pay("patch 1", PATCH)
    book.pay("idle", PLAN)  # led to nothing
    book.cycle(1, ["plan 1", "patch 1"])
    book.pay("plan 2", Usage("plan", "local", 1, 1))
    book.write(ev.Proposed(experiment(2), answers=("plan 2",)), ev.Proposed(experiment(3)))
    book.pay("fix 3", PATCH, 3)
    book.write(ev.Proposed(experiment(4), answers=("fix 3", "never asked")))
    assert book.usd() == {1: 0.875, 2: None, 3: 0.25, 4: 0.0}


def test_calls_while_something_trains_are_counted(book: Book) -> None:
    book.cycle(1)
    assert (book.bill().calls_while_training, book.bill().calls_about_live_runs) == (0, 0)
    book.write(ev.Proposed(experiment(2)), ev.Proposed(experiment(3)))
    run, again = candidate(2), candidate(2, attempt=2)
    book.write(ev.Planned(run))
    book.pay("before its launch", PLAN)
    book.begin(run)
    book.pay("about another", PLAN, 3)
    book.write(ev.Launched(Handle(run.id, "fake", "found again")))  # after a restart
    book.end(run)
    book.pay("about its end", PLAN, 2)
    book.begin(again)
    book.pay("about a live run", PLAN, 2)
    bill = book.bill()
    assert (bill.calls_while_training, bill.calls_about_live_runs) == (2, 1)
    assert "LLM calls about live runs: 1" in text.cost_text(bill)


def test_a_run_that_never_started_is_not_live(book: Book) -> None:
    run = Run(1, Purpose.DRY_RUN)
    book.write(ev.Proposed(experiment(1)), ev.Planned(run))
    book.end(run)  # without a launch
    book.begin(candidate(1))
    book.pay("k", PLAN)
    assert book.bill().calls_while_training == 1


def test_budgets_say_what_is_left_today_and_in_all() -> None:
    made = Book(Budget(usd=1.0, usd_per_day=0.25, calls_per_day=2, tokens=10_000))
    with closing(made.store):
        made.pay("a", PLAN)
        made.now += DAY
        made.pay("b", REFLECT)
        left = {budget.key: budget.left for budget in made.bill().budgets}
        assert left == {
            "usd": 0.375,
            "tokens": 2400,
            "usd_per_day": 0.125,
            "calls_per_day": 1,
        }
        assert "budget.usd_per_day: $0.125 of $0.25 spent, $0.125 left" in text.cost_text(made.bill())
        made.now += DAY
        assert {b.key: b.spent for b in made.bill().budgets if b.key.endswith("day")} == {
            "usd_per_day": 0.0,
            "calls_per_day": 0.0,
        }


def test_the_last_two_weeks_are_shown(book: Book) -> None:
    for number in range(20):
        book.pay(str(number), PLAN)
        book.now += DAY
    days = [line.split()[0] for line in text.cost_text(book.bill()).splitlines() if line.startswith("2024-")]
    assert days == sorted(days) and len(days) == 14 and days[-1] == "2024-10-23"
    assert len(book.bill().by_day) == 20


def test_a_reflection_is_expected_to_cost_what_others_did(book: Book) -> None:
    assert reflections(book.store) == NOTHING_PAID == Reflections(0.0, 0)
    book.pay("r", Usage("reflect", "local", 1, 1), 1)
    assert reflections(book.store) == Reflections(None, 1)
    book.pay("fix 2", PATCH, 2)
    assert reflections(book.store).experiments == 1, "only what follows a proposal counts"
    book.pay("fix 2.1", Usage("fix", "worker", 10, 10, usd=0.25), 2)
    book.cycle(2)
    book.cycle(3)
    assert reflections(book.store) == Reflections(0.25, 3)


def test_a_long_bill_is_summed_without_reading_an_answer() -> None:
    with closing(memory_store()) as store:
        ledger = Ledger(store)
        for event in long_log(200):
            store.append(event)
        state = ledger.state()
        assert state is not None
        bill = cost(store, state, 0.0)
        assert bill.usd == pytest.approx(2.01)
        assert (bill.calls, bill.calls_while_training) == (201, 0)
        assert not _reads(store, "SELECT phase, sum(usd), sum(calls), avg(latency_s) FROM usage GROUP BY phase")


def test_a_bill_that_was_asked_for_before_is_summed_anew_where_there_is_an_answer_more(book: Book) -> None:
    remembered = Remembered()

    def asked() -> views.CostView:
        found = book.bill(remembered)
        assert found == book.bill(), "as if it were asked for the first time"
        return found

    book.write(ev.Proposed(experiment(1)), ev.Approve(1))
    book.begin(candidate(1))
    assert (asked().calls, asked().calls_while_training) == (0, 0)
    book.pay("plan", PLAN)
    assert (asked().calls, asked().calls_while_training, asked().calls_about_live_runs) == (1, 1, 0)
    book.pay("fix 1", PATCH, 1)
    assert (asked().calls, asked().calls_about_live_runs) == (2, 1)
    before = asked()
    book.end(candidate(1))
    assert asked().by_day is before.by_day, "an end is no answer: nothing was summed again"
    book.write(ev.Configure(base_project(budget=Budget(usd=2.0))))
    assert [(budget.key, budget.left) for budget in asked().budgets] == [("usd", 1.25)]


def _reads(store: SqliteStore, sql: str) -> bool:
    """Whether a question reads the table of events."""
    return any("events" in row[3] for row in store.query(f"EXPLAIN QUERY PLAN {sql}"))

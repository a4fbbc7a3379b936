"""What a project looks like from outside: the contract's objects, made of its log."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.ports import Progress, Resources, Track
from jupyter_deepresearch.core.project import Approval, ApprovalMode, Budget, Constraint, Project
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    ProjectState,
    Purpose,
    Run,
    RunState,
    Source,
    StopReason,
    Verdict,
)
from jupyter_deepresearch.service import past, views
from jupyter_deepresearch.service.status import Situation, status
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import FakeRecords, memory_store
from tests.core.logs import SURVEY, baseline, candidate, experiment, judged, live, proposed, ran, reflected
from tests.long_log import long_log
from tests.simulation import base_project

ASK = base_project(approval=Approval(ApprovalMode.ASK), budget=Budget(cycles=9))
STATUS_KEYS = {
    *("id", "project", "path", "state", "reason", "stop_reason", "cycle", "cycles", "objective", "baseline"),
    *("champion", "running", "waiting", "usage", "memory", "space", "remarks"),
    *("seq", "place", "branch"),
}
HISTORY_KEYS = {
    *("experiment", "cycle", "parent", "claim", "kind", "parameters", "edits", "state", "decision", "value"),
    *("interval", "seeds", "elapsed_s", "usd", "notebook", "reason", "measure", "delta"),
}


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(memory_store()) as made:
        yield made


@dataclass
class Shown:
    store: SqliteStore

    def __call__(
        self,
        *events: ev.Event,
        project: Project = ASK,
        life: views.Life | None = None,
        seen: Mapping[str, Progress] | None = None,
    ) -> views.StatusView:
        """The status after a project was opened and these were written."""
        ledger = Ledger(self.store)
        survey = replace(SURVEY, space=(Dimension("x", 0.0, 1.0), Dimension("act", choices=("relu", "tanh"))))
        for event in (ev.Opened("sim-1", project, Source("{}"), survey, "a brief"), *events):
            ledger.append(event)
        state = ledger.state()
        assert state is not None
        records = FakeRecords({run for run, one in (seen or {}).items() if one.elapsed_s is None}, dict(seen or {}))
        return status(Situation(state, "/a/folder", self.store, records, life or views.Life(True)))


@pytest.fixture
def shown(store: SqliteStore) -> Shown:
    return Shown(store)


def as_json(view: object) -> Any:
    return json.loads(views.to_json(view), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


FAILED, FINISHED = ev.Failed("the baseline failed"), ev.Finished(StopReason.CYCLES, "9 cycles done")


@pytest.mark.parametrize(
    ("events", "state", "reason"),
    [
        ([], ProjectState.RUNNING, "starting the baseline"),
        (baseline(), ProjectState.RUNNING, "cycle 1: thinking of the next hypothesis"),
        ([*baseline(), proposed(1)], ProjectState.WAITING_APPROVAL, "waiting for your approval of #1"),
        ([*baseline(), proposed(1), ev.Pause()], ProjectState.PAUSED, "paused by you"),
        ([*baseline(), proposed(1), ev.Pause(), ev.Stop()], ProjectState.STOPPED, "stopped by you"),
        ([*baseline(), ev.Stop(), FINISHED], ProjectState.FINISHED, "9 cycles done"),
        ([*baseline(), ev.Stop(), FINISHED, FAILED], ProjectState.FAILED, "the baseline failed"),
    ],
)
def test_the_state_is_the_first_that_holds(
    shown: Shown, events: list[ev.Event], state: ProjectState, reason: str
) -> None:
    found = shown(*events)
    assert (found.state, found.reason) == (state, reason)
    expected = {ProjectState.FINISHED: "cycles", ProjectState.STOPPED: "person"}
    assert found.stop_reason == ("cycles" if FINISHED in events else expected.get(state))


def test_a_project_that_nobody_researches_says_so(shown: Shown) -> None:
    found = shown(*baseline(), life=views.Life(False))
    assert found.state is ProjectState.STOPPED and "nobody is researching it" in found.reason


def test_trouble_is_the_reason(shown: Shown) -> None:
    found = shown(*baseline(), life=views.Life(False, "the disk is full"))
    assert (found.state, found.reason) == (ProjectState.STOPPED, "the disk is full")


def test_status_has_the_contracts_keys(shown: Shown) -> None:
    usage = Usage("think", "m", 100, 10, usd=0.25)
    run = candidate(1)
    taken = Resources(120.5, 2**30, None, None)
    progress = Progress(7, 8, 3.5, 4.0, {"loss": float("nan"), "score": 0.5}, "", resources=taken)
    found = as_json(
        shown(
            *baseline(),
            proposed(1),
            ev.Approve(1),
            *live(run),
            proposed(2),
            ev.Answered("k", usage, "answer"),
            ev.Announced("mind the gap"),
            seen={run.id: progress},
        )
    )
    assert set(found) == STATUS_KEYS
    assert (found["id"], found["project"], found["path"], found["cycle"], found["cycles"]) == (
        *("sim-1", "sim", "/a/folder"),
        *(2, 9),
    )
    assert found["baseline"] == found["champion"]
    assert set(found["champion"]) == {"experiment", "value", "interval", "seeds", "notebook", "claim"}
    (running,) = found["running"]
    assert running == {
        **{"run": run.id, "experiment": 1, "purpose": "candidate", "seed": 1, "pid": 7, "kernel_pid": 8},
        **{"elapsed_s": 3.5, "latest": {"step": 4.0, "values": {"loss": None, "score": 0.5}}, "note": ""},
        "remaining_s": 6.5,
        "resources": {"cpu_percent": 120.5, "memory_bytes": 2**30, "gpu_percent": None, "gpu_memory_bytes": None},
    }
    (waiting,) = found["waiting"]
    assert set(waiting) == {
        *("hypothesis", "claim", "rationale", "kind", "parameters", "edits", "estimate", "nearest", "sweep"),
        *("expected", "parent", "before", "at", "approved_at"),
    }
    assert waiting["hypothesis"] == 2 and waiting["nearest"]["experiment"] == 0
    assert waiting["estimate"]["minutes"] == round(10 / 60, 2)
    one = {"calls": 1, "tokens_in": 100, "tokens_out": 10, "usd": 0.25}
    assert found["usage"] == {**one, "by_phase": {"think": one}}
    assert found["memory"]["brief_chars"] == 7 and found["memory"]["limit_chars"] == 5000
    assert found["remarks"] == ["mind the gap"]
    assert found["space"] == ["x: 0..1", "act: relu | tanh"]


def test_what_is_running_is_said_in_one_sentence(shown: Shown) -> None:
    run = candidate(1)
    seen = {run.id: Progress(1, 2, 4.0, 12.0, {"score": 0.5})}
    found = shown(*baseline(), proposed(1), ev.Approve(1), *live(run), seen=seen)
    assert found.reason == 'cycle 1: running "claim 1", step 12, about 6 s left'


def test_what_is_left_is_told_by_the_steps_of_an_earlier_run(shown: Shown) -> None:
    run = candidate(1)
    seen = {
        "0000-baseline-seed-1": Progress(elapsed_s=10.0, tracks={"loss": Track(10, 1.0, 10.0, 9_000.0)}),
        run.id: Progress(
            elapsed_s=6_000.0, step=6.0, values={"loss": 1.0}, tracks={"loss": Track(6, 1.0, 6.0, 5_000.0, 600.0)}
        ),
    }
    view = shown(*baseline(), proposed(1), ev.Approve(1), *live(run), seen=seen)
    assert view.running[0].remaining_s == 3_400.0 and "step 6, about 57 min left" in view.reason


def test_a_run_being_cancelled_says_so(shown: Shown) -> None:
    run = candidate(1)
    found = shown(*baseline(), proposed(1), ev.Approve(1), *live(run), ev.Cancel(run.id))
    assert found.running[0].note == "being cancelled" and found.reason.endswith("being cancelled")


def test_the_champion_is_shown_with_its_interval(shown: Shown) -> None:
    more = [*ran(Run(0, Purpose.CONFIRM, 2), value=3.0), judged(0, Decision.BASELINE, 2.0, 2)]
    found = shown(*baseline(1.0), *more).champion
    assert found is not None and (found.value, found.seeds) == (2.0, 2)
    assert found.interval is not None and found.interval[0] < 2.0 < found.interval[1]


def test_the_objective_as_a_person_writes_it(shown: Shown) -> None:
    objective = replace(ASK.objective, constraints=(Constraint("params_m", "<=", 10.0),), target=0.99)
    found = as_json(shown(project=replace(ASK, objective=objective)).objective)
    assert found == {
        **{"metric": "score", "direction": "maximize", "min_delta": 0.1, "target": 0.99, "value": "last"},
        "constraints": ["params_m <= 10"],
    }


def test_history_has_the_contracts_keys_and_pages(shown: Shown, store: SqliteStore) -> None:
    shown(*baseline(), proposed(1, code=True), proposed(2), ev.Reject(2, "no"))
    rows = past.history(store)
    assert [row.experiment for row in rows] == [0, 1, 2]
    assert set(as_json(rows[0])) == HISTORY_KEYS
    edited = as_json(rows[1])
    assert edited["edits"] == [{"search": "a", "replace": "b", "cell": "c", "file": None}]
    assert (edited["state"], edited["decision"], edited["value"], edited["interval"]) == ("pending", None, None, None)
    assert rows[2].decision is Decision.REJECTED
    assert [row.experiment for row in past.history(store, after=0, limit=1)] == [1]
    assert past.history(store, after=2) == ()
    assert past.experiment(store, 1) == rows[1] and past.experiment(store, 9) is None


def test_the_delta_is_to_the_champion_that_an_experiment_was_judged_against(shown: Shown, store: SqliteStore) -> None:
    def verdict(number: int, value: float | None, before: float | None) -> ev.Judged:
        decision = Decision.FAILED if value is None else Decision.WORSE
        return ev.Judged(number, Verdict(decision, "because", value, champion_before=before))

    cycles = [(proposed(n), ev.Approve(n), *ran(candidate(n), value=0.5), reflected(n)) for n in (1, 2)]
    shown(*baseline(1.0), *cycles[0], verdict(1, 0.75, 1.0), *cycles[1], verdict(2, None, 1.0))
    assert [row.delta for row in past.history(store)] == [None, -0.25, None]
    assert [row.delta for row in past.newest(store, 2)] == [None, -0.25]


def test_an_experiment_of_many_runs_is_one_row(shown: Shown, store: SqliteStore) -> None:
    cycle = [proposed(1), ev.Approve(1), *ran(candidate(1), RunState.LOST), *ran(candidate(1, attempt=2), value=2.0)]
    cycle += [
        judged(1, Decision.PROMISING, 2.0),
        *ran(candidate(1, 2), value=3.0),
        judged(1, Decision.CONFIRMED, 2.5, 2),
    ]
    shown(*baseline(), *cycle, reflected(1))
    (_, row) = past.history(store)
    assert (row.value, row.seeds, row.elapsed_s, row.decision) == (2.5, 2, 30.0, Decision.CONFIRMED)


def test_the_nearest_experiment_differs_in_the_fewest_values_and_then_the_least(
    shown: Shown, store: SqliteStore
) -> None:
    told: list[ev.Event] = [*baseline()]
    for number, x in ((1, 1.0), (2, 5.0), (3, 5.4)):
        told += [ev.Proposed(experiment(number, x=x)), ev.Approve(number), *ran(candidate(number), value=x)]
        told += [judged(number, Decision.WORSE, x), reflected(number)]
    found = shown(*told, ev.Proposed(experiment(4, x=5.1)))
    nearest = found.waiting[0].nearest
    assert nearest is not None and (nearest.experiment, nearest.value) == (2, 5.0)


def test_whole_numbers_beyond_all_floats_have_a_distance_too(shown: Shown) -> None:
    huge = replace(experiment(1), settings={"x": 10**400})
    assert shown(*baseline(), ev.Proposed(huge)).waiting[0].nearest is not None


def test_events_are_told_without_whole_notebooks(store: SqliteStore) -> None:
    for event in (ev.Opened("p", ASK, Source("x" * 9999), SURVEY), proposed(0), ev.Pause()):
        store.append(event)
    told = [as_json(event) for event in past.events(store.records())]
    assert [(e["seq"], e["kind"]) for e in told] == [(1, "opened"), (2, "proposed"), (3, "pause")]
    assert told[0]["body"]["source"] is None and len(json.dumps(told)) < 6000
    assert told[1]["body"]["experiment"]["hypothesis"]["claim"] == "claim 0"


def test_the_status_of_a_long_history_is_small(store: SqliteStore) -> None:
    ledger = Ledger(store)
    for event in long_log(400):
        store.append(event)
    state = ledger.state()
    assert state is not None
    assert [row.experiment for row in past.history(store, after=299, limit=100)] == list(range(300, 400))
    found = status(Situation(state, "/a", store, FakeRecords()))
    assert found.cycle == 400 and found.champion is not None and found.champion.experiment == 400
    assert len(views.to_json(found)) < 5000

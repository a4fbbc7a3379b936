"""What a panel draws: every experiment as a point, again whenever it has changed; the parameters of the champion."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from nbformat import read, write

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.project import Approval, ApprovalMode
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Purpose,
    Run,
    RunState,
    Source,
    Sweep,
    Verdict,
)
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service import past
from jupyter_deepresearch.service.pictures import ParameterView, PointsView
from jupyter_deepresearch.service.status import Situation, status
from jupyter_deepresearch.service.views import StatusView
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import FakeRecords, memory_store
from tests.core.logs import SURVEY, baseline, candidate, end, experiment, live, proposed, ran, reflected
from tests.jupyter.doubles import Doubled, write_project
from tests.simulation import base_project

ASK = base_project(approval=Approval(ApprovalMode.ASK))
APPROVED = [ev.Approve(1), *ran(candidate(1), value=2.0)]


def judged(number: int, decision: Decision, value: float, seeds: int = 1) -> ev.Judged:
    return ev.Judged(number, Verdict(decision, "because", value, seeds, state=RunState.SUCCEEDED))


class Log:
    """A project's log, and what is seen of it."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.ledger = store, Ledger(store)
        self.write(ev.Opened("p", ASK, Source("{}"), SURVEY), *baseline())

    def write(self, *events: ev.Event) -> int:
        """The seq of the last of them."""
        return [self.ledger.append(event).seq for event in events][-1]

    def points(self, after: int = 0) -> PointsView:
        state = self.ledger.state()
        assert state is not None
        return past.points(self.store, state.seq, after)

    def changed(self, after: int) -> list[tuple[int, RunState, Decision | None, float | None]]:
        found = self.points(after)
        return list(zip(found.experiment, found.state, found.decision, found.value, strict=True))

    def status(self) -> StatusView:
        state = self.ledger.state()
        assert state is not None
        return status(Situation(state, "/a", self.store, FakeRecords()))


@pytest.fixture
def log() -> Iterator[Log]:
    with closing(memory_store()) as store:
        yield Log(store)


def test_all_experiments_are_columns_of_one_length(log: Log) -> None:
    verdict = Verdict(Decision.CONFIRMED, "because", 2.5, 2, (2.0, 3.0), 1.0, RunState.SUCCEEDED)
    seq = log.write(proposed(1), *APPROVED, ev.Judged(1, verdict), reflected(1), proposed(2))
    assert log.points().experiment == (0, 1, 2) == log.points(1).experiment
    assert log.points() == PointsView(
        seq,
        experiment=(0, 1, 2),
        value=(1.0, 2.5, None),
        low=(None, 2.0, None),
        high=(None, 3.0, None),
        decision=(Decision.BASELINE, Decision.CONFIRMED, None),
        state=(RunState.PENDING, RunState.SUCCEEDED, RunState.PENDING),
        measure=(1, 1, 1),
        parent=(None, 0, 0),
    )
    nothing = PointsView(seq, (), (), (), (), (), (), (), ())
    assert log.points(seq) == log.points(10**6) == nothing


def test_every_step_of_an_experiment_is_heard_of(log: Log) -> None:
    run, seq = candidate(1), log.write(proposed(1))
    assert log.changed(seq - 1) == [(1, RunState.PENDING, None, None)]
    steps = [
        ([ev.Approve(1)], (1, RunState.PENDING, None, None)),
        ([ev.Planned(run)], (1, RunState.RUNNING, None, None)),
        ([list(live(run))[1]], (1, RunState.RUNNING, None, None)),
        ([end(run, value=2.0)], (1, RunState.PENDING, None, None)),
        ([judged(1, Decision.PROMISING, 2.0)], (1, RunState.SUCCEEDED, Decision.PROMISING, 2.0)),
        (list(live(candidate(1, 2))), (1, RunState.SUCCEEDED, Decision.PROMISING, 2.0)),
        ([ev.Cancel(candidate(1, 2).id)], (1, RunState.SUCCEEDED, Decision.PROMISING, 2.0)),
    ]
    for events, point in steps:
        assert log.changed(seq) == [], "not before it happened"
        after, seq = seq, log.write(*events)
        assert log.changed(after) == [point], events
    assert log.points(seq).seq == seq


def test_an_old_experiment_that_changed_again_is_told_again(log: Log) -> None:
    seq = log.write(proposed(1), *APPROVED, judged(1, Decision.CONFIRMED, 2.0), reflected(1), proposed(2))
    verdict = Verdict(Decision.CONFIRMED, "because", 2.0, 1)
    run = Run(1, Purpose.REPRODUCE, 2)
    seq, before = log.write(ev.Reproduce(experiment(1), 1, {1: 2.0}, verdict)), seq
    assert [found[0] for found in log.changed(before)] == [1]
    seq, before = log.write(*ran(run, value=1.0), judged(1, Decision.RETRACTED, 1.5, 2)), seq
    assert log.changed(before) == [(1, RunState.SUCCEEDED, Decision.RETRACTED, 1.5)]
    log.write(ev.Reject(2, "no"))
    assert log.changed(seq) == [(2, RunState.CANCELLED, Decision.REJECTED, None)]


def test_what_a_new_measure_leaves_behind_is_told(log: Log) -> None:
    seq = log.write(proposed(1), *APPROVED, judged(1, Decision.WORSE, 2.0), reflected(1), proposed(2))
    log.write(ev.Sourced(Source("{}"), SURVEY, new_measure=False))
    assert log.changed(seq) == []
    log.write(ev.Sourced(Source("{}"), SURVEY, new_measure=True))
    assert log.changed(seq) == [(2, RunState.CANCELLED, None, None)]
    assert log.status().waiting == () and log.status().champion is None


def test_what_waits_is_waiting_and_a_point_without_a_value(log: Log) -> None:
    seq = log.write(ev.Announced("to begin with"))
    sweep = Sweep(4, (Dimension("x", 0.0, 1.0),))
    hypothesis = Hypothesis("x matters", HypothesisKind.SWEEP, parameters={"x": 0.5}, sweep=sweep)
    log.write(ev.Proposed(Experiment(1, hypothesis, 0, 1, settings={"x": 0.5}, sweep=1)))
    offer = Hypothesis("by hand: your edit", HypothesisKind.BY_HAND)
    log.write(ev.Proposed(Experiment(2, offer, source=Source("{}", {"a.py": "1"}), code="c0de")))
    assert log.changed(seq) == [(1, RunState.PENDING, None, None), (2, RunState.PENDING, None, None)]
    assert [(card.hypothesis, card.kind, card.sweep is not None) for card in log.status().waiting] == [
        (1, HypothesisKind.SWEEP, True),
        (2, HypothesisKind.BY_HAND, False),
    ]
    rows = past.newest(log.store, 2)
    assert [(row.experiment, row.cycle, row.state, row.decision) for row in rows] == [
        (2, None, RunState.PENDING, None),
        (1, 1, RunState.PENDING, None),
    ]

    seq = log.write(ev.Reject(1, "not now"), ev.Reject(2, "you took this edit back", by="files"))
    assert log.changed(seq - 2) == [(n, RunState.CANCELLED, Decision.REJECTED, None) for n in (1, 2)]
    assert log.status().waiting == ()
    assert [row.reason for row in past.newest(log.store, 2)] == ["you took this edit back", "not now"]


def test_pages_from_the_newest_on_meet(log: Log) -> None:
    for number in range(1, 6):
        log.write(proposed(number), ev.Reject(number, "no"))
    first = past.newest(log.store, 4)
    assert [row.experiment for row in first] == [5, 4, 3, 2]
    rest = past.newest(log.store, 4, before=2)
    assert [row.experiment for row in rest] == [1, 0] and past.newest(log.store, 4, before=0) == ()
    assert (*first, *rest) == past.history(log.store)[::-1]


def test_curves_are_those_of_the_run_that_an_experiment_is_shown_by(tmp_path: Path) -> None:
    with closing(Doubled().service()) as service:
        project = service.prepare(write_project(tmp_path / "small"), Options(cycles=1))
        project.ledger.append(proposed(0))
        assert project.curves(0, None, 9).run == "", "nothing has run yet"
        dry, first, again = Run(0, Purpose.DRY_RUN), candidate(0), candidate(0, attempt=2)
        for events, shown in (
            (ran(dry), dry),
            (live(first), first),
            ([end(first, RunState.LOST)], first),
            (live(again), again),
            ([end(again, value=1.0)], again),
            (live(Run(0, Purpose.REPRODUCE, 2)), again),
        ):
            for event in events:
                project.ledger.append(event)
            assert project.curves(0, None, 9).run == shown.id
        assert project.curves(0, first.id, 9, "score").run == first.id


def test_the_parameters_are_those_that_the_champion_runs_with(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small")
    with closing(Doubled().service()) as service:
        project = service.prepare(folder, Options(cycles=1))
        lr, seed = "0.001..1 log", ParameterView("seed", 1, 1, None)
        assert project.parameters() == (ParameterView("lr", 0.1, 0.1, lr), seed), "no champion yet"
        service.run(project)
        assert project.parameters() == (ParameterView("lr", 0.2, 0.1, lr), seed)


def test_the_parameters_of_a_champion_in_a_notebook_of_its_own(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "small")
    with closing(Doubled().service()) as service:
        project = service.prepare(folder, Options(cycles=3))
        service.run(project)
        notebook = read(folder / "train.ipynb", 4)
        notebook.cells[0].source = "lr = 0.3\nwidth = 8\ndepth = 2"
        write(notebook, folder / "wide.ipynb")
        project.command(cmd.TryCommand(notebook="wide.ipynb", parameters={"lr": 0.5, "width": 16}))
        service.run(project)
        champion = project.state.champion
        assert champion is not None and champion.experiment.hypothesis.kind is HypothesisKind.BY_HAND
        found = {line.name: (line.value, line.own) for line in project.parameters()}
    assert found == {"lr": (0.5, 0.1), "width": (16, None), "depth": (2, None)}

"""What people may say: read strictly, decided at the state of the moment, refused in one line."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from jupyter_deepresearch.config.loading import reconfigure
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.ports import Build
from jupyter_deepresearch.core.project import Approval, ApprovalMode
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import Decision, Edit, HypothesisKind, Purpose, Run, RunState, Source
from jupyter_deepresearch.errors import (
    AlreadyDecided,
    Conflict,
    DeepResearchError,
    InvalidInput,
    InvalidNotebook,
    NotFound,
)
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service import past
from jupyter_deepresearch.service.deciding import Context, decide
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import FakeNotebooks, memory_store
from tests.core.logs import SURVEY, baseline, candidate, end, experiment, judged, live, proposed, ran, reflected
from tests.simulation import base_project


@dataclass
class Notebooks(FakeNotebooks):
    """One parameter, ``x``; a notebook of its own whose locked cells are others."""

    def read(self, notebook: str) -> tuple[Source, ev.Survey]:
        if notebook == "gone.ipynb":
            raise InvalidNotebook("gone.ipynb: no such notebook")
        return Source(notebook), SURVEY

    def measure(self, source: Source, metric: str) -> str:
        return "other" if source.notebook == "other.ipynb" else metric

    def check(self, build: Build, survey: ev.Survey) -> None:
        for name in build.parameters:
            if name not in survey.parameters:
                raise InvalidNotebook(f"no parameter {name!r}; the notebook has: x")


class Told:
    """A project's log and what is said to it."""

    def __init__(self, store: SqliteStore, *events: ev.Event) -> None:
        self.store, self.ledger = store, Ledger(store)
        project = base_project(approval=Approval(ApprovalMode.ASK))
        for event in (ev.Opened("p", project, Source("{}"), SURVEY), *events):
            self.ledger.append(event)

    @property
    def state(self) -> State:
        state = self.ledger.state()
        assert state is not None
        return state

    def say(self, command: cmd.Command, command_id: str | None = None) -> ev.Record:
        context = Context(self.store, Notebooks(), reconfigure)

        def decided(state: State | None) -> ev.Event:
            assert state is not None
            return decide(command, state, context)

        return self.ledger.append(decided, command_id=command_id)

    def refused(self, command: cmd.Command, kind: type[DeepResearchError]) -> str:
        before = self.state
        with pytest.raises(kind) as error:
            self.say(command)
        assert type(error.value) is kind and "\n" not in str(error.value)
        assert self.state.seq == before.seq, "something was written"
        return str(error.value)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(memory_store()) as made:
        yield made


@pytest.fixture
def waiting(store: SqliteStore) -> Told:
    """Experiment 1 is over, 2 waits, 3 was rejected, 4 is live."""
    over = [proposed(1), *ran(candidate(1), value=0.0), judged(1, Decision.WORSE, 0.0), reflected(1)]
    later = [proposed(2), proposed(3), ev.Reject(3), proposed(4), ev.Approve(4), *live(candidate(4))]
    return Told(store, *baseline(), *over, *later)


# Reading


def test_commands_are_read_from_json() -> None:
    def read(kind: str, **body: Any) -> cmd.Command:
        return cmd.parse(kind, body)

    assert read("approve", hypothesis=3) == cmd.ApproveCommand(3)
    assert read("reject", hypothesis=3, reason="no") == cmd.RejectCommand(3, "no")
    edit = read("edit", hypothesis=3, edits=[{"cell": "c", "search": "a", "replace": "b"}])
    assert edit == cmd.EditCommand(3, edits=(Edit("a", "b", cell="c"),))
    assert read("try", parameters={"x": 1, "act": "relu", "bn": True, "n": None}) == cmd.TryCommand(
        {"x": 1, "act": "relu", "bn": True, "n": None}
    )
    assert read("directive", text="x") == cmd.DirectiveCommand("x")
    assert read("cancel", run="r") == cmd.CancelCommand("r")
    assert read("reproduce", experiment=1, seeds=2) == cmd.ReproduceCommand(1, 2)
    assert read("configure", budget={"cycles": 3}) == cmd.ConfigureCommand({"budget": {"cycles": 3}})
    assert [read(kind) for kind in ("pause", "resume", "stop")] == [
        cmd.PauseCommand(),
        cmd.ResumeCommand(),
        cmd.StopCommand(),
    ]


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("aprove", {}, "unknown command 'aprove'; accepted: approve, reject"),
        (["approve"], {}, "unknown command"),
        (None, {}, "unknown command"),
        ("approve", {}, "missing required field 'hypothesis'"),
        ("approve", {"hypothesis": "1"}, "Expected 'int', got 'str'"),
        ("approve", {"hypothesis": True}, "Expected 'int', got 'bool'"),
        ("approve", {"hypothesis": 1, "why": "x"}, "unknown key 'why'; accepted: hypothesis"),
        ("pause", {"x": 1}, "unknown key 'x'; accepted: none"),
        ("try", {"parameters": {"x": [1]}}, "parameters"),
        ("edit", {"hypothesis": 1, "edits": [{"search": "a"}]}, "replace"),
        ("reproduce", {"experiment": 1, "seeds": 1.5}, "seeds"),
    ],
)
def test_what_is_no_command_is_refused_in_one_line(kind: Any, body: Mapping[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        cmd.parse(kind, body)
    assert words in str(refused.value) and "\n" not in str(refused.value) and "`" not in str(refused.value)


def test_every_kind_of_the_contract_can_be_read() -> None:
    assert [kind.value for kind in cmd.CommandKind] == [
        *("approve", "reject", "edit", "try", "directive", "cancel", "reproduce", "branch"),
        *("configure", "pause", "resume", "stop"),
    ]


# Deciding


def test_a_waiting_hypothesis_is_decided_once(waiting: Told) -> None:
    waiting.say(cmd.ApproveCommand(2))
    for again in (cmd.ApproveCommand(2), cmd.RejectCommand(2), cmd.EditCommand(2, claim="x")):
        assert "already decided" in waiting.refused(again, AlreadyDecided)
    for number in (1, 3, 4):
        waiting.refused(cmd.ApproveCommand(number), AlreadyDecided)
    assert "no experiment 99" in waiting.refused(cmd.ApproveCommand(99), NotFound)


def test_hypotheses_grow_from_what_has_run_under_this_measure(waiting: Told) -> None:
    assert cmd.parse("branch", {"experiment": None}) == cmd.BranchCommand(None)
    for number, kind, words in (
        *((99, NotFound, "no experiment 99"), (None, Conflict, "from the champion already")),
        *((0, Conflict, "from the champion already"), (2, Conflict, "2 is still open"), (4, Conflict, "still open")),
        (3, Conflict, "no run of experiment 3 succeeded"),
    ):
        assert words in waiting.refused(cmd.BranchCommand(number), kind)
    assert waiting.say(cmd.BranchCommand(1)).event == ev.Branch(experiment(1), {1: 0.0})
    assert "from experiment 1 already" in waiting.refused(cmd.BranchCommand(1), AlreadyDecided)
    tried = waiting.say(cmd.TryCommand({"x": 5.0})).event
    assert isinstance(tried, ev.Try) and tried.experiment.parent == 1, "the person's own values too"
    assert waiting.state.works[2].experiment.parent == 0, "what waits stays as it is"
    assert waiting.say(cmd.BranchCommand(0)).event == ev.Branch(None), "from the champion is none"
    waiting.ledger.append(ev.Sourced(Source("{new}"), SURVEY, new_measure=True))
    assert "other locked cells" in waiting.refused(cmd.BranchCommand(1), Conflict)


def test_a_rejection_keeps_its_reason(waiting: Told) -> None:
    assert waiting.say(cmd.RejectCommand(2, " too slow ")).event == ev.Reject(2, "too slow")
    waiting.refused(cmd.RejectCommand(2, "x" * 2001), AlreadyDecided)


def test_an_edited_hypothesis_still_waits_as_it_now_is(waiting: Told) -> None:
    waiting.say(cmd.EditCommand(2, claim="better", parameters={"x": 5.0}))
    work = waiting.state.works[2]
    assert work.waiting and work.experiment.hypothesis.claim == "better"
    assert dict(work.experiment.settings) == {"x": 5.0}
    waiting.say(cmd.EditCommand(2, edits=()))
    assert dict(waiting.state.works[2].experiment.settings) == {"x": 5.0}, "None leaves a part as it was"
    assert "no parameter 'y'" in waiting.refused(cmd.EditCommand(2, parameters={"y": 1}), InvalidNotebook)
    assert "claim is empty" in waiting.refused(cmd.EditCommand(2, claim=" "), InvalidInput)


def test_a_persons_own_idea_is_an_experiment_of_the_next_number(waiting: Told) -> None:
    event = waiting.say(cmd.TryCommand({"x": 7.0})).event
    assert isinstance(event, ev.Try)
    made = event.experiment
    assert (made.number, made.parent, made.cycle, dict(made.settings)) == (5, 0, 5, {"x": 7.0})
    assert (made.hypothesis.kind, made.hypothesis.claim) == (HypothesisKind.BY_HAND, "by hand: x = 7.0")
    assert not waiting.state.works[5].waiting, "nobody is asked for one's own idea"
    claimed = waiting.say(cmd.TryCommand({"x": 8.0}, claim="eight is better")).event
    assert isinstance(claimed, ev.Try) and claimed.experiment.hypothesis.claim == "eight is better"


def test_another_notebook_is_a_root_of_its_own(waiting: Told) -> None:
    event = waiting.say(cmd.TryCommand({"x": 1.0}, notebook="mine.ipynb")).event
    assert isinstance(event, ev.Try)
    assert (event.experiment.parent, event.experiment.source) == (None, Source("mine.ipynb"))
    assert event.experiment.hypothesis.claim == "by hand: mine.ipynb, x = 1.0"
    assert "locked cells differ" in waiting.refused(cmd.TryCommand(notebook="other.ipynb"), InvalidNotebook)
    assert "no such notebook" in waiting.refused(cmd.TryCommand(notebook="gone.ipynb"), InvalidNotebook)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (cmd.TryCommand(), "nothing to try"),
        (cmd.TryCommand({"x": float("nan")}), "NaN or infinite"),
        (cmd.TryCommand({"x": 1}, claim="x" * 2001), "2,001 characters; at most 2,000"),
        (cmd.DirectiveCommand(" \n "), "is empty"),
        (cmd.DirectiveCommand("x" * 2001), "2,001 characters"),
        (cmd.RejectCommand(2, "x" * 2001), "2,001 characters"),
        (cmd.ReproduceCommand(1, 0), "seeds is 0; accepted: 1 to 100"),
        (cmd.ReproduceCommand(1, 101), "accepted: 1 to 100"),
    ],
)
def test_what_can_never_be_accepted(waiting: Told, command: cmd.Command, words: str) -> None:
    assert words in waiting.refused(command, InvalidInput)


def test_configuration_is_checked_as_in_the_file(waiting: Told) -> None:
    waiting.say(cmd.ConfigureCommand({"budget": {"cycles": 3}}))
    assert waiting.state.project.budget.cycles == 3
    before = waiting.state.seq
    for tables in ({"budget": {"cycle": 3}}, {"budget": {"cycles": "3"}}, {"objective": {"metric": "other"}}, {"x": 1}):
        with pytest.raises(InvalidInput) as refused:
            waiting.say(cmd.ConfigureCommand(tables))
        assert "\n" not in str(refused.value) and waiting.state.seq == before


def test_a_live_run_is_cancelled_once(waiting: Told) -> None:
    run = candidate(4).id
    waiting.say(cmd.CancelCommand(run))
    assert "already being cancelled" in waiting.refused(cmd.CancelCommand(run), AlreadyDecided)
    waiting.ledger.append(end(candidate(4), RunState.CANCELLED))
    assert "already ended" in waiting.refused(cmd.CancelCommand(run), AlreadyDecided)
    assert "already ended" in waiting.refused(cmd.CancelCommand(candidate(1).id), AlreadyDecided)
    assert "live: none" in waiting.refused(cmd.CancelCommand("nobody"), NotFound)


def test_what_is_over_may_be_reproduced(waiting: Told) -> None:
    event = waiting.say(cmd.ReproduceCommand(1, 2)).event
    assert isinstance(event, ev.Reproduce)
    assert dict(event.known) == {1: 0.0} and dict(event.made) == {}
    assert event.verdict is not None and event.verdict.decision is Decision.WORSE
    assert "still open" in waiting.refused(cmd.ReproduceCommand(1, 1), Conflict)
    for number, words in ((2, "still open"), (4, "still open"), (3, "never run")):
        assert words in waiting.refused(cmd.ReproduceCommand(number, 1), Conflict)
    waiting.refused(cmd.ReproduceCommand(99, 1), NotFound)


def test_reproducing_again_makes_runs_of_new_names(waiting: Told) -> None:
    for attempt in (1, 2):
        event = waiting.say(cmd.ReproduceCommand(1, 1)).event
        assert isinstance(event, ev.Reproduce) and dict(event.made) == ({2: 1} if attempt == 2 else {})
        run = Run(1, Purpose.REPRODUCE, 2, attempt)
        for told in (*ran(run, RunState.CRASHED), judged(1, Decision.WORSE, 0.0)):
            waiting.ledger.append(told)


def test_an_old_measure_is_not_reproduced(waiting: Told) -> None:
    waiting.ledger.append(ev.Sourced(Source("{}"), SURVEY, new_measure=True))
    assert "other locked cells" in waiting.refused(cmd.ReproduceCommand(1, 1), Conflict)


def test_a_new_measure_leaves_behind_what_waited(waiting: Told) -> None:
    def pending() -> list[int]:
        return [row.experiment for row in past.history(waiting.store) if row.state is RunState.PENDING]

    assert 2 in pending()
    waiting.ledger.append(ev.Sourced(Source("{}"), SURVEY, new_measure=False))
    assert 2 in pending()
    waiting.ledger.append(ev.Sourced(Source("{}"), SURVEY, new_measure=True))
    assert pending() == [] and [work.number for work in waiting.state.open_works] == [4], "its run is live"


def test_a_repeated_command_is_the_same_command(waiting: Told) -> None:
    first = waiting.say(cmd.ApproveCommand(2), "once")
    assert waiting.say(cmd.ApproveCommand(2), "once") == first, "no 409 for a repeat"
    waiting.refused(cmd.ApproveCommand(2), AlreadyDecided)
    before = waiting.state.seq
    assert waiting.say(cmd.TryCommand({"x": 3.0}), "once") == first
    assert waiting.state.seq == before


def test_the_course_may_be_changed_at_any_time(waiting: Told) -> None:
    said = (cmd.PauseCommand(), cmd.PauseCommand(), cmd.StopCommand(), cmd.ResumeCommand(), cmd.ResumeCommand())
    kinds = [ev.kind_of(waiting.say(command).event) for command in said]
    assert kinds == ["pause", "pause", "stop", "resume", "resume"]
    assert waiting.say(cmd.DirectiveCommand("  keep x small ")).event == ev.Directive("keep x small")
    assert experiment(1).number == 1

"""An edit found on disk as everybody sees it and may answer it; code that differs tells experiments apart."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_deepresearch.changes import changes
from jupyter_deepresearch.config.loading import Options, reconfigure
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.growth import coded, grow
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.offers import Found, respond
from jupyter_deepresearch.core.project import Approval, ApprovalMode
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import Decision, Edit, Hypothesis, HypothesisKind, ProjectState, Source
from jupyter_deepresearch.errors import AlreadyDecided, InvalidInput, InvalidNotebook
from jupyter_deepresearch.execution.notebooks.publish import ProjectNotebooks
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service import past, views
from jupyter_deepresearch.service.deciding import Context, decide
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.status import Situation, status
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import FakeRecords, memory_store
from tests.core.logs import baseline, candidate, judged, ran, reflected
from tests.jupyter.doubles import CONFIG, Doubled, write_project
from tests.simulation import base_project

PROJECT = base_project(approval=Approval(ApprovalMode.ASK))


class Folder:
    """A real folder and its log, without anybody who researches it."""

    def __init__(self, folder: Path, store: SqliteStore) -> None:
        self.folder, self.store = folder, store
        self.notebooks = ProjectNotebooks(folder, PROJECT)
        self.ledger = Ledger(store)
        self.write("x = 1.0", "fit(x)")
        (folder / "model.py").write_text("width = 1\ndepth = 1\n")
        self.own, survey = self.notebooks.read("train.ipynb")
        for event in (ev.Opened("p", PROJECT, self.own, survey), *baseline()):
            self.ledger.append(event)

    def write(self, parameters: str, train: str, name: str = "train.ipynb") -> None:
        cells = [
            new_code_cell(parameters, id="p", metadata={"tags": ["parameters"]}),
            new_code_cell(train, id="t"),
            new_code_cell("report(score=1)", id="s", metadata={"tags": ["locked"]}),
        ]
        nbformat.write(new_notebook(cells=cells), self.folder / name)

    @property
    def state(self) -> State:
        state = self.ledger.state()
        assert state is not None
        return state

    @property
    def project(self) -> OpenedProject:
        notebooks, records = (lambda project: self.notebooks), FakeRecords()
        return OpenedProject("p", self.folder, self.store, self.ledger, notebooks, records, lambda project: "")

    def notice(self) -> ev.Event | None:
        """What comes of the files as they are."""
        event = respond(self.state, Found(*self.notebooks.read("train.ipynb")), self.own)
        if event is not None:
            self.ledger.append(event)
        return event

    def say(self, command: cmd.Command) -> ev.Event:
        context = Context(self.store, self.notebooks, reconfigure)
        event = decide(command, self.state, context)
        self.ledger.append(event)
        return event

    def seen(self) -> views.StatusView:
        return status(Situation(self.state, "/a", self.store, FakeRecords()))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with closing(memory_store()) as store:
        yield Folder(tmp_path, store)


WIDER = Edit("width = 1\n", "width = 2\n", file="model.py")


def test_an_offer_is_shown_with_its_diff_and_may_be_approved(folder: Folder) -> None:
    (folder.folder / "model.py").write_text("width = 2\ndepth = 1\n")
    folder.notice()
    seen = folder.seen()
    (card,) = seen.waiting
    assert (card.kind, card.claim, card.edits) == (
        *(HypothesisKind.BY_HAND, "by hand: your edit of model.py"),
        (WIDER,),
    )
    assert (seen.state, seen.cycle) == (ProjectState.RUNNING, 0), "nobody waits for the answer"
    (change,) = changes(folder.project, 1).changes
    assert (change.place, change.lines[1:3]) == ("model.py", ("-width = 1", "+width = 2"))
    (_, row) = past.history(folder.store)
    assert (row.cycle, row.edits, row.kind) == (None, (WIDER,), HypothesisKind.BY_HAND)

    folder.say(cmd.ApproveCommand(1))
    (_, row) = past.history(folder.store)
    assert row.cycle == 1 and folder.seen().cycle == 1 and folder.seen().waiting == ()
    with pytest.raises(AlreadyDecided):
        folder.say(cmd.RejectCommand(1))
    assert folder.notice() is None


def test_one_taken_back_is_told_as_that(folder: Folder) -> None:
    text = (folder.folder / "model.py").read_text()
    (folder.folder / "model.py").write_text("")
    folder.notice()
    (folder.folder / "model.py").write_text(text)
    folder.notice()
    (_, row) = past.history(folder.store)
    assert (row.decision, row.reason) == (Decision.REJECTED, "you took this edit back")
    assert [trial.experiment for trial in folder.store.trials(1, -1)] == [0], "no researcher hears of it"


def test_an_offer_may_be_edited_but_its_own_change_lies_in_the_files(folder: Folder) -> None:
    (folder.folder / "model.py").write_text("width = 2\ndepth = 1\n")
    folder.notice()
    more = Edit("fit(x)", "fit(2 * x)", cell="t")
    event = folder.say(cmd.EditCommand(1, claim="twice as wide", parameters={"x": 3.0}, edits=(WIDER, more)))
    assert isinstance(event, ev.EditHypothesis) and event.experiment.edits == (WIDER, more)
    places = [change.place for change in changes(folder.project, 1).changes]
    assert sorted(places) == ["injected-parameters", "model.py", "t"]
    assert folder.notice() is None, "what was said of it changes no file"
    assert folder.say(cmd.EditCommand(1, edits=(WIDER,))) != event
    with pytest.raises(InvalidInput, match="your edit of the files"):
        folder.say(cmd.EditCommand(1, edits=(more,)))
    with pytest.raises(InvalidNotebook, match="not found"):
        folder.say(cmd.EditCommand(1, edits=(WIDER, WIDER)))


def test_another_notebook_brings_the_code_files_as_they_are_now(folder: Folder) -> None:
    folder.write("x = 1.0", "fit(x, 2)", name="other.ipynb")
    (folder.folder / "model.py").write_text("width = 5\n")
    event = folder.say(cmd.TryCommand(notebook="other.ipynb"))
    assert isinstance(event, ev.Try) and event.experiment.source is not None
    assert event.experiment.source.files == {"model.py": "width = 5\n"}
    assert {change.place for change in changes(folder.project, 1).changes} == {"t", "model.py"}
    folder.write("x = 1.0", "fit(x, 2)")
    assert folder.notice() is None, "the same was tried already"


def test_the_same_code_by_another_way_is_the_same(folder: Folder) -> None:
    two = (Edit("width = 1", "width = 2", file="model.py"), Edit("depth = 1", "depth = 3", file="model.py"))
    one = (Edit("width = 1\ndepth = 1\n", "width = 2\ndepth = 3\n", file="model.py"),)

    def made(edits: tuple[Edit, ...]) -> ev.Proposed:
        hypothesis = Hypothesis(f"code {len(edits)}", HypothesisKind.CODE, edits=edits)
        return ev.Proposed(coded(folder.store, grow(folder.state, hypothesis)))

    first = made(two)
    folder.ledger.append(first)
    over = [ev.Approve(1), *ran(candidate(1), value=0.5), judged(1, Decision.WORSE, 0.5), reflected(1)]
    for event in over:
        folder.ledger.append(event)
    second = made(one)
    assert second.experiment.code == first.experiment.code != ""
    folder.ledger.append(second)
    folder.ledger.append(ev.Proposed(replace(second.experiment, number=3, code="other", settings={"x": 2.0})))
    same, other = folder.seen().waiting
    assert same.nearest is not None and other.nearest is not None
    assert (same.nearest.experiment, other.nearest.experiment) == (1, 1), "not the baseline, whose values are the same"
    assert [trial.code for trial in folder.store.trials(1, -1)] == ["", first.experiment.code]

    (folder.folder / "model.py").write_text("width = 2\ndepth = 3\n")
    assert folder.notice() is None, "it was tried already"
    back = Hypothesis("back", HypothesisKind.CODE, edits=(Edit("= 1\ndepth", "= 1\ndepth", file="model.py"),))
    assert coded(folder.store, grow(folder.state, back)).code == "", "an edit that changes nothing"


def test_other_rules_of_what_is_code_are_no_edit(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "p")
    (folder / "model.py").write_text("1")
    (folder / "own.json").write_text("2")
    with closing(Doubled().service()) as service:
        service.run(service.prepare(folder, Options(cycles=1)))
        (folder / "deepresearch.toml").write_text(f'{CONFIG}\n[code]\nfiles = ["*.json"]\n')
        project = service.prepare(folder, Options(cycles=2))
        state = service.run(project)
        told = [record.event for record in project.store.records()]
        (sourced,) = (e for e in told if isinstance(e, ev.Sourced))
        assert (dict(sourced.source.files), sourced.new_measure) == ({"own.json": "2"}, False)
        assert state.offer is None and state.cycles == 2 and state.measure == 1


def test_sources_are_left_out_of_events(folder: Folder) -> None:
    folder.write("x = 1.0", "fit(x, 2)")
    folder.notice()
    told = list(past.events(folder.store.records()))
    assert told[-1]["body"]["experiment"]["source"] is None
    assert told[-1]["body"]["experiment"]["by_hand"][0]["cell"] == "t"
    assert isinstance(folder.store.experiment(1).source, Source)

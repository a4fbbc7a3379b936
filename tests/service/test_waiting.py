"""What a card shows of a hypothesis that waits: old values beside the new ones, since when, and until when."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.events import Sourced
from jupyter_deepresearch.core.project import Approval, ApprovalMode
from jupyter_deepresearch.core.types import Edit, Experiment, Hypothesis, HypothesisKind, Parameters
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.service.views import Life, WaitingView
from tests.jupyter.doubles import Doubled, write_project


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with closing(Doubled().service(tmp_path)) as made:
        yield made


@pytest.fixture
def project(service: Service, tmp_path: Path) -> OpenedProject:
    """Its champion is experiment 1, of lr 0.2; from now on hypotheses wait."""
    project = service.prepare(write_project(tmp_path / "small"), Options(cycles=1))
    service.run(project)
    project.command(cmd.ConfigureCommand({"approval": {"mode": "ask"}, "budget": {"cycles": 9}}))
    return project


def propose(project: OpenedProject, parent: int | None, settings: Parameters, **rest: object) -> ev.Record:
    state = project.state
    hypothesis = Hypothesis("a claim", HypothesisKind.PARAMETERS, "why", "a gain of 0.1", settings)
    made = Experiment(state.next_experiment, replace(hypothesis, **rest), parent, state.next_cycle)  # type: ignore[arg-type]
    return project.ledger.append(ev.Proposed(made))


def card(project: OpenedProject) -> WaitingView:
    return project.status(Life(True)).waiting[-1]


def test_a_card_says_what_the_parent_runs_with(project: OpenedProject) -> None:
    record = propose(project, 1, {"lr": 0.4, "depth": 3})
    found = card(project)
    assert (found.parent, found.before, found.expected) == (1, {"lr": 0.2}, "a gain of 0.1")
    assert (found.at, found.approved_at) == (record.at, None)
    propose(project, 0, {"lr": 0.4})
    assert card(project).before == {"lr": 0.1}
    propose(project, None, {"lr": 0.4, "seed": 2})
    assert (card(project).parent, card(project).before) == (None, {"lr": 0.1, "seed": 1})
    propose(project, 1, {}, kind=HypothesisKind.CODE)
    assert card(project).before == {}


def test_values_that_the_parents_own_code_brought_are_known(project: OpenedProject, service: Service) -> None:
    cell = project.notebooks.pieces(project.recipe(0))[0]
    edit = Edit("seed = 1", "seed = 1\nwidth = 64", cell=cell.cell)
    state = project.state
    hypothesis = Hypothesis("a width", HypothesisKind.CODE, edits=(edit,))
    wide = Experiment(state.next_experiment, hypothesis, 1, state.next_cycle, settings={"lr": 0.2}, code="other")
    project.ledger.append(ev.Proposed(wide))
    propose(project, wide.number, {"width": 128, "lr": 0.3})
    assert card(project).before == {"width": 64, "lr": 0.2}
    text = project.state.opened.source.notebook.replace("lr = 0.1", "lr = 0.05")
    project.ledger.append(Sourced(replace(project.state.opened.source, notebook=text), state.survey, new_measure=False))
    propose(project, wide.number, {"width": 128, "seed": 3})
    assert card(project).before == {"width": 64, "seed": 1}, "asked again of the files as they are now"


def test_when_it_is_approved_by_itself(project: OpenedProject) -> None:
    record = propose(project, 1, {"lr": 0.4})
    approval = Approval(ApprovalMode.ASK, auto_after_minutes=10)
    project.ledger.append(ev.Configure(replace(project.state.project, approval=approval)))
    assert card(project).approved_at == record.at + 600
    project.command(cmd.PauseCommand())
    assert card(project).approved_at is None
    project.command(cmd.ResumeCommand())
    assert card(project).approved_at == record.at + 600
    project.command(cmd.StopCommand())
    assert card(project).approved_at is None


def test_an_edit_of_the_files_is_the_persons_to_approve_where_nothing_else_is_asked(project: OpenedProject) -> None:
    record = propose(project, 1, {"lr": 0.4})
    offer = Experiment(project.state.next_experiment, Hypothesis("your edit", HypothesisKind.BY_HAND), 1)
    project.ledger.append(ev.Proposed(offer))
    timed = Approval(ApprovalMode.ASK, auto_after_minutes=10)
    project.ledger.append(ev.Configure(replace(project.state.project, approval=timed)))
    assert [waits.approved_at is None for waits in project.status(Life(True)).waiting] == [False, False]
    project.ledger.append(ev.Configure(replace(project.state.project, approval=Approval(ApprovalMode.AUTO))))
    assert [waits.approved_at for waits in project.status(Life(True)).waiting] == [record.at, None]

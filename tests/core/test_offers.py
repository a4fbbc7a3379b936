"""A person's own edit on disk: what is offered, replaced, withdrawn, and what opens a new measure instead."""

import json
from dataclasses import replace

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core import steps
from jupyter_deepresearch.core.offers import Found, approval, respond
from jupyter_deepresearch.core.project import Approval, ApprovalMode, Budget, CodeOptions, Project
from jupyter_deepresearch.core.sources import edits_between, fingerprint
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import Decision, Edit, HypothesisKind, Purpose, Run, Source, StopReason
from tests.core.logs import NOW, SURVEY, baseline, folded, live, proposed, step
from tests.simulation import base_project

TRAIN, SCORE = "lr = 1\nfit(lr)\nlr = 1\n", "score()"


def notebook(train: str = TRAIN, score: str = SCORE, prose: str = "About") -> str:
    cells = [
        {"id": "m", "cell_type": "markdown", "source": prose, "metadata": {}},
        {"id": "t", "cell_type": "code", "source": train, "metadata": {}},
        {"id": "s", "cell_type": "code", "source": score, "metadata": {"tags": ["locked"]}},
    ]
    return json.dumps({"cells": cells})


OWN = Source(notebook(), {"src/model.py": "width = 64\n"})
LEARNED = Source(notebook(TRAIN.replace("fit(lr)", "fit(lr, decay=1)")), OWN.files)
WIDER = Source(LEARNED.notebook, {"src/model.py": "width = 128\n"})


def opened(*events: ev.Event, project: Project | None = None) -> State:
    """A project on ``OWN`` whose baseline is known."""
    return folded(ev.Sourced(OWN, SURVEY, new_measure=False), *baseline(), *events, project=project)


def offered(source: Source = LEARNED, number: int = 1) -> ev.Event:
    event = respond(replace(opened(), next_experiment=number), Found(source, SURVEY), OWN)
    assert isinstance(event, ev.Proposed)
    return event


def test_an_edit_is_offered_with_what_it_changes() -> None:
    event = respond(opened(), Found(WIDER, SURVEY), OWN)
    assert isinstance(event, ev.Proposed)
    made = event.experiment
    assert (made.number, made.cycle, made.parent, made.source) == (1, None, None, WIDER)
    assert made.hypothesis.kind is HypothesisKind.BY_HAND
    assert made.hypothesis.claim == "by hand: your edit of train.ipynb and src/model.py"
    assert made.by_hand == (
        Edit("fit(lr)\n", "fit(lr, decay=1)\n", cell="t"),
        Edit("width = 64\n", "width = 128\n", file="src/model.py"),
    )


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        (Source(notebook(), {**OWN.files, "new.py": "1"}), "by hand: your edit of new.py"),
        (Source(notebook(), {}), "by hand: your edit of src/model.py"),
        (
            Source(notebook("other"), {**OWN.files, "a.py": "", "b.py": "", "c.py": ""}),
            "by hand: your edit of train.ipynb, a.py and 2 more files",
        ),
    ],
)
def test_what_edits_cannot_say_is_offered_all_the_same(source: Source, claim: str) -> None:
    event = respond(opened(), Found(source, SURVEY), OWN)
    assert isinstance(event, ev.Proposed) and event.experiment.hypothesis.claim == claim
    assert {edit.file for edit in event.experiment.by_hand} <= {None}


def test_a_search_says_one_place_only() -> None:
    last = Source(notebook(TRAIN.removesuffix("lr = 1\n") + "lr = 2\n"), OWN.files)
    (edit,) = edits_between(OWN, last)
    assert TRAIN.count(edit.search) == 1
    assert TRAIN.replace(edit.search, edit.replace) == TRAIN.removesuffix("lr = 1\n") + "lr = 2\n"


def test_prose_is_no_edit_and_the_same_is_never_offered_twice() -> None:
    prose = Source(notebook(prose="More about it"), OWN.files)
    assert fingerprint(prose) == fingerprint(OWN)
    assert respond(opened(), Found(prose, SURVEY), OWN) is None
    for answer in (ev.Reject(1, "no"), ev.Approve(1, cycle=1)):
        assert respond(opened(offered(), answer), Found(LEARNED, SURVEY), OWN) is None
        assert isinstance(respond(opened(offered(), answer), Found(WIDER, SURVEY), OWN), ev.Proposed)
    assert respond(opened(offered()), Found(LEARNED, SURVEY), OWN) is None


def test_a_further_edit_replaces_the_offer_and_one_taken_back_withdraws_it() -> None:
    state = opened(offered())
    event = respond(state, Found(WIDER, SURVEY), OWN)
    assert isinstance(event, ev.EditHypothesis)
    made = event.experiment
    assert (made.number, made.source, len(made.by_hand)) == (1, WIDER, 2)
    assert made.hypothesis.claim == "by hand: your edit of train.ipynb and src/model.py"

    state = opened(offered(), event)
    back = respond(state, Found(OWN, SURVEY), OWN)
    assert back == ev.Reject(1, "you took this edit back", by="files")
    state = opened(offered(), event, back)
    assert not state.works and state.cycles == 0 and state.memory == opened().memory
    for again in (LEARNED, WIDER):
        assert isinstance(respond(state, Found(again, SURVEY), OWN), ev.Proposed)


def test_what_a_person_said_of_an_offer_outlasts_a_further_edit() -> None:
    (work,) = opened(offered()).works.values()
    said = replace(work.experiment, hypothesis=replace(work.experiment.hypothesis, claim="mine", parameters={"x": 2}))
    event = respond(opened(offered(), ev.EditHypothesis(said)), Found(WIDER, SURVEY), OWN)
    assert isinstance(event, ev.EditHypothesis)
    assert (event.experiment.hypothesis.claim, event.experiment.hypothesis.parameters) == ("mine", {"x": 2})


def test_a_changed_measure_is_said_and_takes_the_offer_with_it() -> None:
    locked = Found(Source(notebook(score="score(1)"), {"eval.py": "2"}), SURVEY, is_same_measure=False)
    project = base_project(code=CodeOptions(locked=("eval.py",)))
    assert respond(opened(offered(), project=project), locked, OWN) == ev.Reject(
        1, "it is part of a new measure", by="files"
    )
    event = respond(opened(project=project), locked, OWN)
    assert isinstance(event, ev.Sourced) and event.new_measure and event.source == locked.source
    assert event.sentence == (
        "you changed a locked cell of train.ipynb and the locked file eval.py: a new measure begins with a new "
        "baseline; earlier values are shown but not compared"
    )
    state = opened(event, project=project)
    assert (state.measure, state.announced) == (2, event.sentence)
    assert respond(state, replace(locked, is_same_measure=True), locked.source) is None


def test_nothing_comes_of_files_whose_project_failed_nor_a_measure_that_nobody_researches() -> None:
    locked = Found(Source(notebook(score="score(1)")), SURVEY, is_same_measure=False)
    assert respond(opened(ev.Failed("no")), Found(WIDER, SURVEY), OWN) is None
    for at_rest in (ev.Finished(StopReason.CYCLES, "done"), ev.Stop()):
        assert respond(opened(at_rest), locked, OWN) is None
        assert isinstance(respond(opened(at_rest), Found(WIDER, SURVEY), OWN), ev.Proposed)
        assert isinstance(respond(opened(at_rest, ev.Resume()), locked, OWN), ev.Sourced)


AUTO = base_project(budget=Budget(cycles=1))
ASKED = base_project(budget=Budget(cycles=1), approval=Approval(ApprovalMode.ASK, auto_after_minutes=1))


def test_an_offer_holds_nothing_up() -> None:
    """Whatever the project does next, it does as if the offer were not there."""
    own = (ev.Sourced(OWN, SURVEY, new_measure=False), *baseline())
    for project in (AUTO, ASKED):
        for more in ((), (proposed(2),), (ev.Finished(StopReason.CYCLES, "done"),), (ev.Stop(),), (ev.Pause(),)):
            plain = step(*own, *more, project=project)
            waits = step(*own, offered(), *more, project=project)
            if isinstance(plain, steps.Wait | steps.Rest | steps.Finish):
                assert type(plain) is type(waits)
            else:
                assert plain == waits
        run = Run(2, Purpose.CANDIDATE)
        assert step(*own, offered(), proposed(2), ev.Approve(2), *live(run), project=project) == steps.Watch((run.id,))


def test_an_offer_is_approved_by_the_person_alone_unless_asking_has_an_end() -> None:
    own = (ev.Sourced(OWN, SURVEY, new_measure=False), *baseline())
    later = NOW + 3600
    assert step(*own, offered(), project=AUTO, now=later) == steps.Think()
    assert step(*own, offered(), project=ASKED, now=later) == steps.AutoApprove(1)
    done = ev.Finished(StopReason.CYCLES, "done")
    assert step(*own, offered(), done, project=ASKED, now=later) == steps.Rest()


def test_an_approved_offer_runs_as_what_the_person_tries_does() -> None:
    state = opened(offered(), ev.Finished(StopReason.CYCLES, "done"), project=AUTO)
    assert (state.cycles, state.next_cycle) == (0, 1)
    event = approval(state, 1, by="person")
    assert event == ev.Approve(1, cycle=1)
    state = opened(offered(), ev.Finished(StopReason.CYCLES, "done"), event, project=AUTO)
    assert (state.cycles, state.next_cycle, state.finished) == (1, 2, None)
    assert state.works[1].experiment.cycle == 1 and not state.works[1].waiting
    own = (ev.Sourced(OWN, SURVEY, new_measure=False), *baseline())
    assert step(*own, offered(), event, project=AUTO) == steps.Launch(Run(1, Purpose.DRY_RUN))
    assert approval(opened(proposed(1), project=ASKED), 1, by="person") == ev.Approve(1)


def test_a_rejected_offer_is_remembered_and_costs_no_cycle() -> None:
    state = opened(offered(), ev.Reject(1, "not now"))
    assert (state.cycles, state.works) == (0, {})
    assert Decision.REJECTED in {entry.decision for entry in state.memory.unmeasured}

"""Numbers, parents and recipes of experiments."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.growth import build, grow, revise, standing
from jupyter_deepresearch.core.types import Decision, Edit, Experiment, Hypothesis, HypothesisKind, Purpose, Run, Source
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import memory_store
from tests.core.logs import BASELINE, SURVEY, baseline, candidate, experiment, folded, judged, ran
from tests.simulation import base_project

LR = Hypothesis("a smaller step", HypothesisKind.PARAMETERS, parameters={"lr": 0.01})


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(memory_store()) as made:
        made.append(ev.Opened("p", base_project(), Source("{first}"), SURVEY))
        made.append(ev.Proposed(BASELINE))
        yield made


def edited(number: int, parent: int, at: str, **settings: float) -> Experiment:
    edits = (Edit(at, at + "'", cell=at),)
    hypothesis = Hypothesis(at, HypothesisKind.CODE, edits=edits, parameters=settings)
    return Experiment(number, hypothesis, parent, number, settings=settings)


def test_the_baseline_is_the_notebook_as_it_is() -> None:
    made = grow(folded(), Hypothesis("baseline", HypothesisKind.BASELINE))
    assert (made.number, made.parent, made.cycle, dict(made.settings)) == (0, None, None, {})
    again = grow(folded(*baseline()), Hypothesis("baseline", HypothesisKind.BASELINE))
    assert (again.number, again.parent, again.cycle) == (1, None, None)


def test_an_experiment_grows_from_the_champion_with_all_its_values() -> None:
    first = grow(folded(*baseline()), LR)
    assert (first.number, first.parent, first.cycle, dict(first.settings)) == (1, 0, 1, {"lr": 0.01})
    won = [ev.Proposed(experiment(1, x=3.0)), *ran(candidate(1), value=9.0), judged(1, Decision.CONFIRMED, 9.0)]
    second = grow(folded(*baseline(), *won), LR)
    assert (second.number, second.parent, second.cycle) == (2, 1, 2)
    assert dict(second.settings) == {"x": 3.0, "lr": 0.01} and dict(second.hypothesis.parameters) == {"lr": 0.01}


def test_without_a_champion_the_values_are_kept_all_the_same() -> None:
    made = grow(folded(), LR)
    assert made.parent is None and dict(made.settings) == {"lr": 0.01}


def test_a_number_that_was_rejected_is_not_given_again() -> None:
    project = base_project()
    state = folded(*baseline(), ev.Proposed(experiment(1)), ev.Reject(1), project=project)
    assert grow(state, LR).number == 2 and grow(state, LR).cycle == 2


def test_a_recipe_has_every_edit_from_the_root_down(store: SqliteStore) -> None:
    for made in (edited(1, 0, "a", x=1.0), edited(2, 1, "b", x=2.0)):
        store.append(ev.Proposed(made))
    recipe = build(store, edited(3, 2, "c", x=3.0))
    assert recipe.source == Source("{first}")
    assert [edit.search for edit in recipe.edits] == ["a", "b", "c"]
    assert dict(recipe.parameters) == {"x": 3.0}


def test_a_persons_own_notebook_is_a_root(store: SqliteStore) -> None:
    own = replace(edited(2, 1, "b"), source=Source("{own}"))
    for made in (edited(1, 0, "a"), own):
        store.append(ev.Proposed(made))
    recipe = build(store, edited(3, 2, "c"))
    assert recipe.source == Source("{own}") and [edit.search for edit in recipe.edits] == ["b", "c"]


def test_each_measure_has_its_own_root_and_what_was_stays(store: SqliteStore) -> None:
    store.append(ev.Sourced(Source("{second}"), SURVEY, new_measure=True))
    assert build(store, BASELINE).source == Source("{first}")
    assert build(store, replace(BASELINE, number=1, measure=2)).source == Source("{second}")


def test_what_was_edited_is_what_children_grow_from(store: SqliteStore) -> None:
    store.append(ev.Proposed(edited(1, 0, "a", x=1.0)))
    changed = revise(store, edited(1, 0, "a"), Hypothesis("other", HypothesisKind.CODE, parameters={"y": 5.0}))
    assert dict(changed.settings) == {"y": 5.0}, "values that were taken back are gone"
    store.append(ev.EditHypothesis(changed))
    assert build(store, edited(2, 1, "b")).edits == edited(2, 1, "b").hypothesis.edits


def test_a_revised_experiment_keeps_its_parents_values(store: SqliteStore) -> None:
    store.append(ev.Proposed(experiment(1, x=7.0)))
    child = Experiment(2, LR, 1, 2, settings={"x": 7.0, "lr": 0.01})
    revised = revise(store, child, replace(LR, parameters={"lr": 0.5}))
    assert dict(revised.settings) == {"x": 7.0, "lr": 0.5}


def test_standing() -> None:
    state = folded(*baseline(1.0), *ran(Run(0, Purpose.CONFIRM, 2), value=3.0))
    found = standing(state, state.champion)
    assert found is not None and (found.experiment, found.value, found.seeds) == (0, 2.0, 2)
    assert found.interval is not None and dict(found.parameters) == {"x": 0.0}
    assert standing(state, None) is None
    assert standing(folded(ev.Proposed(BASELINE)), folded(ev.Proposed(BASELINE)).works[0]) is None

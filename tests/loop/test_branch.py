"""Hypotheses that grow from the experiment that the person names: how long, on what, and held against whom."""

from dataclasses import replace

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Proposal
from jupyter_deepresearch.core.growth import grow
from jupyter_deepresearch.core.research import Seen
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Purpose,
    Run,
    Source,
    StopReason,
)
from jupyter_deepresearch.errors import DeepResearchError
from jupyter_deepresearch.service import commands as cmd
from tests.core.logs import SURVEY, baseline, candidate, experiment, folded, judged, proposed, ran, reflected
from tests.loop.test_driver import PATIENT, by_x, x
from tests.loop.test_wishes import opener, trial
from tests.simulation import Oracle, Simulation, Universe

OVER = [*baseline(), proposed(1), *ran(candidate(1), value=0.5), judged(1, Decision.WORSE, 0.5), reflected(1)]
BRANCHED = [*OVER, ev.Branch(experiment(1), {1: 0.5})]
CODE = "def step():\n    return 1\n"


def won(number: int, parent: int) -> list[ev.Event]:
    child = ev.Proposed(experiment(number, parent=parent))
    return [child, *ran(candidate(number), value=9.0), judged(number, Decision.CONFIRMED, 9.0)]


@pytest.mark.parametrize(
    ("then", "left"),
    [
        ([], 1),
        (won(2, parent=1), None),
        (won(2, parent=0), 1),
        ([ev.Branch(None)], None),
        ([ev.Branch(experiment(2), {1: 0.1})], 2),
        ([ev.Sourced(Source("{}"), SURVEY, new_measure=True)], None),
        ([ev.Sourced(Source("{}"), SURVEY, new_measure=False)], 1),
        ([proposed(2), *ran(candidate(2), value=0.1), judged(2, Decision.WORSE, 0.1), reflected(2)], 1),
    ],
)
def test_a_branch_holds_until_its_child_wins_a_measure_begins_or_the_person_says_so(
    then: list[ev.Event], left: int | None
) -> None:
    state = folded(*BRANCHED, *then)
    assert (state.branch.number if state.branch else None) == left


def test_what_is_measured_anew_is_known_of_the_branch_too() -> None:
    state = folded(*BRANCHED, ev.Reproduce(experiment(1), 1, {1: 0.5}), *ran(Run(1, Purpose.REPRODUCE, 2), value=0.7))
    assert state.branch is not None and dict(state.branch.values) == {1: 0.5, 2: 0.7}


def test_a_branch_opens_what_was_exhausted() -> None:
    done = [*OVER, ev.Finished(StopReason.EXHAUSTED, "no idea")]
    assert folded(*done).finished is not None and folded(*done, BRANCHED[-1]).finished is None


class Branching(Oracle):
    """Keeps what it saw at each THINK; while the ``at``-th goes on the person branches from experiment ``base``."""

    at: int
    base: int
    seen: list[Seen]
    sim: Simulation

    async def think(self, seen: Seen, meter):  # type: ignore[no-untyped-def]
        self.seen.append(seen)
        if len(self.seen) == self.at:
            assert self.sim.say(cmd.BranchCommand(self.base)) is not None
        return await super().think(seen, meter)


def branching(at: int, base: int, *answers: Proposal | DeepResearchError) -> Branching:
    oracle = Branching(iter(answers), iter(()))
    oracle.at, oracle.base, oracle.seen = at, base, []
    oracle.sim = Simulation(PATIENT, Universe(by_x), oracle)
    source = Source("{}", {"model.py": CODE})
    oracle.sim.notebooks.source = source
    oracle.sim.ledger.append(ev.Sourced(source, oracle.sim.notebooks.survey, new_measure=False))
    return oracle


def made(sim: Simulation) -> list[Experiment]:
    return [r.event.experiment for r in sim.log() if isinstance(r.event, ev.Proposed)]


def code(claim: str, old: str, new: str) -> Proposal:
    return Proposal(Hypothesis(claim, HypothesisKind.CODE, edits=(Edit(old, new, file="model.py"),)))


def test_children_have_its_code_and_values_and_are_held_against_the_champion() -> None:
    worse = code("two", "return 1", "return 2")
    assert worse.hypothesis is not None
    worse = replace(worse, hypothesis=replace(worse.hypothesis, parameters={"x": 0.5}))
    again = code("three", "return 2", "return 3")  # fits nothing but experiment 2's code
    oracle = branching(3, 2, x(1.0), worse, x(9.0), again, x(3.0), x(4.0))
    state: State = oracle.sim.run()
    rows = made(oracle.sim)
    assert [(row.number, row.hypothesis.claim, row.parent) for row in rows[1:]] == [
        *((1, "x 1", 0), (2, "two", 1)),
        *((3, "three", 2), (4, "x 3", 2), (5, "x 4", 4)),
    ], "what was thought of before the branch is dropped"
    verdicts = {r.event.experiment: r.event.verdict for r in oracle.sim.log() if isinstance(r.event, ev.Judged)}
    assert dict(rows[3].settings) == {"x": 0.5} and verdicts[3].decision is Decision.WORSE, "0.5 against 1.0"
    assert verdicts[4].decision is verdicts[5].decision is Decision.CONFIRMED
    assert rows[4].code == rows[2].code and state.branch is None and state.champion is not None

    seen = oracle.seen[3]
    assert seen.branch is not None and seen.base == seen.branch and seen.champion is not None
    assert (seen.branch.experiment, seen.branch.value, seen.champion.experiment) == (2, 0.5, 1)
    assert oracle.seen[5].branch is None and oracle.seen[5].base == oracle.seen[5].champion


def test_evidence_is_of_the_branch() -> None:
    oracle = branching(3, 2, x(1.0), code("two", "return 1", "return 2"), x(9.0))
    oracle.sim.run()
    before, after = oracle.seen[2].evidence, oracle.seen[3].evidence
    values = Hypothesis("values", HypothesisKind.PARAMETERS, parameters={"x": 7.0})
    grown = oracle.sim.store.experiment(2)
    assert (before.change(values).sense, after.change(values).sense) == ("", grown.sense) and grown.sense != ""


def test_a_branch_ends_the_sweep_that_is_open() -> None:
    oracle = branching(3, 0, x(0.5), opener(3, 0.4), trial(0.7), x(0.2))
    oracle.sim.run()
    rows = made(oracle.sim)[1:]
    assert [(row.hypothesis.claim, row.parent) for row in rows] == [("x 0.5", 0), ("x matters", 1), ("x 0.2", 0)]
    assert [seen.sweep is not None for seen in oracle.seen[2:4]] == [True, False]


def test_a_hypothesis_grows_from_the_branch_whatever_the_champion_is() -> None:
    lr = Hypothesis("lr", HypothesisKind.PARAMETERS, parameters={"lr": 0.1})
    assert (grow(folded(*OVER), lr).parent, grow(folded(*BRANCHED), lr).parent) == (0, 1)
    assert dict(grow(folded(*BRANCHED), lr).settings) == {"x": 1.0, "lr": 0.1}

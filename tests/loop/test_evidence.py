"""What a researcher reads of a project: the log, the code, the run folders; and what a hypothesis would come to."""

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Proposal
from jupyter_deepresearch.core.ports import Curves, Progress, Track
from jupyter_deepresearch.core.research import Seen
from jupyter_deepresearch.core.types import Decision, Edit, Hypothesis, HypothesisKind, Purpose, Source
from jupyter_deepresearch.errors import NotFound
from jupyter_deepresearch.testing import FakeRecords
from tests.loop.test_driver import PATIENT, by_x, x
from tests.simulation import Oracle, Simulation, Universe

CODE = "def step():\n    return 1\n"


class Records(FakeRecords):
    """Run folders in which every run reported its score for four steps, two seconds each."""

    def progress(self, run: str) -> Progress | None:
        return Progress(tracks={"score": Track(5, 1.0, 5.0, 8.0)})

    def curves(self, run: str, points: int, metric: str | None = None) -> Curves:
        return Curves(run, {"score": ((1.0, 0.5),)})

    def output(self, run: str, chars: int) -> str:
        return f"printed by {run}"[-chars:]


class Curious(Oracle):
    """Keeps what it saw at each think."""

    seen: list[Seen]

    async def think(self, seen, meter):  # type: ignore[no-untyped-def]
        self.seen.append(seen)
        return await super().think(seen, meter)


@pytest.fixture
def seen() -> Seen:
    """As the third cycle's THINK sees it: experiment 1 is the champion, 2 was worse and had changed the code."""
    edit = Edit("return 1", "return 2", file="model.py")
    worse = Proposal(Hypothesis("code", HypothesisKind.CODE, edits=(edit,), parameters={"x": -1.0}))
    oracle = Curious(iter([x(1.0), worse]), iter(()))
    oracle.seen = []
    sim = Simulation(PATIENT, Universe(by_x), oracle)
    source = Source("{}", {"model.py": CODE})
    sim.records, sim.notebooks.source = Records(), source
    sim.ledger.append(ev.Sourced(source, sim.notebooks.survey, new_measure=False))
    sim.run()
    return oracle.seen[-1]


def test_an_account_holds_all_that_the_log_tells(seen: Seen) -> None:
    account = seen.evidence.account(1)
    assert account.experiment.hypothesis.claim == "x 1" and account.verdict is not None
    assert account.verdict.decision is Decision.CONFIRMED and account.lesson is not None
    assert account.run is not None and account.run.purpose is Purpose.CANDIDATE
    assert account.outcome is not None and account.outcome.value == 1.0 and account.seconds_per_step == 2.0
    with pytest.raises(NotFound, match="99"):
        seen.evidence.account(99)


def test_curves_and_output_are_those_of_the_run_that_it_is_shown_by(seen: Seen) -> None:
    assert seen.evidence.curves(1).run == "0001-candidate-seed-1"
    assert seen.evidence.output(2, 100) == "printed by 0002-candidate-seed-1" and seen.evidence.output(2, 6) == "seed-1"


def test_pieces_are_the_code_as_an_experiment_has_it(seen: Seen) -> None:
    assert [p.where for p in seen.evidence.pieces(None)] == ["file model.py"]
    assert seen.evidence.pieces(None)[0].text == CODE


def test_a_change_tells_what_a_hypothesis_comes_to_and_what_is_the_same(seen: Seen) -> None:
    def of(replace: str, **parameters: float) -> tuple[str, float | None]:
        edit = Edit("return 1", replace, file="model.py")
        made = seen.evidence.change(Hypothesis("h", HypothesisKind.CODE, edits=(edit,), parameters=parameters))
        return made.sense, made.parameters["x"]  # type: ignore[return-value]

    assert of("return 2")[0] == of("return  2  # as before")[0] != of("return 3")[0]
    assert of("return 2")[1] == 1.0 and of("return 2", x=4.0)[1] == 4.0, "on top of the champion"
    assert of("return 1")[0] == "", "an edit that changes nothing is the project's own code"
    again = seen.evidence.change(Hypothesis("h", HypothesisKind.CODE), of=2)
    assert again.sense == "" and again.parameters["x"] == 1.0, "in the place of experiment 2, which grew from 1"


def test_earlier_experiments_tell_their_sense(seen: Seen) -> None:
    edit = Edit("return 1", "return 2", file="model.py")
    made = seen.evidence.change(Hypothesis("again", HypothesisKind.CODE, edits=(edit,)))
    assert [t.sense == made.sense for t in seen.trials(0)] == [False, True]
    assert (seen.latest, seen.cycle, seen.turn, seen.since_gain) == (2, 3, 0, 1)

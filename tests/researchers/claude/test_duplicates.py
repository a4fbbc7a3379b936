"""What was tried before is told, whatever it looks like; so is what was not tried yet."""

from dataclasses import dataclass, field, replace

from jupyter_deepresearch.core.answers import Lesson, Trial
from jupyter_deepresearch.core.events import Survey
from jupyter_deepresearch.core.project import Direction, Objective
from jupyter_deepresearch.core.research import Account, Change, Seen, Standing
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Parameters,
    Piece,
    Verdict,
)
from jupyter_deepresearch.researchers.claude.duplicates import UNTRIED_CHARS, repeated, untried
from jupyter_deepresearch.testing import FakeEvidence

OWN: Parameters = {"lr": 1e-3, "width": 32, "act": "relu", "seed": 0}
SPACE = (
    Dimension("lr", 1e-4, 1e-1, log=True),
    Dimension("width", 8, 512, log=True, integer=True),
    Dimension("act", choices=("relu", "tanh")),
)


@dataclass
class Past:
    """A project that has tried a few things."""

    trials: list[Trial] = field(default_factory=list)
    evidence: FakeEvidence = field(default_factory=FakeEvidence)
    pending: tuple[Change, ...] = ()

    def tried(self, number: int, parameters: Parameters, decision: Decision, sense: str = "", reason: str = "") -> None:
        self.trials.append(Trial(number, {**OWN, **parameters}, decision, 0.9, "c", code=sense, sense=sense))
        edits = (Edit("a", "b", cell="model"),) if sense else ()
        experiment = Experiment(number, Hypothesis("c", HypothesisKind.CODE, edits=edits))
        self.evidence.accounts[number] = Account(experiment, Verdict(decision, reason, 0.9, 1), Lesson("too slow"))

    @property
    def seen(self) -> Seen:
        baseline = Standing(0, 0.9, 1, "baseline", OWN)
        return Seen(
            objective=Objective("acc", Direction.MAXIMIZE),
            cycle=4,
            brief="",
            memory="",
            survey=Survey(OWN, SPACE),
            baseline=baseline,
            champion=baseline,
            directives=(),
            trials=lambda after: iter([t for t in self.trials if t.experiment > after]),
            evidence=self.evidence,
            pending=self.pending,
        )


def past() -> Past:
    made = Past()
    made.tried(0, {}, Decision.BASELINE)
    made.tried(1, {"lr": 0.01, "width": 64}, Decision.WORSE, reason="0.02 below the champion")
    made.tried(2, {}, Decision.REJECTED, sense="wider", reason="too large for our phones")
    return made


def test_equal_numbers_and_other_seeds_are_the_same_trial() -> None:
    repeat = repeated(Change("", {"seed": 5, "act": "relu", "width": 64.0, "lr": 0.01}), past().seen)
    assert repeat is not None and repeat.experiment == 1
    assert repeat.told == "Experiment 1 (code): worse, acc 0.9 (1 seed). 0.02 below the champion. Lesson: too slow"


def test_other_values_or_other_code_are_new() -> None:
    assert repeated(Change("", {**OWN, "lr": 0.02}), past().seen) is None
    assert repeated(Change("deeper", {**OWN, "lr": 0.01, "width": 64}), past().seen) is None


def test_what_the_person_rejected_is_told_with_the_reason() -> None:
    repeat = repeated(Change("wider", OWN), past().seen)
    assert repeat is not None and repeat.told == "experiment 2, which the person rejected: too large for our phones"


def test_nothing_changed_is_a_repeat_of_the_champion() -> None:
    repeat = repeated(Change("", OWN), past().seen)
    assert repeat is not None and repeat.experiment == 0


def test_what_is_not_judged_yet_counts_with_its_code() -> None:
    waits = past()
    waits.pending = (Change("", {**OWN, "lr": 0.05}), Change("wide", OWN))
    assert repeated(Change("wide", OWN), waits.seen) is not None
    repeat = repeated(Change("", {**OWN, "lr": 0.05}), waits.seen)
    assert repeat is not None and repeat.experiment is None
    assert repeated(Change("deeper", {**OWN, "lr": 0.05}), waits.seen) is None


def test_what_was_not_tried_is_counted_from_the_trials() -> None:
    made = past()
    made.evidence.code[None] = (
        Piece("", cell="parameters", is_parameters=True),
        Piece("", cell="model"),
        Piece("", cell="score", is_locked=True),
        Piece("", file="src/data.py"),
    )
    assert untried(made.seen) == (
        "parameters never moved: act; ranges never visited: lr 0.0001..0.001, width 8..31, width 125..512, act tanh"
        "; places never edited: file src/data.py"
    )


def test_what_was_not_tried_stays_short() -> None:
    many = past()
    names = {f"p{i}" + "x" * 50: 0.5 for i in range(500)}
    many.evidence.code[None] = tuple(Piece("", file=f"src/{i}.py") for i in range(2000))
    seen = replace(many.seen, survey=Survey({**OWN, **names}, SPACE))
    told = untried(seen)
    assert len(told) <= UNTRIED_CHARS and "more" in told

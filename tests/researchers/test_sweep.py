"""The offline researcher: it beats random search, goes on after a restart, never repeats itself, and takes orders."""

import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core.answers import Proposal, Trial
from jupyter_deepresearch.core.events import Survey
from jupyter_deepresearch.core.project import Constraint, Direction, Objective
from jupyter_deepresearch.core.research import Instruction, Seen, Standing
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Parameters,
    RunState,
    Value,
    Verdict,
)
from jupyter_deepresearch.researchers.directive import narrow
from jupyter_deepresearch.researchers.space import key, rounded, value_at
from jupyter_deepresearch.researchers.sweep import SweepResearcher
from jupyter_deepresearch.researchers.words import LESSON_LIMIT_CHARS
from jupyter_deepresearch.testing import FakeEvidence

DIGITS = Survey(
    parameters={"lr": 1e-4, "width": 16, "alpha": 1e-4, "act": "logistic", "epochs": 10, "seed": 0, "dry_run": False},
    space=(
        Dimension("lr", 1e-5, 1.0, log=True),
        Dimension("width", 8, 512, log=True, integer=True),
        Dimension("alpha", 1e-6, 1.0, log=True),
        Dimension("act", choices=("relu", "tanh", "logistic")),
    ),
)
FINITE = Survey(
    parameters={"act": "relu", "depth": 1, "bn": True},
    space=(
        Dimension("act", choices=("relu", "tanh", "gelu")),
        Dimension("depth", 1, 2, integer=True),
        Dimension("bn", choices=(True, False)),
    ),
)
MAXIMIZE = Objective("val_accuracy", Direction.MAXIMIZE)


def digits_like(p: Parameters) -> float | None:
    """Shaped like the accuracy of a small network: a ridge in log lr, a plateau in width, divergence above lr 0.3."""
    lr, width, alpha = (float(p[n] or 0) for n in ("lr", "width", "alpha"))
    if lr > 0.3:
        return None
    loss = 0.05 * (math.log10(lr) + 2.3) ** 2 + 0.01 * (math.log2(width) - 8) ** 2
    loss += 0.004 * max(0.0, math.log10(alpha) + 2) ** 2 + {"relu": 0.0, "tanh": 0.01, "logistic": 0.06}[str(p["act"])]
    return 0.985 - min(loss, 0.88)


class NoMeter:
    """Zero use of the meter is part of the contract."""

    async def ask(self, key: str, ceiling: object, call: object) -> str:
        raise AssertionError("the offline researcher made a paid call")


@dataclass
class Bench:
    """A project in memory: it measures what a researcher proposes."""

    survey: Survey = DIGITS
    measure: Callable[[Parameters], float | None] = digits_like
    objective: Objective = MAXIMIZE
    trials: list[Trial] = field(default_factory=list)
    directives: tuple[Instruction, ...] = ()
    waiting: tuple[Parameters, ...] = ()
    reads: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.trials:
            self.add(self.survey.parameters, Decision.BASELINE)

    def add(self, parameters: Parameters, decision: Decision = Decision.WORSE) -> Trial:
        value = self.measure(parameters)
        decision = Decision.FAILED if value is None else decision
        self.trials.append(Trial(len(self.trials), parameters, decision, value, "a claim"))
        return self.trials[-1]

    @property
    def champion(self) -> Standing:
        valued = [t for t in self.trials if t.value is not None]
        best = max(valued, key=lambda t: self.objective.gain(t.value or 0.0, 0.0))
        return Standing(best.experiment, best.value or 0.0, 1, best.claim, best.parameters, code=best.code)

    def seen(self) -> Seen:
        def trials(after: int) -> Iterator[Trial]:
            self.reads.append(after)
            return (t for t in self.trials if t.experiment > after)

        first = self.trials[0]
        baseline = Standing(first.experiment, first.value or 0.0, 1, first.claim, first.parameters)
        return Seen(
            objective=self.objective,
            cycle=len(self.trials),
            brief="",
            memory="",
            survey=self.survey,
            baseline=baseline,
            champion=self.champion,
            directives=self.directives,
            trials=trials,
            evidence=FakeEvidence(),
            waiting=self.waiting,
        )

    def think(self, researcher: SweepResearcher) -> Proposal:
        return asyncio.run(researcher.think(self.seen(), NoMeter()))

    def effective(self, proposal: Proposal) -> Parameters:
        assert proposal.hypothesis is not None, proposal.exhausted
        return {**self.champion.parameters, **proposal.hypothesis.parameters}

    def cycles(self, researcher: SweepResearcher, count: int) -> "Bench":
        for _ in range(count):
            self.add(self.effective(self.think(researcher)))
        return self

    @property
    def best(self) -> float:
        return self.champion.value


def by_hand(bench: Bench, text: str, fresh: bool = True) -> Bench:
    bench.directives = (*bench.directives, Instruction(len(bench.directives) + 1, text, fresh))
    return bench


def at_random(seed: int, count: int) -> float:
    chance, best = random.Random(seed), 0.0
    for _ in range(count):
        value = digits_like({d.name: value_at(d, chance.random()) for d in DIGITS.space})
        best = max(best, value or 0.0)
    return best


def test_it_beats_random_search_and_reaches_the_good_region() -> None:
    seeds = range(12)
    ours = [Bench().cycles(SweepResearcher(seed), 30).best for seed in seeds]
    random_search = [at_random(seed, 30) for seed in seeds]
    regret, random_regret = 0.985 - statistics.mean(ours), 0.985 - statistics.mean(random_search)
    print(f"\nregret after 30 trials, mean of 12 seeds: sweep {regret:.4f}, random {random_regret:.4f}")
    assert regret < 0.6 * random_regret
    assert min(ours) > 0.95
    assert sum(a > b for a, b in zip(ours, random_search, strict=True)) >= 9


def test_eight_cycles_already_improve_a_poor_baseline() -> None:
    gains = [
        Bench().cycles(SweepResearcher(seed), 8).best - (digits_like(DIGITS.parameters) or 0) for seed in range(12)
    ]
    assert min(gains) > 0.1


def test_a_fresh_researcher_goes_on_exactly_where_another_stopped() -> None:
    bench, living = Bench(), SweepResearcher(5)
    for number in range(90):
        if number % 10 == 0:
            assert bench.think(SweepResearcher(5)) == bench.think(living)
        bench.cycles(living, 1)
    assert bench.think(living) == bench.think(living)
    assert bench.think(SweepResearcher(6)) != bench.think(living)


def test_later_calls_read_only_what_may_have_changed() -> None:
    bench, living = Bench(), SweepResearcher(5)
    for _ in range(200):
        bench.add(
            {
                **DIGITS.parameters,
                "lr": rounded(DIGITS.space[0], 10 ** random.Random(len(bench.trials)).uniform(-5, -1)),
            }
        )
    bench.think(living)
    bench.think(living)
    assert bench.reads[0] == -1
    assert bench.reads[1] >= 200 - 64


def test_a_changed_verdict_is_taken_up() -> None:
    bench, living = Bench().cycles(SweepResearcher(1), 100), SweepResearcher(1)
    bench.think(living)
    lucky = bench.trials[7]
    bench.trials[7] = replace(lucky, value=2.0)
    experiment = Experiment(7, Hypothesis("c", HypothesisKind.PARAMETERS))
    asyncio.run(living.reflect(bench.seen(), experiment, Verdict(Decision.INCONCLUSIVE, "", 2.0), NoMeter()))
    assert bench.think(living) == bench.think(SweepResearcher(1))


def test_a_new_measure_starts_from_nothing_of_the_old_one() -> None:
    bench, living = Bench().cycles(SweepResearcher(1), 20), SweepResearcher(1)
    bench.think(living)
    bench.trials = [replace(bench.trials[0], experiment=21)]
    assert bench.think(living) == bench.think(SweepResearcher(1))


def test_nothing_is_proposed_twice_and_values_are_short_and_inside() -> None:
    bench = Bench().cycles(SweepResearcher(3), 60)
    assert len({key(t.parameters) for t in bench.trials}) == 61
    for trial in bench.trials[1:]:
        assert all(d.holds(trial.parameters[d.name]) for d in DIGITS.space)
        assert isinstance(trial.parameters["width"], int)
        assert len(f"{trial.parameters['lr']:g}") <= len("1.23e-05")
        assert trial.parameters["epochs"] == 10


def test_waiting_places_are_kept_away_from() -> None:
    bench, researcher = Bench(), SweepResearcher(3)
    proposals = []
    for _ in range(8):
        proposals.append(bench.effective(bench.think(researcher)))
        bench.waiting = tuple(proposals)
    assert len({key(p) for p in proposals}) == 8
    bench.cycles(SweepResearcher(3), 30)
    assert key(bench.effective(bench.think(researcher))) not in {key(p) for p in proposals}


def test_a_rejected_place_is_not_proposed_again() -> None:
    bench, researcher = Bench().cycles(SweepResearcher(3), 10), SweepResearcher(3)
    unwanted = bench.effective(bench.think(researcher))
    bench.trials.append(Trial(11, unwanted, Decision.REJECTED, None, "c"))
    assert key(bench.effective(bench.think(researcher))) != key(unwanted)


def test_a_finite_space_is_tried_once_and_then_exhausted() -> None:
    def measure(p: Parameters) -> float:
        return 0.5 + 0.1 * (p["act"] == "gelu") + 0.1 * float(p["depth"] or 0)

    bench, researcher = Bench(FINITE, measure), SweepResearcher(0)
    bench.cycles(researcher, 11)
    assert len({key(t.parameters) for t in bench.trials}) == 12
    last = bench.think(researcher)
    assert last.hypothesis is None
    assert (
        last.exhausted
        == "all 12 combinations of act: relu | tanh | gelu, depth: 1..2 whole, bn: True | False were tried"
    )


def test_values_that_were_tried_on_other_code_are_tried_on_the_champions() -> None:
    bench, researcher = Bench(FINITE, lambda p: 0.5), SweepResearcher(0)
    bench.cycles(researcher, 11)
    assert bench.think(researcher).hypothesis is None
    own = bench.trials[0].parameters
    bench.trials.append(Trial(12, own, Decision.CONFIRMED, 0.9, "other code", code="other"))
    proposal = bench.think(researcher)
    assert proposal.hypothesis is not None and key(bench.effective(proposal)) != key(own)


def test_it_varies_around_what_the_person_wants_hypotheses_to_grow_from() -> None:
    bench, researcher = Bench(FINITE, lambda p: 0.5), SweepResearcher(0)
    bench.cycles(researcher, 11)
    assert bench.think(researcher).hypothesis is None
    branch = replace(bench.champion, experiment=7, value=0.25, code="other")
    proposal = asyncio.run(researcher.think(replace(bench.seen(), branch=branch), NoMeter()))
    made = proposal.hypothesis
    assert made is not None and "Grown from experiment 7, as you asked." in made.rationale
    assert "0.5" in made.claim and "0.25" not in made.claim, "it is held against the champion"
    assert all(branch.parameters[name] != value for name, value in made.parameters.items())


@pytest.mark.parametrize(
    ("parameters", "words"), [({}, "`name = value`"), ({"name": "x"}, "name in its parameters cell")]
)
def test_a_notebook_without_a_space_says_what_to_do(parameters: Parameters, words: str) -> None:
    bench = Bench(Survey(parameters=parameters), lambda p: 0.5)
    exhausted = bench.think(SweepResearcher(0)).exhausted or ""
    assert exhausted.startswith("the notebook has no parameter to search")
    assert words in exhausted
    assert "# sweep:" in exhausted
    assert "\n" not in exhausted


def test_a_narrow_range_ends_instead_of_repeating() -> None:
    survey = Survey(parameters={"lr": 0.1}, space=(Dimension("lr", 0.1, 0.1 + 1e-15),))
    bench = Bench(survey, lambda p: 0.5)
    researcher = SweepResearcher(0)
    for _ in range(10):
        proposal = bench.think(researcher)
        if proposal.hypothesis is None:
            break
        bench.add(bench.effective(proposal))
    assert "nothing new was found to try in lr" in (proposal.exhausted or "")


def test_directives_narrow_the_space_for_good() -> None:
    bench = by_hand(Bench().cycles(SweepResearcher(2), 12), "lr: 0.001..0.01\nact = relu | tanh\n")
    bench = by_hand(bench, "width = 64, epochs = 30", fresh=False)
    before = len(bench.trials)
    bench.cycles(SweepResearcher(2), 15)
    for trial in bench.trials[before:]:
        assert 0.001 <= float(trial.parameters["lr"] or 0) <= 0.01
        assert trial.parameters["act"] in ("relu", "tanh")
        assert (trial.parameters["width"], trial.parameters["epochs"]) == (64, 30)
    hypothesis = bench.think(SweepResearcher(2)).hypothesis
    assert hypothesis is not None
    assert "As directed: lr: 0.001..0.01 log, act: relu | tanh, width = 64, epochs = 30." in hypothesis.rationale


def test_a_later_directive_replaces_an_earlier_one() -> None:
    narrowing = narrow(DIGITS, ["lr = 0.01", "lr: 0.001..0.1"])
    assert narrowing.fixed == {}
    assert [d for d in narrowing.space if d.name == "lr"] == [Dimension("lr", 0.001, 0.1, log=True)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("widht = 32", "the notebook has no parameter widht, did you mean width?"),
        ("width = 64.5", "width takes 8..512 log whole"),
        ("lr = fast", "lr takes 1e-05..1 log"),
        ("act = selu", "act takes relu | tanh | logistic"),
        ("lr: 5..6", "lr takes 1e-05..1 log"),
        ("width: 100..10", "a range is low..high in numbers"),
        ("epochs = many", "epochs takes a whole number"),
        ("seed = 3", "seed is set for each run by the loop"),
        ("please try harder", 'sweep understands only "name = value"'),
    ],
)
def test_what_a_directive_cannot_do_is_said(line: str, why: str) -> None:
    bench = by_hand(Bench(), f"# my wishes\n- {line}\n")
    (remark,) = bench.think(SweepResearcher(0)).remarks
    assert why in remark
    assert line in remark
    bench.directives = (replace(bench.directives[0], fresh=False),)
    assert bench.think(SweepResearcher(0)).remarks == ()


def test_the_part_of_a_range_outside_the_notebooks_is_said() -> None:
    narrowing = narrow(DIGITS, ["lr: 0.1..10"])
    assert narrowing.space[0] == Dimension("lr", 0.1, 1.0, log=True)
    assert 'of "lr: 0.1..10" only lr: 0.1..1 log was used' in narrowing.remarks[0][0]


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.from_regex(r"(lr|width|act|epochs) ?[=:] ?[-0-9e.|, a-z]{0,12}", fullmatch=True))
)
def test_no_directive_breaks_the_space(text: str) -> None:
    narrowing = narrow(DIGITS, [text])
    declared: Mapping[str, Dimension] = {d.name: d for d in DIGITS.space}
    for dimension in narrowing.space:
        own = declared.get(dimension.name)
        if own is not None and own.low is not None and own.high is not None and dimension.low is not None:
            assert own.low <= dimension.low <= (dimension.high or own.high) <= own.high
    for name, value in narrowing.fixed.items():
        assert name not in declared or declared[name].holds(value)


def test_what_fails_is_left_alone() -> None:
    bench = Bench().cycles(SweepResearcher(4), 50)
    late = bench.trials[25:]
    assert sum(t.value is None for t in late) <= 3


def test_a_good_value_that_breaks_a_constraint_does_not_attract() -> None:
    objective = replace(MAXIMIZE, constraints=(Constraint("params_m", "<=", 10.0),))
    bench = Bench(objective=objective)
    bench.trials[0] = replace(bench.trials[0], value=0.9)
    chance = random.Random(0)
    for _ in range(30):
        parameters = {**DIGITS.parameters, **{d.name: value_at(d, chance.random()) for d in DIGITS.space}}
        wide = int(parameters["width"] or 0) > 100
        bench.trials.append(Trial(len(bench.trials), parameters, Decision.WORSE, 0.99 if wide else 0.85, "c"))
    pull = {}
    for name, standing in (("kept", objective), ("free", MAXIMIZE)):
        widths = []
        for seed in range(8):
            seen = replace(bench.seen(), objective=standing, champion=replace(bench.champion, value=0.9))
            proposal = asyncio.run(SweepResearcher(seed).think(seen, NoMeter()))
            widths.append(int(bench.effective(proposal)["width"] or 0))
        pull[name] = statistics.mean(widths)
    assert pull["kept"] < pull["free"] / 2


def test_the_hypothesis_can_be_refuted_and_gives_its_reasons() -> None:
    bench = Bench()
    first = bench.think(SweepResearcher(1)).hypothesis
    assert first is not None
    assert first.kind is HypothesisKind.PARAMETERS
    assert " instead of " in first.claim
    assert first.claim.endswith(f" raise val_accuracy above {bench.champion.value:.4g}")
    assert "spreads the first 5 trials evenly" in first.rationale
    later = bench.cycles(SweepResearcher(1), 30).think(SweepResearcher(1)).hypothesis
    assert later is not None
    assert " matters most (" in later.rationale
    assert "The best " in later.rationale
    assert "val_accuracy near " in later.expected
    assert set(later.parameters) <= {d.name for d in DIGITS.space}


def test_minimizing_is_said_and_done() -> None:
    def loss(p: Parameters) -> float:
        return (math.log10(float(p["lr"] or 1)) + 2) ** 2

    survey = Survey(parameters={"lr": 1.0}, space=(Dimension("lr", 1e-5, 1.0, log=True),))
    bench = Bench(survey, loss, Objective("loss", Direction.MINIMIZE)).cycles(SweepResearcher(0), 20)
    assert bench.best < 0.01
    hypothesis = bench.think(SweepResearcher(0)).hypothesis
    assert hypothesis is not None
    assert " lowers loss below " in hypothesis.claim


def learn(bench: Bench, trial: Trial, verdict: Verdict, parameters: Mapping[str, Value]) -> str:
    experiment = Experiment(trial.experiment, Hypothesis("c", HypothesisKind.PARAMETERS, parameters=parameters))
    return asyncio.run(SweepResearcher(0).reflect(bench.seen(), experiment, verdict, NoMeter())).text


def test_lessons_are_plain_and_short() -> None:
    bench = Bench().cycles(SweepResearcher(0), 25)
    bench.add({**bench.champion.parameters, "lr": 0.9})
    diverged = bench.add({**bench.champion.parameters, "lr": 0.5})
    text = learn(bench, diverged, Verdict(Decision.FAILED, "", state=RunState.DIVERGED), {"lr": 0.5})
    assert text.startswith("lr 0.5 diverged; lr from 0.5 up failed ")
    worse = bench.add({**bench.champion.parameters, "lr": 0.0001})
    text = learn(bench, worse, Verdict(Decision.WORSE, "", worse.value, 1, champion_before=bench.best), {"lr": 0.0001})
    assert text.startswith("lr 0.0001 is worse by ")
    assert "matters most" in text
    assert len(text) <= LESSON_LIMIT_CHARS
    odd = Verdict(Decision.INCONCLUSIVE, "", None)
    assert len(learn(bench, worse, odd, {"a" * 300: "b" * 300, "c" * 300: 1.0})) <= LESSON_LIMIT_CHARS


def test_a_person_may_have_tried_places_outside_the_space() -> None:
    bench = Bench().cycles(SweepResearcher(0), 8)
    bench.add({**DIGITS.parameters, "lr": 7.0, "width": 64})
    bench.add({**DIGITS.parameters, "act": "logistic", "lr": 0.02})
    bench.trials.append(Trial(11, {"lr": "text"}, Decision.WORSE, math.nan, "c"))
    assert bench.think(SweepResearcher(0)).hypothesis is not None


def test_it_does_not_repair() -> None:
    assert SweepResearcher(0).can_repair is False


def test_a_thousand_trials_cost_a_tenth_of_a_second() -> None:
    bench, researcher, chance = Bench(), SweepResearcher(0), random.Random(0)
    for _ in range(1000):
        bench.add({**DIGITS.parameters, **{d.name: value_at(d, chance.random()) for d in DIGITS.space}})
    bench.think(researcher)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        bench.cycles(researcher, 1)
        last = bench.trials[-1]
        learn_in(bench, researcher, last)
        times.append(time.perf_counter() - start)
    print(f"\nthink and reflect at 1,000 trials: median {statistics.median(times):.3f} s, worst {max(times):.3f} s")
    assert statistics.median(times) < 1.0


def learn_in(bench: Bench, researcher: SweepResearcher, trial: Trial) -> None:
    experiment = Experiment(trial.experiment, Hypothesis("c", HypothesisKind.PARAMETERS, parameters={"lr": 0.1}))
    verdict = Verdict(Decision.WORSE, "", trial.value, 1, champion_before=bench.best)
    asyncio.run(researcher.reflect(bench.seen(), experiment, verdict, NoMeter()))

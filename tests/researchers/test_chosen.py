"""The researcher follows the configuration: chosen anew at every ask, made once, never changing its mind alone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from jupyter_deepresearch.config.researcher import resolve_researcher
from jupyter_deepresearch.core.answers import Lesson, Proposal
from jupyter_deepresearch.core.events import Survey
from jupyter_deepresearch.core.project import Direction, Objective, ResearcherKind, ResearcherOptions
from jupyter_deepresearch.core.research import Meter, RunFailure, Seen
from jupyter_deepresearch.core.types import Decision, Experiment, Hypothesis, HypothesisKind, Verdict
from jupyter_deepresearch.errors import InvalidConfig, ResearcherStopped
from jupyter_deepresearch.researchers.chosen import ChosenResearcher
from jupyter_deepresearch.testing import FakeEvidence

KEY = {"ANTHROPIC_API_KEY": "sk-a-secret"}
SWEEP = ResearcherOptions(ResearcherKind.SWEEP)
OPEN = ResearcherOptions()
EXPERIMENT = Experiment(1, Hypothesis("smaller is better", HypothesisKind.PARAMETERS))
VERDICT = Verdict(Decision.WORSE, "it is not", 0.5, 1)


class NoMeter:
    """What stands here costs nothing."""

    async def ask(self, key: str, ceiling: object, call: object, experiment: int | None = None) -> str:
        raise AssertionError("a paid call")


@dataclass
class Named:
    """Says in every answer what it was made of."""

    options: ResearcherOptions
    asked: list[Seen]

    @property
    def can_repair(self) -> bool:
        return self.options.kind is not ResearcherKind.SWEEP

    @property
    def name(self) -> str:
        return f"{self.options.kind} {self.options.leader_model}"

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        self.asked.append(seen)
        return (f"{self.name} is ready",)

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        self.asked.append(seen)
        return Proposal(exhausted=self.name, remarks=("a remark",))

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        self.asked.append(seen)
        return Proposal(exhausted=f"{self.name} mends {failure.repairs}")

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        self.asked.append(seen)
        return Lesson(f"{self.name} learns of {experiment.number}")


@dataclass
class Place:
    """A chosen researcher in an environment, and all that was made for it."""

    environ: dict[str, str] = field(default_factory=lambda: dict(KEY))
    made: list[Named] = field(default_factory=list)
    asked: list[Seen] = field(default_factory=list)
    fails: Exception | None = None

    def __post_init__(self) -> None:
        self.researcher = ChosenResearcher(self._decide, self._make)

    def _decide(self, options: ResearcherOptions) -> tuple[ResearcherOptions, str]:
        choice = resolve_researcher(options, self.environ)
        return choice.options, choice.sentence

    def _make(self, options: ResearcherOptions) -> Named:
        if self.fails is not None:
            raise self.fails
        self.made.append(Named(options, self.asked))
        return self.made[-1]

    def think(self, options: ResearcherOptions, calls: int = 0) -> Proposal:
        return asyncio.run(self.researcher.think(seen(options, calls), NoMeter()))


def seen(options: ResearcherOptions, calls: int = 0) -> Seen:
    return Seen(
        objective=Objective("score", Direction.MAXIMIZE),
        cycle=1,
        brief="",
        memory="",
        survey=Survey(),
        baseline=None,
        champion=None,
        directives=(),
        trials=lambda after: iter(()),
        evidence=FakeEvidence(),
        options=options,
        calls=calls,
    )


def test_every_question_reaches_the_one_chosen_with_all_options_filled_in() -> None:
    place = Place()
    meter, given = NoMeter(), seen(OPEN)
    failure = RunFailure(EXPERIMENT, None, 1)
    ask = place.researcher

    async def all_four() -> tuple[tuple[str, ...], Proposal, Proposal, Lesson]:
        return (
            await ask.prepare(given, meter),
            await ask.think(given, meter),
            await ask.repair(given, failure, meter),
            await ask.reflect(given, EXPERIMENT, VERDICT, meter),
        )

    ready, thought, mended, lesson = asyncio.run(all_four())
    name = "claude claude-haiku-5-5"
    assert ready == (f"{name} is ready",)
    assert thought == Proposal(exhausted=name, remarks=("a remark",))
    assert (mended.exhausted, lesson.text) == (f"{name} mends 1", f"{name} learns of 1")
    assert len(place.made) == 1
    full = replace(OPEN, kind=ResearcherKind.CLAUDE, leader_model="claude-haiku-5-5", worker_model="claude-haiku-5-5")
    assert [one.options for one in place.asked] == [full] * 4
    assert replace(place.asked[0], options=OPEN) == given


def test_new_options_hold_from_the_next_question_on_and_it_is_said_once() -> None:
    place = Place()
    assert place.think(OPEN).remarks == ("a remark",)
    bigger = replace(OPEN, leader_model="claude-opus-5-5")
    changed = place.think(bigger)
    assert changed.exhausted == "claude claude-opus-5-5"
    assert "claude-opus-5-5 leads, claude-haiku-5-5 works" in changed.remarks[0] and changed.remarks[1:] == (
        "a remark",
    )
    assert place.think(bigger).remarks == ("a remark",)
    assert place.think(SWEEP, calls=9).remarks == ("using the offline researcher (sweep)", "a remark")
    assert [one.options.kind for one in place.made] == ["claude", "claude", "sweep"]


def test_a_project_that_was_offline_and_now_finds_a_key_says_so_before_it_pays() -> None:
    later = replace(seen(OPEN), cycle=4)
    [news, _] = asyncio.run(Place().researcher.think(later, NoMeter())).remarks
    assert news.endswith("at api.anthropic.com (ANTHROPIC_API_KEY is set)")
    for usual in (replace(later, calls=7), replace(later, options=SWEEP), seen(OPEN)):
        assert asyncio.run(Place().researcher.think(usual, NoMeter())).remarks == ("a remark",)


def test_one_that_cannot_repair_is_not_asked_to() -> None:
    place = Place()
    mended = asyncio.run(place.researcher.repair(seen(SWEEP), RunFailure(EXPERIMENT, None, 0), NoMeter()))
    assert mended.hypothesis is None and place.asked == []


def test_a_key_that_is_gone_never_changes_who_proposes() -> None:
    place = Place(environ={})
    for ask in questions(place):
        with pytest.raises(
            ResearcherStopped, match=r"set ANTHROPIC_API_KEY .* or go on offline with --researcher sweep"
        ):
            ask(seen(OPEN, calls=1))
    assert place.made == []
    assert place.think(SWEEP, calls=1).exhausted == "sweep None"  # said so by the person
    assert Place(environ={}).think(OPEN).exhausted == "sweep None"  # nothing was ever paid
    place.environ.update(KEY)
    assert place.think(OPEN, calls=1).exhausted == "claude claude-haiku-5-5"


def questions(place: Place) -> tuple[Callable[[Seen], object], ...]:
    ask, meter = place.researcher, NoMeter()
    return (
        lambda given: asyncio.run(ask.prepare(given, meter)),
        lambda given: asyncio.run(ask.think(given, meter)),
        lambda given: asyncio.run(ask.repair(given, RunFailure(EXPERIMENT, None, 0), meter)),
        lambda given: asyncio.run(ask.reflect(given, EXPERIMENT, VERDICT, meter)),
    )


def test_options_that_cannot_work_stop_with_what_to_do_and_work_once_they_can() -> None:
    place = Place(environ={})
    claude = ResearcherOptions(ResearcherKind.CLAUDE)
    with pytest.raises(ResearcherStopped, match='found "claude" without a key; accepted: ANTHROPIC_API_KEY set where'):
        place.think(claude)
    place.environ.update(KEY)
    place.fails = InvalidConfig("no such thing")
    with pytest.raises(ResearcherStopped, match="no such thing"):
        place.think(claude)
    place.fails = None
    assert place.think(claude).exhausted == "claude claude-haiku-5-5"

"""The digits example as a project in memory: its real notebook behind the evidence, and a researcher with a script."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupyter_deepresearch.core.answers import Lesson, Proposal, Trial
from jupyter_deepresearch.core.ports import Build
from jupyter_deepresearch.core.project import Direction, Objective, ResearcherOptions
from jupyter_deepresearch.core.research import Account, Change, Instruction, RunFailure, Seen, Standing
from jupyter_deepresearch.core.sources import sense
from jupyter_deepresearch.core.types import (
    Decision,
    Experiment,
    Hypothesis,
    HypothesisKind,
    OpenSweep,
    Outcome,
    Parameters,
    Piece,
    RunError,
    RunState,
    Verdict,
)
from jupyter_deepresearch.errors import NotFound
from jupyter_deepresearch.execution.notebooks.compose import check, pieces
from jupyter_deepresearch.execution.notebooks.source import read_source
from jupyter_deepresearch.execution.notebooks.space import survey
from jupyter_deepresearch.researchers.claude.papers import Papers
from jupyter_deepresearch.researchers.claude.prompts import Prompts
from jupyter_deepresearch.researchers.claude.researcher import ClaudeResearcher
from jupyter_deepresearch.researchers.claude.shelf import Shelf
from jupyter_deepresearch.researchers.llm.talk import Reply, Request
from jupyter_deepresearch.researchers.sweep import SweepResearcher
from jupyter_deepresearch.testing import FakeEvidence

from .doubles import KnowingModel, LogMeter

NOTEBOOK = Path(__file__).parents[3] / "example_notebooks" / "digits_torch" / "train.ipynb"
SOURCE = read_source(NOTEBOOK)
SURVEY = survey(SOURCE)
ACCURACY = Objective("val_accuracy", Direction.MAXIMIZE, min_delta=0.003, target=0.99)


@dataclass
class NotebookEvidence(FakeEvidence):
    """Evidence whose code and changes are those of the real notebook; every experiment grows from it as it is."""

    def pieces(self, experiment: int | None) -> tuple[Piece, ...]:
        if experiment is not None and experiment not in self.accounts:
            raise NotFound(f"there is no experiment {experiment}")
        return pieces(Build(SOURCE))

    def change(self, hypothesis: Hypothesis, of: int | None = None) -> Change:
        check(Build(SOURCE, hypothesis.edits, hypothesis.parameters))
        return Change(meaning(hypothesis), {**SURVEY.parameters, **hypothesis.parameters})


def meaning(hypothesis: Hypothesis) -> str:
    made = sense(SOURCE, hypothesis.edits)
    return "" if made == sense(SOURCE) else made


@dataclass
class World:
    """A project and its researcher; ``model`` answers by a script, ``meter`` is the log, which outlives researchers."""

    folder: Path
    trials: list[Trial] = field(default_factory=list)
    evidence: NotebookEvidence = field(default_factory=NotebookEvidence)
    meter: LogMeter = field(default_factory=LogMeter)
    model: KnowingModel = field(default_factory=KnowingModel)
    sweep: OpenSweep | None = None
    latest: int | None = None
    directives: tuple[Instruction, ...] = ()
    fallback: str | None = None
    brief: str = "Find better settings."
    turn: int = 0

    def __post_init__(self) -> None:
        self.judged(Hypothesis("baseline: the notebook as it is", HypothesisKind.BASELINE), 0.94, Decision.BASELINE)

    def script(self, *replies: Reply | Exception | Callable[[Request], Reply]) -> None:
        """A new researcher on the same log, whose model gives these answers; one too many is an error."""
        self.model = KnowingModel(replies)
        place = self.folder / "project"
        place.mkdir(exist_ok=True)
        papers = Papers(self.folder / "papers", sources=())
        self.researcher = ClaudeResearcher(self.model, Shelf(place), papers, Prompts(), SweepResearcher(7))

    def judged(
        self,
        hypothesis: Hypothesis,
        value: float | None,
        decision: Decision,
        reason: str = "",
        sweep: int | None = None,
    ) -> int:
        """A judged experiment, as the log would have it."""
        number = len(self.trials)
        parent = None if hypothesis.kind is HypothesisKind.BASELINE else 0
        experiment = Experiment(number, hypothesis, parent, number or None, sense=meaning(hypothesis), sweep=sweep)
        experiment = replace(experiment, settings=hypothesis.parameters)
        outcome = Outcome(f"{number:04d}", RunState.SUCCEEDED if value is not None else RunState.CRASHED, value)
        verdict = Verdict(decision, reason or "as measured", value, 1, None, 0.94)
        self.evidence.accounts[number] = Account(experiment, verdict, Lesson("it is so"), None, outcome)
        parameters = {**SURVEY.parameters, **hypothesis.parameters}
        code = experiment.sense
        self.trials.append(Trial(number, parameters, decision, value, hypothesis.claim, code, experiment.sense))
        self.latest = number
        return number

    @property
    def seen(self) -> Seen:
        baseline = Standing(0, 0.94, 3, "baseline: the notebook as it is", SURVEY.parameters, (0.936, 0.944))
        return Seen(
            objective=ACCURACY,
            cycle=len(self.trials),
            brief=self.brief,
            memory="# Memory: maximize val_accuracy\n",
            survey=SURVEY,
            baseline=baseline,
            champion=baseline,
            directives=self.directives,
            trials=lambda after: iter([t for t in self.trials if t.experiment > after]),
            evidence=self.evidence,
            options=ResearcherOptions(leader_model="big", worker_model="small", fallback_model=self.fallback),
            turn=self.turn,
            latest=self.latest,
            sweep=self.sweep,
        )

    def think(self) -> Proposal:
        return asyncio.run(self.researcher.think(self.seen, self.meter))

    def hypothesis(self) -> Hypothesis:
        """The hypothesis of a THINK that has one."""
        proposal = self.think()
        assert proposal.hypothesis is not None, proposal
        return proposal.hypothesis

    def repair(self, experiment: Experiment, error: RunError | None, repairs: int = 0) -> Proposal:
        failure = RunFailure(experiment, error, repairs)
        return asyncio.run(self.researcher.repair(self.seen, failure, self.meter))

    def reflect(self, number: int) -> Lesson:
        account = self.evidence.accounts[number]
        assert account.verdict is not None
        return asyncio.run(self.researcher.reflect(self.seen, account.experiment, account.verdict, self.meter))

    @property
    def said(self) -> list[str]:
        """What was said last in every request that reached the model."""
        return [request.turns[-1].text for request in self.model.requests]


def phases(meter: LogMeter) -> list[str]:
    return [usage.phase for usage in meter.usages.values()]


def parameters(**values: float) -> Parameters:
    return values

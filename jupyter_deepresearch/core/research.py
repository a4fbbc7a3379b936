"""The researcher's seam: what it may see of a project, what it is asked, and the only door to paid calls."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from .answers import Lesson, Proposal, Recalled, Trial, Usage
from .events import Survey
from .ports import Curves
from .project import Objective, ResearcherOptions
from .types import Experiment, Hypothesis, OpenSweep, Outcome, Parameters, Piece, Run, RunError, Verdict


@dataclass(frozen=True)
class Standing:
    """An experiment others are compared with: its values by seed index, the mean of them, its parameters, its code."""

    experiment: int
    value: float
    seeds: int
    claim: str
    parameters: Parameters
    interval: tuple[float, float] | None = None
    code: str = ""


@dataclass(frozen=True)
class Instruction:
    """A directive in force; ``seq`` is its place in the log, ``fresh`` until a THINK that read it has succeeded."""

    seq: int
    text: str
    fresh: bool = True


@dataclass(frozen=True)
class Account:
    """All that the log tells of one experiment. ``run`` and ``outcome`` are those that it is shown by; ``verdict`` and
    ``lesson`` are None before they are given; ``seconds_per_step`` None where nothing tells."""

    experiment: Experiment
    verdict: Verdict | None = None
    lesson: Lesson | None = None
    run: Run | None = None
    outcome: Outcome | None = None
    seconds_per_step: float | None = None


@dataclass(frozen=True)
class Change:
    """What a hypothesis makes of the code it grows from: a digest of its meaning, and all values it runs with."""

    sense: str
    parameters: Parameters


class Evidence(Protocol):
    """What a researcher may read of its project, asked for by number. Raises NotFound for one that is not there."""

    def account(self, experiment: int) -> Account:
        """One experiment."""

    def curves(self, experiment: int) -> Curves:
        """All series of the run that it is shown by, at most 200 points each; none where the run folder is gone."""

    def output(self, experiment: int, chars: int) -> str:
        """The last ``chars`` characters of what that run printed and raised, marked by cell."""

    def pieces(self, experiment: int | None) -> tuple[Piece, ...]:
        """The cells and code files of an experiment (None: of the one that the next hypothesis grows from)."""

    def recall(self, words: str, limit: int) -> tuple[Recalled, ...]:
        """Experiments of the whole log whose words fit best."""

    def change(self, hypothesis: Hypothesis, of: int | None = None) -> Change:
        """What the hypothesis comes to, on top of what it grows from, or in the place of experiment ``of``.

        Raises InvalidNotebook, in one line, where an edit or a value does not fit.
        """


@dataclass(frozen=True)
class Seen:
    """All that a researcher may know of a project. ``parameters`` and ``space`` are the notebook's, the values that the
    next hypothesis starts from are in ``base.parameters``; ``trials(after)`` yields earlier experiments of the measure,
    oldest first; ``waiting`` are parameters of hypotheses on the code of ``base`` that were proposed but are not judged
    yet, ``pending`` all that are not, with their code.
    ``turn`` counts the answers of THINK that led to no hypothesis, ``since_gain`` cycles without a confirmed gain;
    ``latest`` is the experiment judged last, ``sweep`` the one that is open and may go on, ``calls`` how many answers
    were paid for so far. ``branch`` is the experiment that the person wants hypotheses to grow from, None where that is
    the champion; values are held against the champion's all the same."""

    objective: Objective
    cycle: int
    brief: str
    memory: str
    survey: Survey
    baseline: Standing | None
    champion: Standing | None
    directives: tuple[Instruction, ...]
    trials: Callable[[int], Iterator[Trial]]
    evidence: Evidence
    waiting: tuple[Parameters, ...] = ()
    pending: tuple[Change, ...] = ()
    options: ResearcherOptions = field(default_factory=ResearcherOptions)
    measure: int = 1
    turn: int = 0
    since_gain: int = 0
    latest: int | None = None
    sweep: OpenSweep | None = None
    calls: int = 0
    branch: Standing | None = None

    @property
    def base(self) -> Standing | None:
        """What the next hypothesis grows from; None before anything was measured."""
        return self.branch or self.champion or self.baseline


@dataclass(frozen=True)
class RunFailure:
    """What a researcher may know of a failed dry run it is asked to repair. ``repairs``: how many were used up."""

    experiment: Experiment
    error: RunError | None
    repairs: int


class Meter(Protocol):
    """The only door to paid calls."""

    async def ask(
        self,
        key: str,
        ceiling: Usage,
        call: Callable[[], Awaitable[tuple[str, Usage]]],
        experiment: int | None = None,
    ) -> str:
        """The answer logged under ``key``, else that of ``call``, logged with its usage before it is returned.

        ``ceiling`` is the most that the call can cost; it is held against every budget first. ``experiment`` is the
        one that the call is about, None where it has no number yet (its proposal then names the key).
        Raises BudgetReached when one does not allow it, and what ``call`` raises.
        """


class Researcher(Protocol):
    """Who proposes. Never launches, measures, judges or stores.

    All but ``can_repair`` raise ResearcherFailed when it cannot answer now, ResearcherStopped when it never will
    as things are, BudgetReached when it may not ask.
    """

    can_repair: bool

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        """See before the first run whether it will be able to answer; remarks for the person."""

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        """The next hypothesis, or why there is none."""

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        """A mended hypothesis after a failed dry run, or none."""

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        """What the experiment taught."""


__all__ = [
    "Account",
    "Change",
    "Evidence",
    "Instruction",
    "Meter",
    "Researcher",
    "RunFailure",
    "Seen",
    "Standing",
]

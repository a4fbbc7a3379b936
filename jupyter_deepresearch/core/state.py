"""What a log folds to: all that deciding the next step takes, small for any length of history."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import events as ev
from .answers import Usage
from .memory import Memory
from .project import Project
from .research import Instruction
from .types import Experiment, Handle, HypothesisKind, OpenSweep, Outcome, Purpose, Run, Verdict

DIRECTIVES_IN_FORCE = 20
SOURCES_MET = 100


@dataclass(frozen=True)
class OpenRun:
    """A run that was planned and has not ended. Without a handle its launch is not known to have succeeded."""

    run: Run
    planned_at: float
    handle: Handle | None = None
    cancelled: bool = False


@dataclass(frozen=True)
class Attempt:
    """One ended run of an experiment. ``by_person`` where a person cancelled it, ``by_stop`` where the project was
    being stopped."""

    run: Run
    outcome: Outcome
    by_person: bool = False
    by_stop: bool = False


@dataclass(frozen=True)
class Work:
    """An open experiment: from its proposal to its lesson.

    ``values`` are successful values by seed index, ``attempts`` this work's ended runs in order, ``judged`` how many
    of them the last verdict knew, ``fixes`` how many of its repairs were used up before it was proposed, ``wanted`` the
    number of seeds a person asked for (reproduce), None else, ``made`` the attempts of earlier reproductions by seed
    index. ``proposed_at`` is since when it waits, where it does.
    Baseline and champion are kept as such beyond their lesson: others are compared with them, their seeds may grow.
    """

    experiment: Experiment
    proposed_at: float
    waiting: bool = False
    attempts: tuple[Attempt, ...] = ()
    judged: int = 0
    values: Mapping[int, float] = field(default_factory=dict)
    repairs: int = 0
    fixes: int = 0
    verdict: Verdict | None = None
    wanted: int | None = None
    made: Mapping[int, int] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.experiment.number

    @property
    def is_baseline(self) -> bool:
        return self.experiment.hypothesis.kind is HypothesisKind.BASELINE

    @property
    def is_offer(self) -> bool:
        """Whether it is an edit found on disk that nobody has answered: nothing waits for it, none of it costs."""
        return self.waiting and self.experiment.cycle is None

    @property
    def is_decided(self) -> bool:
        """Whether its verdict is final, so that only the lesson is left."""
        return self.wanted is None and self.verdict is not None and self.verdict.decision.is_final

    @property
    def is_outdated(self) -> bool:
        """Whether seeds have come in since the last final verdict."""
        return self.verdict is not None and self.verdict.decision.is_final and self.verdict.seeds < len(self.values)

    def of_seed(self, purpose: Purpose, seed_index: int) -> tuple[Attempt, ...]:
        """The ended runs of this purpose and seed, in order."""
        return tuple(a for a in self.attempts if a.run.purpose is purpose and a.run.seed_index == seed_index)


@dataclass(frozen=True)
class Note:
    """A directive in force, with the digest of the file it came from."""

    instruction: Instruction
    digest: str | None


@dataclass(frozen=True)
class Before:
    """The memory as it was before the latest verdicts in a row on one experiment; None before any, or where a new
    measure has changed all lines."""

    memory: Memory = field(default_factory=Memory)
    experiment: int | None = None

    def verdict(self, experiment: int, memory: Memory) -> "Before":
        """The same after a verdict that found ``memory``."""
        return self if experiment == self.experiment else Before(memory, experiment)


_NOTHING = Usage("", "", 0, 0, 0, 0.0, 0)


@dataclass(frozen=True)
class Bill:
    """LLM calls so far, in all, on one UTC day and by phase. ``usd`` counts priced calls only, None where none was."""

    total: Usage = _NOTHING
    day: str = ""
    today: Usage = _NOTHING
    by_phase: Mapping[str, Usage] = field(default_factory=dict)

    def with_usage(self, usage: Usage, at: float) -> "Bill":
        """This bill and one more call."""
        day = dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat()
        today = self.today if day == self.day else _NOTHING
        phase = self.by_phase.get(usage.phase, _NOTHING)
        return Bill(
            _add(self.total, usage), day, _add(today, usage), {**self.by_phase, usage.phase: _add(phase, usage)}
        )


def _add(a: Usage, b: Usage) -> Usage:
    prices = [usage.usd for usage in (a, b) if usage.usd is not None and (usage.calls or usage.usd)]
    return Usage(
        phase=b.phase,
        model=b.model,
        tokens_in=a.tokens_in + b.tokens_in,
        tokens_out=a.tokens_out + b.tokens_out,
        tokens_cached=a.tokens_cached + b.tokens_cached,
        usd=sum(prices) if prices else None,
        calls=a.calls + b.calls,
    )


@dataclass(frozen=True)
class State:
    """All that deciding the next step takes. Small for any length of history.

    ``works`` and ``runs`` are the open ones; ``cycles`` counts hypotheses that were not rejected, ``since_gain`` closed
    ones since the last confirmed gain, ``worked_s`` the loop's working time, ``gpu_s`` GPU seconds of ended runs,
    ``typical_s`` a running mean of successful runs' seconds. ``own`` is the digest of the measure's own source, ``met``
    are those of the latest others that were offered or tried. ``latest`` is the experiment judged last, ``turn`` counts
    answers of THINK without a hypothesis; ``postponed`` holds until something else is written. ``before`` is what
    the ``memory`` was before the latest verdict. ``branch`` is the experiment that the person wants hypotheses to grow
    from, None where that is the champion.
    """

    opened: ev.Opened
    project: Project
    survey: ev.Survey
    brief: str
    own: str
    met: tuple[str, ...] = ()
    seq: int = 0
    measure: int = 1
    works: Mapping[int, Work] = field(default_factory=dict)
    runs: Mapping[str, OpenRun] = field(default_factory=dict)
    baseline: Work | None = None
    champion: Work | None = None
    branch: Work | None = None
    next_experiment: int = 0
    cycles: int = 0
    next_cycle: int = 1
    since_gain: int = 0
    paused: bool = False
    stopped: bool = False
    finished: ev.Finished | None = None
    failed: ev.Failed | None = None
    directives: tuple[Note, ...] = ()
    memory: Memory = field(default_factory=Memory)
    before: Before = field(default_factory=Before)
    notes: str = ""
    worked_s: float = 0.0
    gpu_s: float = 0.0
    typical_s: float | None = None
    bill: Bill = field(default_factory=Bill)
    announced: str = ""
    latest: int | None = None
    sweep: OpenSweep | None = None
    turn: int = 0
    postponed: ev.Postponed | None = None

    @property
    def base(self) -> Work | None:
        """What the next hypothesis grows from: the person's branch, else the champion; None before there is one."""
        return self.branch or self.champion

    @property
    def open_works(self) -> tuple[Work, ...]:
        """The works that are on their way, oldest first: all but offers."""
        return tuple(self.works[k] for k in sorted(self.works) if not self.works[k].is_offer)

    @property
    def offer(self) -> Work | None:
        """The edit of the person's files that waits for an answer; there is one at most."""
        return next((w for w in self.works.values() if w.is_offer), None)

    @property
    def kernel(self) -> str:
        """The kernelspec that runs use: the one configured, else the notebook's own."""
        return self.project.launcher.kernel or self.survey.kernel

    def runs_of(self, number: int) -> tuple[OpenRun, ...]:
        """The open runs of one experiment."""
        return tuple(r for r in self.runs.values() if r.run.experiment == number)

    def work(self, number: int) -> Work | None:
        """An experiment that is open, or is compared with, None else."""
        ranks = (w for w in (self.champion, self.baseline) if w is not None and w.number == number)
        return self.works.get(number) or next(ranks, None)

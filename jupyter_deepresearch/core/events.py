"""Everything that can be written into a project's log. ``KINDS`` maps the contract's kinds to classes.

Commands, in ``said.py``, are what people (or programs for them) say; the rest is what the loop did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from .answers import Lesson, Usage
from .project import Project
from .said import Approve, Branch, Cancel, Directive, EditHypothesis, Noted, Pause, Reject, Reproduce, Resume, Stop, Try
from .types import Dimension, Experiment, Handle, Outcome, Parameters, Run, Source, StopReason, Verdict

__all__ = [
    "KINDS",
    "Announced",
    "Answered",
    "Approve",
    "Branch",
    "Briefed",
    "Cancel",
    "Configure",
    "Directive",
    "EditHypothesis",
    "Ended",
    "Event",
    "Failed",
    "Finished",
    "Judged",
    "Launched",
    "Noted",
    "Opened",
    "Pause",
    "Planned",
    "Postponed",
    "Proposed",
    "Record",
    "Reflected",
    "Reject",
    "Repaired",
    "Reproduce",
    "Resume",
    "Sourced",
    "Stop",
    "Survey",
    "Try",
    "Worked",
    "kind_of",
]


@dataclass(frozen=True)
class Survey:
    """What a notebook offers: parameters with their values, the search space, its kernel. ``dry_run``: whether the
    parameters cell has that switch; ``remarks``: one-line notes for the person (scorer not locked, ...)."""

    parameters: Parameters = field(default_factory=dict)
    space: tuple[Dimension, ...] = ()
    kernel: str = "python3"
    dry_run: bool = False
    locked_cells: int = 0
    remarks: tuple[str, ...] = ()


# Inputs


@dataclass(frozen=True)
class Opened:
    """The first event of every log: the project's identity and all its inputs as they were."""

    project_id: str
    project: Project
    source: Source
    survey: Survey
    brief: str = ""


@dataclass(frozen=True)
class Configure:
    """A changed configuration (the objective stays as it was)."""

    project: Project


@dataclass(frozen=True)
class Sourced:
    """The person's files changed; ``new_measure`` where values cannot be compared with older ones, which ``sentence``
    says where the loop noticed it by itself."""

    source: Source
    survey: Survey
    new_measure: bool
    sentence: str = ""


@dataclass(frozen=True)
class Briefed:
    """The person's brief changed."""

    text: str


# Effects of the loop


@dataclass(frozen=True)
class Proposed:
    """A researcher's hypothesis, numbered; ``directives`` are the seqs that its THINK had read. One of the kind
    ``by_hand`` is an edit found on disk: it always waits for the person, and has a cycle once it is approved.
    ``answers`` are the keys of the paid answers that led to it, ``fixes`` how many repairs it has used up."""

    experiment: Experiment
    directives: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    fixes: int = 0


@dataclass(frozen=True)
class Repaired:
    """A mended experiment after a failed dry run; asked again where ``ask``. ``fixes``: the repairs that it used up
    besides this one, before it fitted."""

    experiment: Experiment
    ask: bool = False
    fixes: int = 0


@dataclass(frozen=True)
class Planned:
    """A run is about to be started: the intent, before the effect."""

    run: Run


@dataclass(frozen=True)
class Launched:
    """A run was started, and how to find it."""

    handle: Handle


@dataclass(frozen=True)
class Ended:
    """A run ended, and how."""

    outcome: Outcome


@dataclass(frozen=True)
class Judged:
    """A verdict on an experiment; a later one replaces it. ``notebook`` is where its executed notebook lies."""

    experiment: int
    verdict: Verdict
    notebook: str | None = None


@dataclass(frozen=True)
class Reflected:
    """The lesson of an experiment: its cycle is over."""

    experiment: int
    lesson: Lesson


@dataclass(frozen=True)
class Finished:
    """The project ended by itself: a budget, the target, an exhausted space."""

    reason: StopReason
    sentence: str


@dataclass(frozen=True)
class Postponed:
    """No hypothesis before ``until`` (wall time), unless something else is written: a daily budget, a researcher's
    wish. It counts as an answer of THINK."""

    reason: str
    until: float


@dataclass(frozen=True)
class Failed:
    """The project cannot go on without the person. ``by``: "baseline", or "researcher" where that is all in the way."""

    sentence: str
    by: str = "baseline"

    @property
    def is_researchers(self) -> bool:
        """Whether the project goes on as it is, once the researcher can answer."""
        return self.by == "researcher"


@dataclass(frozen=True)
class Announced:
    """One sentence for the person: a remark, an outage, what was recovered."""

    text: str


@dataclass(frozen=True)
class Worked:
    """Monotonic seconds that the loop has worked since the last such event."""

    seconds: float


@dataclass(frozen=True)
class Answered:
    """An LLM's answer under its key, logged before anyone parses it."""

    key: str
    usage: Usage
    answer: str
    experiment: int | None = None


Event = (
    Opened
    | Configure
    | Sourced
    | Briefed
    | Approve
    | Reject
    | EditHypothesis
    | Try
    | Directive
    | Cancel
    | Reproduce
    | Branch
    | Pause
    | Resume
    | Stop
    | Noted
    | Proposed
    | Repaired
    | Planned
    | Launched
    | Ended
    | Judged
    | Reflected
    | Finished
    | Postponed
    | Failed
    | Announced
    | Worked
    | Answered
)

_OWN_WORDS: Mapping[type, str] = {EditHypothesis: "edit"}


def _word(cls: type) -> str:
    return _OWN_WORDS.get(cls, cls.__name__.lower())


KINDS: Mapping[str, type[Event]] = {_word(cls): cls for cls in get_args(Event)}
"""Every event's class by its kind."""


def kind_of(event: Event) -> str:
    """The snake-case kind of an event."""
    return _word(type(event))


@dataclass(frozen=True)
class Record:
    """An event as the log holds it. ``seq`` counts from 1 without gaps; ``at`` is wall time in seconds since 1970."""

    seq: int
    at: float
    event: Event

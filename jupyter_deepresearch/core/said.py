"""What people, or programs for them, say to a project: the commands among its events. They need no lease."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .types import Experiment, Verdict


@dataclass(frozen=True)
class Approve:
    """A waiting hypothesis may run. ``by``: "person" or "timeout". ``cycle``: of an edit found on disk."""

    hypothesis: int
    by: str = "person"
    cycle: int | None = None


@dataclass(frozen=True)
class Reject:
    """A waiting hypothesis must not run. ``by`` is "person", or "files" where they no longer hold the edit offered."""

    hypothesis: int
    reason: str = ""
    by: str = "person"


@dataclass(frozen=True)
class EditHypothesis:
    """A waiting hypothesis as the person changed it, whole: by a command, or by a further edit of the files."""

    experiment: Experiment


@dataclass(frozen=True)
class Try:
    """The person's own hypothesis, run next without asking."""

    experiment: Experiment


@dataclass(frozen=True)
class Directive:
    """What the researcher must read before the next THINK. ``digest``: of the file it came from, if any."""

    text: str
    digest: str | None = None


@dataclass(frozen=True)
class Cancel:
    """End one live run."""

    run: str


@dataclass(frozen=True)
class Reproduce:
    """More seeds of an experiment. ``known`` are its values so far by seed index, ``verdict`` what was said of it,
    ``made`` how often each seed was reproduced before, whatever came of it."""

    experiment: Experiment
    seeds: int
    known: Mapping[int, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    made: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Branch:
    """The next hypotheses grow from this experiment, which ended with these ``values`` by seed index; from the champion
    again where it is None."""

    experiment: Experiment | None
    values: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pause:
    """Start nothing new; live runs finish."""


@dataclass(frozen=True)
class Resume:
    """Undo pause, stop and an ended budget that was raised since."""


@dataclass(frozen=True)
class Stop:
    """Start nothing new and cancel live runs."""


@dataclass(frozen=True)
class Noted:
    """The person's own lines in MEMORY_LOG.md, all of them, as they now stand."""

    text: str

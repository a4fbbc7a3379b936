"""The steps that a project can take: what ``next_step`` chooses from and the loop performs."""

from dataclasses import dataclass

from .state import Work
from .types import Run, StopReason


@dataclass(frozen=True)
class Baseline:
    """Propose the person's notebook as it is."""


@dataclass(frozen=True)
class Think:
    """Ask the researcher for a hypothesis."""


@dataclass(frozen=True)
class Repair:
    """Ask the researcher to mend an experiment whose dry run failed."""

    work: Work


@dataclass(frozen=True)
class AutoApprove:
    """Nobody answered in time: the hypothesis may run."""

    experiment: int


@dataclass(frozen=True)
class Launch:
    """Start a run, or find it again where its start may have been cut off."""

    run: Run


@dataclass(frozen=True)
class Watch:
    """Wait for a live run to end, after asking those in ``cancel`` to. No longer than until ``until`` (wall time)."""

    runs: tuple[str, ...]
    cancel: tuple[str, ...] = ()
    until: float | None = None


@dataclass(frozen=True)
class Judge:
    """Give a verdict."""

    work: Work


@dataclass(frozen=True)
class Reflect:
    """Ask the researcher for the lesson; the cycle is over after it."""

    work: Work


@dataclass(frozen=True)
class Wait:
    """Nothing to do before a person says something, or ``until`` (wall time)."""

    until: float | None = None


@dataclass(frozen=True)
class Finish:
    """The project has come to its end."""

    reason: StopReason
    sentence: str


@dataclass(frozen=True)
class Fail:
    """The project cannot go on without the person."""

    sentence: str


@dataclass(frozen=True)
class Rest:
    """The project has ended, failed or been stopped, and nothing is live."""


Step = Baseline | Think | Repair | AutoApprove | Launch | Watch | Judge | Reflect | Wait | Finish | Fail | Rest

"""The seams: what the loop needs of the world, as protocols. Each has a public double in ``testing``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .answers import Lesson, Recalled, Trial
from .events import Event, Record, Survey
from .project import Project
from .types import Edit, Experiment, Handle, Outcome, Parameters, Piece, Run, RunState, Source, Verdict


@dataclass(frozen=True)
class Build:
    """How a notebook comes about: a root source, then edits in order, then the parameters that differ from it."""

    source: Source
    edits: tuple[Edit, ...] = ()
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """What a notebook says that it is a fork of: an experiment of a project, by its id."""

    project: str
    experiment: int


@dataclass(frozen=True)
class HandedBack:
    """A fork against the experiment that it was made of.

    ``source``: its cells beside that experiment's code files, None where only values differ; ``settings`` all values
    that it runs with in place of those of the code, ``changes`` those that the experiment did not run with, ``edits``
    what differs of the cells, as far as edits can say it.
    """

    source: Source | None
    settings: Parameters = field(default_factory=dict)
    changes: Parameters = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class RunSpec:
    """Everything a launcher needs to start one run.

    ``deadline_s`` ends the run after so many seconds, ``deadline_rule`` names the key that set it. ``artifacts_of`` is
    the run id whose ``artifacts()`` folder this attempt goes on in (its own, for a first attempt).
    """

    run: Run
    project_id: str
    project: Project
    experiment: Experiment
    build: Build
    kernel: str
    artifacts_of: str
    dry_run: bool = False
    deadline_s: float | None = None
    deadline_rule: str | None = None


@dataclass(frozen=True)
class Observation:
    """What a launcher sees of a run. ``outcome`` is there if and only if the run has ended."""

    run: str
    state: RunState
    note: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Track:
    """How one metric was reported: how often (None where not counted), between which steps, over how many seconds.

    ``age_s`` is how long ago the last report was made; ``rises``: every report has a step, none below the one before.
    """

    reports: int | None
    first_step: float | None
    last_step: float | None
    lasted_s: float
    age_s: float = 0.0
    rises: bool = True


@dataclass(frozen=True)
class Resources:
    """What a run's processes take, as last sampled: percent of one CPU core, bytes, and of its GPUs what their driver
    says. None where it is not known, or where there is no GPU."""

    cpu_percent: float | None = None
    memory_bytes: int | None = None
    gpu_percent: float | None = None
    gpu_memory_bytes: int | None = None


@dataclass(frozen=True)
class Progress:
    """A run at a glance. ``step`` and ``values`` are the latest report's, ``tracks`` are by the metrics' names,
    ``resources`` is None where no sample is fresh."""

    pid: int | None = None
    kernel_pid: int | None = None
    elapsed_s: float | None = None
    step: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    gpus: tuple[str, ...] = ()
    tracks: Mapping[str, Track] = field(default_factory=dict)
    resources: Resources | None = None


@dataclass(frozen=True)
class Curves:
    """The reported series of one run: name -> (step, value) pairs, downsampled."""

    run: str
    series: Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class Owner:
    """A process that holds, or wants, a project's lease. ``start_time`` in clock ticks since boot."""

    name: str
    host: str
    pid: int
    start_time: int | None
    boot_id: str | None


class Launcher(Protocol):
    """Starts runs and finds them again. Idempotent by run id."""

    async def launch(self, spec: RunSpec) -> Handle:
        """Start the run, or find it where it was started before. Raises StorageFailed, InvalidNotebook."""

    async def cancel(self, handle: Handle) -> None:
        """Ask a live run to end as CANCELLED. Does nothing to an ended one."""

    async def observe(self, handles: Sequence[Handle]) -> Sequence[Observation]:
        """What is seen of each run, in order. Returns once at least one has ended (at once where one already has);
        may be cancelled at any time without effect."""


class Notebooks(Protocol):
    """The notebook side of a project folder."""

    def read(self, notebook: str) -> tuple[Source, Survey]:
        """The person's notebook at this path (relative to the folder), outputs stripped. Raises InvalidNotebook."""

    def edited(self) -> tuple[Source, Survey] | None:
        """The person's notebook as it now is, where it or a code file has changed since the last call that answered,
        and lies still; None otherwise. The first call answers always. Raises InvalidNotebook, once for what is there.
        May read many files: not for an event loop's thread."""

    def measure(self, source: Source, metric: str) -> str:
        """A digest of what a value is measured by: the locked cells and the metric."""

    def check(self, build: Build, survey: Survey) -> None:
        """Raise InvalidNotebook where an edit or a parameter does not fit."""

    def pieces(self, build: Build) -> tuple[Piece, ...]:
        """Cells and code files as ``build`` makes them, in order, locked ones marked. Raises InvalidNotebook."""

    def parameters(self, build: Build) -> Parameters:
        """All values that a notebook made by ``build`` runs with. Raises InvalidNotebook."""

    def origin(self, notebook: str) -> Origin | None:
        """What the notebook at this path says that it is a fork of, None for any other."""

    def handed_back(self, fork: Source, build: Build) -> HandedBack:
        """A fork against the experiment that ``build`` makes. Raises InvalidNotebook."""

    def publish(self, experiment: Experiment, run: Run, verdict: Verdict, outcome: Outcome) -> str | None:
        """Put a run's executed notebook into ``experiments/`` by rename; its relative path, if there is one."""


class Desk(Protocol):
    """The files that the person and the loop exchange: brief, directive, memory log."""

    def inbox(self, brief: str, notes: str, directives: Sequence[str]) -> tuple[Event, ...]:
        """What the person changed on disk, as events. ``brief`` and ``notes`` are what the log has, ``directives``
        the digests of directives that it already holds."""

    def settle(self, digest: str) -> None:
        """Move the directive file with this digest to ``directives/``; a file changed since stays."""

    def write_memory(self, text: str) -> None:
        """Render MEMORY_LOG.md."""


class RunRecords(Protocol):
    """What the run folders tell."""

    def progress(self, run: str) -> Progress | None:
        """A live run at a glance, None where nothing is known of it."""

    def curves(self, run: str, points: int, metric: str | None = None) -> Curves:
        """A run's reported series, or that of one ``metric`` alone, each with at most ``points`` points."""

    def output(self, run: str, chars: int) -> str:
        """What the cells of a run printed and raised, marked by cell, its last ``chars`` characters."""

    def notebooks(self, experiment: int) -> Mapping[str, str]:
        """The executed notebooks of an experiment, relative to the project's folder, by the run that each shows."""

    def waits(self, run: str) -> bool:
        """Whether a live run has not begun because others have what it needs: a wait that costs no budget."""

    def disk_bytes(self) -> int:
        """What all run folders take on disk."""


class Store(Protocol):
    """One project's append-only log."""

    def append(
        self, event: Event | Callable[[], Event], *, epoch: int | None = None, command_id: str | None = None
    ) -> Record:
        """Write one event. A callable is called inside the transaction, sees everything before it through
        ``records``, and may raise to write nothing. ``epoch`` fences: raises Fenced when the lease has moved on.
        A repeated ``command_id`` returns the record that it made first. Raises StorageFailed."""

    def records(self, after: int = 0) -> Iterator[Record]:
        """All records with a greater seq, in order."""

    def acquire(self, owner: Owner) -> int:
        """Take the lease; the new epoch. Raises LeaseHeld naming the holder, unless its death is certain."""

    def release(self, epoch: int) -> None:
        """Give the lease back, where it is still held under this epoch."""


class History(Protocol):
    """The store's answers to questions about the past, which the small State does not hold."""

    def experiment(self, number: int) -> Experiment:
        """One experiment as it was last proposed, edited or repaired. Raises NotFound."""

    def source(self, measure: int) -> Source:
        """The person's notebook under this measure."""

    def trials(self, measure: int, after: int) -> Iterator[Trial]:
        """Judged experiments of a measure with a greater number, oldest first."""

    def values(self, experiment: int) -> Mapping[int, float]:
        """The successful values of an experiment by seed index."""

    def reproduced(self, experiment: int) -> Mapping[int, int]:
        """How many attempts at reproducing an experiment were made, by seed index."""

    def has_run(self, run: str) -> bool:
        """Whether a run of this id was ever planned."""

    def answer(self, key: str) -> str | None:
        """The answer that was paid for under this key, None where there is none."""

    def verdict(self, experiment: int) -> Verdict | None:
        """The last verdict on an experiment, None before the first."""

    def lesson(self, experiment: int) -> Lesson | None:
        """What an experiment taught, None before its cycle was over."""

    def recall(self, words: str, limit: int) -> tuple[Recalled, ...]:
        """The experiments whose claim, reasons, changes, verdict or lesson fit ``words`` best, best first."""

    def last_run(self, experiment: int) -> tuple[Run, Outcome] | None:
        """The run that an experiment is shown by: the last ended one of its first seed, dry runs last."""


class Clock(Protocol):
    """Time. ``now`` is wall time in seconds since 1970, ``monotonic`` never jumps."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

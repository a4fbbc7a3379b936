"""The nouns of the product as enums and frozen dataclasses. Their JSON forms are the contract's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .enums import Decision, HypothesisKind, ProjectState, Purpose, RunState, StopReason

__all__ = [
    "MACHINE_FAULTS",
    "SEED_NAMES",
    "Decision",
    "Dimension",
    "Edit",
    "Experiment",
    "Handle",
    "Hypothesis",
    "HypothesisKind",
    "OpenSweep",
    "Outcome",
    "Parameters",
    "Piece",
    "ProjectState",
    "Purpose",
    "Run",
    "RunError",
    "RunState",
    "Source",
    "StopReason",
    "Sweep",
    "Value",
    "Verdict",
    "seed_name",
]

Value = bool | int | float | str | None
"""A parameter's value."""
Parameters = Mapping[str, Value]
"""Values of the parameters cell by name."""
SEED_NAMES = ("seed", "random_seed", "random_state", "manual_seed", "rng_seed", "global_seed")


def seed_name(parameters: Parameters) -> str | None:
    """The parameter that tells the runs of an experiment apart: ``seed``, or another usual name, in any case."""
    named = [name for wanted in SEED_NAMES for name in parameters if name.lower() == wanted]
    return next((name for name in named if name == SEED_NAMES[0]), next(iter(named), None))


@dataclass(frozen=True)
class Edit:
    """One search-and-replace in a cell (by its id) or a code file (by its path); ``search`` occurs exactly once."""

    search: str
    replace: str
    cell: str | None = None
    file: str | None = None

    @property
    def where(self) -> str:
        """The place edited, for people."""
        return f"cell {self.cell}" if self.cell is not None else f"file {self.file}"


@dataclass(frozen=True)
class Dimension:
    """One searched parameter: a numeric range (``low``..``high``, both included) or a list of ``choices``."""

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    choices: tuple[Value, ...] = ()

    def holds(self, value: Value) -> bool:
        """Whether ``value`` lies in this dimension."""
        if self.choices:
            return any(value == c and type(value) is type(c) for c in self.choices)
        if not isinstance(value, int | float) or isinstance(value, bool) or self.low is None or self.high is None:
            return False
        return self.low <= value <= self.high and (not self.integer or float(value).is_integer())

    def __str__(self) -> str:
        if self.choices:
            return f"{self.name}: {' | '.join(str(c) for c in self.choices)}"
        return f"{self.name}: {self.low:g}..{self.high:g}{' log' if self.log else ''}{' whole' if self.integer else ''}"


@dataclass(frozen=True)
class Source:
    """A notebook (as nbformat JSON text, outputs stripped) and the code files beside it (path -> text)."""

    notebook: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Piece:
    """A cell (``cell`` is its id) or a code file (``file`` is its path) with its text, as an experiment has it."""

    text: str
    cell: str | None = None
    file: str | None = None
    is_locked: bool = False
    is_parameters: bool = False

    @property
    def where(self) -> str:
        """The place, in the words of ``Edit.where``."""
        return f"cell {self.cell}" if self.cell is not None else f"file {self.file}"


@dataclass(frozen=True)
class Sweep:
    """A search of ``space`` by Optuna in up to ``trials`` trials, each of them an experiment; approved once."""

    trials: int
    space: tuple[Dimension, ...]


@dataclass(frozen=True)
class OpenSweep:
    """A sweep on its way: the experiment that opened it, what it claims, how many trials were proposed so far, and how
    many of these are ``unjudged``, where that was counted."""

    first: int
    claim: str
    sweep: Sweep
    made: int = 1
    unjudged: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it has no trial left."""
        return self.made >= self.sweep.trials


@dataclass(frozen=True)
class Hypothesis:
    """A falsifiable claim with the change that tests it. ``parameters`` are only those that change from the parent.

    ``change`` says in words what the edits have to do; ``sweep`` is what the first trial of a sweep opens.
    """

    claim: str
    kind: HypothesisKind
    rationale: str = ""
    expected: str = ""
    parameters: Parameters = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    change: str = ""
    sweep: Sweep | None = None


@dataclass(frozen=True)
class Experiment:
    """One hypothesis as the notebook that tests it.

    ``parent`` is the experiment it grows from (None: the project's own notebook); ``cycle`` counts from 1, None for a
    baseline; ``measure`` numbers the locked cells and metric it is judged by: values of two measures are never
    compared. ``settings`` are all values that differ from the person's notebook, the parent's and the hypothesis'
    together. ``source`` is set where the notebook is not the parent's with edits, but a person's own; ``by_hand`` are
    then the edits that tell it from its parent's, else from the project's, as far as edits can: shown, never applied.
    ``code`` is a digest of its cells and files without ``settings``, "" for the project's own, ``sense`` one that
    comments and layout do not change. ``sweep`` is the number of the experiment that opened the sweep it is a trial of.
    """

    number: int
    hypothesis: Hypothesis
    parent: int | None = None
    cycle: int | None = None
    measure: int = 1
    settings: Parameters = field(default_factory=dict)
    source: Source | None = None
    by_hand: tuple[Edit, ...] = ()
    code: str = ""
    sense: str = ""
    sweep: int | None = None

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All edits that a person is shown of it."""
        return (*self.by_hand, *self.hypothesis.edits)


@dataclass(frozen=True)
class Run:
    """One execution of an experiment with one seed in one process. ``seed_index`` and ``attempt`` count from 1."""

    experiment: int
    purpose: Purpose
    seed_index: int = 1
    attempt: int = 1

    @property
    def id(self) -> str:
        """The run's own name, the same after every restart: what makes launching idempotent."""
        attempt = f"-attempt-{self.attempt}" if self.attempt > 1 else ""
        return f"{self.experiment:04d}-{self.purpose.value}-seed-{self.seed_index}{attempt}"

    def again(self) -> "Run":
        """The next attempt at the same."""
        return Run(self.experiment, self.purpose, self.seed_index, self.attempt + 1)


@dataclass(frozen=True)
class Handle:
    """Enough to find a started run again after a restart. ``start_time`` in clock ticks since boot, as /proc has it."""

    run: str
    launcher: str
    job: str
    pid: int | None = None
    start_time: int | None = None
    boot_id: str | None = None


MACHINE_FAULTS = frozenset({"KernelNotStarted", "RunnerFailed"})
"""Kinds of errors that say something of the machine (a full disk, no more processes) and nothing of the experiment."""


@dataclass(frozen=True)
class RunError:
    """Evidence of a run that did not succeed. ``cell`` is its index in the notebook, from 0."""

    kind: str
    message: str
    cell: int | None = None
    tail: str = ""
    exit_code: int | None = None
    signal: int | None = None
    rule: str | None = None

    @property
    def line(self) -> str:
        """The error in one line."""
        where = f" in cell {self.cell}" if self.cell is not None else ""
        return f"{self.kind}{where}: {self.message}".split("\n")[0][:300]


@dataclass(frozen=True)
class Outcome:
    """What happened in a run. ``value`` only with SUCCEEDED (a dry run has none); ``curve`` at most 200 (step, value).

    ``finals`` are the last finite values of every reported metric, ``elapsed_s`` the wall time, ``gpu_s`` seconds
    times GPUs held, ``locked_score`` whether the value came from a locked cell.
    """

    run: str
    state: RunState
    value: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    finals: Mapping[str, float] = field(default_factory=dict)
    elapsed_s: float | None = None
    gpu_s: float = 0.0
    peak_memory_bytes: int | None = None
    locked_score: bool = False
    error: RunError | None = None
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.value is not None and self.state is not RunState.SUCCEEDED:
            raise ValueError(f"run {self.run} ended {self.state.value} and cannot have a value (got {self.value!r})")


@dataclass(frozen=True)
class Verdict:
    """What an experiment's outcomes mean. ``value`` is the mean over ``seeds`` runs, ``interval`` its 95 %."""

    decision: Decision
    reason: str
    value: float | None = None
    seeds: int = 0
    interval: tuple[float, float] | None = None
    champion_before: float | None = None
    state: RunState | None = None

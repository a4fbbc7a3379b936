"""The doubles: each keeps its protocol's promises (idempotent launches, cancellable observation, ...)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..core import events as ev
from ..core.answers import Lesson, Proposal, Recalled
from ..core.ports import Build, Curves, HandedBack, Observation, Origin, Progress, RunSpec
from ..core.research import Account, Change, Meter, RunFailure, Seen
from ..core.types import (
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Parameters,
    Piece,
    Run,
    RunError,
    RunState,
    Source,
    Verdict,
)
from ..errors import NotFound
from ..store.sqlite import SqliteStore


def memory_store(clock: Callable[[], float] | None = None) -> SqliteStore:
    """The real store on a database in memory."""
    return SqliteStore(Path(":memory:"), **({"clock": clock} if clock else {}))


def succeed(value: float, seconds: float = 1.0) -> Callable[[RunSpec], Outcome]:
    """An ending for ``FakeLauncher``: every run succeeds with this value."""
    return lambda spec: Outcome(spec.run.id, RunState.SUCCEEDED, value, ((1.0, value),), elapsed_s=seconds)


@dataclass
class FakeClock:
    """Time that moves only when something sleeps, or by ``time += seconds``."""

    time: float = 1_000_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds


@dataclass
class FakeLauncher:
    """A world in which runs end as ``ending`` says, after ``observations`` looks. Outlives the loop, as processes do.

    ``started`` counts the true starts by run id: more than one is a twin.
    """

    ending: Callable[[RunSpec], Outcome]
    observations: int = 1
    started: dict[str, int] = field(default_factory=dict)
    specs: dict[str, RunSpec] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    _looks: dict[str, int] = field(default_factory=dict)

    async def launch(self, spec: RunSpec) -> Handle:
        """Start the run unless it was started before."""
        if spec.run.id not in self.started:
            self.started[spec.run.id] = 1
            self.specs[spec.run.id] = spec
        return Handle(spec.run.id, "fake", spec.run.id)

    async def cancel(self, handle: Handle) -> None:
        self.cancelled.add(handle.run)

    async def observe(self, handles: Sequence[Handle]) -> Sequence[Observation]:
        while True:
            seen = [self._look(handle.run) for handle in handles]
            if any(o.outcome is not None for o in seen):
                return seen
            await asyncio.sleep(0)

    def _look(self, run: str) -> Observation:
        if run not in self.specs:
            lost = Outcome(run, RunState.LOST, error=RunError("lost", "no such run"))
            return Observation(run, lost.state, outcome=lost)
        self._looks[run] = self._looks.get(run, 0) + 1
        if run in self.cancelled:
            return Observation(run, RunState.CANCELLED, outcome=Outcome(run, RunState.CANCELLED))
        if self._looks[run] < self.observations:
            return Observation(run, RunState.RUNNING)
        outcome = self.ending(self.specs[run])
        return Observation(run, outcome.state, outcome=outcome)


@dataclass
class ScriptedResearcher:
    """Answers from ``script`` by cycle: the hypothesis of cycle n is entry n - 1; past its end it is exhausted."""

    script: Sequence[Hypothesis]
    repairs: Sequence[Hypothesis] = ()
    can_repair: bool = False
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.can_repair = bool(self.repairs)

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        return ()

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        self.seen.append(seen)
        if seen.cycle > len(self.script):
            return Proposal(exhausted="the script is at its end")
        return Proposal(self.script[seen.cycle - 1])

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        return Proposal(self.repairs[failure.repairs]) if failure.repairs < len(self.repairs) else Proposal()

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        return Lesson(f"experiment {experiment.number} was {verdict.decision.value}")


@dataclass
class FakeNotebooks:
    """Reads one notebook, accepts every build, remembers what was published.

    ``source`` is what the person's files hold; a file called ``locked`` is what values are measured by.
    """

    survey: ev.Survey = field(default_factory=ev.Survey)
    published: dict[str, Verdict] = field(default_factory=dict)
    source: Source = field(default_factory=lambda: Source("{}"))
    seen: Source | None = None
    origins: dict[str, Origin] = field(default_factory=dict)

    def read(self, notebook: str) -> tuple[Source, ev.Survey]:
        return self.source, self.survey

    def edited(self) -> tuple[Source, ev.Survey] | None:
        if self.source == self.seen:
            return None
        self.seen = self.source
        return self.source, self.survey

    def measure(self, source: Source, metric: str) -> str:
        return f"{metric} {source.files.get('locked', '')}"

    def check(self, build: Build, survey: ev.Survey) -> None:
        return None

    def pieces(self, build: Build) -> tuple[Piece, ...]:
        return tuple(Piece(text, file=path) for path, text in sorted(build.source.files.items()))

    def parameters(self, build: Build) -> Parameters:
        return {**self.survey.parameters, **build.parameters}

    def origin(self, notebook: str) -> Origin | None:
        return self.origins.get(notebook)

    def handed_back(self, fork: Source, build: Build) -> HandedBack:
        return HandedBack(replace(fork, files=build.source.files), build.parameters)

    def publish(self, experiment: Experiment, run: Run, verdict: Verdict, outcome: Outcome) -> str | None:
        path = f"experiments/{run.id}.ipynb"
        self.published[path] = verdict
        return path


@dataclass
class FakeDesk:
    """A desk in memory: put events into ``incoming``, read ``memory`` and ``settled``."""

    incoming: list[ev.Event] = field(default_factory=list)
    memory: str = ""
    settled: list[str] = field(default_factory=list)

    def inbox(self, brief: str, notes: str, directives: Sequence[str]) -> tuple[ev.Event, ...]:
        taken = tuple(self.incoming)
        self.incoming.clear()
        return taken

    def settle(self, digest: str) -> None:
        if digest not in self.settled:
            self.settled.append(digest)

    def write_memory(self, text: str) -> None:
        self.memory = text


@dataclass
class FakeRecords:
    """Run folders that are empty but for what is put here, by run id. The runs in ``waiting`` have not begun: others
    have their GPUs."""

    waiting: set[str] = field(default_factory=set)
    seen: dict[str, Progress] = field(default_factory=dict)
    series: dict[str, Curves] = field(default_factory=dict)

    def progress(self, run: str) -> Progress | None:
        return self.seen.get(run)

    def curves(self, run: str, points: int, metric: str | None = None) -> Curves:
        found = self.series.get(run, Curves(run, {})).series
        return Curves(run, {name: pairs for name, pairs in found.items() if metric in (None, name)})

    def output(self, run: str, chars: int) -> str:
        return ""

    def notebooks(self, experiment: int) -> Mapping[str, str]:
        return {}

    def waits(self, run: str) -> bool:
        return run in self.waiting

    def disk_bytes(self) -> int:
        return 0


@dataclass
class FakeEvidence:
    """Evidence from what is put into it. ``change`` refuses nothing: its digest is that of the edits as they stand."""

    accounts: dict[int, Account] = field(default_factory=dict)
    series: dict[int, Curves] = field(default_factory=dict)
    printed: dict[int, str] = field(default_factory=dict)
    code: dict[int | None, tuple[Piece, ...]] = field(default_factory=dict)
    found: tuple[Recalled, ...] = ()
    own: Parameters = field(default_factory=dict)

    def account(self, experiment: int) -> Account:
        if experiment not in self.accounts:
            raise NotFound(f"there is no experiment {experiment}")
        return self.accounts[experiment]

    def curves(self, experiment: int) -> Curves:
        return self.series.get(experiment, Curves("", {}))

    def output(self, experiment: int, chars: int) -> str:
        return self.printed.get(experiment, "")[-chars:]

    def pieces(self, experiment: int | None) -> tuple[Piece, ...]:
        return self.code.get(experiment, ())

    def recall(self, words: str, limit: int) -> tuple[Recalled, ...]:
        return self.found[:limit]

    def change(self, hypothesis: Hypothesis, of: int | None = None) -> Change:
        sense = repr(hypothesis.edits) if hypothesis.edits else ""
        return Change(sense, {**self.own, **hypothesis.parameters})


def parameters(name: str, values: Sequence[float]) -> Iterator[Hypothesis]:
    """Hypotheses for ``ScriptedResearcher`` that set one parameter to each of ``values``."""
    for value in values:
        yield Hypothesis(f"{name} {value:g} is better", HypothesisKind.PARAMETERS, parameters={name: value})

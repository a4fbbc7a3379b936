"""The runs of one experiment, and what they print: what a person opens to see what happened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from ..core.types import Purpose, RunError, RunState
from ..errors import NotFound
from .opened import OpenedProject

OUTPUT_CHARS = 4000
MOST_OUTPUT_CHARS = 20_000


@dataclass(frozen=True)
class RunFacts:
    """One run, live or ended. Times are wall seconds since 1970: ``started_at`` is null before it was launched,
    ``ended_at`` for a live one. ``error`` is one line, ``rule`` the key of the stop rule that ended it, ``notebook``
    its executed notebook, relative to the project's folder; each null where there is none."""

    run: str
    purpose: Purpose
    seed: int
    attempt: int
    state: RunState
    value: float | None
    elapsed_s: float | None
    gpu_s: float | None
    peak_memory_bytes: int | None
    error: str | None
    rule: str | None
    notebook: str | None
    notes: tuple[str, ...]
    environment: Mapping[str, str]
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True)
class OutputView:
    """The end of what a run printed and raised; ``run`` is null where the experiment has none."""

    run: str | None
    text: str


@dataclass(frozen=True)
class _Outcome:
    """What is shown of an outcome. A curve may be long: it is passed over."""

    state: RunState
    value: float | None = None
    elapsed_s: float | None = None
    gpu_s: float | None = None
    peak_memory_bytes: int | None = None
    error: RunError | None = None
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ended:
    outcome: _Outcome


_RUNS = """
SELECT p.run, json_extract(p.body, '$.run.purpose'), json_extract(p.body, '$.run.seed_index'),
    json_extract(p.body, '$.run.attempt'),
    (SELECT min(l.at) FROM events l WHERE l.run = p.run AND l.kind = 'launched'), e.at, e.body
FROM events p LEFT JOIN events e ON e.run = p.run AND e.kind = 'ended'
WHERE p.kind = 'planned' AND p.experiment = ? ORDER BY p.seq
"""


def runs(project: OpenedProject, number: int) -> tuple[RunFacts, ...]:
    """The runs of an experiment, oldest first. Raises NotFound."""
    project.experiment(number)
    return tuple(_runs(project, number))


def _runs(project: OpenedProject, number: int) -> Iterator[RunFacts]:
    rows = project.store.query(_RUNS, number)
    notebooks = project.records.notebooks(number) if rows else {}
    for run, purpose, seed, attempt, started_at, ended_at, body in rows:
        seen = _live(project, run, started_at) if body is None else msgspec.json.decode(body, type=_Ended).outcome
        error = seen.error
        yield RunFacts(
            run=run,
            purpose=Purpose(purpose),
            seed=seed,
            attempt=attempt,
            state=seen.state,
            value=seen.value,
            elapsed_s=seen.elapsed_s,
            gpu_s=seen.gpu_s,
            peak_memory_bytes=seen.peak_memory_bytes,
            error=None if error is None else error.line,
            rule=None if error is None else error.rule,
            notebook=notebooks.get(run),
            notes=seen.notes,
            environment=seen.environment,
            started_at=started_at,
            ended_at=ended_at,
        )


def _live(project: OpenedProject, run: str, started_at: float | None) -> _Outcome:
    """A run that has not ended, as its folder tells it."""
    progress = project.records.progress(run) if started_at is not None else None
    waits = progress is None or progress.elapsed_s is None
    return _Outcome(
        RunState.PENDING if waits else RunState.RUNNING,
        elapsed_s=progress.elapsed_s if progress is not None else None,
        notes=(progress.note,) if progress is not None and progress.note else (),
    )


def output(project: OpenedProject, number: int, run: str | None = None, chars: int = OUTPUT_CHARS) -> OutputView:
    """The end of what one run of an experiment printed and raised, of at most so many characters.

    By default of the live run, else of the one that the experiment is shown by. Raises NotFound.
    """
    project.experiment(number)
    planned = "SELECT run FROM events WHERE kind = 'planned' AND experiment = ? ORDER BY seq"
    there = [str(row[0]) for row in project.store.query(planned, number)]
    if run is not None and run not in there:
        raise NotFound(f"experiment {number} has no run {run[:100]!r}; it has: {', '.join(there) or 'none'}")
    chosen = run or _shown(project, number, there)
    return OutputView(chosen, "" if chosen is None else project.records.output(chosen, chars))


def _shown(project: OpenedProject, number: int, there: list[str]) -> str | None:
    live = [name for name in there if name in project.state.runs]
    if live:
        return live[-1]
    shown = project.store.last_run(number)
    return shown[0].id if shown is not None else None

"""Short logs by hand, folded: what tests of pure decisions start from."""

from collections.abc import Iterator

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.fold import apply
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.rules import next_step
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.steps import Step
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Purpose,
    Run,
    RunError,
    RunState,
    Source,
    Verdict,
)
from tests.simulation import base_project

NOW = 1000.0
SURVEY = ev.Survey(parameters={"x": 0.0}, dry_run=True)
BASELINE = Experiment(0, Hypothesis("baseline", HypothesisKind.BASELINE))


def folded(*events: ev.Event, project: Project | None = None) -> State:
    """The state after a project was opened and these were written, one a second from ``NOW`` on."""
    state: State | None = None
    opened = ev.Opened("p", project or base_project(), Source("{}"), SURVEY)
    for seq, event in enumerate((opened, *events), 1):
        state = apply(state, ev.Record(seq, NOW + seq, event))
    assert state is not None
    return state


def step(*events: ev.Event, project: Project | None = None, now: float = NOW) -> Step:
    """What comes next after these."""
    state = folded(*events, project=project)
    return next_step(state.project, state, now)


def experiment(number: int, code: bool = False, parent: int = 0, measure: int = 1, x: float = 1.0) -> Experiment:
    edits = (Edit("a", "b", cell="c"),) if code else ()
    kind = HypothesisKind.CODE if code else HypothesisKind.PARAMETERS
    hypothesis = Hypothesis(f"claim {number}", kind, parameters={"x": x}, edits=edits)
    return Experiment(number, hypothesis, parent, number, measure, {"x": x})


def proposed(number: int, code: bool = False) -> ev.Proposed:
    return ev.Proposed(experiment(number, code))


def live(run: Run) -> Iterator[ev.Event]:
    """A run that was started."""
    yield ev.Planned(run)
    yield ev.Launched(Handle(run.id, "fake", run.id))


def end(run: Run, state: RunState = RunState.SUCCEEDED, value: float | None = None, **finals: float) -> ev.Ended:
    error = None if state is RunState.SUCCEEDED else RunError("Error", f"it {state.value}")
    return ev.Ended(Outcome(run.id, state, value, finals=finals, elapsed_s=10.0, gpu_s=5.0, error=error))


def ran(run: Run, state: RunState = RunState.SUCCEEDED, value: float | None = None, **finals: float) -> list[ev.Event]:
    """A run from its plan to its end."""
    return [*live(run), end(run, state, value, **finals)]


def judged(number: int, decision: Decision, value: float | None = None, seeds: int = 1) -> ev.Judged:
    return ev.Judged(number, Verdict(decision, "because", value, seeds if value is not None else 0))


def reflected(number: int) -> ev.Reflected:
    return ev.Reflected(number, Lesson("a lesson"))


def baseline(value: float = 1.0) -> list[ev.Event]:
    """The baseline from its proposal to its lesson."""
    run = Run(0, Purpose.BASELINE)
    return [
        ev.Proposed(BASELINE),
        *ran(run, RunState.SUCCEEDED, value),
        judged(0, Decision.BASELINE, value),
        reflected(0),
    ]


def candidate(number: int, seed: int = 1, attempt: int = 1) -> Run:
    return Run(number, Purpose.CANDIDATE if seed == 1 else Purpose.CONFIRM, seed, attempt)

"""Every event comes back from JSON as it was, and nothing that JSON cannot hold gets into the log."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Usage
from jupyter_deepresearch.core.project import (
    Approval,
    ApprovalMode,
    Budget,
    Constraint,
    Direction,
    LauncherOptions,
    Objective,
    Price,
    Project,
    ResearcherKind,
    ResearcherOptions,
)
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
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
    StopReason,
    Verdict,
)
from jupyter_deepresearch.errors import InvalidInput, StorageFailed
from jupyter_deepresearch.store.codec import decode, encode, places

text = st.text(st.characters(codec="utf-8"), max_size=30)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | finite | text
parameters = st.dictionaries(text, values, max_size=4)
small = st.integers(1, 9)
edits = st.builds(Edit, text, text, cell=st.none() | text, file=st.none() | text)
sources = st.builds(Source, text, st.dictionaries(text, text, max_size=3))
hypotheses = st.builds(
    Hypothesis,
    text,
    st.sampled_from(HypothesisKind),
    rationale=text,
    parameters=parameters,
    edits=st.lists(edits, max_size=2).map(tuple),
)
experiments = st.builds(
    Experiment,
    small,
    hypotheses,
    parent=st.none() | small,
    cycle=st.none() | small,
    measure=small,
    settings=parameters,
    source=st.none() | sources,
)
runs = st.builds(Run, small, st.sampled_from(Purpose), small, small)
errors = st.builds(
    RunError, text, text, st.none() | small, text, st.none() | small, st.none() | small, st.none() | text
)
outcomes = st.builds(
    Outcome,
    text,
    st.just(RunState.SUCCEEDED),
    st.none() | finite,
    curve=st.lists(st.tuples(finite, finite), max_size=5).map(tuple),
    finals=st.dictionaries(text, finite, max_size=3),
    elapsed_s=st.none() | finite,
    error=st.none() | errors,
    notes=st.lists(text, max_size=2).map(tuple),
    environment=st.dictionaries(text, text, max_size=2),
)
verdicts = st.builds(
    Verdict,
    st.sampled_from(Decision),
    text,
    st.none() | finite,
    small,
    st.none() | st.tuples(finite, finite),
    state=st.none() | st.sampled_from(RunState),
)
dimensions = st.builds(Dimension, text, st.none() | finite, st.none() | finite, choices=st.lists(values).map(tuple))
surveys = st.builds(ev.Survey, parameters, st.lists(dimensions, max_size=2).map(tuple), text, remarks=st.just(("a",)))
usages = st.builds(Usage, text, text, small, small, small, st.none() | finite)
projects = st.just(
    Project(
        "name",
        "a/b.ipynb",
        Objective("loss", Direction.MINIMIZE, 0.1, 0.5, constraints=(Constraint("m", "<=", 1.0),)),
        budget=Budget(cycles=3, usd=0.5),
        approval=Approval(ApprovalMode.ASK, 5.0),
        researcher=ResearcherOptions(ResearcherKind.SWEEP, price=Price(1.0, 2.0)),
        launcher=LauncherOptions(gpus=(0, 1), env=("A",)),
    )
)
events: dict[str, st.SearchStrategy[ev.Event]] = {
    "opened": st.builds(ev.Opened, text, projects, sources, surveys, text),
    "configure": st.builds(ev.Configure, projects),
    "sourced": st.builds(ev.Sourced, sources, surveys, st.booleans()),
    "briefed": st.builds(ev.Briefed, text),
    "approve": st.builds(ev.Approve, small, text),
    "reject": st.builds(ev.Reject, small, text),
    "edit": st.builds(ev.EditHypothesis, experiments),
    "try": st.builds(ev.Try, experiments),
    "directive": st.builds(ev.Directive, text, st.none() | text),
    "cancel": st.builds(ev.Cancel, text),
    "reproduce": st.builds(
        ev.Reproduce,
        experiments,
        small,
        st.dictionaries(small, finite),
        st.none() | verdicts,
        st.dictionaries(small, small),
    ),
    "branch": st.builds(ev.Branch, st.none() | experiments, st.dictionaries(small, finite)),
    "pause": st.just(ev.Pause()),
    "resume": st.just(ev.Resume()),
    "stop": st.just(ev.Stop()),
    "noted": st.builds(ev.Noted, text),
    "proposed": st.builds(ev.Proposed, experiments, st.lists(small).map(tuple), st.just(("remark",))),
    "repaired": st.builds(ev.Repaired, experiments, st.booleans()),
    "planned": st.builds(ev.Planned, runs),
    "launched": st.builds(
        ev.Launched, st.builds(Handle, text, text, text, st.none() | small, st.none() | small, st.none() | text)
    ),
    "ended": st.builds(ev.Ended, outcomes),
    "judged": st.builds(ev.Judged, small, verdicts, st.none() | text),
    "reflected": st.builds(ev.Reflected, small, st.builds(Lesson, text, st.just((1, 2)))),
    "finished": st.builds(ev.Finished, st.sampled_from(StopReason), text),
    "postponed": st.builds(ev.Postponed, text, finite),
    "failed": st.builds(ev.Failed, text),
    "announced": st.builds(ev.Announced, text),
    "worked": st.builds(ev.Worked, finite),
    "answered": st.builds(ev.Answered, text, usages, text, st.none() | small),
}


def test_every_kind_of_event_is_told_here() -> None:
    assert set(events) == set(ev.KINDS)


@pytest.mark.parametrize("kind", events)
def test_an_event_comes_back_as_it_was(kind: str) -> None:
    @settings(derandomize=True, database=None, max_examples=25, deadline=None)
    @given(events[kind])
    def comes_back(event: ev.Event) -> None:
        assert ev.kind_of(event) == kind
        written = encode(event)
        json.loads(written, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
        back = decode(ev.KINDS[kind], written)
        assert back == event
        assert repr(back) == repr(event), "a value changed its type"

    comes_back()


def test_sources_are_kept_small() -> None:
    source = Source("a line of code\n" * 10_000, {"a.py": "b" * 100_000})
    for event in (
        ev.Opened("p", Project("n", "t.ipynb", Objective("m", Direction.MAXIMIZE)), source, ev.Survey()),
        ev.Try(Experiment(1, Hypothesis("c", HypothesisKind.BY_HAND), source=source)),
    ):
        written = encode(event)
        assert len(written) < 4000
        assert decode(type(event), written) == event


def test_parameters_may_be_called_as_the_compressed_form_is() -> None:
    hypothesis = Hypothesis("c", HypothesisKind.PARAMETERS, parameters={"z": "x", "source": 1})
    event = ev.Proposed(Experiment(1, hypothesis, settings={"z": "y"}))
    assert decode(ev.Proposed, encode(event)) == event


NOT_FINITE = (math.nan, math.inf, -math.inf)


def test_an_outcome_loses_what_is_not_a_finite_number() -> None:
    for bad in NOT_FINITE:
        outcome = Outcome("r", RunState.SUCCEEDED, bad, ((1.0, 2.0), (2.0, bad), (bad, 3.0)), {"a": bad, "b": 1.0})
        back = decode(ev.Ended, encode(ev.Ended(outcome))).outcome
        assert back == replace(outcome, value=None, curve=((1.0, 2.0),), finals={"b": 1.0})


def test_no_other_number_may_be_nan_or_infinite() -> None:
    for bad in NOT_FINITE:
        experiment = Experiment(1, Hypothesis("c", HypothesisKind.PARAMETERS, parameters={"lr": bad}))
        with pytest.raises(InvalidInput, match="proposed: a number is NaN or infinite"):
            encode(ev.Proposed(experiment))
        with pytest.raises(InvalidInput):
            encode(ev.Judged(1, Verdict(Decision.WORSE, "because", bad, 1)))


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    back = decode(ev.Announced, encode(ev.Announced("a\ud800b")))
    assert back.text == "a?b"
    source = Source("a\ud800b")
    assert decode(ev.Sourced, encode(ev.Sourced(source, ev.Survey(), False))).source.notebook.startswith("a")


@pytest.mark.parametrize("written", ["", "null", "[]", "{}", '{"text": 3}', '{"text": "a"', '{"source": {"z": "?"}}'])
def test_anything_else_is_refused_in_one_line(written: str) -> None:
    with pytest.raises(StorageFailed, match="unreadable Briefed event") as refused:
        decode(ev.Briefed, written)
    assert "\n" not in str(refused.value)


def test_what_an_event_is_about() -> None:
    run = Run(3, Purpose.CONFIRM, 2)
    experiment = Experiment(3, Hypothesis("c", HypothesisKind.CODE))
    told: list[tuple[ev.Event, int | None, str | None]] = [
        (ev.Proposed(experiment), 3, None),
        (ev.Reproduce(experiment, 1), 3, None),
        (ev.Approve(3), 3, None),
        (ev.Judged(3, Verdict(Decision.WORSE, "")), 3, None),
        (ev.Planned(run), 3, run.id),
        (ev.Ended(Outcome(run.id, RunState.LOST)), None, run.id),
        (ev.Launched(Handle(run.id, "local", "1")), None, run.id),
        (ev.Cancel(run.id), None, run.id),
        (ev.Pause(), None, None),
    ]
    for event, number, run_id in told:
        assert places(event) == (number, run_id)

"""Whatever a person says and however runs end, a project comes to rest, and what it did on the way keeps its rules."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Pause, Proposal
from jupyter_deepresearch.core.fold import apply
from jupyter_deepresearch.core.ports import RunSpec
from jupyter_deepresearch.core.project import Approval, ApprovalMode, Budget, LauncherOptions, Trust
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    Edit,
    Hypothesis,
    HypothesisKind,
    Outcome,
    RunState,
    Source,
    Sweep,
)
from jupyter_deepresearch.errors import (
    DeepResearchError,
    InvalidNotebook,
    ResearcherFailed,
    ResearcherStopped,
    StorageFailed,
)
from jupyter_deepresearch.service import commands as cmd
from tests.simulation import Oracle, Simulation, Universe, base_project, ended

ENDS = [
    RunState.SUCCEEDED,
    RunState.SUCCEEDED,
    RunState.SUCCEEDED,
    RunState.CRASHED,
    RunState.LOST,
    RunState.DIVERGED,
    RunState.CANCELLED,
    RunState.TIMED_OUT,
    None,
    None,
    None,
]
ANSWERS = ["x", "x", "x", "x", "code", "code", "sweep", "trial", "none", "fail", "pause", "stop"]
WORDS = [
    "approve",
    "reject",
    "reject",
    "edit",
    "branch",
    "edit",
    "try",
    "pause",
    "resume",
    "stop",
    "cancel",
    "configure",
    "reproduce",
]


PATIENCE = 20
"""How often the person looks for an occasion before they speak all the same, or let everything go on."""


@dataclass
class Story:
    """Everything that chance decides."""

    ends: list[tuple[RunState | None, float]]
    answers: list[str]
    repairs: list[str]
    said: list[tuple[int, str, int]]
    in_think: list[tuple[str, int]]
    parallel: int
    seeds: int
    ask: bool
    auto_after: float | None
    budget: Budget
    refusals: list[str | None] = field(default_factory=list)


values = st.sampled_from([0.0, 0.05, 0.5, 1.0, 2.0, 5.0])
words = st.sampled_from([*WORDS, "cancel", "directive", "sourced", "briefed", "edited", "edited", "edited", "locked"])
stories = st.builds(
    Story,
    ends=st.lists(st.tuples(st.sampled_from(ENDS), values), min_size=4, max_size=20),
    answers=st.lists(st.sampled_from(ANSWERS), min_size=4, max_size=10),
    repairs=st.lists(st.sampled_from(["same", "mend", "wider", "fail"]), min_size=2, max_size=5),
    said=st.lists(st.tuples(st.integers(0, 25), words, st.integers(0, 9)), min_size=5, max_size=16),
    in_think=st.lists(st.tuples(words, st.integers(0, 9)), max_size=3),
    parallel=st.integers(1, 3),
    seeds=st.integers(1, 3),
    ask=st.sampled_from([True, True, False]),
    auto_after=st.sampled_from([None, 0.0, 0.2]),
    budget=st.builds(
        Budget,
        cycles=st.sampled_from([None, None, 1, 3, 6]),
        hours=st.sampled_from([None, None, 30 / 3600]),
        gpu_hours=st.sampled_from([None, None, 5 / 3600]),
        patience=st.sampled_from([None, None, 2]),
    ),
    refusals=st.lists(st.sampled_from([None, None, "disk", "notebook"]), max_size=5),
)


def told(story: Story) -> Simulation:
    """The story's project, its person's words and its runs' ends in place."""
    ends, refusals = iter(story.ends), iter(story.refusals)

    def end_of(spec: RunSpec) -> Outcome | None:
        state, value = next(ends, (RunState.SUCCEEDED, 1.0))
        return None if state is None else ended(spec, state, value)

    def refuse(spec: RunSpec) -> DeepResearchError | None:
        kinds = {"disk": StorageFailed("the disk is full"), "notebook": InvalidNotebook("no such cell")}
        return kinds.get(next(refusals, None) or "")

    mode = ApprovalMode.ASK if story.ask else ApprovalMode.AUTO
    project = base_project(
        budget=story.budget,
        trust=Trust(story.seeds),
        approval=Approval(mode, story.auto_after),
        launcher=LauncherOptions(max_parallel=story.parallel),
    )
    oracle = Oracle(answers(story.answers), repairs(story.repairs))
    sim = Simulation(project, Universe(end_of, refuse), oracle)
    in_think = iter(story.in_think)

    def interrupt() -> None:
        word = next(in_think, None)
        if word is not None:
            speak(sim, *word)

    oracle.interrupt = interrupt
    return sim


def answers(words: list[str]) -> Iterator[Proposal | DeepResearchError]:
    for number, word in enumerate(words):
        if word == "x":
            yield Proposal(
                Hypothesis(f"x {number}", HypothesisKind.PARAMETERS, parameters={"x": number}), remarks=("a remark",)
            )
        elif word == "code":
            yield Proposal(Hypothesis(f"code {number}", HypothesisKind.CODE, edits=(Edit("a", "b", cell="c"),)))
        elif word == "sweep":
            sweep = Sweep(3, (Dimension("x", 0.0, 9.0),))
            yield Proposal(Hypothesis("opens", HypothesisKind.SWEEP, parameters={"x": number}, sweep=sweep))
        elif word == "trial":
            yield Proposal(Hypothesis("a trial", HypothesisKind.SWEEP, parameters={"x": number + 0.5}))
        elif word == "pause":
            yield Proposal(pause=Pause("for no reason", 5.0))
        elif word == "stop":
            yield ResearcherStopped("the key was refused")
        else:
            yield ResearcherFailed("no network") if word == "fail" else Proposal(exhausted="no idea")


def repairs(words: list[str]) -> Iterator[Proposal | DeepResearchError]:
    for number, word in enumerate(words):
        edits = (Edit("a", f"b{number}", cell="c"), Edit("a", "b", cell="d"))[: 2 if word == "wider" else 1]
        mended = Hypothesis("mended", HypothesisKind.CODE, edits=edits)
        yield ResearcherFailed("no network") if word == "fail" else Proposal(None if word == "same" else mended)


def speak(sim: Simulation, word: str, pick: int) -> None:
    """One word of the person, about the ``pick``-th thing that it could be about."""
    state = sim.state
    runs = list(state.runs) or ["0000-baseline-seed-1"]
    number = pick % (state.next_experiment + 1)
    waiting = [w.number for w in state.works.values() if w.waiting] or [number]
    ran = branchable(sim) or [number]
    tables = (
        {"launcher": {"max_parallel": 1 + pick % 3}},
        {"trust": {"seeds": 1 + pick % 3}},
        {"budget": {"cycles": pick}},
    )
    said: dict[str, cmd.Command] = {
        "approve": cmd.ApproveCommand(waiting[pick % len(waiting)]),
        "reject": cmd.RejectCommand(waiting[pick % len(waiting)], "no"),
        "edit": cmd.EditCommand(waiting[pick % len(waiting)], parameters={"x": float(pick)}),
        "try": cmd.TryCommand(parameters={"x": float(pick)}),
        "pause": cmd.PauseCommand(),
        "resume": cmd.ResumeCommand(),
        "stop": cmd.StopCommand(),
        "cancel": cmd.CancelCommand(runs[pick % len(runs)]),
        "configure": cmd.ConfigureCommand(tables[pick % 3]),
        "reproduce": cmd.ReproduceCommand(number, 1 + pick % 2),
        "branch": cmd.BranchCommand(None if state.branch and pick % 2 else ran[pick % len(ran)]),
        "directive": cmd.DirectiveCommand(f"try x = {pick}"),
    }
    if word == "sourced":
        sim.ledger.append(ev.Sourced(sim.state.opened.source, state.survey, new_measure=pick % 2 == 0))
    elif word == "edited":
        files = {k: v for k, v in sim.notebooks.source.files.items() if k == "locked"}
        sim.notebooks.source = Source("{}", {**files, "model.py": str(pick)} if pick else files)
    elif word == "locked":
        sim.notebooks.source = Source("{}", {**sim.notebooks.source.files, "locked": str(pick)})
    elif word == "briefed":
        sim.ledger.append(ev.Briefed("another brief"))
    else:
        sim.say(said[word])


def branchable(sim: Simulation) -> list[int]:
    """What hypotheses could grow from and do not."""
    bases = {work.number for work in (sim.state.champion, sim.state.branch) if work is not None}
    return [n for n in range(sim.state.next_experiment) if n not in bases and sim.store.values(n)]


def fits(sim: Simulation, word: str) -> bool:
    """Whether there is something now that the word could be about."""
    if word == "branch":
        return bool(branchable(sim))
    if word in ("approve", "reject", "edit"):
        return any(work.waiting for work in sim.state.works.values())
    return word != "cancel" or bool(sim.state.runs)


def live(sim: Simulation, story: Story) -> State:
    """The story; when all is said and the loop only waits for the person, they let it go on."""
    said, quiet = list(story.said), 0

    def act(look: int) -> None:
        nonlocal quiet
        quiet += 1
        if said and quiet > said[0][0] and (fits(sim, said[0][1]) or quiet > said[0][0] + PATIENCE):
            quiet = 0
            speak(sim, *said.pop(0)[1:])
        elif not said and quiet > PATIENCE:
            let_go_on(sim)

    state = sim.run(act)
    while said:
        speak(sim, *said.pop(0)[1:])
        state = sim.run(act)
    return state


def let_go_on(sim: Simulation) -> None:
    """Approve what waits, one at a time; undo a pause."""
    if sim.state.paused:
        sim.say(cmd.ResumeCommand())
    for work in sim.state.works.values():
        if work.waiting:
            sim.say(cmd.ApproveCommand(work.number))
            return


def mend(sim: Simulation) -> State:
    """A person who mends the notebook where it failed, resumes and approves everything."""
    state = sim.state
    if state.failed and not state.failed.is_researchers:
        sim.ledger.append(ev.Sourced(state.opened.source, state.survey, new_measure=True))
    sim.say(cmd.ResumeCommand())
    return sim.run(lambda look: let_go_on(sim))


def check_log(sim: Simulation) -> None:
    planned, over = Counter[str](), Counter[str]()
    for before, record, after in sim.states():
        match record.event:
            case ev.Planned(run=run):
                planned[run.id] += 1
                assert len(before.runs) < before.project.launcher.max_parallel
                assert not (before.paused or before.stopped or before.failed)
                work = before.work(run.experiment)
                assert work is not None and not work.waiting
            case ev.Ended(outcome=outcome):
                over[outcome.run] += 1
                assert outcome.run in before.runs
                assert outcome.value is None or outcome.state is RunState.SUCCEEDED
            case ev.Proposed(experiment=experiment, directives=used):
                assert experiment.number == before.next_experiment and experiment.measure == before.measure
                if experiment.cycle is not None:
                    limit = before.project.budget.cycles
                    assert limit is None or before.cycles < limit
                assert set(used) <= {n.instruction.seq for n in before.directives if n.instruction.fresh}
                if before.project.approval.mode is ApprovalMode.ASK and experiment.hypothesis.sweep is not None:
                    assert after.works[experiment.number].waiting, "a sweep is approved before its first trial"
                if experiment.hypothesis.kind is HypothesisKind.SWEEP and experiment.sweep != experiment.number:
                    assert not after.works[experiment.number].waiting and experiment.sweep not in waiting_of(before)
            case ev.Approve(hypothesis=number, by="timeout"):
                assert before.project.approval.mode is ApprovalMode.ASK or not before.works[number].is_offer
            case ev.Reject(hypothesis=number, by="files"):
                assert before.works[number].is_offer
            case ev.Reflected(experiment=number):
                assert before.project.launcher.max_parallel > 1 or not before.runs, "a lesson while a run lives"
                work = before.works[number]
                assert work.verdict is not None and work.verdict.decision.is_final
        assert sum(w.is_offer for w in after.works.values()) <= 1
        for rank in (after.champion, after.baseline):
            assert rank is None or rank.experiment.measure == after.measure
        if after.champion is not None:
            assert after.champion.verdict is not None
            assert after.champion.verdict.decision in (Decision.BASELINE, Decision.CONFIRMED)
    assert set(planned.values()) <= {1} and set(over.values()) <= {1} and set(over) <= set(planned)
    assert set(over) == set(planned), "a run is open at rest"


def waiting_of(state: State) -> set[int]:
    return {w.number for w in state.works.values() if w.waiting}


def check_cancelled_stay(sim: Simulation) -> None:
    for before, record, _ in sim.states():
        if not isinstance(record.event, ev.Ended) or not before.runs[record.event.outcome.run].cancelled:
            continue
        if record.event.outcome.state in (RunState.CANCELLED, RunState.LOST):
            again = before.runs[record.event.outcome.run].run.again()
            later = [r.event for r in sim.store.records(record.seq)]
            reproduced = [e for e in later if isinstance(e, ev.Reproduce) and e.experiment.number == again.experiment]
            if not reproduced:
                assert not any(isinstance(e, ev.Planned) and e.run == again for e in later), "cancelled, yet run again"


def refold(sim: Simulation) -> State:
    state = None
    for record in sim.log():
        state = apply(state, record)
    assert state is not None
    return state


def test_every_story_comes_to_rest_and_keeps_the_rules() -> None:
    kinds, decisions, edits = set[str](), set[Decision](), set[str]()

    @settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(story=stories)
    def tell(story: Story) -> None:
        sim = told(story)
        state = live(sim, story)
        check_log(sim)
        check_cancelled_stay(sim)
        assert refold(sim) == sim.state
        assert state.finished or state.failed or state.stopped

        state = mend(sim)
        while state.failed or state.stopped:  # by the last of the story
            state = mend(sim)
        check_log(sim)
        assert state.finished and not state.failed and not state.stopped
        if state.finished.reason not in ("hours", "gpu_hours"):
            assert not [w for w in state.works.values() if not w.waiting], "works are left behind"
        events = [r.event for r in sim.log()]
        kinds.update(map(ev.kind_of, events))
        decisions.update(e.verdict.decision for e in events if isinstance(e, ev.Judged))
        edits.update(filter(None, (come_of_edits(before, record.event) for before, record, _ in sim.states())))

    tell()
    # The stories mean something: together they went through all that they are about.
    assert kinds >= set(ev.KINDS) - {"noted", "worked", "answered"}
    assert decisions >= {Decision.BASELINE, Decision.PROMISING, Decision.CONFIRMED, Decision.FAILED}
    assert edits >= {"replaced", "withdrawn", "measure", "approved by person", "approved by timeout", "rejected"}


def come_of_edits(before: State, event: ev.Event) -> str | None:
    """What became of an edit on disk by this event."""
    match event:
        case ev.EditHypothesis(experiment=new):
            is_replaced = before.works[new.number].experiment.source != new.source
            return "replaced" if is_replaced else None
        case ev.Sourced(sentence=sentence):
            return "measure" if sentence else None
        case ev.Reject(hypothesis=number, by=by) if before.works[number].is_offer:
            return "withdrawn" if by == "files" else "rejected"
        case ev.Approve(hypothesis=number, by=by) if before.works[number].is_offer:
            return f"approved by {by}"
        case _:
            return None

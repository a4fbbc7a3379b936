"""What a researcher may want besides a hypothesis: sweeps, pauses, to be left alone. None of it loses anything."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Pause, Proposal
from jupyter_deepresearch.core.ports import RunSpec
from jupyter_deepresearch.core.project import Approval, ApprovalMode, LauncherOptions, Trust
from jupyter_deepresearch.core.types import (
    Dimension,
    Edit,
    Hypothesis,
    HypothesisKind,
    Outcome,
    RunState,
    StopReason,
    Sweep,
)
from jupyter_deepresearch.errors import BudgetReached, DeepResearchError, ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.loop.holds import LONGEST_BACK_OFF_S
from jupyter_deepresearch.service import commands as cmd
from tests.loop.test_driver import by_x, code, kinds, said, simulation, x
from tests.simulation import Simulation, base_project, ended

ONE_SEED = Trust(1)
ASK = base_project(trust=ONE_SEED, approval=Approval(ApprovalMode.ASK))


def opener(trials: int, value: float = 0.5) -> Proposal:
    sweep = Sweep(trials, (Dimension("x", 0.0, 9.0),))
    return Proposal(Hypothesis("x matters", HypothesisKind.SWEEP, parameters={"x": value}, sweep=sweep))


def trial(value: float) -> Proposal:
    return Proposal(Hypothesis(f"trial {value:g}", HypothesisKind.SWEEP, parameters={"x": value}))


def when(look: int, sim: Simulation, command: cmd.Command) -> Callable[[int], None]:
    """The person says it as the loop looks for the so-manieth time."""

    def act(at: int) -> None:
        if at == look:
            sim.say(command)

    return act


def proposed(sim: Simulation) -> list[ev.Proposed]:
    return [r.event for r in sim.log() if isinstance(r.event, ev.Proposed)]


# Sweeps


def test_a_sweep_is_approved_once_and_each_trial_is_an_experiment_and_a_cycle() -> None:
    sim = simulation(opener(3), trial(0.7), trial(0.9), x(5.0), project=ASK)
    asked: list[int] = []

    def act(look: int) -> None:
        for work in sim.state.works.values():
            if work.waiting:
                asked.append(work.number)
                sim.say(cmd.ApproveCommand(work.number))

    state = sim.run(act)
    assert asked == [1, 4], "the sweep, and what came after it"
    assert state.cycles == 4 and [p.experiment.sweep for p in proposed(sim)[1:]] == [1, 1, 1, None]
    assert state.sweep is None, "what was proposed after it ended it"


def test_further_trials_wait_until_their_sweep_is_approved() -> None:
    project = base_project(trust=ONE_SEED, approval=ASK.approval, launcher=LauncherOptions(max_parallel=3))
    sim = simulation(opener(3), trial(0.7), trial(0.9), project=project)
    met: list[int] = []

    def act(look: int) -> None:
        if look == 40:
            met.append(sim.oracle.asked)
            sim.say(cmd.ApproveCommand(1))

    sim.run(act)
    assert met == [1] and [p.experiment.sweep for p in proposed(sim)[1:]] == [1, 1, 1]


def test_a_rejected_sweep_is_over() -> None:
    sim = simulation(opener(3), project=ASK)

    def act(look: int) -> None:
        if 1 in sim.state.works:
            sim.say(cmd.RejectCommand(1, "no"))

    state = sim.run(act)
    assert state.sweep is None and state.cycles == 0


def test_the_researcher_sees_how_far_a_sweep_is() -> None:
    sim = simulation(opener(2), trial(0.7))
    seen = sim.oracle.seen_sweeps
    sim.run()
    assert [(s.first, s.made, s.is_done) if s else None for s in seen] == [None, (1, 1, False), (1, 2, True)]


# Pauses and budgets of a day


def test_a_pause_is_kept_over_a_restart_and_ends_by_its_time() -> None:
    sim = simulation(Proposal(pause=Pause("the data are being copied", 50.0)), x(1.0))
    sim.run()
    paused, after = (r.at for r in sim.log() if isinstance(r.event, ev.Postponed | ev.Proposed) and r.seq > 6)
    assert (
        50.0 <= after - paused <= 53.0 and sim.state.turn == 1
    )  # by the end of its space; nothing of the pause is left


def test_a_persons_word_ends_a_pause() -> None:
    sim = simulation(Proposal(pause=Pause("for a day", 86400.0)), x(1.0))
    began = sim.clock.time
    sim.run(when(30, sim, cmd.DirectiveCommand("go on")))
    assert sim.clock.time - began < 600 and sim.state.cycles == 1


def test_a_budget_of_a_day_is_waited_out_and_one_of_the_project_ends_it() -> None:
    sim = simulation(x(1.0))
    until = sim.clock.time + 300
    answers = iter([BudgetReached("usd_per_day of 1 reached", "usd", until), x(1.0), BudgetReached("usd of 9", "usd")])
    sim.oracle.answers = answers
    state = sim.run()
    assert state.cycles == 1 and state.finished is not None and state.finished.reason is StopReason.USD
    first = next(r.at for r in sim.log() if isinstance(r.event, ev.Proposed) and r.event.experiment.number == 1)
    assert until <= first <= until + 3


# A researcher that will not answer


def test_a_wrong_key_is_told_before_the_first_run_and_mended_by_resuming() -> None:
    sim = simulation(x(1.0))
    sim.oracle.prepared, sim.oracle.remarks = iter([ResearcherStopped("the key was refused")]), ("ready",)
    state = sim.run()
    assert state.failed is not None and state.failed.sentence == "the key was refused" and not sim.universe.specs
    sim.say(cmd.ResumeCommand())
    assert sim.run().cycles == 1 and "ready" in said(sim)


def test_an_outage_before_the_first_run_does_not_hold_up_the_baseline() -> None:
    sim = simulation(x(1.0))
    sim.oracle.prepared = iter([ResearcherFailed("no network")])
    assert sim.run().cycles == 1
    assert any("no network" in text for text in said(sim))


def test_a_refusal_at_a_lesson_loses_no_result() -> None:
    sim = simulation(x(1.0), x(2.0))
    sim.oracle.troubles = iter([None, ResearcherStopped("it declined")])
    state = sim.run()
    assert state.failed is not None and state.champion is not None and state.champion.number == 1, "judged, not lost"
    assert kinds(sim)["reflected"] == 1, "nobody is asked again before the person has done something"
    sim.say(cmd.ResumeCommand())
    state = sim.run()
    assert state.cycles == 2 and kinds(sim)["reflected"] == 3 and state.measure == 1, "its values can still be compared"


def test_a_refusal_at_the_baselines_lesson_keeps_it_for_later() -> None:
    sim = simulation(x(1.0))
    sim.oracle.troubles = iter([ResearcherStopped("it declined")])
    state = sim.run()
    assert state.failed is not None and 0 in state.works
    sim.say(cmd.ResumeCommand())
    sim.run()
    assert kinds(sim)["reflected"] == 2


def test_a_refusal_at_a_repair_goes_on_where_it_was() -> None:
    mended = Hypothesis("mended", HypothesisKind.CODE, edits=(Edit("a", "mended", cell="c"),))
    sim = simulation(code("broken"))
    sim.universe.end_of = lambda spec: (
        ended(spec, RunState.CRASHED) if spec.dry_run and spec.build.edits[0].replace == "broken" else by_x(spec)
    )
    sim.oracle.repairs = iter([ResearcherStopped("it declined"), Proposal(mended)])
    assert sim.run().failed is not None
    sim.say(cmd.ResumeCommand())
    state = sim.run()
    assert state.failed is None and kinds(sim)["repaired"] == 1


@pytest.mark.parametrize(("fixes", "repaired"), [(0, 2), (1, 1), (2, 0)])
def test_what_was_fixed_before_counts_as_repairs(fixes: int, repaired: int) -> None:
    sim = simulation(Proposal(code("broken").hypothesis, fixes=fixes, answers=("a", "b")))
    sim.universe.end_of = lambda spec: ended(spec, RunState.CRASHED) if spec.dry_run else by_x(spec)
    sim.oracle.repairs = iter([code("once"), code("twice"), code("thrice")])
    sim.run()
    assert kinds(sim)["repaired"] == repaired and proposed(sim)[-1].answers == ("a", "b")


@pytest.mark.parametrize(("wanted", "least", "most"), [(100.0, 100.0, 103.0), (36_000.0, LONGEST_BACK_OFF_S, 1803.0)])
def test_a_server_is_left_alone_for_as_long_as_it_asks_for_up_to_half_an_hour(
    wanted: float, least: float, most: float
) -> None:
    sim = simulation(ResearcherFailed("429", retry_after_s=wanted), x(1.0))
    asked: list[float] = []
    sim.oracle.interrupt = lambda: asked.append(sim.clock.time)
    sim.run()
    first, second = itertools.islice(asked, 2)
    assert least <= second - first <= most


@pytest.mark.parametrize("parallel", [1, 2])
def test_with_one_run_at_a_time_nobody_is_asked_while_it_lives(parallel: int) -> None:
    """A lesson that an outage puts off waits for the end of the run that was begun meanwhile; with two it need not."""
    sim = simulation(x(1.0), project=base_project(trust=ONE_SEED, launcher=LauncherOptions(max_parallel=parallel)))
    looks = iter(range(40))

    def troubled() -> Iterator[DeepResearchError | None]:
        yield None  # the baseline's lesson
        sim.say(cmd.TryCommand(parameters={"x": 3.0}))
        yield ResearcherFailed("no network")

    def end_of(spec: RunSpec) -> Outcome | None:
        return None if spec.run.experiment == 2 and next(looks, None) is not None else by_x(spec)

    sim.oracle.troubles, sim.universe.end_of = troubled(), end_of
    sim.run()
    beside = [r.event for before, r, _ in sim.states() if before.runs and isinstance(r.event, ev.Reflected)]
    assert [e.experiment for e in beside] == ([] if parallel == 1 else [1])
    assert kinds(sim)["reflected"] == 3

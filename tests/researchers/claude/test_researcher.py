"""Claude as the researcher: what a cycle asks, what it proposes, and what is done where answers do not fit."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.answers import Lesson, Phase
from jupyter_deepresearch.core.research import Instruction
from jupyter_deepresearch.core.types import (
    Decision,
    Dimension,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    OpenSweep,
    RunError,
    Sweep,
)
from jupyter_deepresearch.errors import ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.claude.leader import plan_text
from jupyter_deepresearch.researchers.claude.plans import (
    Findings,
    Patch,
    PatchEdit,
    Plan,
    PlanKind,
    Reflection,
    Setting,
    Written,
)
from jupyter_deepresearch.researchers.claude.turns import request_chars
from jupyter_deepresearch.researchers.llm.talk import Effort

from .doubles import calls, refusal, says
from .project import World, parameters, phases

WARM_UP = Plan(
    PlanKind.CODE,
    claim="two epochs of warm-up raise val_accuracy above 0.95",
    why="AdamW's first steps are too large",
    expected="+0.01",
    change="cell training: scale lr linearly over the first two epochs",
    parameters=(Setting("channels", 32.0),),
)
STEP = "        optimizer.step()\n"
GOOD = Patch((PatchEdit("cell training", STEP, "        optimizer.step()\n        warm_up.step()\n"),))
WRONG = Patch((PatchEdit("cell training", "optimizer.go()", "pass"),))
FASTER = Plan(PlanKind.PARAMETERS, claim="lr 0.01 raises val_accuracy above 0.95", parameters=(Setting("lr", 0.01),))
SLOWER = replace(FASTER, claim="lr 0.001 is better", parameters=(Setting("lr", 0.001),))
SPACE = (Dimension("lr", 1e-3, 1e-2, log=True), Dimension("dropout", 0.0, 0.6))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_cycle_with_a_code_change_is_three_calls_within_the_size(world: World) -> None:
    world.brief = "Find better settings, and tell why they are better. " * 52
    world.script(says(WARM_UP), says(GOOD), says(Reflection("warm-up helps a little", ())))
    proposal = world.think()
    made = proposal.hypothesis
    assert made is not None and made.kind is HypothesisKind.CODE
    assert made.edits == (Edit(STEP, STEP + "        warm_up.step()\n", cell="training"),)
    assert repr(made.parameters) == "{'channels': 32}"
    assert (made.claim, made.rationale, made.expected) == (WARM_UP.claim, WARM_UP.why, WARM_UP.expected)
    assert list(proposal.answers) == world.meter.asked and proposal.fixes == 0 and proposal.remarks == ()
    number = world.judged(made, 0.945, Decision.WORSE)
    assert world.reflect(number) == Lesson("warm-up helps a little")
    assert phases(world.meter) == [Phase.PLAN, Phase.PATCH, Phase.REFLECT]
    assert [key.split("/")[0] for key in world.meter.asked] == ["think 1.1.0", "patch 1.1.0", "reflect 1"]
    assert [r.model for r in world.model.requests] == ["big", "small", "big"]
    sizes = [request_chars(request) for request in world.model.requests]
    print("characters sent in PLAN, PATCH, REFLECT:", sizes, sum(sizes))
    assert sum(sizes) <= 20_000


def test_what_the_leader_is_shown_does_not_grow_with_the_memory(world: World) -> None:
    pieces = world.evidence.pieces(None)
    young = plan_text(world.seen, (), "it went well")
    assert all(f"=== {piece.where}" in young for piece in pieces if not piece.is_parameters)
    old = plan_text(replace(world.seen, memory="- #1 wider: better\n" * 110), (), "it went well " * 60)
    assert all(piece.where in old for piece in pieces) and "=== cell setup" not in old
    assert len(old) - len(young) < 1000  # of 2,800 that memory and outcome have grown by


def test_a_plan_of_values_is_one_call(world: World) -> None:
    world.script(says(FASTER))
    assert world.hypothesis().parameters == {"lr": 0.01} and phases(world.meter) == [Phase.PLAN]


def test_leader_and_programmer_are_told_what_the_person_wants_to_grow_from(world: World) -> None:
    world.script(says(WARM_UP), says(GOOD), says(WARM_UP), says(GOOD))
    first, baseline = world.think(), world.seen.baseline
    assert baseline is not None and first.hypothesis is not None
    branch = replace(baseline, experiment=12, value=0.91, parameters={**baseline.parameters, "dropout": 0.35})
    second = asyncio.run(world.researcher.think(replace(world.seen, branch=branch), world.meter))
    assert second.hypothesis is not None and len(set(world.meter.asked)) == 4, "no answer of before the branch is used"
    plan, patch = world.said[-2:]
    assert "Grow from experiment 12, as the person asked: code and parameters above are its (0.91 val_accuracy" in plan
    assert "dropout = 0.35" in plan and "dropout = 0.35" not in world.said[0]
    assert "The code is experiment 12's: the person asked to grow from it." in patch
    assert not any("as the person asked" in text for text in world.said[:2])


def test_a_patch_that_does_not_fit_is_mended_by_its_author(world: World) -> None:
    world.script(says(WARM_UP), says(WRONG), says(GOOD))
    proposal = world.think()
    assert proposal.hypothesis is not None and proposal.fixes == 1 and len(proposal.answers) == 3
    assert world.said[-1] == (
        "The patch cannot be used: edit of cell training: the text 'optimizer.go()' is not found there\n"
        "Answer with the whole patch again, against the code as it was shown; 1 more try after this."
    )
    assert world.model.requests[-1].turns[:-1] == (*world.model.requests[1].turns, says(WRONG))
    assert world.model.requests[-1].effort is Effort.LOW


def test_after_two_fixes_the_leader_plans_something_else_once(world: World) -> None:
    world.script(says(WARM_UP), says(WRONG), says(WRONG), says(WRONG), says(FASTER))
    proposal = world.think()
    assert proposal.hypothesis is not None and proposal.hypothesis.kind is HypothesisKind.PARAMETERS
    assert proposal.fixes == 2
    assert (
        "Nothing comes of this plan: the programmer found no patch that fits: edit of cell training" in world.said[-1]
    )


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (Patch((PatchEdit("cell data", "digits", "x"),)), "edit of cell data: it is locked"),
        (Patch((PatchEdit("cell nowhere", "a", "x"),)), 'edit of "cell nowhere": there is no such place'),
        (Patch((PatchEdit("cell training", "loss", "x"),)), "is found 6 times there"),
        (Patch((PatchEdit("cell parameters", "2e-3", "4e-3"),)), "it sets lr; values of parameters that exist go into"),
        (Patch(GOOD.edits, (Setting("depth", 3.0),)), "unknown parameter 'depth'"),
        (Patch(GOOD.edits, (Setting("lr", "fast"),)), "parameter 'lr': found 'fast'; accepted: a number"),
        (Patch(GOOD.edits, (Setting("dry_run", True),)), "parameter 'dry_run' is set by code"),
        (Patch(), "the patch changes nothing"),
    ],
)
def test_what_is_wrong_with_a_patch_is_told_to_its_author(world: World, patch: Patch, told: str) -> None:
    world.script(says(WARM_UP), says(patch), says(GOOD))
    assert world.think().fixes == 1
    assert told in world.said[-1]


def test_a_programmer_who_says_why_not_is_not_asked_again(world: World) -> None:
    world.script(says(WARM_UP), says(Patch(note="there is no scheduler in this torch")), says(FASTER))
    proposal = world.think()
    assert proposal.fixes == 0
    assert "the programmer cannot do it: there is no scheduler in this torch" in world.said[-1]


def test_plans_that_never_fit_are_tried_again_later_and_cost_nothing_twice(world: World) -> None:
    bad = replace(FASTER, parameters=(Setting("speed", 1.0),))
    world.script(says(bad), says(bad), says(FASTER))
    with pytest.raises(ResearcherFailed, match=r"no plan of the leader fits: unknown parameter 'speed'"):
        world.think()
    assert world.hypothesis().parameters == {"lr": 0.01}
    assert len(world.model.requests) == 3
    world.script()  # another life: all three are in the log
    assert world.hypothesis().parameters == {"lr": 0.01} and world.model.requests == []


def test_a_restarted_think_replays_its_answers(world: World) -> None:
    world.script(says(WARM_UP), says(WRONG), ResearcherFailed("503"))
    with pytest.raises(ResearcherFailed, match="503"):
        world.think()
    world.script(says(GOOD))
    proposal = world.think()
    assert proposal.hypothesis is not None and len(world.model.requests) == 1 and len(proposal.answers) == 3


# SWEEPS


def test_a_sweep_is_planned_once_and_its_trials_cost_nothing(world: World) -> None:
    world.script(
        says(
            Plan(PlanKind.SWEEP, "the best lr is near 0.005", space=("lr: 0.001..0.01 log, dropout: 0..0.6",), trials=4)
        )
    )
    first = world.hypothesis()
    assert first.kind is HypothesisKind.SWEEP and first.claim == "the best lr is near 0.005"
    assert first.sweep == Sweep(4, SPACE) and set(first.parameters) <= {"lr", "dropout"}
    opened = world.judged(first, 0.95, Decision.WORSE, sweep=1)
    world.sweep = OpenSweep(opened, first.claim, first.sweep)
    for made in range(2, 5):
        proposal = world.think()
        assert proposal.hypothesis is not None and proposal.hypothesis.kind is HypothesisKind.SWEEP
        assert proposal.hypothesis.sweep is None and proposal.answers == ()
        assert all(d.holds({**world.seen.survey.parameters, **proposal.hypothesis.parameters}[d.name]) for d in SPACE)
        number = world.judged(proposal.hypothesis, 0.95 + made / 1000, Decision.WORSE, sweep=opened)
        world.sweep = replace(world.sweep, made=made)
        if made < 4:
            assert "val_accuracy" in world.reflect(number).text
    assert phases(world.meter) == [Phase.PLAN]
    world.script(says(Reflection("x" * 300, (0, 1, 2, 4, 99))), says(FASTER))
    lesson = world.reflect(4)
    assert len(lesson.text) == 200 and lesson.obsolete == (1, 2)
    shown = world.said[0]
    assert "Sweep of 4 trials (opened by experiment 1, 0 without a value)" in shown and "#4 0.954 worse: lr " in shown
    assert world.hypothesis().parameters == {"lr": 0.01}
    assert "<latest_outcome>\nSweep of 4 trials" in world.said[1]


def test_a_sweep_whose_space_is_at_its_end_is_reflected_on_whole(world: World) -> None:
    space = (Dimension("channels", choices=(8, 24)),)
    kind = HypothesisKind.SWEEP
    world.judged(
        Hypothesis("c", kind, parameters={"channels": 8}, sweep=Sweep(9, space)), 0.93, Decision.WORSE, sweep=1
    )
    world.sweep = OpenSweep(1, "c", Sweep(9, space))
    world.script(says(Reflection("more channels help", ())))
    assert world.reflect(1).text != "more channels help"
    world.judged(Hypothesis("d", kind, parameters={"channels": 24}), 0.96, Decision.CONFIRMED, sweep=1)
    world.sweep = OpenSweep(1, "c", Sweep(9, space), made=2)
    assert world.reflect(2).text == "more channels help" and "Sweep of 2 trials" in world.said[0]


def test_a_fresh_directive_goes_before_an_open_sweep(world: World) -> None:
    world.script(says(FASTER))
    world.sweep = OpenSweep(0, "c", Sweep(9, SPACE))
    world.directives = (Instruction(3, "try a larger lr"),)
    assert world.hypothesis().kind is HypothesisKind.PARAMETERS
    assert "NEW: try a larger lr" in world.said[0]
    world.directives = (Instruction(3, "try a larger lr", fresh=False),)
    assert world.hypothesis().kind is HypothesisKind.SWEEP and len(world.model.requests) == 1


@pytest.mark.parametrize(
    ("space", "told"),
    [
        (("speed: 1..9",), "the notebook has no parameter speed"),
        (("lr: fast",), "lr takes"),
        (("lr = 0.01",), "holds everything fast"),
        ((), "it names no parameter with a range or choices"),
        (("seed: 0..9",), "seed is set for each run by the loop"),
    ],
)
def test_a_space_that_cannot_be_searched_is_told(world: World, space: tuple[str, ...], told: str) -> None:
    world.script(says(Plan(PlanKind.SWEEP, "c", space=space, trials=9)), says(FASTER))
    world.hypothesis()
    assert told in world.said[1]


def test_a_value_in_a_space_is_held_fast_and_trials_are_bounded(world: World) -> None:
    world.script(says(Plan(PlanKind.SWEEP, "c", space=("lr: 1e-4..1e-1 log", "channels = 8"), trials=999)))
    first = world.hypothesis()
    assert first.sweep is not None and first.sweep.trials == 50 and first.parameters["channels"] == 8
    opened = world.judged(first, 0.9, Decision.WORSE, sweep=1)
    world.sweep = OpenSweep(opened, "c", first.sweep)
    assert {world.hypothesis().parameters["channels"] for _ in range(2)} == {8}


# COLLEAGUES


def test_an_idea_is_looked_for_once_and_then_it_is_decided(world: World) -> None:
    asks = Plan(PlanKind.IDEA, change="does label smoothing help small networks?")
    world.script(says(asks), says(Findings("smoothing 0.1 gave +0.3 % </findings>")), says(asks), says(FASTER))
    proposal = world.think()
    assert proposal.hypothesis is not None and phases(world.meter) == [Phase.PLAN, Phase.IDEA, Phase.PLAN, Phase.PLAN]
    assert "Question: does label smoothing help" in world.said[1]
    assert world.said[2].startswith("<findings>\nsmoothing 0.1 gave +0.3 % < /findings>\n</findings>")
    assert world.said[3] == "A colleague was asked already. Decide now, with what you know."
    assert len(proposal.answers) == 4


def test_a_note_that_a_worker_wrote_does_not_change_what_a_restarted_think_asks(world: World) -> None:
    note = calls(("write_note", {"name": "smoothing.md", "text": "0.1 is usual"}))
    world.script(says(Plan(PlanKind.IDEA, change="smoothing?")), note, ResearcherFailed("503"))
    (world.folder / "project" / "notes").mkdir()
    (world.folder / "project" / "notes" / "mine.md").write_text("by hand")
    with pytest.raises(ResearcherFailed):
        world.think()
    assert (world.folder / "project" / "notes" / "smoothing.md").is_file()
    assert "(idea): mine.md\n" in world.said[0]
    world.script(says(Findings("0.1")), says(FASTER))
    assert len(world.think().answers) == 4 and len(world.model.requests) == 2


def test_a_report_is_written_by_its_tool_and_the_leader_goes_on(world: World) -> None:
    world.script(
        says(Plan(PlanKind.REPORT, change="the first night")),
        calls(("write_report", {"name": "night.md", "text": "# The first night\n\nNothing yet."})),
        says(Written("reports/night.md", "Nothing yet.")),
        says(FASTER),
    )
    proposal = world.think()
    assert proposal.remarks == ("a report was written: reports/night.md: Nothing yet.",)
    assert (world.folder / "project" / "reports" / "night.md").read_text().startswith("# The first night")


def test_waiting_is_bounded(world: World) -> None:
    world.script(says(Plan(PlanKind.WAIT, change="for the person", minutes=9999)))
    proposal = world.think()
    assert proposal.pause is not None and (proposal.pause.reason, proposal.pause.seconds) == ("for the person", 86_400)
    assert len(proposal.answers) == 1


# REPEATS


def tried(world: World) -> None:
    """lr 0.01 and 0.001 were tried, and so was the warm-up."""
    kind = HypothesisKind.PARAMETERS
    world.judged(Hypothesis("lr 0.01", kind, parameters=parameters(lr=0.01)), 0.93, Decision.WORSE, "0.01 below")
    world.judged(Hypothesis("lr 0.001", kind, parameters=parameters(lr=0.001)), None, Decision.REJECTED, "too slow")


def test_a_repeat_is_told_with_how_it_went(world: World) -> None:
    tried(world)
    world.script(says(FASTER), says(replace(FASTER, parameters=(Setting("lr", 0.03),))))
    assert world.hypothesis().parameters == {"lr": 0.03}
    assert world.said[1] == (
        "This was tried before: Experiment 1 (parameters): worse, val_accuracy 0.93 (1 seed); champion before it 0.94. "
        "0.01 below. Lesson: it is so\nPlan something that was not."
    )


def test_the_same_code_in_other_words_is_a_repeat(world: World) -> None:
    plan = replace(WARM_UP, parameters=())
    same = Patch(
        (PatchEdit("training", STEP, "        optimizer.step()\n\n        warm_up.step()  # the scheduler\n"),)
    )
    world.script(says(plan), says(GOOD), says(plan), says(same), says(FASTER))
    world.judged(world.hypothesis(), 0.9, Decision.WORSE)
    world.latest = 0
    assert world.hypothesis().parameters == {"lr": 0.01}
    assert "This was tried before: Experiment 1 (code): worse" in world.said[-1]


def test_three_repeats_are_stagnation_and_after_the_fourth_optuna_decides(world: World) -> None:
    tried(world)
    world.script(*[says(replace(plan, why=str(i))) for i, plan in enumerate((FASTER, SLOWER, FASTER, SLOWER))])
    proposal = world.think()
    assert proposal.hypothesis is not None and proposal.hypothesis.kind is HypothesisKind.PARAMETERS
    assert proposal.hypothesis.claim.endswith("(chosen by Optuna, as the leader only repeated what was tried)")
    assert proposal.remarks == ("stagnation: the leader proposed only what was tried before, four times in a row",)
    assert "experiment 2, which the person rejected: too slow" in world.said[2]
    third = world.said[3]
    assert (
        "That is the third repeat in a row: the research stands still. Not tried yet: parameters never moved" in third
    )
    assert "places never edited: cell setup, cell model, cell training" in third
    assert len(proposal.answers) == 4


def test_stagnation_without_a_space_is_the_end(world: World) -> None:
    tried(world)
    world.script(*[says(replace(FASTER, why=str(i))) for i in range(4)])
    seen = replace(world.seen, survey=replace(world.seen.survey, space=()))
    proposal = asyncio.run(world.researcher.think(seen, world.meter))
    assert proposal.hypothesis is None and proposal.exhausted is not None
    assert proposal.exhausted.startswith(
        "the leader only repeats what was tried before, and the notebook has no parameter"
    )


# REPAIR


def experiment() -> Experiment:
    made = Hypothesis(
        WARM_UP.claim, HypothesisKind.CODE, parameters={"lr": 0.01}, edits=as_edits(GOOD), change="warm up"
    )
    return Experiment(1, made, 0, 1, settings={"lr": 0.01})


def as_edits(patch: Patch) -> tuple[Edit, ...]:
    return tuple(Edit(e.search, e.replace, cell=e.place.removeprefix("cell ")) for e in patch.edits)


MENDED = Patch((PatchEdit("cell training", STEP, STEP + "        scale(optimizer)\n"),))
ERROR = RunError("NameError", "name 'warm_up' is not defined", 6, "line 1\n" * 900 + "NameError: name 'warm_up'")


def test_a_failed_dry_run_is_mended_by_the_worker_that_goes_on(world: World) -> None:
    world.script(says(MENDED))
    proposal = world.repair(experiment(), ERROR)
    assert proposal.hypothesis == replace(experiment().hypothesis, edits=as_edits(MENDED))
    assert phases(world.meter) == [Phase.FIX] and list(world.meter.about.values()) == [1]
    [request] = world.model.requests
    assert len(request.turns) == 3 and "=== cell training" in request.turns[0].text
    assert '"search":"        optimizer.step()\\n"' in request.turns[1].text
    told = request.turns[2].text
    assert (
        "The dry run failed: NameError in cell 6: name 'warm_up' is not defined\n<output>" in told and len(told) < 2000
    )
    assert told.endswith("1 more try after this.")


def test_a_repair_that_does_not_fit_uses_up_another(world: World) -> None:
    world.script(says(WRONG), says(MENDED))
    proposal = world.repair(experiment(), ERROR)
    assert proposal.hypothesis is not None and proposal.fixes == 1


def test_a_dry_run_that_is_not_mended_says_so(world: World) -> None:
    world.script(says(GOOD), says(WRONG))
    proposal = world.repair(experiment(), ERROR)
    assert proposal.hypothesis is None and len(world.model.requests) == 2
    assert "it is the patch that has just failed" not in world.said[0] and "has just failed" in world.said[1]
    assert proposal.remarks[0].startswith("experiment 1 is not mended: edit of cell training")
    world.script()
    assert world.repair(experiment(), ERROR, repairs=2).hypothesis is None


# REFLECT, PREPARE, REFUSALS


def test_a_baseline_needs_no_call(world: World) -> None:
    world.script()
    assert world.reflect(0) == Lesson(""), "its claim says all"


def test_prepare_says_who_answers_and_how(world: World) -> None:
    world.script()
    remarks = asyncio.run(world.researcher.prepare(world.seen, world.meter))
    assert remarks == (
        "big leads, small works (big: structured answers, tools work; small: structured answers, tools work)",
    )
    assert world.model.probes == ["big", "small"]


def test_nobody_named_is_told_what_to_do(world: World) -> None:
    world.script()
    nobody = replace(world.seen, options=replace(world.seen.options, leader_model=None))
    with pytest.raises(ResearcherStopped, match="set leader_model under"):
        asyncio.run(world.researcher.prepare(nobody, world.meter))


def test_a_refusal_moves_to_the_fallback_and_is_said(world: World) -> None:
    world.fallback = "other"
    world.script(refusal(), says(FASTER))
    proposal = world.think()
    assert proposal.hypothesis is not None and [r.model for r in world.model.requests] == ["big", "other"]
    assert proposal.remarks == ("big refused to answer (category frontier_llm); other went on",)
    assert len(proposal.answers) == 2

"""Every fault of a server, met at every step of a cycle: no memory, no directive, no finished result is lost by it."""

from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import Decision, StopReason
from jupyter_deepresearch.errors import InvalidConfig
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.testing import Answer, Call, Fault, times
from jupyter_deepresearch.testing.messages import Entry
from tests.claude.mind import Mind
from tests.claude.world import BROKEN, FALLBACK, LEADER, code, events, parameters, patch, world

PLANS = [parameters("x near three", x=2.5), code("a larger model", "triple it")]
PATCHES = [patch("v * 1", "v * 3")]
LESSONS = [{"lesson": "x near three is better"}, {"lesson": "triple is a little better"}]
TWO = {"cycles": 2}


def script(at: str, *faults: Entry) -> Mind:
    """Two cycles, with these faults before the second plan, the patch, or the second lesson."""
    plans: list[Any] = [PLANS[0], *(faults if at == "plan" else ()), PLANS[1]]
    patches: list[Any] = [*(faults if at == "patch" else ()), *PATCHES]
    lessons: list[Any] = [LESSONS[0], *(faults if at == "reflect" else ()), LESSONS[1]]
    return Mind(plans, patches, lessons)


def directed(project: OpenedProject) -> None:
    project.command(cmd.DirectiveCommand("keep it simple"))


def untroubled(project: OpenedProject) -> None:
    """Two cycles came to their end, and nothing of them is missing."""
    state = project.state
    assert state.finished is not None and state.finished.reason is StopReason.CYCLES and state.cycles == 2
    judged = [e.verdict.decision for e in events(project, ev.Judged)]
    assert judged == [Decision.BASELINE, Decision.CONFIRMED, Decision.CONFIRMED]
    assert [e.lesson.text for e in events(project, ev.Reflected)][1:] == [told["lesson"] for told in LESSONS]
    memory = project.memory().log
    assert LESSONS[0]["lesson"] in memory and LESSONS[1]["lesson"] in memory
    directives = [note.instruction for note in state.directives]
    assert [(d.text, d.fresh) for d in directives] == [("keep it simple", False)]


@pytest.mark.parametrize("at", ["plan", "patch", "reflect"])
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(times(Fault.status(429, retry_after=3600), 2), id="429"),
        pytest.param(times(Fault.status(500), 3), id="500"),
        pytest.param(times(Fault.overloaded(), 6), id="529"),
        pytest.param(times(Fault.in_stream("overloaded_error"), 2), id="overloaded in a stream"),
        pytest.param(times(Fault.truncated(), 2), id="truncated"),
        pytest.param(times(Fault.dropped(), 2), id="dropped"),
        pytest.param((Fault.garbage(),), id="html"),
        pytest.param((Answer.empty(),), id="empty"),
        pytest.param((Answer.cut('{"kind": "co'),), id="cut"),
        pytest.param((Answer("I would rather talk about it."),), id="prose"),
        pytest.param((Answer('{"nothing": "that was asked for"}'), Answer("{broken")), id="another schema"),
        pytest.param((Answer.json({"kind": "wait for it", "edits": 1, "lesson": 7}),), id="wrong types"),
    ],
)
def test_a_fault_is_waited_out_and_nothing_is_lost(tmp_path: Path, at: str, faults: tuple[Entry, ...]) -> None:
    with world(tmp_path / "p", script(at, *faults), budget=TWO) as made:
        untroubled(made.research(directed))
        assert made.server.refused == [], "nothing that the real API would refuse was sent"


def test_thinking_first(tmp_path: Path) -> None:
    plans = [Answer.json(PLANS[0], thinking="Let me see."), PLANS[1]]
    with world(tmp_path / "p", Mind(plans, PATCHES, LESSONS), budget=TWO) as made:
        untroubled(made.research(directed))


@pytest.mark.parametrize("at", ["plan", "patch", "reflect"])
def test_a_refusal_goes_to_the_fallback(tmp_path: Path, at: str) -> None:
    mind = script(at, Answer.refusal("frontier_llm"))
    with world(tmp_path / "p", mind, researcher={"fallback_model": FALLBACK}, budget=TWO) as made:
        project = made.research(directed)
        untroubled(project)
        assert any("frontier_llm" in e.text and LEADER in e.text for e in events(project, ev.Announced))
        words = zip(mind.asked, mind.seen, strict=True)
        assert [word for word, request in words if request.body["model"] == FALLBACK and word != "other"] == [
            {"reflect": "lesson"}.get(at, at)
        ]


@pytest.mark.parametrize("at", ["plan", "patch", "reflect"])
def test_a_refusal_by_all_stops_and_is_not_asked_again(tmp_path: Path, at: str) -> None:
    mind = script(at, Answer.refusal("frontier_llm"))
    with world(tmp_path / "p", mind, budget=TWO) as made:
        project = made.research(directed)
        failed = project.state.failed
        assert failed is not None and "frontier_llm" in failed.sentence and "fallback_model" in failed.sentence
        asked = len(mind.asked)
        project.command(cmd.ResumeCommand())
        project = made.research()
        assert project.state.failed is not None and len(mind.asked) == asked, "the log knows its answer"

        made.tables = {**made.tables, "researcher": {"fallback_model": FALLBACK}}
        untroubled(made.research())


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (Fault.status(401), "ANTHROPIC_API_KEY"),
        (Fault.status(403), "key"),
        (Fault.status(404, message=f"model: {LEADER}"), "leader_model"),
        (Fault.status(402), "402"),
    ],
)
@pytest.mark.parametrize("at", ["plan", "patch", "reflect"])
def test_what_only_the_person_can_mend_stops_at_once(tmp_path: Path, at: str, fault: Fault, wanted: str) -> None:
    with world(tmp_path / "p", script(at, fault), budget=TWO) as made:
        project = made.research(directed)
        failed = project.state.failed
        assert failed is not None and wanted in failed.sentence and "\n" not in failed.sentence
        project.command(cmd.ResumeCommand())
        untroubled(made.research())


def test_a_wrong_key_costs_no_run(tmp_path: Path) -> None:
    with world(tmp_path / "p", [Fault.status(401)], budget=TWO) as made:
        project = made.research()
        assert project.state.failed is not None and not made.makers.launched.started


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        pytest.param(patch("nowhere to be found", "x"), "not found", id="not found"),
        pytest.param(patch("v", "w"), "2 times", id="found twice"),
        pytest.param(patch("v * 1", "v * 3", "cell nonsense"), "nonsense", id="wrong cell"),
        pytest.param(patch("score=", "score=9+", "cell score"), "locked", id="locked"),
        pytest.param({"edits": []}, "edit", id="empty"),
    ],
)
def test_an_unfit_patch_is_told_and_fixed_before_anything_runs(
    tmp_path: Path, unfit: dict[str, Any], said: str
) -> None:
    mind = Mind(PLANS, [unfit, *PATCHES], LESSONS)
    with world(tmp_path / "p", mind, budget=TWO) as made:
        project = made.research(directed)
        untroubled(project)
        assert said in mind.of("patch")[1].text
        assert [e.usage.phase for e in events(project, ev.Answered)].count("fix") == 1


def test_a_failed_dry_run_is_fixed_at_most_twice_then_given_up(tmp_path: Path) -> None:
    broken = [patch("v * 1", f"{BROKEN} * {n}") for n in range(3)]
    mind = Mind([code("it breaks")], broken)
    with world(tmp_path / "p", mind, budget={"cycles": 1}) as made:
        project = made.research()
        assert [e.verdict.decision for e in events(project, ev.Judged)] == [Decision.BASELINE, Decision.FAILED]
        assert len(mind.of("patch")) == 3 and f"name '{BROKEN}' is not defined" in mind.of("patch")[1].text
        assert sorted(made.makers.launched.started) == [
            "0000-baseline-seed-1",
            "0001-dry_run-seed-1",
            "0001-dry_run-seed-1-attempt-2",
            "0001-dry_run-seed-1-attempt-3",
        ]


def test_an_endless_tool_loop_is_ended_in_code(tmp_path: Path) -> None:
    """The leader asks for the same and the same, and answers once it may ask no more."""
    loop = times(Answer(calls=(Call("recall", {"query": "x"}),)), 3)
    with world(tmp_path / "p", script("plan", *loop), budget=TWO) as made:
        untroubled(made.research(directed))


def test_a_duplicate_is_told_and_uses_no_run(tmp_path: Path) -> None:
    again = {**PLANS[0], "claim": "x near three, again"}
    mind = Mind([PLANS[0], again, again, again, PLANS[1]], PATCHES, LESSONS)
    with world(tmp_path / "p", mind, budget=TWO) as made:
        untroubled(made.research(directed))
        plans = mind.of("plan")
        assert "x near three" in plans[2].text and "width" in plans[4].text, "what has not been tried"
        assert len(made.makers.launched.started) == 4


@pytest.mark.parametrize("at", ["plan", "patch", "reflect"])
def test_a_model_that_never_answers_to_any_use_is_not_paid_for_ever(tmp_path: Path, at: str) -> None:
    with world(tmp_path / "p", script(at, *times(Answer("I would rather talk."), 200)), budget=TWO) as made:
        project = made.research(directed)
        failed = project.state.failed
        assert failed is not None and "gave no answer of use" in failed.sentence and len(made.server.requests) < 40
        asked = len(made.server.requests)
        project.command(cmd.ResumeCommand())
        assert made.research().state.failed is not None, "it is tried again once resumed"
        assert asked < len(made.server.requests) < asked + 40


def test_plans_that_never_fit_are_not_paid_for_ever(tmp_path: Path) -> None:
    unfit = [parameters("of what is not there", nonsense=n) for n in range(100)]
    with world(tmp_path / "p", Mind(unfit), budget=TWO) as made:
        failed = made.research().state.failed
        assert failed is not None and "nonsense" in failed.sentence and len(made.server.requests) < 20


def test_a_budget_of_money_ends_the_project_before_it_is_overspent(tmp_path: Path) -> None:
    mind = Mind([parameters(f"x {n}", x=0.1 * n) for n in range(6, 60)])
    with world(tmp_path / "p", mind, budget={"usd": 0.006}) as made:
        state = made.research().state
        assert state.finished is not None and state.finished.reason is StopReason.USD
        assert 0 < (state.bill.total.usd or 0.0) <= 0.006


def test_a_restart_between_plan_and_patch_asks_for_the_patch_alone(tmp_path: Path) -> None:
    class Killed(BaseException):
        """What kill -9 is to the loop."""

    mind = Mind(PLANS, PATCHES, LESSONS)
    with world(tmp_path / "p", mind, budget=TWO) as made:

        def armed(project: OpenedProject) -> None:
            directed(project)
            project.ledger.listeners.append(die)

        def die(record: ev.Record) -> None:
            is_plan = isinstance(record.event, ev.Answered) and record.event.usage.phase == "plan"
            if is_plan and mind.asked.count("plan") == 2:
                raise Killed

        with pytest.raises(Killed):
            made.research(armed)
        untroubled(made.research())
        assert mind.asked.count("plan") == 2 and mind.asked.count("patch") == 1


def test_without_a_price_a_budget_of_money_is_refused_at_the_start(tmp_path: Path) -> None:
    tables = {"researcher": {"leader_model": "qwen-local", "price": None}, "budget": {"usd": 1.0}}
    with world(tmp_path / "p", [], **tables) as made, pytest.raises(InvalidConfig, match="price"):
        made.open()

"""What the latest verdict did to the memory: what did not change has no mark, and what did has one."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.marks import Marks, lines, marks
from jupyter_deepresearch.core.memory import Memory
from jupyter_deepresearch.core.notes import NOTES_HEADING
from jupyter_deepresearch.core.project import Approval, ApprovalMode, Direction, Objective
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import Decision, Source
from tests.core.logs import SURVEY, baseline, candidate, folded, judged, proposed, ran, reflected
from tests.core.test_memory import fold, happenings, hostile_text
from tests.simulation import base_project

OBJECTIVE = Objective("score", Direction.MAXIMIZE)


def marked(state: State) -> Marks:
    return marks(state.before.memory, state.memory, state.project.objective)


@settings(max_examples=100, deadline=None)
@given(st.lists(happenings, max_size=30), st.lists(happenings, max_size=12), hostile_text)
def test_the_marks_make_the_new_lines_of_the_old_ones(first: list, then: list, metric: str) -> None:  # type: ignore[type-arg]
    memory = Memory()
    for happening in first:
        memory = fold(memory, happening)
    before = memory
    for happening in then:
        memory = fold(memory, happening)
    objective = Objective(metric, Direction.MAXIMIZE)
    found = marks(before, memory, objective)
    today = replace(before, notes=memory.notes, archived_chars=memory.archived_chars)
    old, new = lines(today.render(objective)), lines(memory.render(objective))

    def numbered(some: tuple[str, ...]) -> dict[int, str]:
        return {int(line[len("- #") :].split(" ")[0]): line for line in some}

    gone = numbered(found.dropped)
    assert gone.items() <= old.items() and not gone.keys() & new.keys()
    stayed = {number: line for number, line in old.items() if number not in gone}
    assert numbered(found.changed).keys() <= stayed.keys() and not numbered(found.entered).keys() & old.keys()
    assert {**stayed, **numbered(found.changed), **numbered(found.entered)} == new
    assert all(line != old[number] for number, line in numbered(found.changed).items())
    ours = memory.render(objective).split(f"\n\n{NOTES_HEADING}")[0]
    assert len(new) == ours.count("\n- #"), "an experiment has one line"


def test_a_verdict_enters_and_its_lesson_belongs_to_it() -> None:
    cycle = [proposed(1), *ran(candidate(1), value=2.0), judged(1, Decision.PROMISING, 2.0)]
    again = [*ran(candidate(1, 2), value=2.0), judged(1, Decision.CONFIRMED, 2.0, 2)]
    state = folded(*baseline(), *cycle, *again, ev.Reflected(1, Lesson("wide is good")))
    found = marked(state)
    assert [line[:13] for line in found.entered] == ["- #1 champion"] and "wide is good" in found.entered[0]
    assert found.dropped == () and all(line.startswith("- #0 ") for line in found.changed)
    state = folded(*baseline(), *cycle, *again, reflected(1), proposed(2), *ran(candidate(2), value=0.5))
    assert marked(state) == marks(*_of(*baseline(), *cycle, *again, reflected(1))), "no verdict, no other marks"


def _of(*events: ev.Event) -> tuple[Memory, Memory, Objective]:
    state = folded(*events)
    return state.before.memory, state.memory, state.project.objective


def test_the_former_champion_is_changed() -> None:
    def crowned(number: int, value: float) -> list[ev.Event]:
        return [
            proposed(number),
            *ran(candidate(number), value=value),
            judged(number, Decision.CONFIRMED, value),
            reflected(number),
        ]

    found = marked(folded(*baseline(), *crowned(1, 2.0), *crowned(2, 3.0)))
    assert [line[:6] for line in found.entered] == ["- #2 c"] and found.dropped == ()
    assert [line.split(":")[0] for line in found.changed] == ["- #1 confirmed"]


def test_what_a_lesson_makes_obsolete_is_dropped_with_its_line_as_it_was() -> None:
    def worse(number: int, *obsolete: int) -> list[ev.Event]:
        lesson = ev.Reflected(number, Lesson("a lesson", obsolete))
        return [proposed(number), *ran(candidate(number), value=0.5), judged(number, Decision.WORSE, 0.5), lesson]

    earlier = folded(*baseline(), *worse(1))
    found = marked(folded(*baseline(), *worse(1), *worse(2, 1)))
    assert found.dropped == (lines(earlier.memory.render(OBJECTIVE))[1],)
    assert [line[:5] for line in found.entered] == ["- #2 "]


def test_a_rejection_is_marked_and_one_by_the_loop_is_not() -> None:
    asked = base_project(approval=Approval(ApprovalMode.ASK))
    found = marked(folded(*baseline(), proposed(1), ev.Reject(1, "too slow"), project=asked))
    assert len(found.entered) == 1 and "too slow" in found.entered[0]
    by_loop = folded(*baseline(), proposed(1), ev.Reject(1, "withdrawn", by="loop"), project=asked)
    assert marked(by_loop).entered == marked(folded(*baseline())).entered != ()


def test_notes_by_hand_and_a_new_measure_are_not_marked() -> None:
    worse = [proposed(1), *ran(candidate(1), value=0.5), judged(1, Decision.WORSE, 0.5), reflected(1)]
    found = marked(folded(*baseline(), *worse))
    assert marked(folded(*baseline(), *worse, ev.Noted("- #7 is mine\n- #0 champion: mine"))) == found
    anew = folded(*baseline(), *worse, ev.Sourced(Source("{}"), SURVEY, new_measure=True))
    assert marked(anew) == Marks() and "old measure" in anew.memory.render(OBJECTIVE)

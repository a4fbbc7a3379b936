"""The memory stays within its caps and keeps champion, baseline and the person's lines, whatever happens."""

import math
from dataclasses import fields, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_deepresearch.core.answers import Lesson
from jupyter_deepresearch.core.memory import LOG_LIMIT_CHARS, Memory, person_lines, split_notes
from jupyter_deepresearch.core.notes import NOTES_HEADING, one_line
from jupyter_deepresearch.core.project import BRIEF_LIMIT_CHARS, Direction, Objective
from jupyter_deepresearch.core.types import Decision, RunState, Verdict

PROMPT_LIMIT_CHARS = 5000
RESULTS_LIMIT_CHARS = 1200
STATE_LIMIT_CHARS = 60_000
OBJECTIVE = Objective("val_accuracy", Direction.MAXIMIZE, target=0.99)

hostile_text = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(categories=["Cs", "Mn", "Cc", "Cf", "Zl", "Lu"]), max_size=60),
    st.sampled_from(
        [
            "# heading\n## Key Results\n## Notes by hand\n- #0 champion: 1.0",
            "e" + "\u0301" * 5000,
            "word " * 4000,
            "<!-- hidden",
            "\ud800 lone",
            "👩‍👩‍👧‍👦" * 300,
            "```\nfence",
            " " * 9000 + "late",
            "\u202eright to left",
            "_(9 more characters of these notes are archived in the ledger.)_",
        ]
    ),
)
values = st.one_of(st.none(), st.floats(), st.floats(0, 1))
verdicts = st.builds(
    Verdict,
    st.sampled_from([d for d in Decision if d is not Decision.BASELINE]),
    hostile_text,
    values,
    st.integers(0, 10**6),
    st.one_of(st.none(), st.tuples(st.floats(), st.floats())),
    values,
    st.one_of(st.none(), st.sampled_from(RunState)),
)
happenings = st.one_of(
    st.tuples(st.just("verdict"), st.integers(1, 60), hostile_text, verdicts),
    st.tuples(st.just("rejection"), st.integers(1, 60), hostile_text, hostile_text),
    st.tuples(st.just("lesson"), st.integers(0, 60), hostile_text, st.lists(st.integers(0, 60), max_size=5)),
    st.tuples(st.just("notes"), hostile_text),
    st.tuples(st.just("baseline"), hostile_text, verdicts),
    st.tuples(st.just("measure")),
)


def fold(memory: Memory, happening: tuple) -> Memory:  # type: ignore[type-arg]
    match happening:
        case ("verdict", number, claim, verdict):
            return memory.with_verdict(number, claim, verdict, baseline=False)
        case ("baseline", claim, verdict):
            return memory.with_verdict(0, claim, replace(verdict, decision=Decision.BASELINE), baseline=True)
        case ("rejection", number, claim, reason):
            return memory.with_rejection(number, claim, reason)
        case ("lesson", number, text, obsolete):
            return memory.with_lesson(number, Lesson(text, tuple(obsolete)))
        case ("notes", text):
            return memory.with_notes(text)
        case _:
            return memory.forget_measure()


def chars_in(memory: Memory) -> int:
    return sum(len(repr(getattr(memory, f.name))) for f in fields(memory))


def section(text: str, heading: str) -> str:
    rest = text.split(f"\n{heading}\n", 1)
    return f"{heading}\n" + rest[1].split("\n\n", 1)[0] if len(rest) == 2 else ""


def verdict(decision: Decision, value: float | None = None, seeds: int = 1, reason: str = "") -> Verdict:
    return Verdict(decision, reason, value, seeds)


def baseline_only(value: float = 0.9) -> Memory:
    return Memory().with_verdict(0, "The notebook as it is", verdict(Decision.BASELINE, value, 3), baseline=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(happenings, max_size=40), hostile_text, st.sampled_from(Direction), st.one_of(st.none(), st.floats()))
def test_no_history_breaks_a_cap_or_a_pin(history, metric, direction, target) -> None:  # type: ignore[no-untyped-def]
    memory = Memory()
    for happening in history:
        memory = fold(memory, happening)
    objective = Objective(metric, direction, target=target)
    text = memory.render(objective)
    assert len(text) <= LOG_LIMIT_CHARS
    assert BRIEF_LIMIT_CHARS + len(text) <= PROMPT_LIMIT_CHARS
    text.encode("utf-8")
    above = text[: text.index(f"\n{NOTES_HEADING}\n") if f"\n{NOTES_HEADING}\n" in text else len(text)]
    assert len(section(text, "## Key Results")) <= RESULTS_LIMIT_CHARS
    assert len(section(text, "## Recent Decisions").splitlines()) <= 16
    for pin, word in ((memory.champion, "champion"), (memory.baseline, "baseline")):
        if pin is not None:
            assert f"- #{pin.experiment} {word}: {pin.number}" in above
    assert text.endswith(f"{memory.notes}\n") or memory.archived_chars
    assert f"{NOTES_HEADING}\n{memory.notes}" in text
    assert chars_in(memory) <= STATE_LIMIT_CHARS


@settings(max_examples=100, deadline=None)
@given(hostile_text.map(lambda t: t * 3))
@example("x" * 600)
@example("\ufeff" * 3)
@example("x" * 599 + "\ny")
@example("x" * 600 + "\ny")
@example(("word " * 30 + "\n") * 30)
def test_the_first_600_characters_of_a_persons_lines_are_kept_and_stable(text: str) -> None:
    memory = baseline_only().with_notes(text)
    lines = "\n".join(line for line in Memory().with_notes(text).notes.splitlines())
    assert len(memory.notes) <= 601
    rendered = memory.render(OBJECTIVE)
    assert lines in rendered
    assert person_lines(rendered, rendered) is None
    assert memory.with_notes(memory.notes).notes == memory.notes
    kept, rest = split_notes(text)
    assert (memory.archived_chars > 0) == bool(rest)
    if rest:
        assert len(kept.removesuffix("…")) >= 599
        assert "archived" in rendered


def test_plain_notes_are_kept_to_the_character() -> None:
    lines = [f"idea {i}: try a larger batch with warm-up" for i in range(40)]
    text = "\n".join(lines)
    assert Memory().with_notes(text).notes == text[:600] + "…"
    assert split_notes(text)[1] == text[600:]


def test_ten_thousand_cycles_fold_to_a_constant_size() -> None:
    memory, sizes = baseline_only(), []
    for number in range(1, 10_001):
        decision = (Decision.WORSE, Decision.FAILED, Decision.CONFIRMED, Decision.INCONCLUSIVE)[number % 4]
        value = None if decision is Decision.FAILED else 0.9 + number / 1e6
        claim = f"lr {number} " + "long claim\n" * 200
        memory = memory.with_verdict(number, claim, verdict(decision, value, 3, "why " * 500), baseline=False)
        memory = memory.with_lesson(number, Lesson(f"lesson {number} " * 300))
        if number % 1000 == 0:
            sizes.append(chars_in(memory))
            assert len(memory.render(OBJECTIVE)) <= LOG_LIMIT_CHARS
    assert max(sizes) - min(sizes) < 2000
    assert memory.champion is not None
    assert memory.champion.experiment == 9998
    assert memory.baseline is not None


def test_the_best_survives_thousands_of_worse_and_newer_results() -> None:
    memory = baseline_only().with_verdict(1, "lr 0.01 instead of 0.1", verdict(Decision.CONFIRMED, 0.98, 3), False)
    for number in range(2, 3000):
        memory = memory.with_verdict(number, f"idea {number}", verdict(Decision.WORSE, 0.5), baseline=False)
    text = memory.render(OBJECTIVE)
    assert "- #1 champion: 0.98 (3 seeds), +0.08 against the baseline: lr 0.01 instead of 0.1" in text
    assert "- #0 baseline: 0.9 (3 seeds)" in text


def test_the_least_informative_goes_first_not_the_oldest() -> None:
    memory = baseline_only().with_verdict(1, "old and telling", verdict(Decision.FAILED), baseline=False)
    memory = memory.with_lesson(1, Lesson("lr above 0.05 diverged"))
    for number in range(2, 200):
        memory = memory.with_verdict(number, f"idea {number}", verdict(Decision.INCONCLUSIVE), baseline=False)
    text = memory.render(OBJECTIVE)
    assert "lr above 0.05 diverged" in text
    assert "idea 199" in text
    assert "idea 50:" not in text


def test_an_interval_is_shown_as_uncertainty() -> None:
    sure = Verdict(Decision.CONFIRMED, "", 0.98222, 3, (0.98062, 0.98382))
    text = baseline_only().with_verdict(1, "wider", sure, baseline=False).render(OBJECTIVE)
    assert "0.9822 ±0.0016 (3 seeds)" in text
    assert Memory().with_verdict(1, "c", verdict(Decision.CONFIRMED, math.nan), False).champion.value is None  # type: ignore[union-attr]


def test_a_later_verdict_replaces_an_earlier_one_and_keeps_its_lesson() -> None:
    memory = baseline_only().with_verdict(1, "wider", verdict(Decision.PROMISING, 0.95), baseline=False)
    memory = memory.with_lesson(1, Lesson("width helps"))
    memory = memory.with_verdict(1, "wider", verdict(Decision.CONFIRMED, 0.94, 3), baseline=False)
    text = memory.render(OBJECTIVE)
    assert "promising" not in text
    assert "- #1 champion: 0.94 (3 seeds), +0.04 against the baseline: wider → width helps" in text


def test_a_retracted_champion_gives_way_to_the_one_before() -> None:
    memory = baseline_only().with_verdict(1, "wider", verdict(Decision.CONFIRMED, 0.95, 3), baseline=False)
    memory = memory.with_verdict(2, "deeper", verdict(Decision.CONFIRMED, 0.97, 3), baseline=False)
    assert "- #1 confirmed: 0.95 (3 seeds): wider" in memory.render(OBJECTIVE)
    memory = memory.with_verdict(2, "deeper", verdict(Decision.RETRACTED, 0.91, 5, "more seeds"), baseline=False)
    text = memory.render(OBJECTIVE)
    assert "- #1 champion: 0.95" in text
    assert "- #2 retracted: 0.91 (5 seeds): deeper → more seeds" in text


def test_a_new_measure_shows_old_results_as_old_and_pins_nothing() -> None:
    memory = baseline_only().with_verdict(1, "wider", verdict(Decision.CONFIRMED, 0.95, 3), baseline=False)
    text = memory.forget_measure().render(OBJECTIVE)
    assert "champion" not in text
    assert "- #1 confirmed (old measure): 0.95" in text


def test_a_lesson_drops_what_it_makes_obsolete_but_never_a_pin() -> None:
    memory = baseline_only().with_verdict(1, "wider", verdict(Decision.CONFIRMED, 0.95, 3), baseline=False)
    memory = memory.with_verdict(2, "deeper", verdict(Decision.WORSE, 0.91), baseline=False)
    text = memory.with_lesson(1, Lesson("the scaler was wrong", obsolete=(0, 1, 2))).render(OBJECTIVE)
    assert "deeper" not in text
    assert "- #0 baseline" in text
    assert "- #1 champion" in text


def test_a_failure_says_how_and_a_rejection_why() -> None:
    crash = Verdict(Decision.FAILED, "OutOfMemoryError in cell 3", state=RunState.OUT_OF_MEMORY)
    text = (
        baseline_only().with_verdict(1, "wider", crash, False).with_rejection(2, "deeper", "too slow").render(OBJECTIVE)
    )
    assert "- #1 failed (out of memory): wider → OutOfMemoryError in cell 3" in text
    assert "- #2 rejected: deeper → too slow" in text


def test_what_a_person_wrote_is_found_wherever_they_wrote_it() -> None:
    rendered = baseline_only().with_notes("keep epochs at 10").render(OBJECTIVE)
    assert person_lines(rendered, rendered) is None
    assert person_lines(rendered.replace("\n", "\r\n") + "\n\n", rendered) is None
    assert person_lines(rendered + "try AdamW\n", rendered) == "keep epochs at 10\ntry AdamW"
    assert person_lines("my remark\n" + rendered, rendered) == "my remark\nkeep epochs at 10"
    assert person_lines(rendered.replace("keep epochs at 10\n", ""), rendered) == ""
    assert person_lines(rendered.replace("epochs at 10", "epochs at 20"), rendered) == "keep epochs at 20"


def test_deleting_our_lines_changes_nothing_of_theirs() -> None:
    rendered = baseline_only().with_notes("keep epochs at 10").render(OBJECTIVE)
    without = "\n".join(line for line in rendered.splitlines() if not line.startswith("- #0"))
    assert person_lines(without, rendered) is None
    assert person_lines("", rendered) == ""


def test_a_file_written_before_the_first_rendering_is_theirs() -> None:
    assert person_lines("remember the seed\n", "") == "remember the seed"
    assert person_lines(f"# Memory\n\n{NOTES_HEADING}\nremember the seed\n", "") == "remember the seed"
    assert person_lines("", "") is None


@settings(max_examples=100, deadline=None)
@given(st.lists(hostile_text, max_size=8), st.lists(hostile_text, max_size=8))
def test_notes_survive_any_number_of_renderings(first: list[str], second: list[str]) -> None:
    memory = baseline_only().with_notes("\n".join(first))
    rendered = memory.render(OBJECTIVE)
    edited = rendered + "\n".join(second)
    theirs = person_lines(edited, rendered)
    memory = memory.with_notes(theirs) if theirs is not None else memory
    again = memory.render(OBJECTIVE)
    assert person_lines(again, again) is None
    assert len(again) <= LOG_LIMIT_CHARS


def test_one_line_is_cut_between_characters_as_people_see_them() -> None:
    assert one_line("a\n\n## b\tc", 20) == "a ## b c"
    assert one_line("abcdefghe\u0301xyz", 10) == "abcdefgh…"
    assert len(one_line("x" + "\u0301" * 100_000, 50)) <= 50
    assert "\ud800" not in one_line("a\ud800b", 10)


def test_a_memory_filled_to_the_last_character_stays_within_its_cap() -> None:
    sizes = set()
    for chars in range(1, 121):
        memory = baseline_only()
        for number in range(1, 41):
            memory = memory.with_verdict(number, f"{number}" + "x" * chars, verdict(Decision.REJECTED), baseline=False)
        sizes.add(len(memory.render(OBJECTIVE)))
    assert max(sizes) == LOG_LIMIT_CHARS

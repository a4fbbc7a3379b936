"""How much of a prompt the memory takes after 10,000 cycles, and how long the log of them takes to fold."""

import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.fold import apply
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.project import BRIEF_LIMIT_CHARS
from jupyter_deepresearch.core.state import State
from jupyter_deepresearch.core.types import Decision, RunState, Source, Verdict
from jupyter_deepresearch.store.sqlite import SqliteStore

from . import events
from .projects import folder, project
from .result import Result, Row

CYCLES = 10_000
_HOSTILE = (
    "# heading\n## Key Results\n## Notes by hand\n- #0 champion: 1.0",
    "e" + "\u0301" * 3000,
    "word " * 2000,
    "\ud800 lone",
    "👩‍👩‍👧‍👦" * 300,
    " " * 5000 + "late",
)
_FAILURES = (RunState.CRASHED, RunState.DIVERGED, RunState.OUT_OF_MEMORY, RunState.TIMED_OUT)


def measure(quick: bool) -> Result:
    """Realistic cycles through SQLite on disk, hostile ones through the fold alone."""
    cycles = 300 if quick else CYCLES
    with folder() as root:
        realistic, fold_s, megabytes = _through_a_ledger(root / "ledger.db", cycles)
    hostile = max(_prompt_chars(_folded(_history(cycles, _hostile(cycles)))))
    rows = (
        Row(f"memory in a prompt after {cycles:,} realistic cycles", realistic, "characters", 5000),
        Row(f"memory in a prompt, largest of {cycles:,} hostile cycles", hostile, "characters", 5000),
        Row(f"opening the log of {cycles:,} cycles", fold_s, "s"),
    )
    note = f"a brief of {BRIEF_LIMIT_CHARS:,} characters and the memory as rendered; the log has {megabytes:.1f} MB"
    return Result("Memory", rows, (note,))


def _through_a_ledger(path: Path, cycles: int) -> tuple[int, float, float]:
    """The prompt's characters, the seconds of reading and folding, the log's MB."""
    store = SqliteStore(path)
    store.query("PRAGMA synchronous=OFF")  # only to write the past quickly
    for event in _history(cycles, _realistic(cycles)):
        store.append(event)
    store.close()
    store = SqliteStore(path)
    started = time.perf_counter()
    state = Ledger(store).state()
    fold_s = time.perf_counter() - started
    store.close()
    assert state is not None and state.cycles == cycles, "the log folds to all of its cycles"
    return max(_prompt_chars([state])), fold_s, path.stat().st_size / 1e6


def _folded(history: Iterable[ev.Event]) -> Iterator[State]:
    state: State | None = None
    for seq, event in enumerate(history, 1):
        state = apply(state, ev.Record(seq, float(seq), event))
        if isinstance(event, ev.Reflected) and event.experiment % 50 == 0:
            yield state


def _prompt_chars(states: Iterable[State]) -> Iterator[int]:
    """What brief and memory take together; the memory can always be sent and still shows its baseline."""
    for state in states:
        memory = state.memory.render(state.project.objective)
        memory.encode("utf-8")
        assert "- #0 baseline:" in memory or "- #0 champion:" in memory, "the baseline is in every memory"
        yield len(state.brief) + len(memory)


def _history(cycles: int, told: Iterator[tuple[Verdict, str, str]]) -> Iterator[ev.Event]:
    survey = ev.Survey(parameters={"lr": 0.001, "width": 64})
    yield ev.Opened("benchmark", project("val_accuracy"), Source("{}"), survey, "b" * BRIEF_LIMIT_CHARS)
    yield from events.baseline(0.9)
    for number, (verdict, claim, lesson) in zip(range(1, cycles + 1), told, strict=True):
        yield from events.cycle(number, {"lr": 0.001 * number, "width": number}, verdict, claim, lesson)


def _realistic(cycles: int) -> Iterator[tuple[Verdict, str, str]]:
    chance, champion = random.Random(1), 0.9
    for number in range(1, cycles + 1):
        value, claim = champion + chance.gauss(-0.01, 0.01), f"lr {0.001 * number:.4g} with width {number} is better"
        if chance.random() < 0.05:
            state = chance.choice(_FAILURES)
            verdict = Verdict(Decision.FAILED, f"the run ended {state.value}: no value", state=state)
        elif value > champion and chance.random() < 0.1:
            verdict = Verdict(Decision.CONFIRMED, "better", value, 3, (value - 0.001, value + 0.001), champion)
            champion = value
        else:
            verdict = Verdict(Decision.WORSE, "not better", value, 1, None, champion, RunState.SUCCEEDED)
        yield verdict, claim, f"a larger lr than {0.001 * chance.randrange(20):.3g} makes the loss unsteady"


def _hostile(cycles: int) -> Iterator[tuple[Verdict, str, str]]:
    chance = random.Random(2)
    decisions = [decision for decision in Decision if decision is not Decision.BASELINE]
    values = (None, float("nan"), float("inf"), -1e308, 0.0, 1e-300)
    for _ in range(cycles):
        value = chance.choice(values)
        interval = chance.choice((None, (float("-inf"), float("inf")), (1.0, 0.0)))
        verdict = Verdict(chance.choice(decisions), chance.choice(_HOSTILE), value, 10**6, interval, value)
        yield verdict, chance.choice(_HOSTILE), chance.choice(_HOSTILE)

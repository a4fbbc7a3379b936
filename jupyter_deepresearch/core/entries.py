"""What the memory keeps of one experiment, how much that tells, and its line of text."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .notes import one_line, shortened
from .project import is_finite
from .types import Decision, RunState, Verdict

KEPT_ENTRIES = 32
WORDS_CHARS = 200

_CLAIM_CHARS = 160
_LEAST_CLAIM_CHARS = 60

_WEIGHTS = {
    Decision.BASELINE: 6.0,
    Decision.CONFIRMED: 6.0,
    Decision.RETRACTED: 5.0,
    Decision.PROMISING: 5.0,
    Decision.FAILED: 4.0,
    Decision.REJECTED: 3.0,
    Decision.WORSE: 2.0,
    Decision.INCONCLUSIVE: 1.0,
}


@dataclass(frozen=True)
class Entry:
    """One experiment as the memory keeps it. ``turn`` counts verdicts, ``reign`` champions (0: never was one)."""

    experiment: int
    decision: Decision
    turn: int
    claim: str = ""
    reason: str = ""
    lesson: str = ""
    value: float | None = None
    seeds: int = 0
    interval: tuple[float, float] | None = None
    state: RunState | None = None
    reign: int = 0
    is_old: bool = False

    @property
    def weight(self) -> float:
        """How much the entry tells, by what was decided and whether anybody said why."""
        words = 1.5 if self.lesson else 0.5 if self.reason else 0.0
        known = _WEIGHTS[self.decision] + words + (0.5 if self.seeds > 1 else 0.0)
        return known + (1.5 if self.reign else 0.0) - (4.0 if self.is_old else 0.0)

    @property
    def number(self) -> str:
        """The measured value with its uncertainty, for people."""
        if self.value is None:
            return "no value"
        seeds = f"({self.seeds} seed{'' if self.seeds == 1 else 's'})"
        half = (self.interval[1] - self.interval[0]) / 2 if self.interval else math.nan
        if not math.isfinite(half) or half < 0:
            return f"{self.value:.4g} {seeds}"
        places = max(1 - math.floor(math.log10(half)), 0) if half > 0 else 4
        if places > 6 or max(abs(self.value), half) >= 1e6:
            return f"{self.value:.6g} ±{half:.2g} {seeds}"
        return f"{self.value:.{places}f} ±{half:.{places}f} {seeds}"

    @property
    def ending(self) -> str:
        """The decision in words, with how the run ended where it did not succeed."""
        state = self.state.value.replace("_", " ") if self.state and self.state is not RunState.SUCCEEDED else ""
        return f"{self.decision.value}{f' ({state})' if state else ''}{' (old measure)' if self.is_old else ''}"

    @property
    def why(self) -> str:
        """The lesson, else the reason where the verdict needs one."""
        needs_reason = self.decision in (Decision.FAILED, Decision.REJECTED, Decision.INCONCLUSIVE, Decision.RETRACTED)
        return self.lesson or (self.reason if needs_reason else "")


def entry_of(experiment: int, claim: str, verdict: Verdict, turn: int, before: Entry | None) -> Entry:
    """A verdict as an entry; what was learnt from the experiment ``before`` stays with it."""
    is_measured = verdict.interval is not None and all(map(is_finite, verdict.interval))
    return Entry(
        experiment,
        verdict.decision,
        turn,
        claim=one_line(claim, _CLAIM_CHARS),
        reason=one_line(verdict.reason, WORDS_CHARS),
        lesson=before.lesson if before else "",
        value=verdict.value if is_finite(verdict.value) else None,
        seeds=verdict.seeds,
        interval=verdict.interval if is_measured else None,
        state=verdict.state,
        reign=before.reign if before else 0,
    )


def most_telling(entries: list[Entry], turns: int) -> tuple[Entry, ...]:
    """The entries that stay when there are more than ``KEPT_ENTRIES``."""
    return tuple(entries) if len(entries) <= KEPT_ENTRIES else tuple(ranked(entries, turns)[:KEPT_ENTRIES])


def ranked(entries: Iterable[Entry], turns: int) -> list[Entry]:
    """Most informative first. The latest verdict always counts; words said before by a newer entry count nothing."""
    scored, said = [], set[str]()
    for entry in sorted(entries, key=lambda e: -e.turn):
        words = entry.lesson or entry.claim + entry.why
        repeated = 3.0 if words in said else 0.0
        said.add(words)
        latest = 10.0 if entry.turn == turns else 0.0
        scored.append((entry.weight - repeated + latest, entry.turn, entry))
    return [entry for _, _, entry in sorted(scored, key=lambda r: r[:2], reverse=True)]


def line(entry: Entry, head: str, limit_chars: int) -> str:
    """A list item about an experiment: ``head``, its claim and why, both cut where ``limit_chars`` demands it."""
    start, claim = f"- #{entry.experiment} {head}: ", entry.claim or "(no claim)"
    why = f" → {entry.why}" if entry.why else ""
    claim = shortened(claim, max(limit_chars - len(start) - len(why), _LEAST_CLAIM_CHARS))
    return shortened(start + claim + why, limit_chars)


def result_line(entry: Entry, limit_chars: int) -> str:
    """An entry's line among the results."""
    return line(entry, f"{entry.ending}: {entry.number}", limit_chars)


def decision_line(entry: Entry, limit_chars: int) -> str:
    """An entry's line among the decisions."""
    return line(entry, f"{entry.ending}{'' if entry.value is None else f' {entry.value:.4g}'}", limit_chars)

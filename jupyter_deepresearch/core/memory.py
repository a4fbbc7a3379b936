"""Tier 2 of the memory: what a project has learnt, as a fold of constant size, rendered in at most 2,000 characters.

The full record stays in the ledger. Here the champion and the baseline are pinned, and of all else the least
informative entries go first: verdicts that repeat a lesson or measured nothing before those that moved the project.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .answers import Lesson
from .entries import WORDS_CHARS, Entry, decision_line, entry_of, line, most_telling, ranked, result_line
from .frozen import changed
from .notes import NOTES_HEADING, archive_line, one_line, person_lines, split_notes
from .project import Direction, Objective
from .types import Decision, Verdict

__all__ = ["LOG_LIMIT_CHARS", "Memory", "person_lines", "split_notes"]

LOG_LIMIT_CHARS = 2000
RESULTS_LIMIT_CHARS = 1200
DECISIONS_LIMIT = 15

_DECISIONS_RESERVE_CHARS = 400
_BREAKS_CHARS = 7  # three empty lines between the four parts, and the end of the last
_PINNED_CHARS = 260
_RESULT_CHARS = 210
_DECISION_CHARS = 150
_RESULTS_HEADING = "## Key Results"
_DECISIONS_HEADING = "## Recent Decisions"


@dataclass(frozen=True)
class Memory:
    """A project's memory after any number of events. Its size does not depend on how many there were.

    ``notes`` are the person's lines as kept, ``archived_chars`` how much more of them only the ledger holds.
    """

    baseline: Entry | None = None
    champion: Entry | None = None
    measured: tuple[Entry, ...] = ()
    unmeasured: tuple[Entry, ...] = ()
    notes: str = ""
    archived_chars: int = 0
    turns: int = 0
    reigns: int = 0

    def with_verdict(self, experiment: int, claim: str, verdict: Verdict, baseline: bool) -> "Memory":
        """A verdict, in place of any earlier one of the same experiment. CONFIRMED makes it the champion."""
        before = self._find(experiment)
        entry = entry_of(experiment, claim, verdict, self.turns + 1, before)
        memory = changed(self._without(experiment), turns=self.turns + 1)
        if baseline:
            memory = changed(memory, baseline=entry)
        if verdict.decision is Decision.CONFIRMED:
            return memory._crowned(entry)
        return memory._restored(experiment, self) if baseline else memory._filed((entry,))._restored(experiment, self)

    def with_rejection(self, experiment: int, claim: str, reason: str) -> "Memory":
        """A hypothesis that a person did not want to see run."""
        return self.with_verdict(experiment, claim, Verdict(Decision.REJECTED, reason), baseline=False)

    def with_lesson(self, experiment: int, lesson: Lesson) -> "Memory":
        """What an experiment taught; entries that it makes obsolete go first (never champion or baseline)."""
        gone = set(lesson.obsolete) - {experiment}
        text = one_line(lesson.text, WORDS_CHARS)

        def taught(entry: Entry | None) -> Entry | None:
            return changed(entry, lesson=text) if entry and entry.experiment == experiment else entry

        def kept(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            return tuple(e for entry in entries if (e := taught(entry)) and e.experiment not in gone)

        return changed(
            self,
            baseline=taught(self.baseline),
            champion=taught(self.champion),
            measured=kept(self.measured),
            unmeasured=kept(self.unmeasured),
        )

    def with_notes(self, text: str) -> "Memory":
        """The person's own lines as they now stand."""
        notes, rest = split_notes(text)
        return changed(self, notes=notes, archived_chars=len(rest))

    def forget_measure(self) -> "Memory":
        """A new measure: what was found is shown as old and nothing is pinned."""
        pinned = {e.experiment: e for e in (self.baseline, self.champion) if e}
        memory = changed(self, baseline=None, champion=None)._filed(pinned.values())
        return changed(
            memory,
            measured=tuple(changed(e, is_old=True) for e in memory.measured),
            unmeasured=tuple(changed(e, is_old=True) for e in memory.unmeasured),
        )

    def render(self, objective: Objective) -> str:
        """MEMORY_LOG.md, at most 2,000 characters: for people, and for a researcher's prompt."""
        title = f"# Memory: {objective.direction.value} {one_line(objective.metric, 80)}"
        if objective.target is not None:
            title += f" (target {objective.target:.6g})"
        notes = self._render_notes()
        room = LOG_LIMIT_CHARS - len(title) - len(notes) - _BREAKS_CHARS
        results, shown = self._render_results(objective, min(RESULTS_LIMIT_CHARS, room - _DECISIONS_RESERVE_CHARS))
        decisions = self._render_decisions(shown, room - len(results))
        return "\n\n".join(part for part in (title, results, decisions, notes) if part) + "\n"

    def _render_results(self, objective: Objective, room: int) -> tuple[str, frozenset[int]]:
        pins = [_RESULTS_HEADING, *self._pinned_lines(objective)]
        lines: list[tuple[Entry, str]] = []
        left = room - sum(len(pin) + 1 for pin in pins)
        for entry in ranked(self.measured, self.turns):
            text = result_line(entry, _RESULT_CHARS)
            if len(text) < left:
                lines.append((entry, text))
                left -= len(text) + 1
        sign = -1 if objective.direction is Direction.MAXIMIZE else 1
        lines.sort(key=lambda pair: (pair[0].is_old, sign * (pair[0].value or 0.0)))
        return "\n".join([*pins, *(text for _, text in lines)]), frozenset(e.experiment for e, _ in lines)

    def _pinned_lines(self, objective: Objective) -> list[str]:
        champion, baseline = self.champion, self.baseline
        lines = []
        if champion:
            gain = ""
            if baseline and baseline.value is not None and champion.value is not None:
                gain = f", {champion.value - baseline.value:+.3g} against the baseline"
            lines.append(line(champion, f"champion: {champion.number}{gain}", _PINNED_CHARS))
        elif baseline:
            lines.append("- no champion yet: nothing was confirmed to beat the baseline")
        if baseline and (champion is None or champion.experiment != baseline.experiment):
            state = "" if baseline.value is not None else f", {baseline.ending}"
            lines.append(line(baseline, f"baseline: {baseline.number}{state}", _PINNED_CHARS))
        return lines

    def _render_decisions(self, shown: frozenset[int], room: int) -> str:
        chosen: list[Entry] = []
        left = room - len(_DECISIONS_HEADING)
        for entry in ranked((*self.measured, *self.unmeasured), self.turns):
            size = len(decision_line(entry, _DECISION_CHARS)) + 1
            if entry.experiment not in shown and size <= left and len(chosen) < DECISIONS_LIMIT:
                chosen.append(entry)
                left -= size
        chosen.sort(key=lambda e: -e.turn)
        lines = [decision_line(entry, _DECISION_CHARS) for entry in chosen]
        return "\n".join([_DECISIONS_HEADING, *lines]) if lines else ""

    def _render_notes(self) -> str:
        archived = (archive_line(self.archived_chars),) if self.archived_chars else ()
        return "\n".join([NOTES_HEADING, *self.notes.splitlines(), *archived])

    def _find(self, experiment: int) -> Entry | None:
        entries = (self.champion, self.baseline, *self.measured, *self.unmeasured)
        return next((e for e in entries if e and e.experiment == experiment), None)

    def _without(self, experiment: int) -> "Memory":
        return changed(
            self,
            baseline=self.baseline if self.baseline and self.baseline.experiment != experiment else None,
            champion=self.champion if self.champion and self.champion.experiment != experiment else None,
            measured=tuple(e for e in self.measured if e.experiment != experiment),
            unmeasured=tuple(e for e in self.unmeasured if e.experiment != experiment),
        )

    def _crowned(self, entry: Entry) -> "Memory":
        former = (self.champion,) if self.champion and self.champion is not self.baseline else ()
        memory = changed(self, reigns=self.reigns + 1)._filed(former)
        return changed(memory, champion=changed(entry, reign=entry.reign or memory.reigns))

    def _restored(self, experiment: int, before: "Memory") -> "Memory":
        """The champion before a retracted one reigns again."""
        if before.champion is None or before.champion.experiment != experiment:
            return self
        heirs = [e for e in self.measured if e.decision is Decision.CONFIRMED and not e.is_old]
        heir = max(heirs, key=lambda e: e.reign, default=None)
        return self if heir is None else changed(self._without(heir.experiment), champion=heir)

    def _filed(self, entries: Iterable[Entry]) -> "Memory":
        measured, unmeasured = list(self.measured), list(self.unmeasured)
        for entry in entries:
            (unmeasured if entry.value is None else measured).append(entry)
        return changed(
            self, measured=most_telling(measured, self.turns), unmeasured=most_telling(unmeasured, self.turns)
        )

"""What a log tells of the past: SQL over its events, and nothing else."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.answers import Lesson, Recalled, Trial
from ..core.events import (
    KINDS,
    Answered,
    EditHypothesis,
    Ended,
    Judged,
    Opened,
    Planned,
    Proposed,
    Reflected,
    Repaired,
    Sourced,
    Try,
)
from ..core.types import Decision, Experiment, Outcome, Parameters, Run, Source, Value, Verdict
from ..errors import NotFound
from .billing import ANSWER
from .codec import decode
from .words import RECALL, excerpt, query


class SqlHistory(ABC):
    """A History by SQL, wherever ``query`` asks it."""

    @abstractmethod
    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a read-only question to the log and its views. Raises StorageFailed."""

    def experiment(self, number: int) -> Experiment:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT kind, body FROM events WHERE experiment = ? AND kind IN ('proposed','try','edit','repaired')"
            " ORDER BY seq DESC LIMIT 1",
            number,
        )
        for kind, body in rows:
            event = decode(KINDS[kind], body)
            assert isinstance(event, Proposed | Try | EditHypothesis | Repaired)
            return event.experiment
        raise NotFound(f"there is no experiment {number}")

    def source(self, measure: int) -> Source:
        """See ``core.ports.History``. The latest source of the measure, as children are built from it."""
        rows = self.query("SELECT kind, body FROM events WHERE kind IN ('opened','sourced') ORDER BY seq")
        found, at = None, 1
        for kind, body in rows:
            event = decode(KINDS[kind], body)
            assert isinstance(event, Opened | Sourced)
            at += isinstance(event, Sourced) and event.new_measure
            found = event.source if at == measure else found
        if found is None:
            raise NotFound(f"there is no measure {measure}")
        return found

    def trials(self, measure: int, after: int) -> Iterator[Trial]:
        """See ``core.ports.History``."""
        base = self._parameters(measure)
        rows = self.query(
            "SELECT experiment, settings, decision, value, claim, code, sense FROM trials"
            " WHERE measure = ? AND experiment > ? ORDER BY experiment",
            measure,
            after,
        )
        for number, settings, decision, value, claim, code, sense in rows:
            yield Trial(number, {**base, **json.loads(settings)}, Decision(decision), value, claim, code, sense)

    def _parameters(self, measure: int) -> Parameters:
        """The notebook's own values under a measure."""
        at, found = 0, dict[str, Value]()
        for new, parameters in self.query(
            "SELECT coalesce(json_extract(body,'$.new_measure'), 1), json_extract(body,'$.survey.parameters')"
            " FROM events WHERE kind IN ('opened','sourced') ORDER BY seq"
        ):
            at += bool(new)
            found = json.loads(parameters) if at == measure else found
        return found

    def values(self, experiment: int) -> Mapping[int, float]:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT seed, value FROM runs WHERE experiment = ? AND value IS NOT NULL ORDER BY seq", experiment
        )
        return dict(rows)

    def reproduced(self, experiment: int) -> Mapping[int, int]:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT seed, max(attempt) FROM runs WHERE experiment = ? AND purpose = 'reproduce' GROUP BY seed",
            experiment,
        )
        return dict(rows)

    def has_run(self, run: str) -> bool:
        """See ``core.ports.History``."""
        return bool(self.query("SELECT 1 FROM events WHERE run = ? AND kind = 'planned' LIMIT 1", run))

    def answer(self, key: str) -> str | None:
        """See ``core.ports.History``."""
        rows = self.query(ANSWER, key)
        return next((decode(Answered, str(body)).answer for (body,) in rows), None)

    def verdict(self, experiment: int) -> Verdict | None:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT body FROM events WHERE experiment = ? AND kind = 'judged' ORDER BY seq DESC LIMIT 1", experiment
        )
        return next((decode(Judged, str(body)).verdict for (body,) in rows), None)

    def lesson(self, experiment: int) -> Lesson | None:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT body FROM events WHERE experiment = ? AND kind = 'reflected' ORDER BY seq DESC LIMIT 1", experiment
        )
        return next((decode(Reflected, str(body)).lesson for (body,) in rows), None)

    def recall(self, words: str, limit: int) -> tuple[Recalled, ...]:
        """See ``core.ports.History``. The words are OR-ed; any text is safe, one without a word finds nothing."""
        question = query(words)
        if question is None or limit < 1:
            return ()
        return tuple(
            Recalled(number, claim, decision and Decision(decision), value, excerpt(snippet))
            for number, claim, decision, value, snippet in self.query(RECALL, question, limit)
        )

    def last_run(self, experiment: int) -> tuple[Run, Outcome] | None:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT p.body, e.body FROM events p JOIN events e ON e.run = p.run AND e.kind = 'ended'"
            " WHERE p.kind = 'planned' AND p.experiment = ?"
            " ORDER BY json_extract(p.body,'$.run.purpose') = 'dry_run', json_extract(p.body,'$.run.seed_index'),"
            " p.seq DESC",
            experiment,
        )
        for planned, ended in rows:
            return decode(Planned, str(planned)).run, decode(Ended, str(ended)).outcome
        return None

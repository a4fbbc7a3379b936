"""The ledger's tables and views, as migrations: entry n takes schema n to n + 1. Never change one that was released.

The views write ``+kind`` to keep SQLite from the index of kinds: by that of experiments a page of a long history costs
what the page holds.
"""

import sqlite3
from collections.abc import Iterator

from .billing import BILL, EXPERIMENT_USD
from .words import WORDS


def statements(script: str) -> Iterator[str]:
    """The statements of a script, whole triggers among them."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement.strip()
            statement = ""


_FIRST = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    experiment INTEGER,
    run TEXT,
    command_id TEXT UNIQUE
);
CREATE INDEX events_experiment ON events (experiment, kind, seq) WHERE experiment IS NOT NULL;
CREATE INDEX events_run ON events (run, kind, seq) WHERE run IS NOT NULL;
CREATE INDEX events_kind ON events (kind, seq);
CREATE TABLE lease (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, owner TEXT);

CREATE VIEW runs AS
SELECT
    p.seq AS seq,
    p.run AS run,
    p.experiment AS experiment,
    json_extract(p.body, '$.run.purpose') AS purpose,
    json_extract(p.body, '$.run.seed_index') AS seed,
    json_extract(p.body, '$.run.attempt') AS attempt,
    coalesce(json_extract(e.body, '$.outcome.state'), 'running') AS state,
    json_extract(e.body, '$.outcome.value') AS value,
    json_extract(e.body, '$.outcome.elapsed_s') AS elapsed_s,
    json_extract(e.body, '$.outcome.gpu_s') AS gpu_s,
    json_extract(e.body, '$.outcome.peak_memory_bytes') AS peak_memory_bytes,
    json_extract(e.body, '$.outcome.error.message') AS error
FROM events p LEFT JOIN events e ON e.run = p.run AND e.kind = 'ended'
WHERE p.kind = 'planned';

CREATE VIEW experiments AS
SELECT
    f.experiment AS experiment,
    json_extract(d.body, '$.experiment.cycle') AS cycle,
    json_extract(d.body, '$.experiment.parent') AS parent,
    json_extract(d.body, '$.experiment.measure') AS measure,
    json_extract(d.body, '$.experiment.hypothesis.claim') AS claim,
    json_extract(d.body, '$.experiment.hypothesis.kind') AS kind,
    json_extract(d.body, '$.experiment.hypothesis.parameters') AS parameters,
    json_extract(d.body, '$.experiment.hypothesis.edits') AS edits,
    json_extract(d.body, '$.experiment.settings') AS settings,
    coalesce(json_extract(j.body, '$.verdict.state'), CASE WHEN r.seq IS NOT NULL THEN 'cancelled' END,
        (SELECT CASE WHEN count(*) > 0 THEN 'running' ELSE 'pending' END FROM events p
         WHERE p.experiment = f.experiment AND p.kind = 'planned' AND NOT EXISTS (
             SELECT 1 FROM events x WHERE x.run = p.run AND x.kind = 'ended'))) AS state,
    CASE WHEN r.seq IS NOT NULL THEN 'rejected' ELSE json_extract(j.body, '$.verdict.decision') END AS decision,
    coalesce(json_extract(j.body, '$.verdict.reason'), json_extract(r.body, '$.reason')) AS reason,
    json_extract(j.body, '$.verdict.value') AS value,
    json_extract(j.body, '$.verdict.interval') AS interval,
    coalesce(json_extract(j.body, '$.verdict.seeds'), 0) AS seeds,
    (SELECT sum(json_extract(e.body, '$.outcome.elapsed_s')) FROM events p
     JOIN events e ON e.run = p.run AND e.kind = 'ended'
     WHERE p.experiment = f.experiment AND p.kind = 'planned') AS elapsed_s,
    (SELECT coalesce(sum(json_extract(a.body, '$.usage.usd')), 0.0) FROM events a
     WHERE a.experiment = f.experiment AND a.kind = 'answered') AS usd,
    (SELECT json_extract(n.body, '$.notebook') FROM events n WHERE n.experiment = f.experiment AND n.kind = 'judged'
     AND json_extract(n.body, '$.notebook') IS NOT NULL ORDER BY n.seq LIMIT 1) AS notebook
FROM events f
JOIN events d ON d.seq = (SELECT max(seq) FROM events WHERE experiment = f.experiment
                          AND kind IN ('proposed', 'try', 'edit', 'repaired'))
LEFT JOIN events j ON j.seq = (SELECT max(seq) FROM events WHERE experiment = f.experiment AND kind = 'judged')
LEFT JOIN events r ON r.seq = (SELECT max(seq) FROM events WHERE experiment = f.experiment AND kind = 'reject')
WHERE +f.kind IN ('proposed', 'try') AND f.experiment IS NOT NULL;

CREATE VIEW trials AS
SELECT
    f.experiment AS experiment,
    json_extract(f.body, '$.experiment.measure') AS measure,
    json_extract(d.body, '$.experiment.settings') AS settings,
    json_extract(d.body, '$.experiment.hypothesis.claim') AS claim,
    CASE WHEN r.seq IS NULL THEN json_extract(j.body, '$.verdict.decision') ELSE 'rejected' END AS decision,
    json_extract(j.body, '$.verdict.value') AS value
FROM events f
JOIN events d ON d.seq = (SELECT max(seq) FROM events WHERE experiment = f.experiment
                          AND kind IN ('proposed', 'try', 'edit', 'repaired'))
LEFT JOIN events j ON j.seq = (SELECT max(seq) FROM events WHERE experiment = f.experiment AND kind = 'judged')
LEFT JOIN events r ON r.seq = (SELECT max(seq) FROM events WHERE experiment = f.experiment AND kind = 'reject')
WHERE +f.kind IN ('proposed', 'try') AND f.experiment IS NOT NULL AND (j.seq IS NOT NULL OR r.seq IS NOT NULL);

CREATE VIEW usage AS
SELECT
    at,
    json_extract(body, '$.usage.phase') AS phase,
    json_extract(body, '$.usage.model') AS model,
    json_extract(body, '$.usage.calls') AS calls,
    json_extract(body, '$.usage.tokens_in') AS tokens_in,
    json_extract(body, '$.usage.tokens_out') AS tokens_out,
    json_extract(body, '$.usage.tokens_cached') AS tokens_cached,
    json_extract(body, '$.usage.usd') AS usd
FROM events WHERE kind = 'answered';
"""

_EDITS = "json_extract(d.body, '$.experiment.hypothesis.edits') AS edits"
_BY_HAND = "json_extract(d.body, '$.experiment.by_hand') AS by_hand"
_CODE = "coalesce(json_extract(d.body, '$.experiment.code'), '') AS code"
_CYCLE = "json_extract(d.body, '$.experiment.cycle')"
_APPROVED = (
    "SELECT max(json_extract(a.body, '$.cycle')) FROM events a WHERE a.experiment = f.experiment AND a.kind = 'approve'"
)
_IS_OPEN = "ELSE 'pending' END FROM events p"
_IS_LEFT_BEHIND = (
    "WHEN json_extract(d.body, '$.experiment.measure') <= (SELECT count(*) FROM events s WHERE s.kind = 'sourced'"
    " AND json_extract(s.body, '$.new_measure')) THEN 'cancelled'"
)
_IS_REJECTED = "OR r.seq IS NOT NULL)"
_BY_PERSON = "coalesce(json_extract(r.body, '$.by'), 'person') = 'person'"


def _anew(script: str, name: str, *changes: tuple[str, str]) -> str:
    """A view of an earlier script made anew, with these pieces of it changed."""
    made = next(part for part in statements(script) if f"CREATE VIEW {name} AS" in part).rstrip(";")
    for before, after in changes:
        assert made.count(before) == 1, before
        made = made.replace(before, after)
    return f"DROP VIEW {name};{made};"


_SECOND = _anew(
    _FIRST,
    "experiments",
    (f"{_CYCLE} AS cycle", f"coalesce({_CYCLE}, ({_APPROVED})) AS cycle"),
    (_EDITS, f"{_EDITS}, {_BY_HAND}, {_CODE}"),
    (_IS_OPEN, f"{_IS_LEFT_BEHIND} {_IS_OPEN}"),  # a new measure leaves behind what had not begun
) + _anew(
    _FIRST,
    "trials",
    ("FROM events f", f", {_EDITS}, {_BY_HAND}, {_CODE} FROM events f"),
    (_IS_REJECTED, f"OR (r.seq IS NOT NULL AND {_BY_PERSON}))"),
)

_USD = """(SELECT coalesce(sum(json_extract(a.body, '$.usage.usd')), 0.0) FROM events a
     WHERE a.experiment = f.experiment AND a.kind = 'answered') AS usd"""
_SENSE = "coalesce(json_extract(d.body, '$.experiment.sense'), json_extract(d.body, '$.experiment.code'), '') AS sense"

_THIRD = (
    BILL
    + _anew(_SECOND, "experiments", (_USD, EXPERIMENT_USD))
    + _anew(_SECOND, "trials", (_CODE, f"{_CODE}, {_SENSE}"))
    + WORDS
)

_SEEDS = "coalesce(json_extract(j.body, '$.verdict.seeds'), 0) AS seeds"
_BEFORE = "json_extract(j.body, '$.verdict.champion_before') AS champion_before"

_FOURTH = _anew(_THIRD, "experiments", (_SEEDS, f"{_SEEDS}, {_BEFORE}"))

MIGRATIONS = tuple(tuple(statements(script)) for script in (_FIRST, _SECOND, _THIRD, _FOURTH))

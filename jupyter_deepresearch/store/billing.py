"""What calls to language models have cost, as rows: each answer in the log gets one, in the transaction that writes it.

A sum over years of research then reads no answer, and an answer is found by its key without a scan.
"""

_COLUMNS = "seq, at, key, experiment, phase, model, calls, tokens_in, tokens_out, tokens_cached, usd, latency_s"


def _row(answered: str, experiment: str) -> str:
    """The values of ``_COLUMNS`` for the event ``answered``."""

    def usage(name: str, default: str | None = None) -> str:
        found = f"json_extract({answered}.body, '$.usage.{name}')"
        return found if default is None else f"coalesce({found}, {default})"

    counts = (usage("calls", "1"), usage("tokens_in", "0"), usage("tokens_out", "0"), usage("tokens_cached", "0"))
    key = f"json_extract({answered}.body, '$.key')"
    about = (usage("phase"), usage("model"), *counts, usage("usd"), usage("latency_s"))
    return ", ".join((f"{answered}.seq", f"{answered}.at", key, experiment, *about))


_NAMED = """
SELECT j.value AS key, min(p.experiment) AS experiment
FROM events p, json_each(p.body, '$.answers') j
WHERE p.kind = 'proposed' GROUP BY j.value
"""

BILL = f"""
CREATE TABLE bill (
    seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    key TEXT NOT NULL,
    experiment INTEGER,
    phase TEXT,
    model TEXT,
    calls INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    tokens_cached INTEGER NOT NULL,
    usd REAL,
    latency_s REAL
);
CREATE INDEX bill_key ON bill (key);
CREATE INDEX bill_experiment ON bill (experiment, usd) WHERE experiment IS NOT NULL;
CREATE INDEX bill_phase ON bill (phase, experiment, usd);
INSERT INTO bill ({_COLUMNS})
SELECT {_row("a", "coalesce(a.experiment, n.experiment)")}
FROM events a LEFT JOIN ({_NAMED}) n ON n.key = json_extract(a.body, '$.key')
WHERE a.kind = 'answered' ORDER BY a.seq;
CREATE TRIGGER answered_is_billed AFTER INSERT ON events WHEN NEW.kind = 'answered'
BEGIN
    INSERT INTO bill ({_COLUMNS}) VALUES ({_row("NEW", "NEW.experiment")});
END;
CREATE TRIGGER proposed_is_billed AFTER INSERT ON events WHEN NEW.kind = 'proposed'
BEGIN
    UPDATE bill SET experiment = NEW.experiment
    WHERE experiment IS NULL AND key IN (SELECT value FROM json_each(NEW.body, '$.answers'));
END;
DROP VIEW usage;
CREATE VIEW usage AS SELECT {_COLUMNS} FROM bill;
"""
"""Part of the third migration. An answer without an experiment belongs to the one whose proposal names its key.

``usd`` and ``latency_s`` are NULL where they are not known.
"""

EXPERIMENT_USD = (
    "(SELECT CASE WHEN count(*) = 0 THEN 0.0 ELSE sum(b.usd) END FROM bill b WHERE b.experiment = f.experiment) AS usd"
)
"""Of the view of experiments: all that was paid for one. NULL where answers were paid for, none of a known price."""

ANSWER = "SELECT e.body FROM bill b JOIN events e ON e.seq = b.seq WHERE b.key = ? ORDER BY b.seq LIMIT 1"
"""The event that holds the answer under a key."""

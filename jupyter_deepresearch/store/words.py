"""Experiments found by words: SQLite's full-text index over what the log says of each, kept as the log grows."""

import re
import unicodedata

WORDS_LIMIT = 40
WORD_CHARS = 60
EXCERPT_CHARS = 300
_EDITS_CHARS = 6000

_HYPOTHESIS = "$.experiment.hypothesis"
_EDIT = (
    "coalesce(json_extract(j.value, '$.cell'), json_extract(j.value, '$.file'), '') || ': '"
    " || substr(json_extract(j.value, '$.search'), 1, 200) || ' -> '"
    " || substr(json_extract(j.value, '$.replace'), 1, 400)"
)
_PLACES = f"(SELECT substr(group_concat({_EDIT}, ' ; '), 1, {_EDITS_CHARS}) FROM json_each(d.body, '%s') j)"
_CHANGE = (
    f"json_extract(d.body, '{_HYPOTHESIS}.change')",
    f"(SELECT group_concat(j.key || ' = ' || coalesce(j.atom, 'None'), ', ')"
    f" FROM json_each(d.body, '{_HYPOTHESIS}.parameters') j)",
    f"(SELECT 'sweep: ' || group_concat(json_extract(j.value, '$.name'), ', ')"
    f" FROM json_each(d.body, '{_HYPOTHESIS}.sweep.space') j)",
    _PLACES % f"{_HYPOTHESIS}.edits",
    _PLACES % "$.experiment.by_hand",
    f"json_extract(d.body, '{_HYPOTHESIS}.kind')",
)
_WHY = (f"json_extract(d.body, '{_HYPOTHESIS}.rationale')", f"json_extract(d.body, '{_HYPOTHESIS}.expected')")
_SAID_OF_IT = (
    "json_extract(j.body, '$.verdict.reason')",
    "json_extract(j.body, '$.verdict.decision')",
    "json_extract(j.body, '$.verdict.state')",
    "CASE WHEN r.seq IS NOT NULL THEN 'rejected ' || json_extract(r.body, '$.reason') END",
)


def _joined(parts: tuple[str, ...]) -> str:
    """SQL for those of the parts that are not empty, each ended by a full stop."""
    return " || ".join(f"coalesce(nullif({part}, '') || ' . ', '')" for part in parts)


def _latest(kinds: str) -> str:
    return f"(SELECT max(seq) FROM events WHERE experiment = f.experiment AND kind IN ({kinds}))"


_TELLS = "('proposed', 'try', 'edit', 'repaired', 'judged', 'reflected', 'reject')"

WORDS = f"""
CREATE VIEW said AS
SELECT
    f.experiment AS experiment,
    json_extract(d.body, '{_HYPOTHESIS}.claim') AS claim,
    {_joined(_WHY)} AS why,
    {_joined(_CHANGE)} AS change,
    {_joined(_SAID_OF_IT)} AS verdict,
    coalesce(json_extract(l.body, '$.lesson.text'), '') AS lesson
FROM events f
JOIN events d ON d.seq = {_latest("'proposed', 'try', 'edit', 'repaired'")}
LEFT JOIN events j ON j.seq = {_latest("'judged'")}
LEFT JOIN events r ON r.seq = {_latest("'reject'")}
LEFT JOIN events l ON l.seq = {_latest("'reflected'")}
WHERE +f.kind IN ('proposed', 'try') AND f.experiment IS NOT NULL;
CREATE VIRTUAL TABLE words USING fts5 (
    claim, why, change, verdict, lesson, tokenize = 'porter unicode61 remove_diacritics 2'
);
INSERT INTO words (rowid, claim, why, change, verdict, lesson) SELECT * FROM said;
CREATE TRIGGER said_is_found AFTER INSERT ON events WHEN NEW.experiment IS NOT NULL AND NEW.kind IN {_TELLS}
BEGIN
    DELETE FROM words WHERE rowid = NEW.experiment;
    INSERT INTO words (rowid, claim, why, change, verdict, lesson) SELECT * FROM said WHERE experiment = NEW.experiment;
END;
"""
"""Part of the third migration: the view ``said`` is all that counts, ``words`` its index."""

RECALL = """
SELECT e.experiment, e.claim, e.decision, e.value, w.excerpt
FROM (
    SELECT rowid AS experiment, rank AS score, snippet(words, -1, '', '', '…', 24) AS excerpt FROM words
    WHERE words MATCH ? AND rank MATCH 'bm25(3.0, 1.0, 2.0, 1.0, 2.0)' ORDER BY rank LIMIT ?
) w JOIN experiments e ON e.experiment = w.experiment
ORDER BY w.score, w.experiment
"""
"""The best fits for a ``query`` and a limit, each as it stands now."""


def query(text: str) -> str | None:
    """Any text as a question to the index: one of its first words is enough. None for a text without a word.

    ``learning_rate``, ``0.001`` and ``src/lr-plan.py`` are found whole, as far as no blank or slash parts them.
    """
    found = re.findall(r"\w+(?:[-.]\w+)*", unicodedata.normalize("NFC", text).casefold())
    words = tuple(dict.fromkeys(word[:WORD_CHARS] for word in found))[:WORDS_LIMIT]
    return " OR ".join(f'"{word}"' for word in words) or None


def excerpt(snippet: str) -> str:
    """What the index shows of a row, on one line."""
    line = " ".join(snippet.split())
    return line if len(line) <= EXCERPT_CHARS else f"{line[: EXCERPT_CHARS - 1]}…"

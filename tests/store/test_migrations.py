"""A ledger of an earlier version is brought up to date as it is opened, and nothing in it is lost."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Usage
from jupyter_deepresearch.core.types import Experiment, Hypothesis, HypothesisKind, Source
from jupyter_deepresearch.errors import StorageFailed
from jupyter_deepresearch.store import sqlite as store_module
from jupyter_deepresearch.store.billing import ANSWER
from jupyter_deepresearch.store.schema import MIGRATIONS, statements
from jupyter_deepresearch.store.sqlite import SqliteStore
from tests.long_log import PROJECT, long_log

CODE = Experiment(1, Hypothesis("Wider layers", HypothesisKind.CODE), 0, 1, code="c0de", sense="5e05e")
PAID = Usage("plan", "m", 100, 10, 50, 0.25, latency_s=1.5)


def written_under(schema: int, path: Path, *events: ev.Event) -> None:
    """A ledger as the version with this schema wrote it."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(store_module, "MIGRATIONS", MIGRATIONS[:schema])
        with closing(SqliteStore(path)) as store:
            for event in events:
                store.append(event)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema,)


def told(store: SqliteStore) -> list[list[tuple[object, ...]]]:
    """All that is derived from the log."""
    tables = ("experiments", "trials", "runs", "usage", "bill", "said")
    found = [store.query(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    return [*found, store.query("SELECT rowid, * FROM words ORDER BY rowid")]


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_an_older_ledger_tells_what_a_new_one_does(tmp_path: Path, schema: int) -> None:
    proposed = ev.Proposed(replace(CODE, number=99), answers=("free", "think-3"))
    log = (*long_log(20), ev.Answered("free", PAID, "an answer"), proposed, ev.Reflected(99, Lesson("wide is slow")))
    written_under(schema, tmp_path / "old.db", *log)
    with closing(SqliteStore(tmp_path / "old.db")) as old, closing(SqliteStore(tmp_path / "new.db")) as new:
        records = [record.event for record in old.records()]
        assert len(records) == len(log)
        for event in log:
            new.append(event)
        with closing(sqlite3.connect(tmp_path / "new.db")) as db, db:
            db.execute("ATTACH ? AS old", (str(tmp_path / "old.db"),))
            for table in ("events", "bill"):
                db.execute(f"UPDATE {table} SET at = (SELECT o.at FROM old.{table} o WHERE o.seq = {table}.seq)")
        assert told(old) == told(new)
        assert [found.experiment for found in old.recall("slow", 3)] == [99]
        assert old.answer("think-7") == "an answer " * 20 and old.answer("free") == "an answer"
        assert old.query("SELECT usd FROM experiments WHERE experiment IN (3, 99)") == [(0.01,), (0.25,)]
        old.append(ev.Reflected(99, Lesson("narrow is quick")))  # and goes on
        assert [found.experiment for found in old.recall("quick", 3)] == [99]


def test_the_sense_of_an_old_experiment_is_its_code(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    opened = ev.Opened("p", PROJECT, Source("{}"), ev.Survey())
    first, own = CODE, replace(CODE, number=2, code="0dd", sense="")
    written_under(2, path, opened, *(e for made in (first, own) for e in (ev.Proposed(made), ev.Reject(made.number))))
    with closing(sqlite3.connect(path)) as db, db:  # what the version of that schema did not know
        db.execute("UPDATE events SET body = json_remove(body, '$.experiment.sense') WHERE experiment = 1")
    with closing(SqliteStore(path)) as store:
        assert [(t.experiment, t.code, t.sense) for t in store.trials(1, 0)] == [(1, "c0de", "c0de"), (2, "0dd", "")]


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    written_under(2, path, *long_log(3))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE words (in_the_way)")
    with pytest.raises(StorageFailed, match="already exists") as refused:
        SqliteStore(path)
    assert "\n" not in str(refused.value)
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'bill'").fetchone() == (0,)
        db.execute("DROP TABLE words")
    with closing(SqliteStore(path)) as store:
        assert store.answer("think-2") is not None


def test_without_full_text_search_one_line_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(SqliteStore(path)) as store:
        store.append(ev.Pause())
    with closing(sqlite3.connect(path)) as db, db:  # a SQLite that has no such module takes it like this
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'USING fts5', 'USING fts99') WHERE name = 'words'")
    with closing(SqliteStore(path)) as store:
        assert len(list(store.records())) == 1, "what needs no search still works"
        with pytest.raises(StorageFailed, match="without full-text search") as refused:
            store.append(ev.Proposed(CODE))
        assert "FTS5" in str(refused.value) and "\n" not in str(refused.value)
        assert len(list(store.records())) == 1


def test_a_script_is_parted_into_its_statements_triggers_whole() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); DELETE FROM c; END;"
    assert list(statements(f"CREATE TABLE a (x);\n{trigger}\nINSERT INTO a VALUES (';');;\n")) == [
        "CREATE TABLE a (x);",
        trigger,
        "INSERT INTO a VALUES (';');",
    ]


def test_an_answer_is_found_by_its_index(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "ledger.db")) as store:
        plan = [row[3] for row in store.query(f"EXPLAIN QUERY PLAN {ANSWER}", "think-1")]
    assert any("INDEX bill_key" in step for step in plan) and not any("SCAN" in step for step in plan)

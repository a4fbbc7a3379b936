"""The log in SQLite: append-only, fenced, one lease. What it tells of the past is SQL over the log and nothing else."""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from .codec import decode, encode, places
from .core.events import (
    KINDS,
    Answered,
    EditHypothesis,
    Ended,
    Event,
    Judged,
    Opened,
    Planned,
    Proposed,
    Record,
    Repaired,
    Sourced,
    Try,
    kind_of,
)
from .core.ports import Owner
from .core.types import Decision, Experiment, Outcome, Run, Source, Trial, Verdict
from .errors import Fenced, LeaseHeld, NotFound, StorageFailed
from .processes import is_alive
from .schema import MIGRATIONS

_NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "9p", "fuse.sshfs")


class SqliteStore:
    """The ledger of one project, a Store and a History. One object may be used from several threads.

    Raises StorageFailed, in one line, for whatever SQLite cannot do: a full disk, a read-only folder, a torn file.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        with self._guarded():
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute(f"PRAGMA journal_mode={'DELETE' if _is_on_network(path) else 'WAL'}")
            self._db.execute("PRAGMA synchronous=FULL")
            self._migrate()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StorageFailed(
                f"{self.path} was written by a newer version (schema {version}); this one reads up to {len(MIGRATIONS)}"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;")

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise StorageFailed(f"the ledger {self.path} cannot be used: {error}") from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guarded():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # Store

    def append(
        self, event: Event | Callable[[], Event], *, epoch: int | None = None, command_id: str | None = None
    ) -> Record:
        """See ``core.ports.Store``."""
        with self._transaction():
            if epoch is not None and self._epoch() != epoch:
                raise Fenced(f"the lease of {self.path} has moved on: this process must stop")
            if command_id is not None:
                rows = self._db.execute("SELECT seq, at, kind, body FROM events WHERE command_id = ?", (command_id,))
                for row in rows:
                    return _record(row)
            event = event() if callable(event) else event
            seq = self._db.execute("SELECT coalesce(max(seq), 0) + 1 FROM events").fetchone()[0]
            record = Record(seq, self._clock(), event)
            experiment, run = places(event)
            self._db.execute(
                "INSERT INTO events (seq, at, kind, version, body, experiment, run, command_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, record.at, kind_of(event), 1, encode(event), experiment, run, command_id),
            )
            return record

    def records(self, after: int = 0) -> Iterator[Record]:
        """See ``core.ports.Store``. Read in pages, so that a reader holds no lock between them."""
        while True:
            with self._guarded():
                rows = self._db.execute(
                    "SELECT seq, at, kind, body FROM events WHERE seq > ? ORDER BY seq LIMIT 500", (after,)
                ).fetchall()
            for row in rows:
                yield _record(row)
            if len(rows) < 500:
                return
            after = rows[-1][0]

    def acquire(self, owner: Owner) -> int:
        """See ``core.ports.Store``. A holder here counts as dead once its process is; one elsewhere never."""
        with self._transaction():
            row = self._db.execute("SELECT epoch, owner FROM lease").fetchone()
            epoch, holder = (row[0], Owner(**json.loads(row[1])) if row[1] else None) if row else (0, None)
            if holder is not None and _is_held(holder, owner):
                raise LeaseHeld(
                    f"{self.path.parent.parent} is being researched by {holder.name}, pid {holder.pid} on {holder.host}"
                )
            self._db.execute("INSERT OR REPLACE INTO lease VALUES (1, ?, ?)", (epoch + 1, json.dumps(asdict(owner))))
            return epoch + 1

    def release(self, epoch: int) -> None:
        """See ``core.ports.Store``."""
        with self._transaction():
            self._db.execute("UPDATE lease SET owner = NULL WHERE epoch = ?", (epoch,))

    def holder(self) -> Owner | None:
        """Who holds the lease now, None when nobody does or its process has died."""
        with self._guarded():
            row = self._db.execute("SELECT owner FROM lease").fetchone()
        owner = Owner(**json.loads(row[0])) if row and row[0] else None
        return owner if owner is not None and _is_held(owner, owner) else None

    def _epoch(self) -> int:
        row = self._db.execute("SELECT epoch FROM lease WHERE owner IS NOT NULL").fetchone()
        return int(row[0]) if row else 0

    # History

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
            "SELECT experiment, settings, decision, value, claim FROM trials WHERE measure = ? AND experiment > ?"
            " ORDER BY experiment",
            measure,
            after,
        )
        for number, settings, decision, value, claim in rows:
            yield Trial(number, {**base, **json.loads(settings)}, Decision(decision), value, claim)

    def _parameters(self, measure: int) -> Mapping[str, bool | int | float | str | None]:
        """The notebook's own values under a measure."""
        at, found = 0, dict[str, bool | int | float | str | None]()
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
        rows = self.query(
            "SELECT body FROM events WHERE kind = 'answered' AND json_extract(body, '$.key') = ? LIMIT 1", key
        )
        return next((decode(Answered, str(body)).answer for (body,) in rows), None)

    def verdict(self, experiment: int) -> Verdict | None:
        """See ``core.ports.History``."""
        rows = self.query(
            "SELECT body FROM events WHERE experiment = ? AND kind = 'judged' ORDER BY seq DESC LIMIT 1", experiment
        )
        return next((decode(Judged, str(body)).verdict for (body,) in rows), None)

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

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a read-only question to the log and its views."""
        with self._guarded():
            return self._db.execute(sql, values).fetchall()


def _record(row: tuple[int, float, str, str]) -> Record:
    return Record(row[0], row[1], decode(KINDS[row[2]], row[3]))


def _is_held(holder: Owner, wanting: Owner) -> bool:
    if holder.host != wanting.host:
        return True
    return is_alive(holder.pid, holder.start_time, holder.boot_id)


def _is_on_network(path: Path) -> bool:
    """Whether the file lies on a network file system, where SQLite's shared memory does not work."""
    resolved = str(path.resolve())
    mounts = [p for p in psutil.disk_partitions(all=True) if resolved.startswith(p.mountpoint.rstrip("/") + "/")]
    return bool(mounts) and max(mounts, key=lambda p: len(p.mountpoint)).fstype in _NETWORK_FILE_SYSTEMS

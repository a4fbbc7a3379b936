"""The log in SQLite: append-only, fenced, one lease. What it tells of the past is SQL over the log and nothing else."""

import contextlib
import json
import socket
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from ..core.events import KINDS, Event, Record, kind_of
from ..core.ports import Owner
from ..errors import Fenced, LeaseHeld, StorageFailed
from ..processes import is_alive
from .codec import decode, encode, places
from .history import SqlHistory
from .schema import MIGRATIONS

_NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "9p", "fuse.sshfs")


class SqliteStore(SqlHistory):
    """The ledger of one project, a Store and a History. One object may be used from several threads.

    Raises StorageFailed, in one line, for whatever SQLite cannot do: a full disk, a read-only folder, a torn file.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        with self._guarded():
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._db.close)  # where nobody closes it: Python 3.13 warns of that
        try:
            with self._guarded():
                self._db.execute(f"PRAGMA journal_mode={'DELETE' if _is_on_network(path) else 'WAL'}")
                self._db.execute("PRAGMA synchronous=FULL")
            self._migrate()
            self._file = _identity(path)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def is_there(self) -> bool:
        """Whether the ledger that was opened still lies at its path."""
        return _identity(self.path) == self._file

    def _migrate(self) -> None:
        with self._guarded():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StorageFailed(
                f"{self.path} was written by a newer version (schema {version}); this one reads up to {len(MIGRATIONS)}"
            )
        if version < len(MIGRATIONS):
            with self._transaction():
                # Read again: another process may have brought it up to date in between.
                version = self._db.execute("PRAGMA user_version").fetchone()[0]
                for migration in MIGRATIONS[version:]:
                    for statement in migration:
                        self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={len(MIGRATIONS)}")

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise StorageFailed(f"the ledger {self.path} cannot be used: {_why(error)}") from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guarded():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself may have rolled back, on a full disk for one
                    self._db.execute("ROLLBACK")
                raise

    # Store

    def append(
        self, event: Event | Callable[[], Event], *, epoch: int | None = None, command_id: str | None = None
    ) -> Record:
        """See ``core.ports.Store``."""
        if not self.is_there():
            raise StorageFailed(f"the ledger {self.path} was removed or replaced while it was in use")
        with self._transaction():
            if epoch is not None and self._epoch() != epoch:
                raise Fenced(f"the lease of {self.path} has moved on: this process must stop")
            if command_id is not None:
                rows = self._db.execute("SELECT seq, at, kind, body FROM events WHERE command_id = ?", (command_id,))
                for row in rows:
                    return _record(row)
            event = event() if callable(event) else event
            seq = self._db.execute("SELECT coalesce(max(seq), 0) + 1 FROM events").fetchone()[0]
            body = encode(event)
            # As it will be read: what could not be is never written.
            record = Record(seq, self._clock(), decode(type(event), body))
            experiment, run = places(event)
            self._db.execute(
                "INSERT INTO events (seq, at, kind, version, body, experiment, run, command_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, record.at, kind_of(event), 1, body, experiment, run, command_id),
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
            if holder is not None and _is_held(holder, owner.host):
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
        return owner if owner is not None and _is_held(owner, socket.gethostname()) else None

    def _epoch(self) -> int:
        row = self._db.execute("SELECT epoch FROM lease WHERE owner IS NOT NULL").fetchone()
        return int(row[0]) if row else 0

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a read-only question to the log and its views."""
        with self._guarded():
            return self._db.execute(sql, values).fetchall()


def _why(error: sqlite3.Error) -> str:
    """SQLite's own words, and what to do about a build without full-text search."""
    if "no such module" not in str(error):
        return str(error)
    found = f"{sys.executable} has SQLite {sqlite3.sqlite_version} without full-text search ({error})"
    return f"{found}; accepted: a Python whose SQLite was built with FTS5"


def _record(row: tuple[int, float, str, str]) -> Record:
    seq, at, kind, body = row
    if kind not in KINDS:
        raise StorageFailed(f"the ledger holds an event of the unknown kind {kind!r}, written by a newer version")
    return Record(seq, at, decode(KINDS[kind], body))


def _is_held(holder: Owner, host: str) -> bool:
    """Whether the holder, as seen from ``host``, may still live: of another machine's processes nothing is known."""
    return holder.host != host or is_alive(holder.pid, holder.start_time, holder.boot_id)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells this very file from another one at its path; None where there is none, as for one in memory."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_on_network(path: Path) -> bool:
    """Whether the file lies on a network file system, where SQLite's shared memory does not work."""
    resolved = str(path.resolve())
    mounts = [p for p in psutil.disk_partitions(all=True) if resolved.startswith(p.mountpoint.rstrip("/") + "/")]
    return bool(mounts) and max(mounts, key=lambda p: len(p.mountpoint)).fstype in _NETWORK_FILE_SYSTEMS

"""The ledger in SQLite: its promises, other processes, and whatever a disk or a person does to its file."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.ports import Owner, Store
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Purpose,
    Run,
    RunError,
    RunState,
    Source,
    Verdict,
)
from jupyter_deepresearch.errors import LeaseHeld, NotFound, StorageFailed
from jupyter_deepresearch.processes import boot_id, start_ticks
from jupyter_deepresearch.service.service import owner
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import StoreContract, memory_store
from tests.long_log import PROJECT

PRELUDE = """
import os, sys, time
from pathlib import Path
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ports import Owner
from jupyter_deepresearch.errors import StorageFailed
from jupyter_deepresearch.service.service import owner
from jupyter_deepresearch.store.sqlite import SqliteStore
path = Path(sys.argv[1])
"""


class TestInMemory(StoreContract):
    """The double is the real store on another disk."""

    @pytest.fixture(autouse=True)
    def closing(self) -> Iterator[None]:
        self.stores: list[SqliteStore] = []
        yield
        for store in self.stores:
            store.close()

    def make(self) -> Store:
        self.stores.append(memory_store())
        return self.stores[-1]


class TestOnDisk(TestInMemory):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "ledger.db"

    def make(self) -> Store:
        self.stores.append(SqliteStore(self.path))
        return self.stores[-1]

    def open_again(self, store: Store) -> Store | None:
        return self.make()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "ledger.db")) as opened:
        yield opened


def child(script: str, path: Path) -> "subprocess.Popen[str]":
    """A real process of ours on the same ledger."""
    command = [sys.executable, "-c", PRELUDE + textwrap.dedent(script), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finished(process: "subprocess.Popen[str]", timeout_s: float = 60) -> str:
    output, _ = process.communicate(timeout=timeout_s)
    assert process.returncode == 0
    return output


def problem(path: Path) -> str:
    """The one line with which a ledger is refused."""
    with pytest.raises(StorageFailed) as refused:
        SqliteStore(path)
    message = str(refused.value)
    assert "\n" not in message and str(path) in message
    return message


# Other processes


def test_the_lease_of_a_live_process_is_refused_and_that_of_a_killed_one_taken(store: SqliteStore) -> None:
    holder = child("print(SqliteStore(path).acquire(owner('the other')), flush=True); time.sleep(60)", store.path)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "1\n"
        held_by = store.holder()
        assert held_by is not None and held_by.pid == holder.pid
        with pytest.raises(LeaseHeld, match=f"the other, pid {holder.pid} on "):
            store.acquire(owner("us"))
        assert store.append(ev.Announced("it is still theirs"), epoch=1).seq == 1
        os.kill(holder.pid, signal.SIGKILL)
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # a zombie holds nothing
        assert store.holder() is None
        assert store.acquire(owner("us")) == 2
    finally:
        holder.kill()
        holder.communicate()


def test_a_reused_pid_is_not_the_holder(store: SqliteStore) -> None:
    ticks = start_ticks(os.getpid())
    assert ticks is not None
    store.acquire(Owner("one before", owner("").host, os.getpid(), ticks - 1, boot_id()))
    assert store.holder() is None
    assert store.acquire(owner("us")) == 2


def test_a_holder_on_another_machine_is_believed_to_live(store: SqliteStore) -> None:
    store.acquire(Owner("far away", "another-host", 2**22 + 1, 1, None))
    holder = store.holder()
    assert holder is not None and holder.host == "another-host"


def test_processes_that_open_and_write_at_once_leave_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    script = "store = SqliteStore(path)\nfor n in range(60): store.append(ev.Announced(f'{os.getpid()} {n}'))"
    writers = [child(script, path) for _ in range(3)]
    for writer in writers:
        finished(writer)
    with closing(SqliteStore(path)) as store:
        records = list(store.records())
    assert [r.seq for r in records] == list(range(1, 181))
    texts = [r.event.text for r in records if isinstance(r.event, ev.Announced)]
    for writer in writers:
        own = [text for text in texts if text.startswith(f"{writer.pid} ")]
        assert own == [f"{writer.pid} {n}" for n in range(60)]


def test_two_threads_of_one_store_leave_no_gap(store: SqliteStore) -> None:
    from concurrent.futures import ThreadPoolExecutor

    ledger = Ledger(store)
    ledger.append(ev.Opened("p", PROJECT, Source("{}"), ev.Survey()))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: ledger.append(ev.Announced(str(n))), range(100)))
    state = ledger.state()
    assert state is not None and state.seq == 101
    assert [r.seq for r in store.records()] == list(range(1, 102))


# Disks and files


def test_a_newer_schema_is_refused(store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("PRAGMA user_version=99")
    assert "newer version (schema 99)" in problem(store.path)


def test_an_event_of_a_newer_version_is_refused(store: SqliteStore) -> None:
    store.append(ev.Pause())
    with closing(sqlite3.connect(store.path)) as db, db:
        db.execute("UPDATE events SET kind = 'dreamt'")
    with pytest.raises(StorageFailed, match="unknown kind 'dreamt'"):
        list(store.records())


@pytest.mark.parametrize("body", ["", "{", "[]", '{"text": 1}', '{"source": {"z": "!"}}', '"z":"'])
def test_an_unreadable_event_is_said_in_one_line(store: SqliteStore, body: str) -> None:
    store.append(ev.Announced("fine"))
    with closing(sqlite3.connect(store.path)) as db, db:
        db.execute("UPDATE events SET body = ?", (body,))
    with pytest.raises(StorageFailed, match="unreadable Announced event") as refused:
        list(store.records())
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database at all" * 100)
    assert "not a database" in problem(path)
    assert path.read_bytes() == b"not a database at all" * 100
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.db"]


def test_a_torn_ledger_is_refused_in_one_line(store: SqliteStore) -> None:
    for number in range(300):
        store.append(ev.Announced(f"{number} " + "word " * 50))
    store.close()
    with store.path.open("r+b") as file:
        file.truncate(store.path.stat().st_size // 2)
    with pytest.raises(StorageFailed) as refused, closing(SqliteStore(store.path)) as torn:
        list(torn.records())
    assert "\n" not in str(refused.value)


def test_a_missing_folder_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    assert "unable to open" in problem(tmp_path / "gone" / "ledger.db")
    (tmp_path / "ledger.db").mkdir()
    problem(tmp_path / "ledger.db")


def test_a_read_only_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "read only"
    folder.mkdir(mode=0o555)
    for parent in (tmp_path, *tmp_path.parents[:3]):  # three of them where tests run side by side
        parent.chmod(0o755)
    script = """
    if os.geteuid() == 0: os.setuid(65534)  # root writes everywhere
    try: SqliteStore(path)
    except StorageFailed as error: print(error)
    """
    said = finished(child(script, folder / "ledger.db"))
    assert "unable to open database file" in said and said.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_full_disk_fails_one_append_and_harms_nothing(tmp_path: Path) -> None:
    script = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = SqliteStore(path)
    store.append(ev.Announced("before"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    for attempt in range(2):
        try: store.append(ev.Announced("x" * 1_000_000))
        except StorageFailed as error: print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(store.append(ev.Announced("after")).seq)
    """
    lines = finished(child(script, tmp_path / "ledger.db")).splitlines()
    assert len(lines) == 3 and lines[2] == "2"
    assert all("cannot be used" in line for line in lines[:2])


def test_a_ledger_that_was_removed_or_replaced_takes_no_more_events(store: SqliteStore, tmp_path: Path) -> None:
    store.append(ev.Pause())
    copy = tmp_path / "copy.db"
    shutil.copy(store.path, copy)
    store.path.unlink()
    assert not store.is_there()
    with pytest.raises(StorageFailed, match="removed or replaced"):
        store.append(ev.Resume())
    copy.rename(store.path)
    with pytest.raises(StorageFailed, match="removed or replaced"):
        store.append(ev.Resume())


def test_an_interrupted_migration_is_made_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()  # what is left of a process killed between creating the file and its tables
    with closing(SqliteStore(path)) as store:
        assert store.append(ev.Pause()).seq == 1


# What the log tells of the past


RUNS = (
    (Run(0, Purpose.BASELINE), RunState.SUCCEEDED, 1.0),
    (Run(1, Purpose.DRY_RUN), RunState.SUCCEEDED, None),
    (Run(1, Purpose.CANDIDATE), RunState.LOST, None),
    (Run(1, Purpose.CANDIDATE, attempt=2), RunState.SUCCEEDED, 2.0),
    (Run(1, Purpose.CONFIRM, 2), RunState.SUCCEEDED, 4.0),
    (Run(2, Purpose.CANDIDATE), RunState.CRASHED, None),
)


@pytest.fixture
def told(store: SqliteStore) -> SqliteStore:
    """A baseline, a confirmed and a failed experiment, a rejected one, and one that runs."""
    append = store.append
    append(ev.Opened("p", PROJECT, Source("{}", {"a.py": "1"}), ev.Survey(parameters={"lr": 0.1, "n": 3})))
    base = Hypothesis("as it is", HypothesisKind.BASELINE)
    edits = (Edit("a", "b", cell="c"), Edit("a", "b", file="f.py"))
    code = Hypothesis("wider", HypothesisKind.CODE, edits=edits, parameters={"n": 5})
    append(ev.Proposed(Experiment(0, base)))
    append(ev.Proposed(Experiment(1, code, 0, 1, settings={"n": 5})))
    append(
        ev.Try(Experiment(2, Hypothesis("mine", HypothesisKind.BY_HAND, parameters={"n": 9}), 0, 2, settings={"n": 9}))
    )
    append(ev.Proposed(Experiment(3, Hypothesis("bad", HypothesisKind.PARAMETERS, parameters={"n": 7}), 1, 3)))
    append(ev.Proposed(Experiment(4, Hypothesis("good", HypothesisKind.PARAMETERS, parameters={"n": 8}), 1, 4)))
    append(ev.Reject(3, "no"))
    for run, state, value in RUNS:
        append(ev.Planned(run))
        error = None if state is RunState.SUCCEEDED else RunError("ValueError", "no", cell=2)
        append(ev.Ended(Outcome(run.id, state, value, elapsed_s=10.0, gpu_s=5.0, error=error, peak_memory_bytes=7)))
    append(ev.Judged(0, Verdict(Decision.BASELINE, "as is", 1.0, 1, state=RunState.SUCCEEDED), "experiments/0.ipynb"))
    append(ev.Judged(1, Verdict(Decision.PROMISING, "so far", 2.0, 1, state=RunState.SUCCEEDED), "experiments/1.ipynb"))
    final = Verdict(Decision.CONFIRMED, "better", 3.0, 2, (1.0, 5.0), 1.0, RunState.SUCCEEDED)
    append(ev.Judged(1, final, "experiments/1.seed-2.ipynb"))
    append(ev.Judged(2, Verdict(Decision.FAILED, "crashed: no", state=RunState.CRASHED)))
    append(ev.Planned(Run(4, Purpose.CANDIDATE)))
    append(ev.Answered("k1", Usage("think", "m", 100, 10, 50, 0.25), "an answer", 1))
    append(ev.Answered("k2", Usage("reflect", "m", 10, 1), "another"))
    return store


def test_the_view_of_experiments(told: SqliteStore) -> None:
    columns = "experiment, cycle, parent, claim, kind, state, decision, value, seeds, elapsed_s, usd, notebook"
    assert told.query(f"SELECT {columns} FROM experiments ORDER BY experiment") == [
        (0, None, None, "as it is", "baseline", "succeeded", "baseline", 1.0, 1, 10.0, 0.0, "experiments/0.ipynb"),
        (1, 1, 0, "wider", "code", "succeeded", "confirmed", 3.0, 2, 40.0, 0.25, "experiments/1.ipynb"),
        (2, 2, 0, "mine", "by_hand", "crashed", "failed", None, 0, 10.0, 0.0, None),
        (3, 3, 1, "bad", "parameters", "cancelled", "rejected", None, 0, None, 0.0, None),
        (4, 4, 1, "good", "parameters", "running", None, None, 0, None, 0.0, None),
    ]
    ((parameters, edits, interval),) = told.query(
        "SELECT parameters, edits, interval FROM experiments WHERE experiment = 1"
    )
    assert (parameters, interval) == ('{"n":5}', "[1.0,5.0]")
    assert '"cell":"c"' in edits and '"file":"f.py"' in edits


def test_the_view_of_runs(told: SqliteStore) -> None:
    columns = "run, experiment, purpose, seed, attempt, state, value, elapsed_s, gpu_s, peak_memory_bytes, error"
    rows = told.query(f"SELECT {columns} FROM runs ORDER BY seq")
    assert [row[5] for row in rows] == [*(state.value for _, state, _ in RUNS), "running"]
    assert rows[3] == ("0001-candidate-seed-1-attempt-2", 1, "candidate", 1, 2, "succeeded", 2.0, 10.0, 5.0, 7, None)
    assert rows[5][-1] == "no" and rows[6][6:] == (None, None, None, None, None)


def test_the_view_of_usage(told: SqliteStore) -> None:
    assert told.query("SELECT phase, model, calls, tokens_in, tokens_out, tokens_cached, usd FROM usage") == [
        ("think", "m", 1, 100, 10, 50, 0.25),
        ("reflect", "m", 1, 10, 1, 0, None),
    ]


def test_questions_to_the_past(told: SqliteStore) -> None:
    assert told.experiment(1).settings == {"n": 5}
    assert told.values(1) == {1: 2.0, 2: 4.0}
    verdict, last = told.verdict(1), told.last_run(1)
    assert verdict is not None and verdict.decision is Decision.CONFIRMED and verdict.interval == (1.0, 5.0)
    assert last is not None and last[0].id == "0001-candidate-seed-1-attempt-2" and last[1].value == 2.0
    assert told.verdict(4) is None and told.last_run(4) is None
    assert told.source(1) == Source("{}", {"a.py": "1"})
    assert told.has_run("0004-candidate-seed-1") and not told.has_run("0009-candidate-seed-1")
    assert told.answer("k1") == "an answer" and told.answer("k3") is None
    with pytest.raises(NotFound, match="no experiment 99"):
        told.experiment(99)
    with pytest.raises(NotFound, match="no measure 2"):
        told.source(2)


def test_trials_are_what_was_decided_with_all_their_values(told: SqliteStore) -> None:
    trials = {t.experiment: (dict(t.parameters), t.decision, t.value) for t in told.trials(1, -1)}
    assert trials[0] == ({"lr": 0.1, "n": 3}, Decision.BASELINE, 1.0)
    assert trials[1] == ({"lr": 0.1, "n": 5}, Decision.CONFIRMED, 3.0)
    assert trials[2] == ({"lr": 0.1, "n": 9}, Decision.FAILED, None)
    assert trials[3][1] is Decision.REJECTED and 4 not in trials
    assert [t.experiment for t in told.trials(1, 1)] == [2, 3]
    assert list(told.trials(2, -1)) == []


def test_reproductions_are_counted_by_seed_whatever_came_of_them(told: SqliteStore) -> None:
    assert told.reproduced(1) == {}
    for run in (Run(1, Purpose.REPRODUCE, 3), Run(1, Purpose.REPRODUCE, 3, 2), Run(1, Purpose.REPRODUCE, 4)):
        told.append(ev.Planned(run))
        told.append(ev.Ended(Outcome(run.id, RunState.CRASHED)))
    assert told.reproduced(1) == {3: 2, 4: 1}


def test_a_page_of_a_long_history_is_read_by_the_index_of_experiments(store: SqliteStore) -> None:
    for view in ("experiments", "trials"):
        plan = store.query(f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE experiment > 5 ORDER BY experiment LIMIT 9")
        steps = [row[3] for row in plan]
        assert "INDEX events_experiment (experiment>?)" in steps[0], steps
        assert not any("TEMP B-TREE" in step for step in steps)

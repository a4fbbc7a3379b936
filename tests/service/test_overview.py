"""A light row of every project: what it says, what it is remembered by, how few ledgers are held open for it."""

import gc
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.ports import Owner
from jupyter_deepresearch.core.types import ProjectState, Source
from jupyter_deepresearch.errors import NotFound, StorageFailed
from jupyter_deepresearch.processes import boot_id, start_ticks
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service import open_projects
from jupyter_deepresearch.service.overview import OverviewView
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.service.views import Life
from jupyter_deepresearch.store.sqlite import SqliteStore
from tests.core.logs import SURVEY
from tests.jupyter.doubles import CONFIG, Doubled, write_project


@dataclass
class Counting(Doubled):
    """Notes the folders of the ledgers that are opened."""

    opened: list[str] = field(default_factory=list)

    def store(self, folder: Path) -> SqliteStore:
        self.opened.append(folder.name)
        return super().store(folder)


@pytest.fixture
def makers() -> Counting:
    return Counting()


@pytest.fixture
def service(makers: Counting, tmp_path: Path) -> Iterator[Service]:
    with closing(makers.service(tmp_path)) as made:
        yield made


def made(tmp_path: Path, *names: str, cycles: int = 2) -> list[str]:
    """Projects that have come to their end, closed again; their ids."""
    ids = []
    for name in names:
        with closing(Doubled().service(tmp_path)) as service:
            project = service.prepare(write_project(tmp_path / name), Options(cycles=cycles))
            service.run(project)
            ids.append(project.id)
    return ids


def ledger(folder: Path) -> Path:
    return folder / ".deepresearch" / "ledger.db"


def settle(*folders: Path) -> None:
    """The last write was long ago."""
    for folder in folders:
        for path in ledger(folder).parent.glob("ledger.db*"):
            os.utime(path, (1e9, 1e9))


def only(found: tuple[OverviewView, ...]) -> OverviewView:
    (row,) = found
    return row


def test_a_row_says_what_the_status_says(service: Service, tmp_path: Path) -> None:
    (project_id,) = made(tmp_path, "small")
    row, status = only(service.overview()), service.status(service.project(project_id))
    for name in ("id", "project", "path", "place", "seq", "state", "reason", "cycle", "cycles", "baseline", "champion"):
        assert getattr(row, name) == getattr(status, name), name
    assert (row.metric, row.direction, row.place) == ("score", "maximize", "small")
    assert row.state is ProjectState.FINISHED and (row.waiting, row.running) == ((), ())
    assert row.spark == pytest.approx((0.3, 0.6, 0.03)) and (row.usd_today, row.calls_today) == (0.0, 0)
    assert service.overview(project_id) == (row,)
    with pytest.raises(NotFound, match="none"):
        service.overview("none")


def test_what_waits_runs_and_was_paid_today(service: Service, makers: Counting, tmp_path: Path) -> None:
    makers.launches.held = True
    folder = write_project(tmp_path / "small", f"{CONFIG}[approval]\nmode = 'ask'\n")
    project = service.prepare(folder, Options(cycles=3))
    usage = Usage("plan", "model", 100, 10, 0, None)
    project.ledger.append(ev.Answered("a", usage, "an answer"))
    row = only(service.overview(project.id))
    assert (row.state, row.usd_today, row.calls_today) == (ProjectState.STOPPED, None, 1)
    service.start(project)
    until(lambda: only(service.overview()).running == (0,))
    makers.launches.held = False
    until(lambda: only(service.overview()).state is ProjectState.WAITING_APPROVAL)
    assert only(service.overview()).waiting == (1,)
    project.ledger.append(ev.Sourced(Source("{}"), SURVEY, new_measure=True))
    assert only(service.overview(project.id)).spark == (), "of the measure in force alone"


def test_a_project_at_rest_is_opened_again_once_its_ledger_has_changed(
    service: Service, makers: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_projects, "KEPT", 0)
    made(tmp_path, "one", "two")
    settle(tmp_path / "one", tmp_path / "two")
    before = service.overview()
    assert service.overview() == before and makers.opened == ["one", "two"]
    with closing(SqliteStore(ledger(tmp_path / "two"))) as other:
        other.append(ev.Announced("the disk is nearly full"))
        assert [row.seq - old.seq for row, old in zip(service.overview(), before, strict=True)] == [0, 1]
        other.append(ev.Announced("it is full"))
        assert service.overview()[1].seq == before[1].seq + 2, "a write within the same moment"
    assert makers.opened == ["one", "two", "two", "two"]


def test_rows_outlive_the_server_that_made_them(tmp_path: Path) -> None:
    made(tmp_path, "one", "two", cycles=1)
    settle(tmp_path / "one", tmp_path / "two")

    def asked(root: Path) -> tuple[tuple[OverviewView, ...], list[str]]:
        makers = Counting()
        with closing(makers.service(root)) as service:
            return service.overview(), makers.opened

    rows, opened = asked(tmp_path)
    assert opened == ["one", "two"] and asked(tmp_path) == (rows, [])
    inside, opened = asked(tmp_path / "two")
    assert [(row.id, row.place) for row in inside] == [(rows[1].id, "")] and opened == []
    with closing(SqliteStore(ledger(tmp_path / "one"))) as other:
        other.append(ev.Announced("the disk is nearly full"))
    assert asked(tmp_path)[1] == ["one"]
    (kept,) = Path(os.environ["JUPYTER_DATA_DIR"]).rglob("overview.json")
    for content in (
        b"",
        b"{",
        b'{"made_by": "another version"}',
        kept.read_bytes().replace(b'"made_by":"', b'"made_by":"x'),
    ):
        kept.write_bytes(content)
        found, opened = asked(tmp_path)
        assert opened == ["one", "two"] and [row.id for row in found] == [row.id for row in rows]


def test_what_was_paid_is_of_its_day(service: Service, tmp_path: Path) -> None:
    project = service.prepare(write_project(tmp_path / "small"), Options())
    project.ledger.append(ev.Answered("a", Usage("plan", "model", 100, 10, 0, 0.25), "an answer"))
    row = project.row(None, Life(False))
    assert row.on(row.day) is row and (row.view.usd_today, row.view.calls_today) == (0.25, 1)
    later = row.on("2999-01-01")
    assert (later.view.usd_today, later.view.calls_today, later.view.seq) == (0.0, 0, row.view.seq)


def test_a_torn_ledger_or_a_folder_that_is_gone_does_not_hide_the_others(service: Service, tmp_path: Path) -> None:
    ids = made(tmp_path, "torn", "gone", "whole")
    ledger(tmp_path / "torn").write_bytes(b"no database" * 100)
    (tmp_path / "gone").rename(tmp_path / "elsewhere")
    assert [row.id for row in service.overview()] == ids[2:]
    with pytest.raises(StorageFailed):
        service.overview(ids[0])


def test_few_ledgers_are_held_open_those_at_work_among_them(
    service: Service, makers: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_projects, "KEPT", 2)
    ids = made(tmp_path, *"abcde", cycles=0)
    makers.launches.held = True
    at_work = service.create(write_project(tmp_path / "work"), Options())
    makers.opened.clear()
    assert [row.id for row in service.overview()] == [*ids, at_work.id]
    assert [project.id for project in service.projects()] == [*ids, at_work.id]
    gc.collect()  # what was let go of
    files = [Path(file.path) for file in psutil.Process().open_files() if "ledger" in file.path]
    held = {path.parent.parent.name for path in files if path.is_relative_to(tmp_path)}  # not what other tests hold
    assert "work" in held and len(held) <= 2
    assert service.project(at_work.id) is at_work
    assert "work" not in makers.opened
    service.command(at_work, cmd.StopCommand())
    until(lambda: only(service.overview(at_work.id)).running == ())


def test_a_project_that_was_let_go_of_is_researched_and_heard_of_once(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_projects, "KEPT", 1)
    said: list[tuple[str, int]] = []
    service.announce = lambda project_id, record: said.append((project_id, record.seq))
    first, second = (service.prepare(write_project(tmp_path / name), Options(cycles=1)) for name in "ab")
    service.start(first)
    assert service.project(second.id) is not second and service.project(first.id) is first
    until(lambda: service.project(first.id).state.finished is not None)
    of_first = [seq for project_id, seq in said if project_id == first.id]
    assert of_first == sorted(set(of_first)) and of_first[-1] == first.state.seq


def test_a_researcher_that_has_died_is_noticed_though_its_ledger_is_as_it_was(service: Service, tmp_path: Path) -> None:
    with closing(Doubled().service(tmp_path)) as other:
        other.prepare(write_project(tmp_path / "small"), Options(cycles=3))
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with closing(SqliteStore(ledger(tmp_path / "small"))) as store:
            owner = Owner("a terminal", socket.gethostname(), process.pid, start_ticks(process.pid), boot_id())
            store.acquire(owner)
        settle(tmp_path / "small")
        assert only(service.overview()).state is ProjectState.RUNNING
    finally:
        process.kill()
        process.wait()
    assert only(service.overview()).state is ProjectState.STOPPED


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)

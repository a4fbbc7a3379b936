"""The client of a kernel without a server: it keeps projects open, and sees what happens to their folders."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_deepresearch.app import make_service
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core.events import Directive
from jupyter_deepresearch.errors import NotFound
from jupyter_deepresearch.jupyter import kept
from jupyter_deepresearch.jupyter.kept import KeptProjects
from jupyter_deepresearch.jupyter.ledger import LedgerClient
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.store.sqlite import SqliteStore
from tests.small_project import write_project


def started(folder: Path) -> str:
    """Make a project that nobody researches; its id."""
    with closing(make_service()) as service:
        return service.prepare(write_project(folder), Options()).id


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose logs were read from their beginning, one after another."""
    opened: list[Path] = []
    at = OpenedProject.at.__func__  # type: ignore[attr-defined]

    def counted(cls: type[OpenedProject], folder: Path, makers: object) -> OpenedProject:
        opened.append(folder)
        found: OpenedProject = at(cls, folder, makers)
        return found

    monkeypatch.setattr(OpenedProject, "at", classmethod(counted))
    return opened


def test_a_log_is_read_once_and_what_others_write_into_it_is_seen(tmp_path: Path, openings: list[Path]) -> None:
    folder = tmp_path / "small"
    project_id = started(folder)
    openings.clear()
    before = LedgerClient(tmp_path).status(project_id)
    with closing(SqliteStore(folder / ".deepresearch" / "ledger.db")) as other:
        other.append(Directive("look at the loss"))
    client = LedgerClient(tmp_path)
    assert client.status(project_id).seq == before.seq + 1
    assert client.points(project_id).seq == before.seq + 1 and client.newest(project_id, 25) == ()
    assert [status.id for status in client.projects()] == [project_id]
    assert openings == [folder.resolve()]


def test_a_folder_that_is_removed_or_made_anew_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    project_id = started(folder)
    client = LedgerClient(tmp_path)
    assert client.status(project_id).id == project_id
    shutil.rmtree(folder)
    with pytest.raises(NotFound, match="there is no project"):
        client.status(project_id)
    assert client.projects() == ()
    again = started(folder)
    assert again != project_id and client.status(again).id == again


def test_threads_ask_one_client(tmp_path: Path) -> None:
    project_id = started(tmp_path / "small")
    client, seqs = LedgerClient(tmp_path), list[int]()

    def ask() -> None:
        for number in range(10):
            client.command(project_id, "directive", text=f"look at run {number}")
            seqs.append(client.status(project_id).seq)

    client.command(project_id, "stop")  # so that nobody is started to read what is said
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seqs) == 40 and max(seqs) == client.status(project_id).seq


def test_only_the_latest_are_kept_and_the_others_close_their_ledgers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "KEPT", 2)
    folders = [tmp_path / f"small-{number}" for number in range(3)]
    for folder in folders:
        started(folder)
    gc.collect()
    projects = KeptProjects()
    first = projects.at(folders[0])
    for folder in folders:
        projects.at(folder)
    assert {folder.name for folder in folders if _is_open(folder)} == {folder.name for folder in folders}
    assert first.status().project == first.status().project, "who has it may still ask it"
    del first
    assert [folder.name for folder in folders if _is_open(folder)] == ["small-1", "small-2"]
    del projects
    assert not any(map(_is_open, folders))


def _is_open(folder: Path) -> bool:
    """Whether this process has the folder's ledger open."""
    ledger = str(folder / ".deepresearch" / "ledger.db")
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:  # the one of the listing itself
            continue
    return ledger in found

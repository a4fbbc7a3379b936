"""The list of known projects, as several processes share it."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_deepresearch.errors import InvalidInput, StorageFailed
from jupyter_deepresearch.service.registry import Known, Registry

ADD_MANY = """
import sys
from pathlib import Path
from jupyter_deepresearch.service.registry import Registry
path, name, folder = sys.argv[1:]
for number in range(20):
    Registry(Path(path)).add(f"{name}-{number}", Path(folder) / f"{name}-{number}")
    if number % 2:
        Registry(Path(path)).remove(f"{name}-{number}")
"""
HOLD = """
import sys, time
from pathlib import Path
from jupyter_deepresearch.service.registry import Registry
with Registry(Path(sys.argv[1]))._locked():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "data" / "projects.json")


def test_it_lies_in_jupyters_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    Registry().add("a", tmp_path)
    assert (tmp_path / "jupyter" / "jupyter_deepresearch" / "projects.json").is_file()
    assert Registry().all() == (Known("a", tmp_path.resolve()),)


def test_reading_an_empty_registry_makes_nothing(registry: Registry) -> None:
    assert registry.all() == ()
    assert not registry.path.parent.exists()


def test_projects_are_added_moved_and_removed(registry: Registry, tmp_path: Path) -> None:
    registry.add("a", tmp_path / "one")
    registry.add("b", tmp_path / "ünïcode two")
    registry.add("a", tmp_path / "x" / ".." / "moved")
    assert registry.all() == (Known("b", tmp_path / "ünïcode two"), Known("a", tmp_path / "moved"))
    registry.add("c", tmp_path / "moved")
    assert [known.project_id for known in registry.all()] == ["b", "c"]
    registry.remove("b")
    registry.remove("never known")
    assert [known.project_id for known in Registry(registry.path).all()] == ["c"]


def test_a_folder_named_in_no_unicode_is_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a Unicode path"):
        registry.add("a", tmp_path / "\udcff")
    assert registry.all() == ()


def test_knowing_the_same_again_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    registry.add("a", tmp_path)
    before = registry.path.stat().st_ino
    registry.add("a", tmp_path)
    assert registry.path.stat().st_ino == before


def test_processes_at_once_lose_nothing(registry: Registry, tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(registry.path), f"writer{n}", str(tmp_path)])
        for n in range(4)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    expected = {f"writer{n}-{number}" for n in range(4) for number in range(0, 20, 2)}
    assert {known.project_id for known in registry.all()} == expected
    assert sorted(p.name for p in registry.path.parent.iterdir()) == ["projects.json", "projects.json.lock"]


def test_a_killed_holder_frees_the_lock(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(registry.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        monkeypatch.setattr("jupyter_deepresearch.service.registry._LOCK_TIMEOUT_S", 0.2)
        with pytest.raises(StorageFailed, match="held by another process"):
            registry.add("a", tmp_path)
        assert registry.all() == ()
        holder.kill()
        holder.wait(timeout=10)
    registry.add("a", tmp_path)
    assert len(registry.all()) == 1


@pytest.mark.parametrize("content", ["{", "", "[]", '{"projects": [{"project_id": 3, "folder": "x"}]}', "\udcff"])
def test_a_broken_file_is_kept_aside_and_said(
    registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    registry.path.parent.mkdir()
    raw = content.encode("utf-8", "surrogateescape")
    registry.path.write_bytes(raw)
    with caplog.at_level(logging.WARNING):
        assert registry.all() == ()
    assert len(caplog.messages) == 1 and "kept as projects.json.broken" in caplog.messages[0]
    assert registry.path.with_name("projects.json.broken").read_bytes() == raw
    registry.path.write_text("broken again")
    registry.add("a", tmp_path)
    assert registry.path.with_name("projects.json.broken-2").read_text() == "broken again"
    assert registry.path.with_name("projects.json.broken").read_bytes() == raw
    assert len(registry.all()) == 1


def test_fields_of_a_later_version_do_no_harm(registry: Registry) -> None:
    registry.path.parent.mkdir()
    line = {"project_id": "a", "folder": "/p", "colour": "red"}
    registry.path.write_text(json.dumps({"version": 2, "projects": [line]}))
    assert registry.all() == (Known("a", Path("/p")),)


def test_a_data_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = Registry(tmp_path / "file" / "projects.json")
    with pytest.raises(StorageFailed, match="cannot be written"):
        blocked.add("a", tmp_path)
    with pytest.raises(StorageFailed, match="cannot be read"):
        blocked.all()

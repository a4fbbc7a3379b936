"""A project's folder in which runs may be started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.lost import end_leftovers, kill_runner
from jupyter_deepresearch.execution.monitor import Process
from jupyter_deepresearch.execution.paths import ProjectPaths, RunPaths
from jupyter_deepresearch.execution.reading import read_owner


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project's folder. Whatever a test has left running for it is ended."""
    root = tmp_path / "project"
    root.mkdir()
    yield root
    for record in ProjectPaths(root).runs.glob("*/owner.json"):
        paths = RunPaths(record.parent)
        owner = read_owner(paths)
        if owner is not None and not paths.exit.exists():
            kill_runner(Process(owner.pid, owner.start_time, owner.boot_id))
            end_leftovers(paths, paths.root.name)

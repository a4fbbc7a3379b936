"""What the tests of the command line share: a project that was started and has not run anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_deepresearch.app import RealMakers, make_service
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.service.opened import OpenedProject
from tests.small_project import write_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[OpenedProject]:
    """A project that was started and has not run anything, in ``ask`` mode."""
    folder = write_project(tmp_path / "small", toml='[approval]\nmode = "ask"\n')
    service = make_service()
    service.prepare(folder, Options())
    service.close()
    opened = OpenedProject.at(folder, RealMakers())
    yield opened
    opened.store.close()

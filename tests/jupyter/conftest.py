"""A real Jupyter server in this process, on a service whose runs are not real."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.jupyter.asking import Api
from tests.jupyter.doubles import Doubled, write_project


@pytest.fixture
def doubled(monkeypatch: pytest.MonkeyPatch) -> Doubled:
    """The parts on which the server of `jp_serverapp` makes its service."""
    made = Doubled()
    monkeypatch.setattr("jupyter_deepresearch.app.make_service", made.service)
    return made


@pytest.fixture
def api(doubled: Doubled, jp_fetch: Callable[..., Awaitable[Any]]) -> Api:
    return Api(jp_fetch)


@pytest.fixture
def folder(jp_root_dir: Path) -> Path:
    """A project folder under the server's root, not yet started."""
    return write_project(jp_root_dir / "small")

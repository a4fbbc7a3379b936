"""What every test gets: Jupyter folders of its own, and no way to a paid service."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import network

# Gives jp_serverapp, jp_fetch and the like: a real Jupyter server in the test's own process.
pytest_plugins = ("pytest_jupyter.jupyter_server",)

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported that might ask: this process and its children refuse the network."""
    number, path = tempfile.mkstemp(prefix="refused-", suffix=".log")
    os.close(number)
    config.add_cleanup(Path(path).unlink)
    network.refuse(Path(path))


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fails a test that asked for the network, itself or by a child, even where the refusal was caught."""
    yield
    refused = network.refused()
    assert not refused, "\n".join(refused)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who takes the way out has to say so: tests without the mark do not get it."""
    for item in items:
        if "environment_with_index" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("index"):
            raise pytest.UsageError(f"{item.nodeid} installs packages: mark it with @pytest.mark.index")


@pytest.fixture(scope="session")
def environment_with_index() -> dict[str, str]:
    """The person's own environment, for children that install packages. Only for tests marked ``index``."""
    return network.environment_before()


@pytest.fixture(autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for the person's home: their settings, projects and keys are out of reach."""
    home = tmp_path_factory.mktemp("home")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(home / name.lower()))
    return home


@pytest.fixture
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, object]) -> dict[str, object]:
    """Servers started by jp_serverapp have our extension on and refuse a handler that forgot to authenticate."""
    return {
        **jp_server_config,
        "ServerApp": {"jpserver_extensions": {"jupyter_deepresearch": True}, "allow_unauthenticated_access": False},
    }

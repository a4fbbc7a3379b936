"""What every test gets: Jupyter folders of its own, and no way to a paid service."""

from __future__ import annotations

from pathlib import Path

import pytest

# Gives jp_serverapp, jp_fetch and the like: a real Jupyter server in the test's own process.
pytest_plugins = ("pytest_jupyter.jupyter_server",)

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for the person's home: their settings, projects and keys are out of reach."""
    home = tmp_path_factory.mktemp("home")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
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

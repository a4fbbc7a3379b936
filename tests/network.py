"""The suite asks nothing of the network: what holds it to that, and what is exempt.

The test process and its Python children refuse (tests/guard/sitecustomize.py); other children find a closed proxy in
their environment. What was refused fails the test even where somebody caught the error.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import MutableMapping
from pathlib import Path

GUARD = Path(__file__).with_name("guard")
BEFORE = "TESTS_ENVIRONMENT_BEFORE"  # what was changed, as JSON: pytest's worker processes begin with it changed
PAID = ("ANTHROPIC_", "SEMANTIC_SCHOLAR_")
# Libraries that tell their makers how they are used are told not to, by their own switches.
QUIET = {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

_spec = importlib.util.spec_from_file_location("tests_guard", GUARD / "sitecustomize.py")
assert _spec is not None and _spec.loader is not None
guard = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(guard)


def refuse(log: Path) -> None:
    """Refuse the network in this process and in those that it starts; ``log`` is where refusals are written."""
    changed = _closed(os.environ.get("PYTHONPATH", ""))
    if BEFORE not in os.environ:
        os.environ[BEFORE] = json.dumps({name: os.environ.get(name) for name in changed})
    for name in [name for name in os.environ if name.startswith(PAID)]:
        del os.environ[name]
    os.environ.update(changed)
    os.environ[guard.LOG] = str(log)
    guard.watch()


def _closed(python_path: str) -> dict[str, str]:
    proxy = "http://{}:{}".format(*guard.CLOSED_PROXY)
    near = "localhost,127.0.0.1,::1"
    named = {**dict.fromkeys(PROXIES, proxy), "NO_PROXY": near}
    others = [entry for entry in python_path.split(os.pathsep) if entry and entry != str(GUARD)]
    small = {name.lower(): value for name, value in named.items()}
    return {**QUIET, **named, **small, "PYTHONPATH": os.pathsep.join([str(GUARD), *others])}


def environment_before() -> dict[str, str]:
    """The environment for a child that is exempt: as this one, with the proxies and paths that the person has."""
    environment = dict(os.environ)
    _restore(environment, json.loads(environment.pop(BEFORE)))
    return environment


def _restore(environment: MutableMapping[str, str], before: dict[str, str | None]) -> None:
    for name, value in before.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value


def refused() -> list[str]:
    """What was refused since this was asked last, in this process and in its children."""
    log = Path(os.environ[guard.LOG])
    if not log.exists() or not log.stat().st_size:
        return []
    lines = log.read_text(encoding="utf-8").splitlines()
    log.write_text("", encoding="utf-8")
    return lines

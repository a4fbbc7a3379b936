"""From a kernel to the Jupyter server that it belongs to: never a guess, a clear error where nothing is sure."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from jupyter_core.paths import jupyter_runtime_dir

from ..errors import Conflict, NoServer

URL_VARIABLE = "DEEPRESEARCH_SERVER_URL"
TOKEN_VARIABLE = "DEEPRESEARCH_SERVER_TOKEN"
REACH_TIMEOUT_S = 2.0
# A proxy in the environment is for the world outside, never for the person's own server.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Server:
    """Where a server listens. ``url`` is its base URL with a slash at the end; ``token`` "" where it has none."""

    url: str
    token: str
    root: Path | None = None


@dataclass(frozen=True)
class _Running:
    server: Server
    pid: int


def find_server(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Server:
    """The server that started this kernel, or else the only reachable one whose root holds ``cwd``.

    Raises NoServer where there is none, Conflict where there are several.
    """
    environ = os.environ if environ is None else environ
    if environ.get(URL_VARIABLE):
        return Server(_base(environ[URL_VARIABLE]), environ.get(TOKEN_VARIABLE, ""))
    running = tuple(_running())
    parent = environ.get("JPY_PARENT_PID", "")
    for entry in running:
        if str(entry.pid) == parent:
            return entry.server
    hub = [environ.get(f"JUPYTERHUB_{name}") for name in ("SERVICE_URL", "SERVICE_PREFIX", "API_TOKEN")]
    if hub[0] and hub[1] and hub[2]:
        return Server(_hub_url(hub[0], hub[1]), hub[2])
    return _only_one_above((cwd or Path.cwd()).resolve(), running)


def _only_one_above(cwd: Path, running: tuple[_Running, ...]) -> Server:
    above = [e.server for e in running if e.server.root is not None and cwd.is_relative_to(e.server.root)]
    reachable = [server for server in above if _is_reachable(server)]
    if len(reachable) == 1:
        return reachable[0]
    how = f"set {URL_VARIABLE} and {TOKEN_VARIABLE} to choose one"
    if reachable:
        raise Conflict(f"several Jupyter servers hold {cwd}: {', '.join(s.url for s in reachable)}; {how}")
    raise NoServer(_why_none(cwd, running, above))


def _why_none(cwd: Path, running: tuple[_Running, ...], above: list[Server]) -> str:
    if above:
        return f"{', '.join(s.url for s in above)} holds {cwd} and does not answer"
    elsewhere = ", ".join(f"{e.server.url} has {e.server.root}" for e in running)
    return f"no Jupyter server holds {cwd}" + (f": {elsewhere}" if elsewhere else "")


def _running() -> Iterator[_Running]:
    """Every server of this account that left its note in Jupyter's runtime folder and is alive."""
    for note in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            entry = _entry(json.loads(note.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # gone, half written, or another program's
        if psutil.pid_exists(entry.pid):
            yield entry


def _entry(note: Mapping[str, Any]) -> _Running:
    root = Path(str(note["root_dir"])).resolve()
    return _Running(Server(_base(str(note["url"])), str(note.get("token") or ""), root), int(note["pid"]))


def _base(url: str) -> str:
    return url.rstrip("/") + "/"


def _hub_url(service_url: str, prefix: str) -> str:
    """The address inside of the hub's proxy; a server that listens everywhere is asked on the loopback."""
    parts = urlsplit(service_url)
    host = "127.0.0.1" if parts.hostname in ("0.0.0.0", "::", "", None) else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return _base(f"{parts.scheme}://{host}{port}/{prefix.strip('/')}")


def _is_reachable(server: Server) -> bool:
    try:
        with OPENER.open(f"{server.url}api", timeout=REACH_TIMEOUT_S):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False

"""From a kernel to the Jupyter server that it belongs to: never a guess, a clear error where nothing is sure."""

import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
from jupyter_core.paths import jupyter_runtime_dir

from ..errors import Conflict, InvalidInput, NoServer, NotFound

URL_VARIABLE = "DEEPRESEARCH_SERVER_URL"
TOKEN_VARIABLE = "DEEPRESEARCH_SERVER_TOKEN"
REACH_TIMEOUT_S = 2.0
CLOCK_S = 2.0  # by so much the clocks of processes and files may differ
_EVERYWHERE = ("0.0.0.0", "::")
# A proxy in the environment is for the world outside, never for the person's own server.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Server:
    """Where a server listens. ``url`` is its base URL with a slash at the end; ``token`` "" where it has none.

    ``is_own``: it has started this kernel, or the person has named it.
    """

    url: str
    token: str
    root: Path | None = None
    is_own: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class _Running:
    server: Server
    pid: int


def find_server(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Server:
    """The server that started this kernel, or else the only reachable one whose root holds ``cwd``.

    Raises NoServer where there is none, Conflict where there are several, InvalidInput where the one that the
    environment names has no address, NotFound where there is no folder to start from.
    """
    environ = os.environ if environ is None else environ
    if environ.get(URL_VARIABLE):
        return _named(environ[URL_VARIABLE].strip(), environ.get(TOKEN_VARIABLE, "").strip())
    running = tuple(_running())
    parent = environ.get("JPY_PARENT_PID", "")
    for entry in running:
        if str(entry.pid) == parent:
            return replace(entry.server, is_own=True)
    hub = [environ.get(f"JUPYTERHUB_{name}") for name in ("SERVICE_URL", "SERVICE_PREFIX", "API_TOKEN")]
    if hub[0] and hub[1] and hub[2]:
        return Server(_hub_url(hub[0], hub[1]), hub[2], is_own=True)
    return _only_one_above((cwd or here()).resolve(), running, bool(parent))


def here() -> Path:
    """The folder in which this process works. Raises NotFound where it is gone."""
    try:
        return Path.cwd()
    except OSError:
        raise NotFound("the folder of this kernel is gone; change to another one, such as %cd ~") from None


def _named(url: str, token: str) -> Server:
    """The server that a person named, perhaps by the address of its page as Jupyter prints it, token and all."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise InvalidInput(f"{URL_VARIABLE}: found {url!r}; accepted: an address such as http://127.0.0.1:8888/")
    path = re.sub(r"/(?:lab|tree|notebooks)(?:/.*)?$", "", parts.path)
    printed = parse_qs(parts.query).get("token", [""])[0]
    return Server(_base(f"{parts.scheme}://{parts.netloc}{path}"), token or printed, is_own=True)


def _only_one_above(cwd: Path, running: tuple[_Running, ...], is_kernel: bool) -> Server:
    above = [e.server for e in running if e.server.root is not None and cwd.is_relative_to(e.server.root)]
    reachable = [server for server in above if _is_reachable(server)]
    if len(reachable) == 1:
        return reachable[0]
    how = f"set {URL_VARIABLE} and {TOKEN_VARIABLE} to choose one"
    if reachable:
        raise Conflict(f"several Jupyter servers hold {cwd}: {', '.join(s.url for s in reachable)}; {how}")
    raise NoServer(_why_none(cwd, running, above, is_kernel))


def _why_none(cwd: Path, running: tuple[_Running, ...], above: list[Server], is_kernel: bool) -> str:
    if above:
        return f"{', '.join(s.url for s in above)} holds {cwd} and does not answer"
    remote = "; what started this kernel is no server of this machine (VS Code, a console, a gateway?)"
    elsewhere = ", ".join(f"{e.server.url} has {e.server.root}" for e in running)
    why = f"no Jupyter server holds {cwd}" + (f": {elsewhere}" if elsewhere else "")
    return why + remote if is_kernel else why


def _running() -> Iterator[_Running]:
    """Every server of this account that left its note in Jupyter's runtime folder and is alive."""
    for note in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            entry = _entry(json.loads(note.read_text(encoding="utf-8")))
            written = note.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # gone, half written, or another program's
        if _is_alive(entry.pid, written):
            yield entry


def _is_alive(pid: int, written: float) -> bool:
    """Whether the process that left its note then still lives; a later one may have its number."""
    try:
        return psutil.Process(pid).create_time() <= written + CLOCK_S
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


def _entry(note: Mapping[str, Any]) -> _Running:
    root = Path(str(note["root_dir"])).resolve()
    return _Running(Server(_inside(str(note["url"]), note), str(note.get("token") or ""), root), int(note["pid"]))


def _inside(url: str, note: Mapping[str, Any]) -> str:
    """A server that listens everywhere gives the machine's name, which need not lead back to it: the loopback does."""
    parts = urlsplit(url)
    if parts.scheme != "http" or note.get("hostname") not in _EVERYWHERE or not note.get("port"):
        return _base(url)
    return _base(f"http://127.0.0.1:{int(note['port'])}{parts.path}")


def _base(url: str) -> str:
    return url.rstrip("/") + "/"


def _hub_url(service_url: str, prefix: str) -> str:
    """The address inside of the hub's proxy; a server that listens everywhere is asked on the loopback."""
    parts = urlsplit(service_url)
    host = parts.hostname or ""
    host = "127.0.0.1" if host in ("", *_EVERYWHERE) else f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    return _base(f"{parts.scheme}://{host}{port}/{prefix.strip('/')}")


def _is_reachable(server: Server) -> bool:
    try:
        with OPENER.open(f"{server.url}api", timeout=REACH_TIMEOUT_S):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError, HTTPException) as error:
        # It answers; whoever asks it is told that its certificate is not trusted.
        return isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError)

"""A kernel that shows the panel, and the front end's half of what they say to each other."""

import base64
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import start_new_kernel

from jupyter_deepresearch.jupyter.servers import TOKEN_VARIABLE, URL_VARIABLE, Server

_PATIENCE_S = 60.0
_HERE_S = 20.0
_LAST = 100


@dataclass(frozen=True)
class Said:
    """A message of the panel's widget: ``kind`` "open", "update" or "custom"; ``size`` in bytes as it was sent."""

    kind: str
    content: dict[str, Any]
    buffers: tuple[bytes, ...]
    size: int

    @property
    def as_json(self) -> dict[str, Any]:
        """The message for a page: buffers in base64, those of traits in their places."""
        packed = [{"base64": base64.b64encode(buffer).decode()} for buffer in self.buffers]
        if self.kind == "custom":
            return {"content": self.content, "buffers": packed}
        paths = self.content.get("buffer_paths", [])
        return {"state": {**self.content["state"], **{path[0]: one for path, one in zip(paths, packed, strict=True)}}}


@dataclass
class Viewer:
    """The notebook page of a kernel, as far as the kernel can tell: it executes, it hears, and it says "here"."""

    client: Any
    process: psutil.Process
    other_bytes: int = 0
    _comm: str = ""
    _here_at: float = 0.0

    def run(self, code: str) -> list[Said]:
        """Execute a cell; what the panel said meanwhile. Raises RuntimeError where the cell fails."""
        asked = self.client.execute(code, store_history=False, stop_on_error=False)
        said, is_over = list[Said](), False
        end = time.monotonic() + _PATIENCE_S
        while not is_over and time.monotonic() < end:
            for message, found in self._received(0.1):
                said += found
                mine = message["parent_header"].get("msg_id") == asked
                if mine and message["msg_type"] == "error":
                    raise RuntimeError("\n".join(message["content"]["traceback"]))
                if mine and message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
                    raise RuntimeError(message["content"]["text"])
                is_over |= mine and message["content"].get("execution_state") == "idle"
        return said

    def value(self, expression: str) -> int:
        """A whole number of the kernel's. What the panel says meanwhile is lost."""
        return _value(self.client, expression)

    def hear(self, seconds: float, is_seen: bool = True) -> list[Said]:
        """What the panel says in so long; ``is_seen``: a view is there."""
        said, end = list[Said](), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if is_seen:
                self.be_here()
            for _, found in self._received(min(left, 1.0)):
                said += found
        return said

    def hear_until(self, is_enough: Callable[[list[Said]], bool]) -> list[Said]:
        """What the panel says until it is enough. Raises RuntimeError where that does not come."""
        said, end = list[Said](), time.monotonic() + _PATIENCE_S
        while not is_enough(said):
            if time.monotonic() > end:
                raise RuntimeError(f"the panel said only {[(one.kind, one.size) for one in said][-20:]}")
            self.be_here()
            for _, found in self._received(0.2):
                said += found
        return said

    def hear_updates(self, count: int) -> list[list[Said]]:
        """The last of so many updates, each all that follows a status. Raises RuntimeError where they do not come."""
        updates: list[list[Said]] = [[]]
        while count > 0:
            for said in self.hear_until(bool):
                if "status" in said.content.get("state", {}):
                    updates, count = [*updates[-_LAST:], []], count - 1
                updates[-1].append(said)
        return [update for update in updates if update]

    def be_here(self) -> None:
        """Say that a view can be seen, as often as one says it."""
        if time.monotonic() - self._here_at >= _HERE_S:
            self.tell({"kind": "here"})

    def tell(self, content: dict[str, Any]) -> None:
        """Send a message of a view."""
        self._here_at = time.monotonic()
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": self._comm, "data": data})
        self.client.shell_channel.send(message)

    def cpu_s(self) -> float:
        """Seconds of CPU that the kernel's process has taken so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def _received(self, seconds: float) -> Iterator[tuple[dict[str, Any], list[Said]]]:
        """Messages that come within so long, each with what the panel says by it."""
        socket = self.client.iopub_channel.socket
        timeout_ms = int(1000 * seconds)
        while socket.poll(timeout_ms):
            frames = socket.recv_multipart()
            _, parts = self.client.session.feed_identities(frames)
            message = self.client.session.deserialize(parts)
            size = sum(map(len, frames))
            found = self._of_panel(message, size)
            if found is None and message["msg_type"] != "status":
                self.other_bytes += size
            yield message, [found] if found is not None else []
            timeout_ms = 0

    def _of_panel(self, message: dict[str, Any], size: int) -> Said | None:
        content = message["content"]
        if message["msg_type"] not in ("comm_open", "comm_msg"):
            return None
        buffers, kind, held = tuple(map(bytes, message["buffers"])), "open", content["data"]
        if message["msg_type"] == "comm_open" and "points_seq" in content["data"].get("state", {}):
            self._comm = content["comm_id"]
        if content["comm_id"] != self._comm:
            return None
        if message["msg_type"] == "comm_msg":
            kind = held["method"]
            held = held["content"] if kind == "custom" else held
        return Said(kind, held, buffers, size)


@contextlib.contextmanager
def viewer_in(folder: Path, server: Server) -> Iterator[Viewer]:
    """A new kernel that works in ``folder`` and asks ``server``; ended in the end."""
    environ = {**os.environ, URL_VARIABLE: server.url, TOKEN_VARIABLE: server.token}
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder), env=environ, stderr=subprocess.DEVNULL)
    try:
        viewer = Viewer(client, psutil.Process(_pid_of(client)))
        viewer.run("%load_ext jupyter_deepresearch")
        yield viewer
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _pid_of(client: Any) -> int:
    return _value(client, "__import__('os').getpid()")


def _value(client: Any, expression: str) -> int:
    answer = client.execute_interactive(
        "", silent=True, user_expressions={"found": expression}, output_hook=lambda message: None, timeout=_PATIENCE_S
    )
    return int(answer["content"]["user_expressions"]["found"]["data"]["text/plain"])


def seq_of(said: list[Said]) -> int:
    """The seq that the view has reached by its status; 0 by none."""
    states = (one.content.get("state", {}) for one in said)
    return max((state["status"]["seq"] for state in states if "status" in state), default=0)


def dumped(said: list[Said]) -> str:
    """Messages as JSON text for a page."""
    return json.dumps([one.as_json for one in said])

"""A real Jupyter server in a process of its own, and the kernels it starts, as a notebook would use them."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

START_S = 60
CELL_S = 60


@dataclass
class Cell:
    """What executing a cell left: plain text and HTML of its outputs, its streams, its error."""

    text: str = ""
    html: str = ""
    stdout: str = ""
    stderr: str = ""
    error: str = ""

    def take(self, message: Mapping[str, Any]) -> None:
        """One message of the kernel's."""
        kind, content = message["header"]["msg_type"], message["content"]
        if kind in ("display_data", "execute_result"):
            self.text += content["data"].get("text/plain", "") + "\n"
            self.html += content["data"].get("text/html", "")
        elif kind == "stream":
            setattr(self, content["name"], getattr(self, content["name"]) + content["text"])
        elif kind == "error":
            self.error = "\n".join(content["traceback"])


@dataclass
class Kernel:
    """A running kernel. ``answers`` are given to its questions, in order; without one left it may not ask."""

    client: BlockingKernelClient
    id: str = ""
    answers: list[str] = field(default_factory=list)

    def run(self, code: str) -> Cell:
        """Execute a cell."""
        cell = Cell()
        self.client.execute_interactive(
            code,
            allow_stdin=bool(self.answers),
            timeout=CELL_S,
            output_hook=cell.take,
            stdin_hook=lambda message: self.client.input(self.answers.pop(0)),
        )
        return cell

    def say(self, line: str) -> Cell:
        """Execute a line of the magic that must succeed."""
        cell = self.run(f"%deepresearch {line}")
        assert (cell.error, cell.stderr) == ("", ""), cell
        return cell

    def refused(self, line: str) -> str:
        """The one line with which a line of the magic is refused."""
        cell = self.run(line if line.startswith("%") else f"%deepresearch {line}")
        assert cell.error == "" and cell.text == "" and cell.stderr.startswith("deepresearch: "), cell
        assert cell.stderr.count("\n") == 1 and "Traceback" not in cell.stderr, cell
        return cell.stderr.removeprefix("deepresearch: ").strip()


@dataclass
class JupyterServer:
    """`jupyter server` on ``root``."""

    root: Path
    environment: dict[str, str]
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    kernels: list[Kernel] = field(default_factory=list)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "jupyter_server", "--ip=127.0.0.1", f"--port={self.port}", "--no-browser"]
        command += [f"--ServerApp.root_dir={self.root}", "--allow-root", "--ServerApp.port_retries=0"]
        command += ["--ServerApp.jpserver_extensions={'jupyter_deepresearch': True}"]
        environment = {**os.environ, **self.environment, "JUPYTER_TOKEN": self.token}
        with (self.root.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        until(self._answers, START_S)

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, (self.root.parent / "server.log").read_text()
        try:
            return self.ask("status") is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, route: str, body: object = None, method: str | None = None) -> Any:
        """Jupyter's own API."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/{route}", content, method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def kernel(self, folder: str = "") -> Kernel:
        """A new kernel that works in this folder below the root, with the magic loaded."""
        return self._connected(self.ask("kernels", {"name": "python3", "path": folder})["id"])

    def session(self, notebook: str, kernel: str) -> Kernel:
        """The kernel of a notebook that is opened with this kernelspec, with the magic loaded."""
        wanted = {"path": notebook, "name": Path(notebook).name, "type": "notebook", "kernel": {"name": kernel}}
        return self._connected(self.ask("sessions", wanted)["kernel"]["id"])

    def _connected(self, kernel_id: str) -> Kernel:
        runtime = Path(self.environment["JUPYTER_RUNTIME_DIR"])
        client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel_id}.json"))
        client.load_connection_file()
        client.start_channels(hb=False)  # a busy machine misses beats
        client.wait_for_ready(timeout=START_S)
        kernel = Kernel(client, kernel_id)
        self.kernels.append(kernel)
        assert kernel.run("%load_ext jupyter_deepresearch") == Cell()
        return kernel

    def end_kernel(self, kernel: Kernel) -> None:
        """Shut a kernel down, as closing a notebook does."""
        kernel.client.stop_channels()
        self.kernels.remove(kernel)
        self.ask(f"kernels/{kernel.id}", method="DELETE")

    def stop(self) -> None:
        """End it, as Ctrl-C does, with its kernels."""
        for kernel in self.kernels:
            kernel.client.stop_channels()
        self.kernels.clear()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def until(holds: Callable[[], bool], limit_s: float = 30) -> None:
    """Wait until something holds. AssertionError after ``limit_s``."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not come true within {limit_s:g} s"
        time.sleep(0.1)

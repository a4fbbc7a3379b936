"""One run's kernel process: started on sockets of its own, known by pid, ended for certain."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from ...errors import NotFound
from ..environment import kernel_specs
from .interior import ASKED, Interior, read_interior

READY_TIMEOUT_S = 120.0
FINISH_TIMEOUT_S = 30.0
_TAIL_BYTES = 16_000
_MOST_SOCKET_PATH = 90

QUEUED_MESSAGES = 20
"""So many wait on our side: beyond them a flood waits in the kernel. Set before the sockets are made: changed on a live
one it can leave a queue full for ever, its reader having told of what it read by the old length only."""
MESSAGE_BYTES = 32 * 1024
"""A kernel queues up to 1,000 messages: this bounds what they take."""

INIT = f"""
def _deepresearch(inject):
    import sys
    import threading

    if "_deepresearch_hooks" not in sys.modules:  # a kernel that was told to leave PYTHONPATH alone
        sys.path.insert(0, inject)
        for name in ("_deepresearch_paths", "_deepresearch_hooks"):
            __import__(name).install()
    import _deepresearch_paths
    import jupyter_deepresearch
    import zmq

    def bound(stream, most={MESSAGE_BYTES}):
        schedule, buffers = stream._schedule_flush, stream._flush_buffers

        def schedule_or_flush():
            schedule()
            try:
                waiting = sum(buffer.tell() for buffer in list(stream._buffers.values()))
            except ValueError:  # sent meanwhile
                return
            if waiting > most:
                stream.flush()

        def in_pieces():
            for parent, text in buffers():
                for start in range(0, len(text), most):
                    yield parent, text[start : start + most]

        stream._schedule_flush, stream._flush_buffers = schedule_or_flush, in_pieces

    def never_wait_for_itself(thread):
        schedule = thread.schedule

        def schedule_or_append(event):
            if threading.current_thread() is not thread.thread:
                return schedule(event)
            thread._events.append(event)
            thread.io_loop.add_callback(thread._handle_event, None)

        thread.schedule = schedule_or_append

    jupyter_deepresearch.install_shell_hook()
    get_ipython().events.register("post_run_cell", _deepresearch_paths.look)
    thread = get_ipython().kernel.iopub_thread
    never_wait_for_itself(thread)
    thread.schedule(lambda: thread.socket.setsockopt(zmq.XPUB_NODROP, 1))
    for stream in (sys.stdout, sys.stderr):
        bound(stream)
try:
    _deepresearch(INJECT)
finally:
    del _deepresearch
"""
"""What a Python kernel runs first, INJECT being the folder of our files: the hooks, where they are not in place yet;
notes of failed shell commands and of the project's own code in use; messages of a bounded size, in a queue that waits
for its reader. By itself a kernel puts all that is printed in 0.2 s into one message, drops messages from 1,000 waiting
ones on, and its sending thread hangs once it has queued so many for itself."""


class Kernel:
    """A kernel. ``executable``: the program that was started; ``interior``: what it says of itself once prepared."""

    def __init__(self, name: str, cwd: str, env: Mapping[str, str], inject: Path) -> None:
        self._name, self._cwd = name, cwd
        self._env, self._inject = dict(env), inject
        self._folder: Path | None = None
        self._stderr = b""
        self._stderr_fd: int | None = None
        self._pidfd: int | None = None
        self.manager: Any = None
        self.client: Any = None
        self.pid: int | None = None
        self.executable = ""
        self.interior = Interior()

    async def launch(self, on_death: Callable[[], None]) -> None:
        """Start the process, not waiting until it answers.

        ``on_death`` is called once, in the event loop, as soon as the process is gone. Raises NotFound for an unknown
        kernel, OSError.
        """
        manager = AsyncKernelManager(kernel_name=self._name, kernel_spec_manager=kernel_specs(self._name))
        self.manager = manager
        try:
            spec = manager.kernel_spec
        except NoSuchKernel:
            known = ", ".join(sorted(manager.kernel_spec_manager.find_kernel_specs())) or "none"
            raise NotFound(f"no kernel named {self._name!r} is installed; installed are: {known}") from None
        if spec is None:
            raise NotFound(f"no kernel named {self._name!r} is installed")
        self.executable = str(spec.argv[0]) if spec.argv else ""
        self._use_own_sockets(manager)
        env = self._env | {"PYTHONPATH": self._python_path(spec.env)}
        spec.env = {name: value for name, value in spec.env.items() if name not in self._kept(env)}
        reader, writer = os.pipe()
        try:
            arguments = ["--HistoryManager.hist_file=:memory:"] if manager.ipykernel else []
            await manager.start_kernel(
                extra_arguments=arguments, cwd=self._cwd, env=env, stdout=subprocess.DEVNULL, stderr=writer
            )
        finally:
            os.close(writer)
            self._watch_stderr(reader)
        self.executable = str(manager.format_kernel_cmd()[0])
        self.pid = self.manager.provisioner.pid
        self._watch_death(on_death)

    def _kept(self, env: Mapping[str, str]) -> set[str]:
        """Names in which the kernelspec's own environment must not undo ours."""
        return {"PYTHONPATH", "CUDA_VISIBLE_DEVICES"} & set(env) | {n for n in env if n.startswith("DEEPRESEARCH_")}

    @property
    def _speaks_python(self) -> bool:
        """Whether the kernel's language is Python."""
        return str(self.manager.kernel_spec.language).lower() == "python"

    def _python_path(self, spec_env: Mapping[str, str]) -> str:
        old = spec_env.get("PYTHONPATH", self._env.get("PYTHONPATH", ""))
        old = old.replace("${PYTHONPATH}", self._env.get("PYTHONPATH", ""))
        return os.pathsep.join(filter(None, [str(self._inject), old]))

    def _use_own_sockets(self, manager: Any) -> None:
        """Sockets as files in a short, private folder: no ports, no warning of unencrypted TCP, nothing left behind."""
        self._folder = Path(tempfile.mkdtemp(prefix="dr-"))
        if len(str(self._folder)) > _MOST_SOCKET_PATH and os.access("/tmp", os.W_OK):
            self._folder.rmdir()
            self._folder = Path(tempfile.mkdtemp(prefix="dr-", dir="/tmp"))
        with contextlib.suppress(OSError):  # without the link a killed runner leaves an empty folder, nothing worse
            (self._inject.parent / "sockets").symlink_to(self._folder)
        manager.connection_file = str(self._folder / "kernel.json")
        if os.name == "posix" and len(str(self._folder)) <= _MOST_SOCKET_PATH:
            manager.transport = "ipc"
            manager.ip = str(self._folder / "s")

    def _watch_stderr(self, reader: int) -> None:
        os.set_blocking(reader, False)
        self._stderr_fd = reader
        asyncio.get_running_loop().add_reader(reader, self._read_stderr)

    def _read_stderr(self) -> None:
        if self._stderr_fd is None:
            return
        try:
            while content := os.read(self._stderr_fd, 65536):
                self._stderr = (self._stderr + content)[-_TAIL_BYTES:]
        except BlockingIOError:
            return
        self._close_stderr()

    def _close_stderr(self) -> None:
        if self._stderr_fd is not None:
            asyncio.get_running_loop().remove_reader(self._stderr_fd)
            os.close(self._stderr_fd)
            self._stderr_fd = None

    def _watch_death(self, on_death: Callable[[], None]) -> None:
        if self.pid is None or not hasattr(os, "pidfd_open"):
            return
        loop = asyncio.get_running_loop()
        try:
            self._pidfd = os.pidfd_open(self.pid)
        except OSError:  # an old system, or gone already: nbclient looks once a second
            return

        def gone() -> None:
            self._close_pidfd()
            on_death()

        loop.add_reader(self._pidfd, gone)

    def _close_pidfd(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None

    async def connect(self) -> None:
        """Wait until the kernel answers. Raises RuntimeError where it dies or stays silent."""
        self.manager.context.rcvhwm = QUEUED_MESSAGES
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=READY_TIMEOUT_S)
        self.client.allow_stdin = False

    async def language(self) -> Mapping[str, str]:
        """The kernel's ``language_info``, for the notebook's metadata."""
        reply = await self._reply(self.client.kernel_info(), READY_TIMEOUT_S)
        return dict(reply["content"].get("language_info", {}))

    async def _reply(self, request: str, timeout_s: float) -> dict[str, Any]:
        async with asyncio.timeout(timeout_s):
            while True:
                reply: dict[str, Any] = await self.client.get_shell_msg()
                if reply["parent_header"].get("msg_id") == request:
                    return reply

    async def prepare(self) -> str | None:
        """Run ``INIT``; the error in one line, None where there was none or the kernel is none of Python."""
        if not self._speaks_python:
            return None
        return await self.run_silently(INIT.replace("INJECT", repr(str(self._inject))), asked=ASKED)

    async def run_silently(
        self, code: str, timeout_s: float = 30.0, asked: Mapping[str, str] | None = None
    ) -> str | None:
        """Run code that leaves no trace in the notebook; the error in one line, None where there was none."""
        request = self.client.execute(code, silent=True, store_history=False, user_expressions=dict(asked or {}))
        try:
            content = (await self._reply(request, timeout_s))["content"]
        except TimeoutError:
            return f"no answer within {timeout_s:g} s"
        if asked:
            self.interior = read_interior(content)
        return None if content["status"] == "ok" else f"{content.get('ename')}: {content.get('evalue')}"

    @property
    def returncode(self) -> int | None:
        """The ended process's exit code, negative for a signal; None while it lives."""
        process = None if self.manager is None else getattr(self.manager.provisioner, "process", None)
        return None if process is None else process.poll()

    @property
    def stderr_tail(self) -> str:
        """The end of what the process wrote to its own error stream: warnings, a crash's traceback."""
        self._read_stderr()
        return self._stderr.decode("utf-8", "replace")

    def interrupt(self) -> None:
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.pid is not None and self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)  # jupyter_client starts each kernel in a session, thus a group, of its own

    async def finish_logging(self, failed: bool) -> str | None:
        """Have libraries bring to its end what they log, as at the end of a program; the error in one line or None."""
        code = f"__import__('_deepresearch_endings').finish({failed})"
        return await self.run_silently(code, FINISH_TIMEOUT_S)

    async def close(self) -> int | None:
        """Kill what still runs and remove the sockets; the exit code."""
        self.kill()
        code = await self._reaped()
        if self.client is not None:
            self.client.stop_channels()
        if self.manager is not None:
            with contextlib.suppress(RuntimeError):
                await self.manager.cleanup_resources()
        self._close_pidfd()
        self._read_stderr()
        self._close_stderr()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            (self._inject.parent / "sockets").unlink(missing_ok=True)
        return code

    async def _reaped(self) -> int | None:
        for _ in range(1000):
            if self.pid is None or self.returncode is not None:
                break
            await asyncio.sleep(0.005)
        return self.returncode

"""One process with a text in and a text out, bounded in time and in size, and ended with all that it started."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ResearcherFailed, ResearcherStopped

MOST_BYTES = 8_000_000
_AFTER_EXIT_S = 2.0
_LOOKS_S = 0.05
_PIECE = 65536


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str


async def run(command: Sequence[str], text: bytes, environ: Mapping[str, str], timeout_s: float) -> Ended:
    """Runs ``command`` in an empty folder, in a session of its own.

    Raises ResearcherFailed where it does not end in time or writes without end, ResearcherStopped where it cannot be
    started. However this is left, cancelled too, nothing of it lives on.
    """
    name = Path(command[0]).name
    with _empty_folder() as folder:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=dict(environ),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ResearcherStopped(f"{command[0]} cannot be started: {error.strerror or error}") from error
        try:
            async with asyncio.timeout(timeout_s):
                return await _talked(process, text, name)
        except TimeoutError as error:
            raise ResearcherFailed(f"{name} did not answer within {timeout_s:g} s") from error
        finally:
            await _finish(process)


async def _talked(process: asyncio.subprocess.Process, text: bytes, name: str) -> Ended:
    """Feeds and reads at once. A child that holds the pipes open is not waited for once the process has ended."""
    out, err = bytearray(), bytearray()
    talk = asyncio.create_task(_exchanged(process, text, out, err, name))
    ending = asyncio.create_task(_exit(process))
    both: list[asyncio.Task[Any]] = [talk, ending]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            await asyncio.wait([talk], timeout=_AFTER_EXIT_S)
        if talk.done():
            talk.result()
        code = await ending
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
    return Ended(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


async def _exchanged(
    process: asyncio.subprocess.Process, text: bytes, out: bytearray, err: bytearray, name: str
) -> None:
    """All that passes the pipes, until the other ends are closed."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # they are pipes
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_feed(process.stdin, text))
            tasks.create_task(_read(process.stdout, out, name))
            tasks.create_task(_read(process.stderr, err, name))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _exit(process: asyncio.subprocess.Process) -> int:
    """The exit code, as soon as there is one: ``wait()`` waits for the pipes as well in some versions of Python."""
    while process.returncode is None:
        await asyncio.sleep(_LOOKS_S)
    return process.returncode


async def _feed(pipe: asyncio.StreamWriter, text: bytes) -> None:
    """A process that ends without reading has its say by its exit."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(text)
        await pipe.drain()
    pipe.close()


async def _read(pipe: asyncio.StreamReader, into: bytearray, name: str) -> None:
    while piece := await pipe.read(_PIECE):
        into += piece
        if len(into) > MOST_BYTES:
            raise ResearcherFailed(f"{name} wrote more than {MOST_BYTES // 1_000_000} MB, which is no answer")


async def _finish(process: asyncio.subprocess.Process) -> None:
    """Ends the group where the process lives, or where one of its children still holds a pipe; then no other can have
    got the group's number meanwhile."""
    try:
        holds = any(pipe is not None and not pipe.at_eof() for pipe in (process.stdout, process.stderr))
        if process.returncode is None or holds:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        await _exit(process)
    finally:
        # There is no public way to let go of a pipe that a stranger holds.
        transport: asyncio.SubprocessTransport = process._transport  # type: ignore[attr-defined]
        transport.close()


@contextlib.contextmanager
def _empty_folder() -> Iterator[Path]:
    """The same folder each time where it is ours and empty: the command remembers every folder it was run in."""
    usual = Path(tempfile.gettempdir()) / f"deepresearch-claude-{os.getuid()}"
    with contextlib.suppress(OSError):
        usual.mkdir(mode=0o700)
    if _is_ours_and_empty(usual):
        yield usual
        return
    own = tempfile.mkdtemp(prefix="deepresearch-claude-")
    try:
        yield Path(own)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _is_ours_and_empty(folder: Path) -> bool:
    try:
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
        return ours and not os.listdir(folder)
    except OSError:
        return False

"""The end of a run: kernel, leftovers, last words, and all that is known of it."""

import asyncio
import os
import platform
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

from ...core.types import RunError
from ..trees.aftermath import absent, change_note
from ..trees.record import TreeRecord, read_record
from .children import end_descendants
from .ending import Death, Facts, clean
from .kernel import Kernel
from .session import Session


async def close(session: Session, watching: "asyncio.Task[None]") -> Facts:
    """End everything, in the order in which nothing is lost, and collect what is known."""
    tail = _printed_tail(session)
    death = await _end_kernel(session)
    if death is not None and session.kernel is not None:
        tail += session.kernel.stderr_tail
    watching.cancel()
    count = await asyncio.to_thread(end_descendants, os.getpid())
    if count:
        session.notes.append(f"{count} process(es) that the notebook left running were ended")
    tree = await asyncio.to_thread(read_record, session.paths.tree)
    if tree is not None and session.kernel is not None:
        await asyncio.to_thread(_note_changes, session, tree)
    session.metrics.close()
    session.save()
    if session.output_log is not None:
        session.output_log.close()
    session.lease.release()
    session.rendezvous.release()
    session.tell("ended")
    return _facts(session, death, tail, () if tree is None else absent(tree))


def _note_changes(session: Session, tree: TreeRecord) -> None:
    """Say which of the project's own files changed since the kernel was started, as far as its tree links to them."""
    try:
        since_ns = (session.paths.inject / "sitecustomize.py").stat().st_ctime_ns
    except OSError:  # the run has removed it
        since_ns = session.paths.tree.stat().st_ctime_ns
    note = change_note(Path(session.spec.project), tree, since_ns)
    if note is not None:
        session.notes.append(note)


def _printed_tail(session: Session) -> str:
    """The end of what the executing cell printed."""
    if session.execution is None or session.execution.progress.cell is None:
        return ""
    return session.execution.client.outputs.of(session.execution.progress.cell).tail(4000)


async def _end_kernel(session: Session) -> Death | None:
    """Kill the kernel; how it had died by itself before, None where it had not."""
    kernel = session.kernel
    if kernel is None or kernel.pid is None:
        return None
    died = kernel.returncode is not None or (session.execution is not None and session.execution.progress.died)
    if not died:
        session.sampler.note_peak(kernel.pid)
        if session.stop is None and session.metrics.libraries:
            await _finish_logging(session, kernel)
    code = await kernel.close()
    return Death(code, session.died_of_memory and code == -signal.SIGKILL) if died else None


async def _finish_logging(session: Session, kernel: Kernel) -> None:
    """By hand the notebook's kernel would live on, and wandb and others would write on."""
    trouble = await kernel.finish_logging(failed=_failure(session) is not None)
    if trouble is not None:
        names = ", ".join(sorted(session.metrics.libraries))
        session.notes.append(f"what {names} logged may lack its end: {trouble}")


def _facts(session: Session, death: Death | None, tail: str, unseen: tuple[str, ...]) -> Facts:
    elapsed_s = session.elapsed_s
    progress = None if session.execution is None else session.execution.progress
    return Facts(
        session.spec,
        session.tally.score(),
        code_cells=0 if progress is None else progress.code_cells,
        finished=0 if progress is None else progress.finished,
        cell=None if progress is None else progress.cell,
        stop=session.stop,
        error=session.error,
        failure=_failure(session),
        exits=tuple(session.exits),
        death=death,
        tail=tail,
        elapsed_s=elapsed_s,
        gpu_s=(elapsed_s or 0.0) * len(session.lease.devices),
        peak_memory_bytes=session.sampler.peak_memory_bytes,
        notes=_notes(session),
        environment=_environment(session),
        unseen=unseen,
    )


def _failure(session: Session) -> RunError | None:
    failure = None if session.execution is None else session.execution.progress.failure
    if failure is None:
        return None
    return RunError(failure.name, clean(failure.message), failure.cell, clean(failure.traceback))


def _notes(session: Session) -> tuple[str, ...]:
    notes = [*session.notes, *session.metrics.notes]
    if session.execution is not None:
        notes.extend(session.execution.client.troubles)
    if session.metrics.unreadable:
        notes.append(f"{session.metrics.unreadable} line(s) of the reports file could not be read")
    if session.metrics.is_cut:
        notes.append("more numbers were printed than metrics.jsonl takes: the curve lacks the last of them")
    if session.metrics.write_failures:
        notes.append("metrics.jsonl is not complete: the disk refused it")
    if session.output_log is not None and session.output_log.write_failures:
        notes.append("outputs.jsonl is not complete: the disk refused it")
    return tuple(notes)


def _environment(session: Session) -> Mapping[str, str]:
    """What the kernel ran in; only what is known."""
    kernel, packages = session.kernel, session.packages
    known = {
        "kernel": session.spec.kernel,
        "python": session.language.get("version", ""),
        "executable": "" if kernel is None else kernel.interior.executable or kernel.executable,
        "packages": packages.result() if packages is not None and packages.done() else "",
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "gpus": ", ".join(f"{device.name} ({device.uuid})" for device in session.lease.devices),
    }
    return {name: value for name, value in known.items() if value}

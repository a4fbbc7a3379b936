"""What goes on beside the cells: reports taken over, resources sampled, rules looked at, the notebook saved."""

import asyncio
import os
from time import monotonic, time

from ...core.types import RunState
from .guard import Stop
from .resources import append_line, interval_s
from .session import Session

POLL_S = 0.025
_LOOK_S = 0.2
_SAVE_S = 5.0


async def watch(session: Session) -> None:
    """Watch a run until cancelled. Never raises for what a run does; an error of ours ends the run and is its error."""
    try:
        await _watch(session)
    except Exception as error:  # noqa: BLE001  (nobody awaits this task while the cells run)
        message = f"the runner's watch failed: {type(error).__name__}: {error}"
        session.end_early(Stop(RunState.CRASHED, "RunnerFailed", "runner", message))


async def _watch(session: Session) -> None:
    resources = os.open(session.paths.resources, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    next_look, next_sample, next_save = 0.0, 0.0, monotonic() + _SAVE_S
    saved_bytes = 0
    try:
        while True:
            session.metrics.poll()
            now = monotonic()
            if now >= next_look:
                next_look = now + _LOOK_S
                look(session)
            if now >= next_sample and session.kernel is not None:
                sample(session, resources)
                next_sample = now + _pause_s(session)
            seen_bytes = session.seen_bytes
            if now >= next_save and seen_bytes != saved_bytes:
                saved_bytes = seen_bytes
                session.save()
                next_save = monotonic() + _SAVE_S
            await asyncio.sleep(POLL_S)
    finally:
        os.close(resources)


def _pause_s(session: Session) -> float:
    stall_minutes = session.spec.guard.stall_minutes
    return min(interval_s(session.elapsed_s or 0.0), 15 * stall_minutes if stall_minutes else 5.0)


def look(session: Session) -> None:
    """Requests to cancel, and the clock's rules."""
    if session.paths.cancel.exists():
        session.end_early(Stop(RunState.CANCELLED, "Cancelled", "cancel", "cancelled on request"))
    elapsed_s = session.elapsed_s
    stop = None if elapsed_s is None else session.rules.elapsed(elapsed_s)
    if stop is not None:
        session.end_early(stop)


def sample(session: Session, descriptor: int) -> None:
    """One look at what the run's processes do, and the rule on silence."""
    line = session.sampler.sample(time(), session.seen_bytes)
    try:
        append_line(descriptor, line)
    except OSError as error:
        session.could_not_write(session.paths.resources, error)
    try:
        session.roll.call(session.sampler.pids)
    except OSError as error:
        session.could_not_write(session.paths.processes, error)
    stop = session.rules.sampled(session.elapsed_s or 0.0, session.sampler.activity)
    if stop is not None:
        session.end_early(stop)

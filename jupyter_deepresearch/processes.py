"""Whether a process recorded earlier still lives: by pid, start time and boot id, so that a reused pid never counts.

Standard library only. Where there is no ``/proc`` (macOS) start times and boot ids are unknown (None) and only the
pid speaks.
"""

import os
from pathlib import Path

_ZOMBIE_OR_DEAD = ("Z", "X", "x")


def boot_id() -> str | None:
    """This boot of this machine; None where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


def start_ticks(pid: int) -> int | None:
    """When a live process started, in clock ticks since boot; None for one that is gone, a zombie, or unknown."""
    fields = _stat(pid)
    if fields is None or fields[0] in _ZOMBIE_OR_DEAD:
        return None
    return int(fields[19])


def is_alive(pid: int, start_time: int | None, boot: str | None) -> bool:
    """Whether the very process recorded as (pid, start ticks, boot id) still lives. Zombies are dead.

    What was recorded as None is not compared. Only this machine's processes can be asked about.
    """
    if boot is not None and boot != boot_id():
        return False
    if not has_proc():
        return _accepts_signals(pid)
    now = start_ticks(pid)
    return now is not None and start_time in (None, now)


def has_proc() -> bool:
    """Whether the system lists its processes under ``/proc``."""
    return os.path.exists("/proc/self/stat")


def _stat(pid: int) -> list[str] | None:
    """The fields of ``/proc/PID/stat`` from the state on: the name before may hold blanks and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes().decode("ascii", "replace")
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def _accepts_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

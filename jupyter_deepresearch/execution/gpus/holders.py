"""Who uses a GPU, in words a person knows: a notebook's kernel, a run of ours, somebody's program."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .nvml import GpuProcess, GpuState

IDLE_BYTES = 1 << 30
"""Memory in use without a process that computes counts as foreign from here on: another container's, a desktop's."""
NOBODY = "nobody visible here (another container, or a process that is ending)"
_RUNNER = "jupyter_deepresearch.execution.runner"
_MOST_NAMED = 3
_MOST_ANCESTORS = 12

Naming = Callable[[int], str]


@dataclass(frozen=True)
class _Seen:
    """What can be seen of a process; ``environ`` only of our own ones."""

    pid: int
    user: str
    is_own: bool
    command: tuple[str, ...]
    environ: Mapping[str, str]


def name_of(pid: int) -> str:
    """Who this process is: its run or its notebook where it has one, else its user, program and pid."""
    try:
        process = psutil.Process(pid)
        seen = _see(process)
        family = [seen, *(_see(parent) for parent in _ancestors(process))]
    except psutil.Error:
        return f"a process that is not visible from here (pid {pid})"
    return _run(family) or _kernel(family) or _program(seen)


def _ancestors(process: psutil.Process) -> Sequence[psutil.Process]:
    try:
        return process.parents()[:_MOST_ANCESTORS]
    except psutil.Error:
        return ()


def _see(process: psutil.Process) -> _Seen:
    """Raises psutil.Error where the process is gone."""
    uid = process.uids().real
    try:
        user = process.username()
    except (KeyError, psutil.AccessDenied):
        user = str(uid)
    try:
        command = tuple(process.cmdline()) or (process.name(),)
    except psutil.AccessDenied:
        command = (process.name(),)
    is_own = uid == os.getuid()
    try:
        environ = process.environ() if is_own else {}
    except (psutil.AccessDenied, psutil.ZombieProcess, OSError):
        environ = {}
    return _Seen(process.pid, user, is_own, command, environ)


def _run(family: Iterable[_Seen]) -> str | None:
    """The run of ours that a process belongs to: told by its runner's command line, or by its own environment."""
    for seen in family:
        if _RUNNER in seen.command[1:]:
            run = Path(seen.command[-1])
            return _of_user(f"the run {run.name} of project {run.parent.parent.parent.name}", seen)
        if "DEEPRESEARCH_RUN" in seen.environ:
            project = Path(seen.environ.get("DEEPRESEARCH_PROJECT", "")).name or "?"
            return f"the run {seen.environ['DEEPRESEARCH_RUN']} of project {project}"
    return None


def _of_user(text: str, seen: _Seen) -> str:
    return text if seen.is_own else f"{text} (user {seen.user})"


def _kernel(family: Iterable[_Seen]) -> str | None:
    """The notebook whose kernel a process is, or was started by."""
    for seen in family:
        if not any(_is_connection_file(word) for word in seen.command[1:]):
            continue
        notebook = Path(seen.environ.get("JPY_SESSION_NAME", "")).name
        whose = "your" if seen.is_own else f"user {seen.user}'s"
        return f"{whose} kernel {notebook}" if notebook else f"{whose} kernel (pid {seen.pid})"
    return None


def _is_connection_file(word: str) -> bool:
    return re.fullmatch(r"kernel-[\w.-]+\.json", Path(word).name) is not None


def _program(seen: _Seen) -> str:
    program = Path(seen.command[0]).name or "program"
    script = next((Path(word).name for word in seen.command[1:] if word.endswith(".py")), "")
    whose = "your" if seen.is_own else f"user {seen.user}'s"
    return f"{whose} {program} {script}".rstrip() + f" (pid {seen.pid})"


def held_by(device: GpuState, name: Naming = name_of) -> tuple[str, ...]:
    """Who holds how much of a device's memory, most first: "9.8 GB held by your kernel train.ipynb"."""
    shares: dict[str, list[GpuProcess]] = {}
    for process in device.processes:
        shares.setdefault(name(process.pid), []).append(process)
    sizes = {who: [p.memory_bytes for p in each] for who, each in shares.items()}
    known = {who: sum(filter(None, each)) for who, each in sizes.items() if None not in each}
    if len(shares) == 1 and not known and device.memory_used_bytes:
        known = dict.fromkeys(shares, device.memory_used_bytes)
    ordered = sorted(shares, key=lambda who: -known.get(who, 0))
    lines = [f"{known[who] / 1e9:.1f} GB held by {who}" if who in known else f"held by {who}" for who in ordered]
    if not lines and device.memory_used_bytes > IDLE_BYTES:
        lines = [f"{device.memory_used_bytes / 1e9:.1f} GB held by {NOBODY}"]
    return tuple(lines)


def busy_reason(device: GpuState, free_gb: float | None, name: Naming = name_of) -> str | None:
    """Why a device is not free for a run; None where it is.

    With ``free_gb`` (10^9 bytes) that much free memory is enough. Else nobody may compute on it, nor may what draws on
    it or is not visible here hold more than ``IDLE_BYTES``.
    """
    if free_gb is not None and device.free_bytes >= free_gb * 1e9:
        return None
    is_used = any(process.computes for process in device.processes) or device.memory_used_bytes > IDLE_BYTES
    if free_gb is None and not is_used:
        return None
    holders = list(held_by(device, name))
    if len(holders) > _MOST_NAMED:
        holders[_MOST_NAMED:] = [f"{len(holders) - _MOST_NAMED} more"]
    if free_gb is not None:
        holders.insert(0, f"{device.free_bytes / 1e9:.1f} of {free_gb:g} GB free")
    return f"GPU {device.index}: {', '.join(holders)}"


def lock_holder(path: Path) -> int | None:
    """The process that holds the lock on this file, as the system tells all users; None where it does not."""
    try:
        inode = str(path.stat(follow_symlinks=False).st_ino)
        lines = Path("/proc/locks").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for words in map(str.split, lines):
        # "1: FLOCK  ADVISORY  WRITE 4242 08:01:131 0 EOF"; a waiting one has an arrow after its number
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode and words[4].isdigit():
            return int(words[4]) or None
    return None

"""What a run's processes take: CPU, memory and disk traffic by psutil, leased GPUs by their driver."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from ..gpus.nvml import GpuDriver
from ..spec import ResourceLine
from .children import descendants
from .guard import Activity


def interval_s(elapsed_s: float) -> float:
    """How long until the next sample: 1 s at first, 2 s after a minute, 5 s after ten."""
    if elapsed_s < 60:
        return 1.0
    return 2.0 if elapsed_s < 600 else 5.0


@dataclass(frozen=True)
class _Usage:
    """One process's counters."""

    cpu_s: float
    io_bytes: int
    memory_bytes: int


@dataclass
class Sampler:
    """Samples this process's descendants. Counters of processes that have ended stay counted.

    ``gpus`` are the UUIDs of the leased devices.
    """

    driver: GpuDriver
    gpus: tuple[str, ...] = ()
    peak_memory_bytes: int | None = None
    activity: Activity = field(default_factory=Activity)
    _known: dict[psutil.Process, _Usage] = field(default_factory=dict)
    _at: float | None = None
    _memory_kills: list[int | None] = field(default_factory=list)

    def sample(self, now: float, output_bytes: int) -> ResourceLine:
        """One line for ``resources.jsonl``; ``activity`` is up to date afterwards. ``now`` is wall time in seconds."""
        self._memory_kills = [*self._memory_kills[-1:], out_of_memory_kills()]
        usages = self._usages()
        cpu_s, io_bytes = 0.0, 0
        for process, usage in usages.items():
            before = self._known.get(process, _Usage(0.0, 0, 0))
            cpu_s += max(0.0, usage.cpu_s - before.cpu_s)
            io_bytes += max(0, usage.io_bytes - before.io_bytes)
        memory = sum(usage.memory_bytes for usage in usages.values())
        if usages:
            self.peak_memory_bytes = max(memory, self.peak_memory_bytes or 0)
        gpu_percent, gpu_memory = self._gpu()
        old = self.activity
        self.activity = Activity(output_bytes, old.cpu_s + cpu_s, old.io_bytes + io_bytes, gpu_percent)
        seconds = None if self._at is None else now - self._at
        percent = round(100 * cpu_s / seconds, 1) if seconds else None
        self._known, self._at = usages, now
        return ResourceLine(now, percent, memory, len(usages), gpu_percent, gpu_memory, self.gpus)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of the last sample."""
        return tuple(process.pid for process in self._known)

    def _usages(self) -> dict[psutil.Process, _Usage]:
        known = {process.pid: process for process in self._known}
        found: dict[psutil.Process, _Usage] = {}
        for pid in descendants(os.getpid()):
            try:
                process = known.get(pid) or psutil.Process(pid)
                found[process] = _usage(process)
            except psutil.NoSuchProcess:
                known.pop(pid, None)
            except psutil.AccessDenied:
                continue
        return found

    def _gpu(self) -> tuple[float | None, int | None]:
        if not self.gpus:
            return None, None
        ours = [device for device in self.driver.devices() if device.uuid in self.gpus]
        used = [d.utilisation_percent for d in ours if d.utilisation_percent is not None]
        percent = sum(used) / len(used) if used else None
        return percent, sum(d.memory_used_bytes for d in ours) if ours else None

    def system_killed_for_memory(self) -> bool:
        """Whether the system has killed a process for want of memory since the last sample but one."""
        before, now = next(iter(self._memory_kills), None), out_of_memory_kills()
        return before is not None and now is not None and now > before

    def note_peak(self, pid: int) -> None:
        """Count in the highest memory that one process ever had, where the system remembers it."""
        for line in _lines(Path(f"/proc/{pid}/status")):
            if line.startswith("VmHWM:"):
                self.peak_memory_bytes = max(int(line.split()[1]) * 1024, self.peak_memory_bytes or 0)


def _usage(process: psutil.Process) -> _Usage:
    with process.oneshot():
        times = process.cpu_times()
        memory = process.memory_info().rss
    return _Usage(times.user + times.system, _io_bytes(process), memory)


def _io_bytes(process: psutil.Process) -> int:
    """Bytes through read and write calls: files, pipes and most sockets. Zero where the system does not tell."""
    try:
        counters = process.io_counters()
    except (psutil.AccessDenied, AttributeError):
        return 0
    return int(getattr(counters, "read_chars", 0) + getattr(counters, "write_chars", 0))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def append_line(descriptor: int, line: ResourceLine) -> None:
    """Append a sample to an open ``resources.jsonl``. Raises OSError."""
    os.write(descriptor, (json.dumps(asdict(line)) + "\n").encode())


def out_of_memory_kills() -> int | None:
    """How many processes the system has killed for want of memory, here (cgroup v2) or anywhere; None if unknown."""
    for line in _lines(Path("/proc/self/cgroup")):
        if line.startswith("0::"):
            events = Path("/sys/fs/cgroup") / line[3:].strip().lstrip("/") / "memory.events"
            found = _counter(events, "oom_kill")
            if found is not None:
                return found
    return _counter(Path("/proc/vmstat"), "oom_kill")


def _counter(path: Path, name: str) -> int | None:
    for line in _lines(path):
        words = line.split()
        if len(words) == 2 and words[0] == name:
            return int(words[1])
    return None

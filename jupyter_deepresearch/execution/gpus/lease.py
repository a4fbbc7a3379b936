"""GPU leases: one lock per device UUID, for the whole machine, given back by the kernel when its holder dies."""

import fcntl
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InvalidConfig
from .nvml import GpuDriver, GpuState, busy_reason, visible

VISIBLE = "CUDA_VISIBLE_DEVICES"
PLACES = (Path("/run/lock"), Path("/tmp"))


def lock_folder() -> Path:
    """The folder of this machine's GPU locks, open to all users, made if absent. Raises OSError where none can be."""
    for place in (*PLACES, Path(tempfile.gettempdir())):
        if place.is_dir() and os.access(place, os.W_OK):
            return open_folder(place / "jupyter_deepresearch")
    return open_folder(Path(tempfile.gettempdir()) / "jupyter_deepresearch")


def open_folder(folder: Path) -> Path:
    """The folder, made with mode 1777 if absent."""
    try:
        folder.mkdir()
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    return folder


@dataclass
class GpuLease:
    """Devices held by this process until released or dead. Never unlinks: others may wait on the same file."""

    devices: tuple[GpuState, ...] = ()
    _locks: list[int] = field(default_factory=list)

    @property
    def uuids(self) -> tuple[str, ...]:
        return tuple(device.uuid for device in self.devices)

    def release(self) -> None:
        while self._locks:
            os.close(self._locks.pop())


@dataclass(frozen=True)
class Waiting:
    """No GPU now; ``note`` says who has them."""

    note: str


@dataclass(frozen=True)
class GpuWish:
    """What a run wants: ``gpus`` "auto", "none" or indices, so many of them, with so much free (10^9 bytes)."""

    gpus: str | tuple[int, ...] = "auto"
    count: int = 1
    free_gb: float | None = None


class GpuDesk:
    """Gives leases out."""

    def __init__(self, driver: GpuDriver, folder: Path | None = None) -> None:
        self._driver = driver
        self._folder = folder

    def take(self, wish: GpuWish, cuda_visible_devices: str | None) -> GpuLease | Waiting:
        """A lease of all the GPUs wished for, an empty one where there are none to have, or why to wait.

        Raises InvalidConfig where the machine can never fulfil the wish, OSError where locks cannot be made.
        """
        if wish.gpus == "none":
            return GpuLease()
        candidates = self._candidates(wish, cuda_visible_devices)
        if not candidates:
            return GpuLease()
        if len(candidates) < wish.count:
            raise InvalidConfig(
                f"[launcher] gpus_per_run is {wish.count}, but this run can see {len(candidates)} GPU(s): "
                f"{', '.join(f'{d.index} ({d.name})' for d in candidates)}"
            )
        return self._lease(candidates, wish)

    def _candidates(self, wish: GpuWish, cuda_visible_devices: str | None) -> tuple[GpuState, ...]:
        seen = visible(self._driver.devices(), cuda_visible_devices)
        if isinstance(wish.gpus, str) or not seen:
            return seen
        missing = sorted(set(wish.gpus) - {device.index for device in seen})
        if missing:
            have = ", ".join(str(device.index) for device in seen)
            raise InvalidConfig(f"[launcher] gpus names {missing}, but this run can see only {have}")
        return tuple(device for device in seen if device.index in wish.gpus)

    def _lease(self, candidates: Sequence[GpuState], wish: GpuWish) -> GpuLease | Waiting:
        folder = self._folder or lock_folder()
        lease = GpuLease()
        reasons: list[str] = []
        for device in candidates:
            reason = busy_reason(device, wish.free_gb)
            lock = None if reason else _try_lock(folder / f"{_file_name(device.uuid)}.lock")
            if lock is None:
                reasons.append(reason or f"GPU {device.index} is held by another run")
                continue
            lease = GpuLease((*lease.devices, device), [*lease._locks, lock])
            if len(lease.devices) == wish.count:
                return lease
        lease.release()
        return Waiting("waiting for a free GPU: " + "; ".join(reasons))


def _file_name(uuid: str) -> str:
    return re.sub(r"[^0-9A-Za-z-]", "_", uuid)


def _try_lock(path: Path) -> int | None:
    """The open, locked file; None where another process holds it."""
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _open_lock(path: Path) -> int:
    # Without O_CREAT first: in a sticky folder some systems refuse O_CREAT of a file that another user made.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    for _ in range(3):
        try:
            return os.open(path, flags)
        except PermissionError:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            pass
        try:
            lock = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        os.fchmod(lock, 0o666)
        return lock
    raise FileNotFoundError(f"the GPU lock {path} comes and goes")


def environment(lease: GpuLease, wish: GpuWish) -> Mapping[str, str]:
    """What the kernel's environment gains: exactly the leased devices; nothing where there are no GPUs to speak of."""
    if lease.devices:
        return {VISIBLE: ",".join(lease.uuids), "PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
    return {VISIBLE: ""} if wish.gpus == "none" else {}

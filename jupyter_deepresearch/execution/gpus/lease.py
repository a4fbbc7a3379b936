"""GPU leases: one lock per device UUID, for the whole machine, given back by the kernel when its holder dies."""

import contextlib
import fcntl
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InvalidConfig
from .allocation import VISIBLE, allocated, may_open
from .holders import Naming, busy_reason, lock_holder, name_of
from .nvml import GpuDriver, GpuState

PLACES = (Path("/run/lock"), Path("/tmp"))
NAME = "jupyter_deepresearch"
_FOR_ALL = 0o1777
_MAKING_S = 0.02
_SHARE = " (shut it down, or set gpu_free_gb under [launcher] to share the GPU)"


def lock_places() -> tuple[Path, ...]:
    """Where the folder of locks may lie, the first choice first."""
    return tuple(dict.fromkeys((*PLACES, Path(tempfile.gettempdir()))))


def lock_folder() -> Path:
    """The folder of this machine's GPU locks, open to all users, made if absent.

    The first place that is open to all is the same one for every account, also for root. One in which somebody made a
    folder with narrower rights is passed over. Raises OSError, saying why, where there is none.
    """
    refused: list[str] = []
    for place in lock_places():
        if not _is_for_all(place):
            continue
        try:
            return open_folder(place / NAME)
        except OSError as error:
            refused.append(f"{place / NAME} ({error.strerror or error})")
    raise OSError(f"no folder for GPU locks that all users may write: {'; '.join(refused) or 'no such place'}")


def _is_for_all(place: Path) -> bool:
    with contextlib.suppress(OSError):
        found = place.stat()
        return stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) & _FOR_ALL == _FOR_ALL
    return False


def open_folder(folder: Path) -> Path:
    """The folder with mode 1777, made if absent. Raises OSError where another user made it with narrower rights."""
    try:
        folder.mkdir()
    except FileExistsError:
        if folder.lstat().st_uid != os.getuid():
            time.sleep(_MAKING_S)  # its maker may be about to open it
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is no folder")
    if stat.S_IMODE(found.st_mode) & _FOR_ALL != _FOR_ALL:
        if found.st_uid != os.getuid():
            mode = stat.S_IMODE(found.st_mode)
            raise PermissionError(f"made by user {found.st_uid} with mode {mode:o}; its owner can `chmod 1777` it")
        folder.chmod(_FOR_ALL)
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
    """Gives leases out. ``is_open`` and ``name`` are the system's word on a device's number and on a pid."""

    def __init__(
        self,
        driver: GpuDriver,
        folder: Path | None = None,
        is_open: Callable[[int | None], bool] = may_open,
        name: Naming = name_of,
    ) -> None:
        self._driver = driver
        self._folder = folder
        self._is_open = is_open
        self._name = name

    def take(self, wish: GpuWish, cuda_visible_devices: str | None) -> GpuLease | Waiting:
        """A lease of all the GPUs wished for, an empty one where there are none to have, or why to wait.

        Raises InvalidConfig where the machine can never fulfil the wish, OSError where locks cannot be made.
        """
        if wish.gpus == "none":
            return GpuLease()
        candidates = self._candidates(wish, cuda_visible_devices)
        if not candidates:
            return GpuLease()
        if wish.count > 1:  # CUDA shows a process one slice of a device at most
            candidates = tuple(device for device in candidates if not device.uuid.startswith("MIG-"))
        if len(candidates) < wish.count:
            raise InvalidConfig(
                f"[launcher] gpus_per_run is {wish.count}, but this run can see {len(candidates)} whole GPU(s): "
                f"{', '.join(f'{d.index} ({d.name})' for d in candidates)}"
            )
        return self._lease(candidates, wish)

    def _candidates(self, wish: GpuWish, cuda_visible_devices: str | None) -> tuple[GpuState, ...]:
        seen = allocated(self._driver.devices(), cuda_visible_devices, self._is_open)
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
            found = busy_reason(device, wish.free_gb, self._name) or self._lock(folder, device)
            if isinstance(found, str):
                reasons.append(found)
                continue
            lease = GpuLease((*lease.devices, device), [*lease._locks, found])
            if len(lease.devices) == wish.count:
                return lease
        lease.release()
        how = _SHARE if wish.free_gb is None and any("your kernel" in reason for reason in reasons) else ""
        return Waiting(f"waiting for a free GPU: {'; '.join(reasons)}{how}")

    def _lock(self, folder: Path, device: GpuState) -> int | str:
        """The open, locked file, or why it cannot be had."""
        path = lock_path(folder, device.uuid)
        try:
            lock = _try_lock(path)
        except OSError as error:
            return f"GPU {device.index}: its lock {path} cannot be opened ({error.strerror}); its owner can remove it"
        if lock is not None:
            return lock
        holder = lock_holder(path)
        who = "another run" if holder in (None, os.getpid()) else self._name(holder or 0)
        return f"GPU {device.index}: held by {who}"


def lock_path(folder: Path, uuid: str) -> Path:
    """The file that is locked by whoever has leased the device."""
    return folder / f"{re.sub(r'[^0-9A-Za-z-]', '_', uuid)}.lock"


def _try_lock(path: Path) -> int | None:
    """The open, locked file; None where another process holds it. Raises OSError."""
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError:
        os.close(lock)
        raise
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

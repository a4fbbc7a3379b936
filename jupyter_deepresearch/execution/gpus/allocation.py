"""Which of the machine's GPUs are ours: those that our device cgroup and CUDA_VISIBLE_DEVICES leave us."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .nvml import GpuState

VISIBLE = "CUDA_VISIBLE_DEVICES"
DEVICES = Path("/dev")


def may_open(minor: int | None) -> bool:
    """Whether this account, in this cgroup, may use the device with this number.

    The system asks the device cgroup too, whatever the file's mode says. True where nothing can be known: no number,
    or a system without such device nodes (WSL).
    """
    if minor is None or not any(DEVICES.glob("nvidia[0-9]*")):
        return True
    return os.access(DEVICES / f"nvidia{minor}", os.R_OK | os.W_OK)


def allocated(
    devices: Sequence[GpuState],
    cuda_visible_devices: str | None,
    is_open: Callable[[int | None], bool] = may_open,
) -> tuple[GpuState, ...]:
    """The devices that a CUDA program started here would find, in its order."""
    return visible([device for device in devices if is_open(device.minor)], cuda_visible_devices)


def visible(devices: Sequence[GpuState], cuda_visible_devices: str | None) -> tuple[GpuState, ...]:
    """The devices that CUDA would show under this value of CUDA_VISIBLE_DEVICES (None: not set), in its order.

    Entries are numbers, which count the devices that can be opened, or UUIDs or unambiguous beginnings of them; as in
    CUDA, an unknown entry hides all after it.
    """
    if cuda_visible_devices is None:
        return tuple(devices)
    places = {index: place for place, index in enumerate(sorted({device.index for device in devices}))}
    shown: list[GpuState] = []
    for entry in cuda_visible_devices.split(","):
        matches = _named(devices, places, entry.strip())
        if len(matches) != 1 or matches[0] in shown:
            break
        shown.append(matches[0])
    return tuple(shown)


def _named(devices: Sequence[GpuState], places: Mapping[int, int], entry: str) -> list[GpuState]:
    if re.fullmatch(r"[0-9]+", entry):
        return [device for device in devices if places[device.index] == int(entry)][:1]
    if not entry.startswith(("GPU-", "MIG-")):
        return []
    return [device for device in devices if device.uuid.startswith(entry)]

"""GPUs: what NVML tells, which of them are ours to see, and which are free. "No GPU" is a state, never an error."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

IDLE_BYTES = 1 << 30
"""Memory in use without a process that NVML shows us (another container's) counts as foreign from here on."""


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes on a GPU. ``memory_bytes`` None where the driver does not tell."""

    pid: int
    memory_bytes: int | None = None


@dataclass(frozen=True)
class GpuState:
    """One device, or one MIG slice of it (``uuid`` MIG-..., ``index`` its device's), at this moment."""

    index: int
    uuid: str
    name: str
    memory_total_bytes: int
    memory_used_bytes: int
    utilisation_percent: float | None = None
    processes: tuple[GpuProcess, ...] = ()

    @property
    def free_bytes(self) -> int:
        return self.memory_total_bytes - self.memory_used_bytes


class GpuDriver(Protocol):
    """Where GPU states come from."""

    def devices(self) -> tuple[GpuState, ...]:
        """All devices of this machine; none where there is no driver. Raises nothing."""


class NvmlGpus:
    """The NVIDIA driver, asked in-process. Every error of the driver ends here."""

    def __init__(self) -> None:
        self._nvml: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml
        except (ImportError, OSError):
            return
        except pynvml.NVMLError:
            return

    def devices(self) -> tuple[GpuState, ...]:
        if self._nvml is None:
            return ()
        found: list[GpuState] = []
        try:
            for index in range(self._nvml.nvmlDeviceGetCount()):
                found.extend(self._device(index))
        except self._nvml.NVMLError:
            pass  # a device that fell off the bus hides those after it; what was seen still counts
        return tuple(found)

    def _device(self, index: int) -> list[GpuState]:
        handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        slices = self._slices(handle)
        return [self._state(index, each) for each in (slices or [handle])]

    def _slices(self, handle: Any) -> list[Any]:
        """The MIG slices of a device; none where it has no MIG mode or does not use it."""
        nvml = self._nvml
        slices: list[Any] = []
        try:
            if nvml.nvmlDeviceGetMigMode(handle)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
                return []
            for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
                slices.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number))
        except nvml.NVMLError:
            pass  # not supported, or no slice of this number
        return slices

    def _state(self, index: int, handle: Any) -> GpuState:
        nvml = self._nvml
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
        except (nvml.NVMLError, TypeError):  # an old driver or binding; it counts the driver's own share as used
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        uuid, name = _text(nvml.nvmlDeviceGetUUID(handle)), _text(nvml.nvmlDeviceGetName(handle))
        return GpuState(
            index, uuid, name, int(memory.total), int(memory.used), self._utilisation(handle), self._processes(handle)
        )

    def _utilisation(self, handle: Any) -> float | None:
        try:
            return float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except self._nvml.NVMLError:
            return None

    def _processes(self, handle: Any) -> tuple[GpuProcess, ...]:
        try:
            found = self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        except self._nvml.NVMLError:
            return ()
        return tuple(GpuProcess(int(p.pid), None if p.usedGpuMemory is None else int(p.usedGpuMemory)) for p in found)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def visible(devices: Sequence[GpuState], cuda_visible_devices: str | None) -> tuple[GpuState, ...]:
    """The devices that CUDA would show under this value of CUDA_VISIBLE_DEVICES (None: not set), in its order.

    Entries are indices, UUIDs or unambiguous beginnings of them; as in CUDA, an unknown one hides all after it.
    """
    if cuda_visible_devices is None:
        return tuple(devices)
    shown: list[GpuState] = []
    for entry in cuda_visible_devices.split(","):
        matches = _named(devices, entry.strip())
        if len(matches) != 1 or matches[0] in shown:
            break
        shown.append(matches[0])
    return tuple(shown)


def _named(devices: Sequence[GpuState], entry: str) -> list[GpuState]:
    if re.fullmatch(r"[0-9]+", entry):
        return [d for d in devices if d.index == int(entry)][:1]
    if not entry.startswith(("GPU-", "MIG-")):
        return []
    return [d for d in devices if d.uuid.startswith(entry)]


def busy_reason(device: GpuState, free_gb: float | None) -> str | None:
    """Why a device is not free for a run; None where it is.

    With ``free_gb`` (10^9 bytes) that much free memory is enough, else nobody may compute on it.
    """
    if free_gb is not None:
        if device.free_bytes >= free_gb * 1e9:
            return None
        return f"GPU {device.index} has {device.free_bytes / 1e9:.1f} of {free_gb:g} GB free"
    if device.processes:
        pids = ", ".join(str(process.pid) for process in device.processes[:3])
        return f"GPU {device.index} is used by process {pids}"
    if device.memory_used_bytes > IDLE_BYTES:
        return f"GPU {device.index} has {device.memory_used_bytes / 1e9:.1f} GB in use"
    return None

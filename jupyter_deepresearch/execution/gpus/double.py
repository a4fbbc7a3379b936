"""Doubles for the NVIDIA driver: answers that a test scripts, as states or as NVML's own calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from .nvml import GpuProcess, GpuState


def scripted_gpu(
    index: int, *pids: int, used_gb: float = 0.0, total_gb: float = 80.0, drawing: Sequence[int] = ()
) -> GpuState:
    """A device on which the processes ``pids`` compute and those of ``drawing`` draw, each with an equal share of what
    is used. Sizes in 10^9 bytes."""
    share = int(used_gb * 1e9 / (len(pids) + len(drawing) or 1)) or None
    processes = (*(GpuProcess(pid, share) for pid in pids), *(GpuProcess(pid, share, False) for pid in drawing))
    uuid = f"GPU-{index:08x}-0000-4000-8000-{index:012x}"
    return GpuState(index, uuid, f"Scripted {index}", int(total_gb * 1e9), int(used_gb * 1e9), 0.0, processes, index)


class ScriptedGpus:
    """Answers each question with the next of ``scripts``, and the last one for ever. No script: no driver."""

    def __init__(self, *scripts: Sequence[GpuState], trouble: str | None = None) -> None:
        self._scripts = [tuple(script) for script in scripts] or [()]
        self.trouble = trouble
        self.asked = 0

    def devices(self) -> tuple[GpuState, ...]:
        script = self._scripts[min(self.asked, len(self._scripts) - 1)]
        self.asked += 1
        return script


class ScriptedNvmlError(Exception):
    """An error of the driver, with NVML's number as ``value``."""

    def __init__(self, value: int) -> None:
        super().__init__(f"NVML error {value}")
        self.value = value


@dataclass(frozen=True)
class ScriptedDevice:
    """What the driver knows of one device. ``fails``: calls that answer with this error number instead.

    ``compute`` and ``graphics`` are pids with the bytes that they hold, None where they are not told.
    """

    uuid: str
    total_bytes: int = 80_000_000_000
    used_bytes: int = 0
    minor: int = 0
    compute: tuple[tuple[int, int | None], ...] = ()
    graphics: tuple[tuple[int, int | None], ...] = ()
    slices: "tuple[ScriptedDevice | None, ...] | None" = None
    fails: Mapping[str, int] = field(default_factory=dict)


class ScriptedNvml:
    """Stands in for the module ``pynvml``: the calls that ``NvmlGpus`` makes, on ``devices``.

    ``init_error``: the number with which nvmlInit fails. A slice that is None is a gap in the numbering.
    """

    NVMLError = ScriptedNvmlError
    NVML_DEVICE_MIG_ENABLE = 1
    NVML_ERROR_NOT_SUPPORTED = 3
    NVML_ERROR_NO_PERMISSION = 4
    NVML_ERROR_NOT_FOUND = 6
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_LIBRARY_NOT_FOUND = 12
    NVML_ERROR_GPU_IS_LOST = 15
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18
    nvmlMemory_v2 = 2

    def __init__(self, *devices: ScriptedDevice, init_error: int | None = None) -> None:
        self.scripted = devices
        self.init_error = init_error

    def nvmlInit(self) -> None:
        if self.init_error is not None:
            raise ScriptedNvmlError(self.init_error)

    def nvmlDeviceGetCount(self) -> int:
        return len(self.scripted)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> ScriptedDevice:
        return self._asked("handle", self.scripted[index])

    def nvmlDeviceGetMinorNumber(self, device: ScriptedDevice) -> int:
        return self._asked("minor", device).minor

    def nvmlDeviceGetMigMode(self, device: ScriptedDevice) -> list[int]:
        if self._asked("mig", device).slices is None:
            raise ScriptedNvmlError(self.NVML_ERROR_NOT_SUPPORTED)
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, device: ScriptedDevice) -> int:
        return len(device.slices or ())

    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: ScriptedDevice, number: int) -> ScriptedDevice:
        found = (device.slices or ())[number]
        if found is None:
            raise ScriptedNvmlError(self.NVML_ERROR_NOT_FOUND)
        return found

    def nvmlDeviceGetMemoryInfo(self, device: ScriptedDevice, version: int | None = None) -> Any:
        self._asked("memory" if version is None else "memory_v2", device)
        return SimpleNamespace(total=device.total_bytes, used=device.used_bytes)

    def nvmlDeviceGetUUID(self, device: ScriptedDevice) -> str:
        return self._asked("uuid", device).uuid

    def nvmlDeviceGetName(self, device: ScriptedDevice) -> bytes:
        return b"Scripted"

    def nvmlDeviceGetUtilizationRates(self, device: ScriptedDevice) -> Any:
        self._asked("utilisation", device)
        return SimpleNamespace(gpu=7)

    def nvmlDeviceGetComputeRunningProcesses(self, device: ScriptedDevice) -> list[Any]:
        return [SimpleNamespace(pid=p, usedGpuMemory=used) for p, used in self._asked("compute", device).compute]

    def nvmlDeviceGetGraphicsRunningProcesses(self, device: ScriptedDevice) -> list[Any]:
        return [SimpleNamespace(pid=p, usedGpuMemory=used) for p, used in self._asked("graphics", device).graphics]

    def _asked(self, call: str, device: ScriptedDevice) -> ScriptedDevice:
        if call in device.fails:
            raise ScriptedNvmlError(device.fails[call])
        return device

"""GPUs as NVML tells of them. "No GPU" is a state, never an error."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class GpuProcess:
    """A process that uses a GPU. ``memory_bytes`` None where the driver does not tell.

    ``computes`` is false for one that only draws: a desktop, a browser.
    """

    pid: int
    memory_bytes: int | None = None
    computes: bool = True


@dataclass(frozen=True)
class GpuState:
    """One device, or one MIG slice of it (``uuid`` MIG-..., ``index`` its device's), at this moment.

    ``minor`` is the number of its device node, /dev/nvidia<minor>; None where the driver does not tell.
    """

    index: int
    uuid: str
    name: str
    memory_total_bytes: int
    memory_used_bytes: int
    utilisation_percent: float | None = None
    processes: tuple[GpuProcess, ...] = ()
    minor: int | None = None

    @property
    def free_bytes(self) -> int:
        return self.memory_total_bytes - self.memory_used_bytes


class GpuDriver(Protocol):
    """Where GPU states come from. ``trouble``: why a driver that is there cannot be asked, None where it can."""

    trouble: str | None

    def devices(self) -> tuple[GpuState, ...]:
        """All devices of this machine; none where there is no driver. Raises nothing."""


class NvmlGpus:
    """The NVIDIA driver, asked in-process. Every error of the driver ends here.

    ``nvml`` is the binding, ``pynvml`` when not given.
    """

    def __init__(self, nvml: Any = None) -> None:
        self.trouble: str | None = None
        self._nvml: Any = None
        try:
            binding = nvml or importlib.import_module("pynvml")
            self.trouble = _start(binding)
            self._nvml = binding if self.trouble is None else None
        except (ImportError, OSError, _NoDriver):
            return

    def devices(self) -> tuple[GpuState, ...]:
        if self._nvml is None:
            return ()
        try:
            count = int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            return ()
        return tuple(state for index in range(count) for state in self._device(index))

    def _device(self, index: int) -> Iterator[GpuState]:
        """A device or its slices; none where it fell off the bus, or is not allowed to us."""
        try:
            handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        except self._nvml.NVMLError:
            return
        minor = self._minor(handle)
        for each in self._slices(handle) or [handle]:
            try:
                yield self._state(index, each, minor)
            except self._nvml.NVMLError:
                continue

    def _minor(self, handle: Any) -> int | None:
        try:
            return int(self._nvml.nvmlDeviceGetMinorNumber(handle))
        except self._nvml.NVMLError:
            return None

    def _slices(self, handle: Any) -> list[Any]:
        """The MIG slices of a device; none where it has no MIG mode or does not use it."""
        nvml = self._nvml
        slices: list[Any] = []
        try:
            if nvml.nvmlDeviceGetMigMode(handle)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
                return []
            most = nvml.nvmlDeviceGetMaxMigDeviceCount(handle)
        except nvml.NVMLError:
            return []
        for number in range(most):
            try:
                slices.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number))
            except nvml.NVMLError:
                continue  # slices are numbered with gaps
        return slices

    def _state(self, index: int, handle: Any, minor: int | None) -> GpuState:
        nvml = self._nvml
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
        except (nvml.NVMLError, TypeError):  # an old driver or binding; it counts the driver's own share as used
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return GpuState(
            index,
            _text(nvml.nvmlDeviceGetUUID(handle)),
            _text(nvml.nvmlDeviceGetName(handle)),
            int(memory.total),
            int(memory.used),
            self._utilisation(handle),
            self._processes(handle),
            minor,
        )

    def _utilisation(self, handle: Any) -> float | None:
        try:
            return float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except self._nvml.NVMLError:
            return None

    def _processes(self, handle: Any) -> tuple[GpuProcess, ...]:
        """Those that compute, then those that only draw; each once."""
        found: dict[int, GpuProcess] = {}
        questions = (
            (self._nvml.nvmlDeviceGetComputeRunningProcesses, True),
            (self._nvml.nvmlDeviceGetGraphicsRunningProcesses, False),
        )
        for ask, computes in questions:
            try:
                answer = ask(handle)
            except self._nvml.NVMLError:
                continue
            for each in answer:
                used = None if each.usedGpuMemory is None else int(each.usedGpuMemory)
                found.setdefault(int(each.pid), GpuProcess(int(each.pid), used, computes))
        return tuple(found.values())


class _NoDriver(Exception):
    """This machine has no NVIDIA driver."""


def _start(nvml: Any) -> str | None:
    """Why a driver that is there cannot be asked, None where it can. Raises _NoDriver."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        if error.value in (nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED):
            raise _NoDriver from None
        return f"the NVIDIA driver cannot be asked: {error}"
    return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

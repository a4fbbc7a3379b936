"""A double for the NVIDIA driver: answers that a test scripts."""

from collections.abc import Sequence

from .nvml import GpuProcess, GpuState


def scripted_gpu(index: int, *pids: int, used_gb: float = 0.0, total_gb: float = 80.0) -> GpuState:
    """A device on which these processes compute. Sizes in 10^9 bytes."""
    processes = tuple(GpuProcess(pid) for pid in pids)
    uuid = f"GPU-{index:08x}-0000-4000-8000-{index:012x}"
    return GpuState(index, uuid, f"Scripted {index}", int(total_gb * 1e9), int(used_gb * 1e9), 0.0, processes)


class ScriptedGpus:
    """Answers each question with the next of ``scripts``, and the last one for ever. No script: no driver."""

    def __init__(self, *scripts: Sequence[GpuState]) -> None:
        self._scripts = [tuple(script) for script in scripts] or [()]
        self.asked = 0

    def devices(self) -> tuple[GpuState, ...]:
        script = self._scripts[min(self.asked, len(self._scripts) - 1)]
        self.asked += 1
        return script

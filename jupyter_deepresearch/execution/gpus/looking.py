"""The machine's GPUs as a person looks at them: which are ours, which are free, who holds what. Takes no lease."""

from dataclasses import dataclass
from pathlib import Path

from .allocation import allocated
from .holders import busy_reason, held_by, lock_holder, name_of
from .lease import NAME, lock_path, lock_places
from .nvml import GpuDriver, GpuState


@dataclass(frozen=True)
class GpuView(GpuState):
    """A device. ``is_ours``: a run started here may see it; ``is_free``: one would take it now.

    ``holders``: who holds how much of its memory; ``leased_by``: the run that has it, None where none has.
    """

    is_ours: bool = True
    is_free: bool = True
    holders: tuple[str, ...] = ()
    leased_by: str | None = None


def look(driver: GpuDriver, cuda_visible_devices: str | None, folder: Path | None = None) -> tuple[GpuView, ...]:
    """Every device of the machine, none where there is no driver. ``folder`` is that of the locks."""
    devices = driver.devices()
    ours = {device.uuid for device in allocated(devices, cuda_visible_devices)}
    return tuple(_view(device, device.uuid in ours, folder) for device in devices)


def _view(device: GpuState, is_ours: bool, folder: Path | None) -> GpuView:
    places = [folder] if folder is not None else [place / NAME for place in lock_places()]
    pids = [lock_holder(lock_path(place, device.uuid)) for place in places]
    leased_by = next((name_of(pid) for pid in pids if pid is not None), None)
    return GpuView(
        **vars(device),
        is_ours=is_ours,
        is_free=is_ours and leased_by is None and busy_reason(device, None) is None,
        holders=held_by(device),
        leased_by=leased_by,
    )

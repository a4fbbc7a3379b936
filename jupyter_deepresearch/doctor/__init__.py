"""What research on this machine needs, looked at one by one: each is there, or what to do is said."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.loading import load
from ..core.project import Project
from ..errors import DeepResearchError
from .check import Check
from .researcher import examine_researcher

if TYPE_CHECKING:
    from ..execution.gpus.looking import GpuView

__all__ = ["Check", "examine"]

FREE_GB = 2.0
_SERVER_CONFIG = Path("jupyter_server_config.d") / "jupyter_deepresearch.json"
_SIDEBAR = Path("labextensions") / "jupyter-deepresearch" / "package.json"


def examine(folder: Path, project: Project | None = None) -> Iterator[Check]:
    """All checks for the ``project`` that was started in ``folder``, or for the one that would be started there."""
    try:
        project = project or load(folder)
    except DeepResearchError as error:
        yield Check("project", False, str(error))
    gpus, gpu = _gpu()
    if project is None:
        yield _default_kernel()
    else:
        from .kernel import examine_kernel

        yield Check("project", True, f"{project.objective.direction.value} {project.objective.metric}")
        yield from examine_kernel(folder, project, os.environ, gpus)
    yield gpu
    yield _extension()
    yield _disk(folder)
    yield _sandbox()
    yield from examine_researcher(folder, project, os.environ)


def _default_kernel() -> Check:
    from ..execution.environment import find_kernel

    try:
        spec = find_kernel("python3", "any notebook")
    except DeepResearchError as error:
        return Check("kernel", False, str(error))
    return Check("kernel", True, f"python3 ({spec.display_name})")


def _gpu() -> tuple[int, Check]:
    """How many GPUs are ours, and who holds what of them."""
    from ..execution.gpus.allocation import VISIBLE
    from ..execution.gpus.looking import look
    from ..execution.gpus.nvml import NvmlGpus

    driver = NvmlGpus()
    devices = look(driver, os.environ.get(VISIBLE))
    ours = [device for device in devices if device.is_ours]
    if driver.trouble is not None:
        return 0, Check("gpu", False, f"{driver.trouble}; restart the machine, or install its driver again")
    if not devices:
        return 0, Check("gpu", True, "none here: runs use the CPU")
    if not ours:
        return 0, Check("gpu", True, f"{len(devices)} here, none of them allocated to us: runs use the CPU")
    return len(ours), Check("gpu", True, "; ".join(map(_device, ours)))


def _device(device: "GpuView") -> str:
    leased = [f"held by {device.leased_by}"] if device.leased_by is not None else []
    who = ", ".join([*leased, *device.holders]) or "free"
    return f"{device.index}: {device.name}, {device.free_bytes / 1e9:.0f} GB free, {who}"


def _extension() -> Check:
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    server = any((Path(p) / _SERVER_CONFIG).is_file() for p in jupyter_config_path())
    sidebar = any((Path(p) / _SIDEBAR).is_file() for p in jupyter_path())
    missing = [name for name, there in (("server extension", server), ("sidebar", sidebar)) if not there]
    if missing:
        how = f"{sys.executable} -m pip install jupyter_deepresearch"
        return Check("extension", False, f"Jupyter does not find the {' and the '.join(missing)}; {how}")
    if importlib.util.find_spec("jupyterlab") is None:
        return Check("extension", True, "enabled; JupyterLab itself is not installed in this environment")
    return Check("extension", True, "server extension and sidebar are enabled")


def _disk(folder: Path) -> Check:
    there = folder if folder.is_dir() else Path.cwd()
    free = shutil.disk_usage(there).free / 1e9
    if not os.access(there, os.W_OK):
        return Check("disk", False, f"{there} cannot be written; choose a folder of your own")
    if free < FREE_GB:
        return Check("disk", False, f"{free:.1f} GB free; make room: at least {FREE_GB:g} GB are wanted")
    return Check("disk", True, f"{free:.0f} GB free")


def _sandbox() -> Check:
    return Check("sandbox", True, "none in this version: runs may do what your account may do, as by hand")

"""What research on this machine needs, looked at one by one: each is there, or what to do is said."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .config.loading import load, resolve_researcher
from .core.project import Project
from .errors import DeepResearchError

FREE_GB = 2.0
_SERVER_CONFIG = Path("jupyter_server_config.d") / "jupyter_deepresearch.json"
_SIDEBAR = Path("labextensions") / "jupyter-deepresearch" / "package.json"


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``said`` is what was found, or what to do where it is not ``ok``."""

    name: str
    ok: bool
    said: str


def examine(folder: Path, project: Project | None = None) -> Iterator[Check]:
    """All checks for the ``project`` that was started in ``folder``, or for the one that would be started there."""
    try:
        project = project or load(folder)
    except DeepResearchError as error:
        yield Check("project", False, str(error))
    if project is not None:
        yield Check("project", True, f"{project.objective.direction.value} {project.objective.metric}")
    yield _kernel(folder, project)
    yield _gpu()
    yield _extension()
    yield _disk(folder)
    yield _sandbox()
    yield _key(project)


def _kernel(folder: Path, project: Project | None) -> Check:
    from .execution.environment import find_kernel
    from .execution.notebooks.publish import ProjectNotebooks

    name, notebook = "python3", "any notebook"
    try:
        if project is not None:
            name, notebook = ProjectNotebooks(folder).read(project.notebook)[1].kernel, project.notebook
        spec = find_kernel(name, notebook)
    except DeepResearchError as error:
        return Check("kernel", False, str(error))
    command = spec.argv[0] if spec.argv else ""
    if command and shutil.which(command) is None and command not in ("python", "python3"):
        return Check("kernel", False, f"{name}: its program {command} is gone; install the kernel again")
    return Check("kernel", True, f"{name} ({spec.display_name})")


def _gpu() -> Check:
    from .execution.gpus.nvml import NvmlGpus

    devices = NvmlGpus().devices()
    if not devices:
        return Check("gpu", True, "none here: runs use the CPU")
    named = ", ".join(f"{d.index}: {d.name}, {d.free_bytes / 1e9:.0f} GB free" for d in devices)
    return Check("gpu", True, named)


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


def _key(project: Project | None) -> Check:
    if project is None:
        keyed = bool(os.environ.get("ANTHROPIC_API_KEY"))
        return Check("key", True, "ANTHROPIC_API_KEY is set" if keyed else "none is set, and none is needed offline")
    try:
        return Check("key", True, resolve_researcher(project, os.environ)[1])
    except DeepResearchError as error:
        return Check("key", False, str(error))

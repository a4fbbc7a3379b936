"""The environment that a project's runs start in: its Python, what the code imports of it, what logs and computes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jupyter_client.kernelspec import KernelSpec

from ..core.project import Project
from ..core.types import Source
from ..errors import DeepResearchError
from ..execution.checkup.asking import Answer, NoAnswer, ask
from ..execution.checkup.imports import Imports, imports_of
from ..execution.checkup.packages import package_names
from ..execution.environment import RunEnvironment, find_kernel, run_environment
from ..execution.fingerprint import fingerprint
from ..execution.last_run import last_environment
from ..execution.mending import install_line
from ..execution.notebooks.publish import ProjectNotebooks
from .check import Check

OLDEST = (3, 9)


@dataclass(frozen=True)
class _Examined:
    """A project's code, what it imports, the environment of a run, and what the kernel's Python answered."""

    folder: Path
    project: Project
    source: Source
    imports: Imports
    environment: RunEnvironment
    answer: Answer


def examine_kernel(folder: Path, project: Project, environ: Mapping[str, str], gpus: int) -> Iterator[Check]:
    """All checks of the kernel that runs of ``project`` use; the later ones only where the kernel's Python answers.

    ``gpus``: how many this machine has for us.
    """
    try:
        source, survey = ProjectNotebooks(folder, project).read(project.notebook)
        spec = find_kernel(project.launcher.kernel or survey.kernel, project.notebook)
    except DeepResearchError as error:
        yield Check("kernel", False, str(error))
        return
    name = f"{project.launcher.kernel or survey.kernel} ({spec.display_name})"
    try:
        examined = _ask(folder, project, source, spec, environ)
    except NoAnswer as error:
        yield Check("kernel", False, f"{name}: {error}")
        return
    yield _kernel(name, examined)
    yield _packages(examined)
    yield from _own(examined)
    yield from _torch(examined, gpus)
    yield from _wandb(examined)


def _ask(folder: Path, project: Project, source: Source, spec: KernelSpec, environ: Mapping[str, str]) -> _Examined:
    imports = imports_of(source, project.notebook)
    environment = run_environment(environ, project.launcher.env)
    modules = sorted({*imports.needed, *imports.late, *imports.own, "ipykernel", "torch", "wandb"})
    cwd = folder / PurePosixPath(project.notebook).parent
    answer = ask(spec, modules, cwd, environment.variables)
    return _Examined(folder, project, source, imports, environment, answer)


def _kernel(name: str, examined: _Examined) -> Check:
    answer = examined.answer
    found = f"{name}: Python {answer.version} at {answer.executable}"
    if answer.places["ipykernel"] is None:
        line = install_line(answer.executable, ("ipykernel",))
        return Check("kernel", False, f"{found} has no ipykernel; mend it with: {line}")
    old = tuple(int(part) for part in answer.version.split(".")[:2]) < OLDEST
    return Check("kernel", True, found + (", older than 3.9, from which on runs are tested" if old else ""))


def _packages(examined: _Examined) -> Check:
    answer, imports = examined.answer, examined.imports
    missing = [name for name in answer.missing if name in imports.needed]
    late = [name for name in answer.missing if name in imports.late]
    if missing:
        line = install_line(answer.executable, package_names(missing))
        return Check("imports", False, f"{', '.join(missing)}: not installed; mend it with: {line}")
    count = len(imports.needed | imports.late) - len(late)
    parts = [f"{count} imported module(s) are there", _unchanged(examined)]
    if late:
        parts.append(f"not installed, but only imported inside of functions: {', '.join(late)}")
    return Check("imports", True, "; ".join(parts))


def _unchanged(examined: _Examined) -> str:
    """Whether the environment still is what the last run ran in."""
    now = fingerprint(examined.answer.path)
    then = last_environment(examined.folder).get("packages")
    if then is None:
        return f"environment {now}"
    return f"environment {now}, " + ("as in the last run" if now == then else f"CHANGED since the last run ({then})")


def _own(examined: _Examined) -> Iterator[Check]:
    """The project's own packages: imported from the project, not from a copy that an install made."""
    answer, root = examined.answer, examined.folder.resolve()
    installed = [name for name, place in answer.editable if _is_inside(Path(place), root)]
    where = {name: answer.places.get(name) for name in examined.imports.own}
    copies = sorted(name for name, place in where.items() if place and not _is_inside(Path(place), root))
    lost = sorted(name for name, place in where.items() if place is None and not examined.imports.changes_path)
    line = install_line(answer.executable, ("-e", str(root)))
    if copies:
        places = ", ".join(f"{name} from {where[name]}" for name in copies)
        yield Check("code", False, f"{places}: edits in this folder would change nothing; mend it with: {line}")
    elif lost and (root / "pyproject.toml").exists():
        yield Check("code", False, f"{', '.join(lost)}: in this folder, but not importable; mend it with: {line}")
    elif lost:
        folders = sorted({examined.imports.own[name] or "." for name in lost})
        how = f'put `import sys; sys.path.insert(0, "{folders[0]}")` into the first cell'
        yield Check("code", False, f"{', '.join(lost)}: in {', '.join(folders)}, but not importable; {how}")
    elif installed:
        names = ", ".join(sorted(set(installed)))
        yield Check("code", True, f"{names} is installed from this folder: each run imports its own copy")


def _is_inside(path: Path, root: Path) -> bool:
    return str(path) == "." or not path.is_absolute() or path.resolve().is_relative_to(root)


def _torch(examined: _Examined, gpus: int) -> Iterator[Check]:
    used = examined.imports.needed | examined.imports.late
    if examined.answer.torch is None or not used & {"torch", "lightning", "pytorch_lightning", "transformers"}:
        return
    version, cuda = examined.answer.torch
    if cuda is None and gpus and examined.project.launcher.gpus != "none":
        how = "install a build for CUDA in its place (https://pytorch.org/get-started/locally)"
        yield Check("torch", False, f"{version} is built without CUDA, so the {gpus} GPU(s) here stay unused; {how}")
    elif cuda is None:
        yield Check("torch", True, f"{version}, for the CPU")
    else:
        yield Check("torch", True, f"{version} for CUDA {cuda}" + ("" if gpus else "; no GPU here: runs use the CPU"))


def _wandb(examined: _Examined) -> Iterator[Check]:
    if "wandb" not in examined.imports.needed | examined.imports.late or examined.answer.places.get("wandb") is None:
        return
    note = examined.environment.wandb_note
    mode = examined.environment.variables.get("WANDB_MODE", "online")
    yield Check("wandb", True, note or f"logs as you set it up (WANDB_MODE {mode})")

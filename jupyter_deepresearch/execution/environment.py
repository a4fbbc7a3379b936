"""What a run may see of the server's environment, and the kernel it runs in."""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

from ..errors import InvalidNotebook

# Keys of the researcher, of the Jupyter server and its hub, and what an outer run was told.
_OTHERS = re.compile(r"ANTHROPIC_.*|JUPYTER_TOKEN|JPY_.*|JUPYTERHUB_.*|DEEPRESEARCH_.*", re.IGNORECASE)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_WANDB_NOTE = (
    "WANDB_MODE=offline: no WANDB_API_KEY is visible to runs (to log online name it under env of [launcher], "
    "or set WANDB_MODE)"
)


@dataclass(frozen=True)
class RunEnvironment:
    """The variables of a run's processes. ``wandb_note`` says that Weights & Biases was sent offline, where it was."""

    variables: Mapping[str, str]
    wandb_note: str | None = None


def run_environment(environ: Mapping[str, str], allowed: tuple[str, ...], dry_run: bool = False) -> RunEnvironment:
    """``environ`` without secrets but for ``allowed`` names; wandb is offline without a key, off in dry runs."""
    kept = {name: value for name, value in environ.items() if name in allowed or not _is_secret(name)}
    if dry_run:
        return RunEnvironment({**kept, "WANDB_MODE": "disabled"})
    if kept.get("WANDB_MODE") or kept.get("WANDB_API_KEY") or _is_logged_in(kept):
        return RunEnvironment(kept)
    return RunEnvironment({**kept, "WANDB_MODE": "offline"}, _WANDB_NOTE)


def with_wandb_names(environment: RunEnvironment, project: str, run: str) -> RunEnvironment:
    """The same, in which Weights & Biases groups by the project and names by the run unless the person chose."""
    names = {"WANDB_RUN_GROUP": project, "WANDB_NAME": run}
    unset = {name: value for name, value in names.items() if not environment.variables.get(name)}
    return replace(environment, variables={**environment.variables, **unset})


def _is_secret(name: str) -> bool:
    return _OTHERS.fullmatch(name) is not None or _SECRET.search(name) is not None


def _is_logged_in(environ: Mapping[str, str]) -> bool:
    """Whether ``wandb login`` left a key where the run's own wandb finds it: in the person's netrc file."""
    home = environ.get("HOME")
    path = environ.get("NETRC") or (f"{home}/.netrc" if home else None)
    try:
        return path is not None and "wandb" in Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def kernel_specs(name: str) -> KernelSpecManager:
    """Who knows the kernelspec of this name: Jupyter itself, else nb_conda_kernels where the server has it, which makes
    one up for every conda environment ("conda-env-NAME-py")."""
    plain = KernelSpecManager()
    if name in plain.find_kernel_specs():
        return plain
    try:
        conda = importlib.import_module("nb_conda_kernels").CondaKernelSpecManager
    except (ImportError, AttributeError):
        return plain
    made: KernelSpecManager = conda()
    return made


def find_kernel(name: str, notebook: str = "the notebook") -> KernelSpec:
    """The kernelspec that ``notebook`` (its path, for the message) asks for. Raises InvalidNotebook without it."""
    specs = kernel_specs(name)
    try:
        return specs.get_kernel_spec(name)
    except NoSuchKernel:
        found = ", ".join(sorted(specs.find_kernel_specs())) or "none"
        raise InvalidNotebook(
            f'kernel "{name}" of {notebook} is not installed: found {found}; '
            "install it or choose another in the notebook",
            "launcher.kernel",
        ) from None

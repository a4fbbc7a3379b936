"""Setting a run up: its folder with notebook, tree and instructions, which appears whole or not at all."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import msgspec

from ..core.ports import RunSpec
from ..errors import StorageFailed
from ..processes import is_alive
from .environment import RunEnvironment, find_kernel, run_environment, with_wandb_names
from .notebooks.cells import write
from .notebooks.compose import Composed, compose
from .paths import ProjectPaths, RunPaths
from .reading import read_spec
from .spec import RunnerSpec
from .trees.carrying import carry
from .trees.record import TreeRecord, write_record, written
from .trees.tree import make_tree, remove_tree


def set_up(project: ProjectPaths, spec: RunSpec, environ: Mapping[str, str]) -> RunPaths:
    """The folder of the run, made unless a whole one is there. ``environ`` is the server's environment.

    Raises InvalidNotebook when the notebook cannot be composed or its kernel is missing, StorageFailed when the disk
    does not allow it; nothing is left then.
    """
    paths = project.run(spec.run.id)
    if _is_whole(paths):
        return paths
    kernel = find_kernel(spec.kernel, spec.project.notebook)
    composed = compose(spec.build, spec.run, spec.project.code.locked)
    if composed.notebook.metadata["kernelspec"]["name"] != spec.kernel:  # so that it reruns by hand as it ran here
        named = {"name": spec.kernel, "display_name": kernel.display_name, "language": "python"}
        composed.notebook.metadata["kernelspec"] = named
    try:
        project.runs.mkdir(parents=True, exist_ok=True)
        with _alone(project):
            if not _is_whole(paths):
                _make(project, paths, spec, composed, environ)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageFailed(f"the folder of the run {spec.run.id} cannot be made: {reason}") from error
    return paths


def _is_whole(paths: RunPaths) -> bool:
    return paths.root.is_dir() and (paths.owner.exists() or read_spec(paths) is not None)


@contextlib.contextmanager
def _alone(project: ProjectPaths) -> Iterator[None]:
    """While no other launcher makes a run folder of this project: a twin would take the new one for half made."""
    lock = os.open(project.hidden / "launch.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _make(
    project: ProjectPaths, paths: RunPaths, spec: RunSpec, composed: Composed, environ: Mapping[str, str]
) -> None:
    _remove_half_made(project.runs, paths.root)
    draft = project.runs / f".{spec.run.id}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        _fill(project, RunPaths(draft), spec, composed, environ)
        draft.rename(paths.root)
    finally:
        remove_tree(draft)


def _remove_half_made(runs: Path, root: Path) -> None:
    """Remove what a launcher that died left of this run: drafts of dead processes, a folder without instructions."""
    for draft in runs.glob(f".{root.name}.*.tmp"):
        pid = draft.name.split(".")[-3]
        if not (pid.isdigit() and is_alive(int(pid), None, None)):
            remove_tree(draft)
    remove_tree(root)


def _fill(
    project: ProjectPaths, draft: RunPaths, spec: RunSpec, composed: Composed, environ: Mapping[str, str]
) -> None:
    tree = make_tree(project.root, draft.work, spec.project, composed.files)
    write_record(draft.tree, tree)
    carried = _carried(project, draft, spec)
    (draft.work / PurePosixPath(spec.project.notebook).parent).mkdir(parents=True, exist_ok=True)
    draft.artifacts.mkdir(parents=True)
    draft.input.write_text(write(composed.notebook), encoding="utf-8")
    variables = run_environment(environ, spec.project.launcher.env, spec.dry_run)
    variables = with_wandb_names(variables, spec.project.name, spec.run.id)
    told = _instructions(project, spec, composed, variables, _notes(composed, tree, variables, carried))
    draft.spec.write_bytes(msgspec.json.encode(told))


def _carried(project: ProjectPaths, draft: RunPaths, spec: RunSpec) -> tuple[str, ...]:
    """A repeated attempt goes on with what the one before had made: the names of that at the top of its tree."""
    if spec.artifacts_of == spec.run.id or spec.run.attempt < 2:
        return ()
    before = replace(spec.run, attempt=spec.run.attempt - 1)
    names = carry(project.run(before.id).work, draft.work, project.run(spec.run.id).work)
    return names


def _instructions(
    project: ProjectPaths, spec: RunSpec, composed: Composed, environment: RunEnvironment, notes: tuple[str, ...]
) -> RunnerSpec:
    launcher = spec.project.launcher
    own = project.run(spec.run.id)
    earlier = project.run(spec.artifacts_of)
    return RunnerSpec(
        run=spec.run.id,
        project=str(project.root),
        purpose=spec.run.purpose,
        objective=spec.project.objective,
        guard=spec.project.guard,
        kernel=spec.kernel,
        cwd=str(own.work / PurePosixPath(spec.project.notebook).parent),
        # A person may have removed the folder of the first attempt: this one then starts anew.
        artifacts=str(earlier.artifacts if earlier.artifacts.is_dir() else own.artifacts),
        env=environment.variables,
        locked_cells=composed.locked_cells,
        dry_run=spec.dry_run,
        dry_run_s=launcher.dry_run_minutes * 60,
        deadline_s=spec.deadline_s,
        deadline_rule=spec.deadline_rule,
        gpus=launcher.gpus,
        gpus_per_run=launcher.gpus_per_run,
        gpu_free_gb=launcher.gpu_free_gb,
        notes=notes,
    )


def _notes(
    composed: Composed, tree: TreeRecord, environment: RunEnvironment, carried: tuple[str, ...]
) -> tuple[str, ...]:
    notes = list(tree.remarks)
    if carried:
        notes.append(f"goes on with what the attempt before had made: {written(', '.join(carried))[:200]}")
    fresh = [path for path in tree.fresh if path.split("/")[0] not in carried]
    if fresh:
        notes.append(f"empty in this run, as [launcher] private says: {written(', '.join(fresh))[:200]}")
    sources = (*(cell.source for cell in composed.notebook.cells), *composed.files.values())
    if environment.wandb_note is not None and any("wandb" in source for source in sources):
        notes.append(environment.wandb_note)
    return tuple(notes)

"""The launcher with the real runner and real kernels, those of other Pythons included."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import Handle, Outcome, RunState
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.execution.records import FolderRecords
from tests.execution.run_specs import TRAINING, ended, is_gone, make_spec, run_paths, write_notebook

REPORT = "from jupyter_deepresearch import report\n"


@pytest.fixture(autouse=True)
def outside_of_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels watch their own output otherwise than usual where they find themselves in a test."""
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        monkeypatch.delenv(name)


async def kernel_pid(folder: Path) -> int:
    """The kernel's pid, once the run executes cells and has reported."""
    records = FolderRecords(folder)
    async with asyncio.timeout(60):
        while True:
            seen = records.progress(run_paths(folder).root.name)
            if seen is not None and seen.kernel_pid is not None and seen.step is not None:
                return seen.kernel_pid
            await asyncio.sleep(0.02)


def test_a_notebook_runs_is_taken_over_and_its_end_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-not-a-real-one")

    async def before() -> tuple[Handle, bytes]:
        handle = await LocalLauncher(folder).launch(make_spec(folder, parameters={"width": 5, "seconds": 3.0}))
        seen = Path(f"/proc/{await kernel_pid(folder)}/environ").read_bytes()
        return handle, seen + Path(f"/proc/{handle.pid}/environ").read_bytes()

    handle, environ = asyncio.run(before())
    outcome = asyncio.run(ended(LocalLauncher(folder), handle))
    assert outcome.state is RunState.SUCCEEDED, outcome.error
    assert outcome.value == 6.0 and outcome.locked_score and outcome.finals["loss"] == pytest.approx(1 / 3)
    assert b"DEEPRESEARCH_RUN=0001-candidate-seed-1" in environ and b"not-a-real" not in environ
    curves = FolderRecords(folder).curves(handle.run, 100).series
    assert curves == {"loss": ((0.0, 1.0), (1.0, 0.5), (2.0, 1 / 3)), "score": ((3.0, 6.0),)}


def test_a_notebook_in_a_folder_runs_in_the_runs_own_copy_of_it(folder: Path) -> None:
    cells = (
        (None, "import os\nopen('made-here', 'w').close()\nprint(os.getcwd())\n"),
        ("locked", REPORT + "report(score=1.0)\n"),
    )
    write_notebook(folder / "notebooks" / "train.ipynb", cells)
    (folder / "notebooks" / "picture.png").write_bytes(b"x")

    async def scenario() -> Outcome:
        one = LocalLauncher(folder)
        return await ended(one, await one.launch(make_spec(folder, notebook="notebooks/train.ipynb")))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.SUCCEEDED, outcome.error
    paths = run_paths(folder)
    assert (paths.work / "notebooks" / "made-here").exists() and not (folder / "notebooks" / "made-here").exists()
    assert FolderRecords(folder).tail(paths.root.name, 5) == (str(paths.work / "notebooks"),)


def test_a_cancelled_run_ends_in_the_middle_of_a_cell(folder: Path) -> None:
    async def scenario() -> tuple[int, Outcome]:
        one = LocalLauncher(folder)
        handle = await one.launch(make_spec(folder, parameters={"seconds": 120.0}))
        pid = await kernel_pid(folder)
        await one.cancel(handle)
        return pid, await ended(one, handle)

    pid, outcome = asyncio.run(scenario())
    assert outcome.state is RunState.CANCELLED and outcome.value is None
    assert is_gone(pid)


def test_a_runner_killed_while_its_kernel_cannot_answer_leaves_nothing(folder: Path) -> None:
    busy = (None, REPORT + "report(step=1, loss=1.0)\nimport ctypes\nctypes.PyDLL(None).sleep(60)\n")
    write_notebook(folder / "train.ipynb", (busy,))

    async def scenario() -> tuple[int, Path, Outcome]:
        one = LocalLauncher(folder)
        handle = await one.launch(make_spec(folder))
        pid, sockets = await kernel_pid(folder), run_paths(folder).sockets.readlink()
        assert (sockets / "kernel.json").exists()
        os.kill(handle.pid or 0, signal.SIGKILL)
        return pid, sockets, await ended(one, handle)

    pid, sockets, outcome = asyncio.run(scenario())
    assert outcome.state is RunState.LOST and outcome.value is None
    assert is_gone(pid, 0.1)
    assert not sockets.exists()


@pytest.mark.slow
def test_four_notebooks_at_once(folder: Path) -> None:
    async def scenario() -> list[Outcome]:
        one = LocalLauncher(folder)
        specs = [make_spec(folder, n, parameters={"width": n, "seconds": 1.0}) for n in range(1, 5)]
        handles = await asyncio.gather(*map(one.launch, specs))
        return await asyncio.gather(*(ended(one, handle) for handle in handles))

    outcomes = asyncio.run(scenario())
    assert [o.value for o in outcomes] == [2.0, 3.0, 4.0, 5.0], [o.error for o in outcomes]


def other_python() -> str | None:
    """An older Python that kernels still run on: on the path, or among pyenv's."""
    found = [shutil.which(f"python3.{minor}") for minor in (9, 10)]
    pyenv = shutil.which("pyenv")
    if pyenv is not None:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False).stdout.strip()
        found += [str(p) for minor in (9, 10) for p in sorted(Path(root, "versions").glob(f"3.{minor}.*/bin/python"))]
    asks = "import sys, venv, ensurepip; print(sys.version_info < (3, 11))"
    for python in filter(None, found):
        answer = subprocess.run([python, "-c", asks], capture_output=True, text=True, check=False)
        if answer.stdout.strip() == "True":
            return python
    return None


@pytest.fixture(scope="module")
def foreign_kernel(tmp_path_factory: pytest.TempPathFactory, environment_with_index: dict[str, str]) -> Path:
    """A Jupyter data folder with the kernelspec "foreign": an environment without our package, on an older Python.

    Where the machine has no older one, it is an environment of this Python.
    """
    folder = tmp_path_factory.mktemp("foreign")
    subprocess.run([other_python() or sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check")
    command = [python, "-m", "pip", "install", *quiet, "ipykernel"]
    subprocess.run(command, check=True, timeout=300, env=environment_with_index)
    spec = folder / "jupyter" / "kernels" / "foreign"
    spec.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Foreign", "language": "python"}))
    return folder / "jupyter"


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_kernel_of_another_environment_reports_too(
    folder: Path, foreign_kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(foreign_kernel))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    says = "import importlib.util, sys\nprint(sys.prefix, importlib.util.find_spec('msgspec') is None)\n"
    write_notebook(folder / "train.ipynb", (*TRAINING, (None, says)), kernel="foreign")

    async def scenario() -> Outcome:
        one = LocalLauncher(folder)
        return await ended(one, await one.launch(make_spec(folder, parameters={"width": 3}, kernel="foreign")))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.SUCCEEDED, outcome.error
    assert outcome.value == 4.0 and outcome.locked_score
    said = FolderRecords(folder).tail(run_paths(folder).root.name, 1)
    assert said == (f"{foreign_kernel.parent / 'venv'} True",)

"""Real projects as people have them, each researched for three cycles by the command line, none changed for it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_deepresearch.execution.metrics.printed import PrintedReader
from tests.terminal import Running, Said, history, status, tell

CASES = Path(__file__).parent
CYCLES = 3
HAND = {"OMP_NUM_THREADS": "1"}
"""What a person on a busy machine sets for a run by hand as well. Their environment is activated, too."""


@dataclass(frozen=True)
class Case:
    """A project, the metric that it logs or prints by itself, and the parameter that is searched."""

    name: str
    metric: str
    searched: str
    reported_by: str


@dataclass(frozen=True)
class Researched:
    """A project after its three cycles."""

    folder: Path
    said: Said

    @property
    def status(self) -> Any:
        return status(self.folder)

    @property
    def history(self) -> Any:
        return history(self.folder)

    def metrics(self, experiment: int) -> list[Any]:
        """The lines of ``metrics.jsonl`` of an experiment's first whole run."""
        (run,) = [
            path
            for path in (self.folder / ".deepresearch" / "runs").glob(f"{experiment:04d}-*-seed-1")
            if "dry_run" not in path.name
        ]
        return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]

    def notebook(self, experiment: int) -> nbformat.NotebookNode:
        """The executed notebook of an experiment."""
        return nbformat.read(self.folder / self.history[experiment]["notebook"], as_version=4)


def project_of(case: str, folder: Path, metric: str) -> Path:
    """A copy of a case, with the little that a project needs."""
    shutil.copytree(CASES / case, folder)
    (folder / "deepresearch.toml").write_text(
        f'[objective]\nmetric = "{metric}"\n\n[trust]\nseeds = 1\n\n[launcher]\nmax_parallel = 2\n'
    )
    return folder


def contents(folder: Path) -> Mapping[str, str]:
    """The person's files and what is in them: a research adds to the folder, and changes nothing of it."""
    own = ("experiments", ".deepresearch", "MEMORY_LOG.md", "PROJECT_BRIEF.md")
    files = (path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in own)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def research(folder: Path) -> Researched:
    """Three cycles, in the foreground."""
    before = contents(folder)
    running = Running("run", folder, "--cycles", str(CYCLES))
    try:
        said = running.end(300)
    finally:
        running.kill()
    assert contents(folder) == before
    return Researched(folder, said)


def hold_true(found: Researched, case: Case) -> None:
    """What holds of every research that went well: each cycle measured, by whom it should be, and judged on that."""
    assert found.said.code == 0, found.said
    state = found.status
    assert (state["state"], state["stop_reason"], state["cycle"]) == ("finished", "cycles", CYCLES), state["reason"]
    rows = found.history
    assert [row["state"] for row in rows] == ["succeeded"] * (1 + CYCLES)
    assert len({row["parameters"].get(case.searched) for row in rows}) == 1 + CYCLES
    for row in rows:
        lines = [line for line in found.metrics(row["experiment"]) if case.metric in line["values"]]
        assert {line["source"] for line in lines} == {case.reported_by}
        assert lines[-1]["values"][case.metric] == row["value"]


@pytest.fixture(autouse=True)
def as_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HAND.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        monkeypatch.delenv(name)


SLOW_LOAD = Case("slow_load", "error", "rate", "printed")


@pytest.fixture(scope="module", autouse=True)
def slow_load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Running]]:
    """Two minutes of every run are spent waiting: this research goes on beside all the others."""
    folder = project_of(SLOW_LOAD.name, tmp_path_factory.mktemp("slow") / "slow_load", SLOW_LOAD.metric)
    toml = folder / "deepresearch.toml"
    toml.write_text(toml.read_text().replace("max_parallel = 2", "max_parallel = 3"))
    running = Running("run", folder, "--cycles", str(CYCLES))
    yield folder, running
    running.kill()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "case",
    [
        Case("digits_src", "val_accuracy", "width", "printed"),
        Case("hf_trainer", "eval_accuracy", "learning_rate", "transformers"),
        Case("lightning_module", "val_loss", "width", "tensorboard"),  # Lightning's own logger, as no other is set
        Case("torch_resume", "val_loss", "width", "printed"),
        Case("torchrun", "val/loss", "lr", "tensorboard"),
    ],
    ids=lambda case: case.name,
)
def test_a_project_is_researched_as_it_is(case: Case, tmp_path: Path) -> None:
    found = research(project_of(case.name, tmp_path / case.name, case.metric))
    hold_true(found, case)
    CHECKS.get(case.name, lambda _: None)(found)


def own_code(found: Researched) -> None:
    """Every run trained with its own copy of the package."""
    run = found.folder / ".deepresearch" / "runs" / "0001-candidate-seed-1"
    assert (run / "work" / "src" / "digits_net" / "model.py").is_file()
    assert not (run / "work" / "src").is_symlink()


def from_scratch(found: Researched) -> None:
    """No run went on from another one's checkpoint."""
    for number in range(1 + CYCLES):
        shown = "".join(
            str(output.get("text", "")) for cell in found.notebook(number).cells for output in cell.get("outputs", [])
        )
        assert "starting at epoch 0\n" in shown


def first_rank_only(found: Researched) -> None:
    """Each value once, although two processes trained."""
    steps = [line["step"] for line in found.metrics(1) if "val/loss" in line["values"]]
    assert steps == [0, 1, 2, 3, 4]


CHECKS = {"digits_src": own_code, "torch_resume": from_scratch, "torchrun": first_rank_only}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_script_is_researched_through_a_notebook_made_around_it(tmp_path: Path) -> None:
    folder = tmp_path / "digits_script"
    shutil.copytree(CASES / "digits_script", folder)
    made = tell("init", folder / "train.py")
    assert (made.code, made.err) == (0, "")
    toml = folder / "deepresearch.toml"
    toml.write_text(toml.read_text().replace("seeds = 3", "seeds = 1"))
    found = research(folder)
    hold_true(found, Case("digits_script", "val_accuracy", "lr", "printed"))
    for row in found.history:
        parameters = found.notebook(row["experiment"]).metadata.deepresearch.parameters
        assert by_hand(folder / "train.py", parameters, "val_accuracy") == row["value"]


def by_hand(script: Path, parameters: Mapping[str, Any], metric: str) -> float:
    """The last value that the script prints where a person calls it with these parameters."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in parameters.items() if value is not False]
    printed = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=True).stdout
    values = [
        value for report in PrintedReader((metric,)).feed(printed) for name, value in report.values if name == metric
    ]
    return values[-1]


@pytest.mark.slow
def test_a_kernel_of_an_environment_that_holds_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(conda_like(tmp_path / "envs" / "deep")))
    folder = project_of("other_environment", tmp_path / "project", "error")
    notebook = folder / "train.ipynb"
    notebook.write_text(notebook.read_text().replace('"name": "python3"', '"name": "conda-env-deep-py"'))
    found = research(folder)
    hold_true(found, Case("other_environment", "error", "rate", "report"))
    assert found.notebook(1).metadata.deepresearch.environment.executable == str(
        tmp_path / "envs" / "deep" / "bin" / "python"
    )


def conda_like(prefix: Path) -> Path:
    """A Python of its own with what a kernel needs, laid out and named as conda does; its Jupyter data folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    (prefix / "conda-meta").mkdir()
    ours = ("msgspec", "jupyter_deepresearch", "_editable_impl_jupyter_deepresearch")
    (there,) = (prefix / "lib").glob("python3.*/site-packages")
    for installed in Path(nbformat.__file__).parents[1].iterdir():
        if not installed.name.startswith(ours):
            (there / installed.name).symlink_to(installed)
    spec = prefix / "share" / "jupyter" / "kernels" / "conda-env-deep-py"
    spec.mkdir(parents=True)
    argv = [str(prefix / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Python [conda env:deep]", "language": "python"})
    )
    return prefix / "share" / "jupyter"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_minutes_of_silence_at_the_start_are_no_stall(slow_load: tuple[Path, Running]) -> None:
    folder, running = slow_load
    found = Researched(folder, running.end(500))
    hold_true(found, SLOW_LOAD)
    assert all(row["elapsed_s"] > 120 for row in found.history)

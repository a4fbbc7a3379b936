"""The example projects train for real, report their curves, can be improved, and are stored clean."""

import importlib.util
import itertools
import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from jupyter_deepresearch.config import loading as config
from jupyter_deepresearch.config.brief import read_brief
from jupyter_deepresearch.core.ports import Build
from jupyter_deepresearch.core.types import Parameters, Purpose, Run
from jupyter_deepresearch.execution.notebooks.compose import compose
from jupyter_deepresearch.execution.notebooks.source import read_source
from jupyter_deepresearch.execution.notebooks.space import survey

EXAMPLES = Path(__file__).resolve().parent.parent / "example_notebooks"
PROJECTS = ("digits", "digits_torch")
GOOD: Mapping[str, Parameters] = {
    "digits": {"lr": 0.005, "width": 256},
    "digits_torch": {"lr": 0.01, "channels": 32},
}
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None and os.environ.get("CI") != "true",
    reason="torch is not installed here (make test installs it)",
)
TRAINED = pytest.mark.parametrize("project", ["digits", pytest.param("digits_torch", marks=needs_torch)])


@dataclass(frozen=True)
class Trained:
    """What one run reported, in order: its steps and the values at each."""

    steps: tuple[int, ...]
    values: tuple[Mapping[str, float], ...]

    @property
    def accuracy(self) -> float:
        return self.values[-1]["val_accuracy"]


class Trainer:
    """Trains example notebooks in real kernels, which have nothing of ours but the one-file report."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        inject = folder / "inject"
        inject.mkdir()
        shutil.copy(EXAMPLES.parent / "jupyter_deepresearch" / "report.py", inject / "jupyter_deepresearch.py")
        monkeypatch.setenv("PYTHONPATH", str(inject))
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._count = itertools.count()

    def train(self, project: str, parameters: Parameters | None = None, run: Run | None = None) -> Trained:
        reports = self._folder / f"reports-{next(self._count)}.jsonl"
        self._monkeypatch.setenv("DEEPRESEARCH_REPORTS", str(reports))
        source = read_source(EXAMPLES / project / "train.ipynb")
        composed = compose(Build(source, parameters=parameters or {}), run or Run(1, Purpose.CANDIDATE))
        client = NotebookClient(composed.notebook, timeout=100, resources={"metadata": {"path": str(self._folder)}})
        client.shutdown_kernel = "immediate"
        client.execute()
        lines = [json.loads(line) for line in reports.read_text().splitlines()]
        return Trained(tuple(line["step"] for line in lines), tuple(line["values"] for line in lines))


@pytest.fixture
def trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return Trainer(tmp_path, monkeypatch)


@TRAINED
@pytest.mark.slow
def test_the_defaults_report_a_curve_and_a_good_setting_beats_them(trainer: Trainer, project: str) -> None:
    epochs = survey(read_source(EXAMPLES / project / "train.ipynb")).parameters["epochs"]
    assert isinstance(epochs, int)
    default, good = trainer.train(project), trainer.train(project, GOOD[project])
    for found in (default, good):
        assert found.steps == (*range(1, epochs + 1), epochs)
        assert all(set(values) == {"val_accuracy", "train_loss"} for values in found.values[:-1])
        assert set(found.values[-1]) == {"val_accuracy"}
        assert all(math.isfinite(value) for values in found.values for value in values.values())
        assert found.values[0]["train_loss"] > found.values[-2]["train_loss"]
        assert found.accuracy == pytest.approx(found.values[-2]["val_accuracy"])
    assert 0.92 < default.accuracy < 0.97
    assert default.accuracy + 0.015 < good.accuracy < 1


@TRAINED
@pytest.mark.slow
def test_a_seed_gives_the_same_number_again_and_another_seed_another(trainer: Trainer, project: str) -> None:
    first, second = Run(1, Purpose.DRY_RUN), Run(1, Purpose.DRY_RUN, seed_index=2)
    found = [trainer.train(project, run=run) for run in (first, first, second)]
    assert found[0].steps == (1, 2, 2)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("project", PROJECTS)
def test_each_folder_is_a_whole_project(project: str) -> None:
    read = config.load(EXAMPLES / project)
    assert (read.notebook, read.objective.metric, read.trust.seeds) == ("train.ipynb", "val_accuracy", 3)
    assert read.budget.cycles == 20 and read.budget.run_minutes is not None
    assert read_brief(EXAMPLES / project)
    offered = survey(read_source(EXAMPLES / project / "train.ipynb"))
    assert len(offered.space) >= 4 and all(d.name in offered.parameters for d in offered.space)
    assert offered.dry_run and offered.locked_cells >= 2 and offered.remarks == ()
    assert {"seed", "epochs"} <= set(offered.parameters)
    for name, value in GOOD[project].items():
        assert next(d for d in offered.space if d.name == name).holds(value)


@pytest.mark.parametrize("path", ["01_start_here.ipynb", *(f"{project}/train.ipynb" for project in PROJECTS)])
def test_notebooks_are_stored_without_outputs(path: str) -> None:
    notebook = nbformat.read(EXAMPLES / path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    assert all(cell.id.replace("-", "").isalpha() for cell in notebook.cells)


def test_the_first_notebook_loads_the_extension_and_starts_digits() -> None:
    notebook = nbformat.read(EXAMPLES / "01_start_here.ipynb", as_version=4)
    said = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    commands = ["start digits", "status", "history", "best"]
    assert said == ["%load_ext jupyter_deepresearch", *(f"%deepresearch {command}" for command in commands)]

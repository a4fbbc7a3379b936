"""Kernels that are started in unusual ways are hooked too, and so are their children."""

import json
import sys
from pathlib import Path

import pytest

from tests.execution.hooked import WANDB, Place
from tests.execution.one_run import one_run


@pytest.mark.parametrize(
    ("options", "own"),
    [(["-I"], {}), (["-E"], {}), ([], {"PYTHONPATH": "${PYTHONPATH}:lib"}), ([], {"PYTHONPATH": "lib"})],
    ids=["isolated", "without environment", "more path", "another path"],
)
def test_a_kernel_is_hooked_however_it_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], own: dict[str, str]
) -> None:
    """Without the environment's path no sitecustomize of ours runs: the runner's first words to the kernel do it."""
    place = Place(tmp_path)
    place.write({"wandb.sdk.wandb_run": WANDB})
    folder = place.root / "jupyter" / "kernels" / "special"
    folder.mkdir(parents=True)
    argv = [sys.executable, *options, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    env = {name: value.replace("lib", str(place.root / "lib")) for name, value in own.items()}
    spec = {"argv": argv, "display_name": "Special", "language": "python", "env": env}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(place.root / "jupyter"))
    first = f"import sys\nsys.path.insert(0, {str(place.root / 'lib')!r})\n!exit 0\n"
    cell = "from wandb.sdk.wandb_run import Run\nRun().log({'score': 0.5})\n"
    where = str(place.root / "lib")
    child = f"import subprocess\nsubprocess.run([sys.executable, '-c', {cell!r}], cwd={where!r}, check=True)\n"
    run = one_run(place.root, first, cell, child, kernel="special")
    outcome = run.execute()
    assert outcome.error is None and outcome.notes == ()
    lines = [(line["source"], line["values"]) for line in run.lines(run.paths.metrics)]
    assert lines == [("wandb", {"score": 0.5})] * 2

"""Kernels that are started in unusual ways are hooked too, and so are their children; wandb as the launcher sets it."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import Outcome, RunState
from jupyter_deepresearch.execution.local import LocalLauncher
from tests.execution.hooked import WANDB, Place
from tests.execution.one_run import one_run
from tests.execution.run_specs import ended, make_spec, run_paths, write_notebook


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


LOGS = """
import json, wandb
run = wandb.init(project="p")
wandb.log({"score": 0.5})
json.dump([run.name, run.group, run.settings.mode, run.dir], open("kept.json", "w"))
raise ValueError("after the logging")
"""


def test_wandb_without_a_key_is_offline_named_and_ends_with_its_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("PYTEST", "WANDB"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(folder / "none"))
    write_notebook(folder / "train.ipynb", ((None, LOGS),))

    async def scenario() -> Outcome:
        one = LocalLauncher(folder)
        return await ended(one, await one.launch(make_spec(folder)))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.CRASHED and outcome.error is not None and outcome.error.kind == "ValueError"
    assert outcome.finals == {"score": 0.5} and len(outcome.notes) == 1 and "WANDB_MODE=offline" in outcome.notes[0]
    *named, kept = json.loads((run_paths(folder).work / "kept.json").read_text())
    assert named == ["0001-candidate-seed-1", "p", "offline"]
    assert "got exitcode: 1" in (Path(kept).parent / "logs" / "debug.log").read_text()

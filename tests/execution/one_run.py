"""A run folder made by hand, and its real runner."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import nbformat

from jupyter_deepresearch.core.project import Direction, Guard, Objective
from jupyter_deepresearch.core.types import Outcome, Purpose
from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.spec import Live, RunnerSpec

RUNNER = (sys.executable, "-m", "jupyter_deepresearch.execution.runner")
REPORT = "from jupyter_deepresearch import report\n"
ENDS_S = 60.0


def tagged(source: str, *tags: str) -> nbformat.NotebookNode:
    """A code cell with tags."""
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def environment() -> dict[str, str]:
    """This process's environment, in which kernels may watch their own output as outside of pytest."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


@dataclass(frozen=True)
class OneRun:
    """A run folder with its notebook and instructions."""

    paths: RunPaths
    spec: RunnerSpec

    def execute(self) -> Outcome:
        """Run to the end; the recorded outcome."""
        with self.started() as runner:
            runner.wait(ENDS_S)
        return self.outcome()

    @contextmanager
    def started(self) -> "Iterator[subprocess.Popen[bytes]]":
        """The runner as a process, detached as the launcher starts it; killed on the way out if it still lives."""
        with self.paths.log.open("ab") as log:
            runner = subprocess.Popen(
                [*RUNNER, str(self.paths.root)], env=environment(), stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield runner
        finally:
            if runner.poll() is None:
                runner.send_signal(signal.SIGTERM)
                try:
                    runner.wait(10)
                except subprocess.TimeoutExpired:
                    runner.kill()
                    runner.wait()

    def outcome(self) -> Outcome:
        """What ``exit.json`` says."""
        assert self.paths.exit.exists(), self.paths.log.read_text()
        return msgspec.json.decode(self.paths.exit.read_bytes(), type=Outcome)

    def live(self) -> Live:
        return msgspec.json.decode(self.paths.live.read_bytes(), type=Live)

    def lines(self, path: Path) -> list[dict[str, Any]]:
        """The whole lines of a JSONL file, none where it is not there yet."""
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def notebook(self) -> nbformat.NotebookNode:
        """The executed notebook, which must be valid."""
        notebook = nbformat.read(self.paths.output, as_version=4)
        nbformat.validate(notebook)
        return notebook

    def text(self, cell: int) -> str:
        """All that a cell's streams show."""
        outputs = self.notebook().cells[cell].outputs
        return "".join(output.text for output in outputs if output.output_type == "stream")


def one_run(
    folder: Path,
    *cells: str | nbformat.NotebookNode,
    metric: str = "score",
    env: Mapping[str, str] | None = None,
    **spec: Any,
) -> OneRun:
    """A run folder in ``folder`` for a notebook of these cells; further arguments go into its RunnerSpec."""
    paths = RunPaths(folder / "run-1")
    paths.private.mkdir(parents=True)
    nodes = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=nodes), paths.input)
    settings: dict[str, Any] = {
        "run": "0001-candidate-seed-1",
        "project": str(folder),
        "purpose": Purpose.CANDIDATE,
        "objective": Objective(metric, Direction.MAXIMIZE),
        "guard": Guard(),
        "kernel": "python3",
        "cwd": str(paths.work),
        "artifacts": str(paths.artifacts),
        "env": {**environment(), **(env or {})},
    }
    made = RunnerSpec(**{**settings, **spec})
    paths.spec.write_bytes(msgspec.json.encode(made))
    return OneRun(paths, made)


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Return once ``condition`` holds; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)

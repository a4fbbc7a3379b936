"""Programs with our files on their path, and libraries of the layout that the hooks know."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_deepresearch.execution.runner.injecting import inject

_DROPPED = ("DEEPRESEARCH_", "RANK", "LOCAL_RANK", "WANDB", "PYTHON", "COV", "PYTEST")


@dataclass(frozen=True)
class Program:
    """What came of a program: ``lines`` of the reports file, without their times."""

    code: int
    out: str
    err: str
    lines: tuple[dict[str, Any], ...]

    @property
    def reports(self) -> list[tuple[str, float | None, dict[str, float]]]:
        """(source, step, values) of each report."""
        return [(line["source"], line["step"], line["values"]) for line in self.lines if "values" in line]

    @property
    def notes(self) -> list[str]:
        return [line["note"] for line in self.lines if "note" in line]


@dataclass(frozen=True)
class Place:
    """A folder with our files in ``inject`` and whatever libraries a test writes into ``lib``."""

    root: Path

    @property
    def reports(self) -> Path:
        return self.root / "reports.jsonl"

    def write(self, files: Mapping[str, str]) -> None:
        """Modules below ``lib``, by their dotted names; packages around them are made."""
        for name, source in files.items():
            path = self.root / "lib" / Path(*name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source))
            for package in path.relative_to(self.root / "lib").parents[:-1]:
                (self.root / "lib" / package / "__init__.py").touch()

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        path = os.pathsep.join([str(self.root / "inject"), str(self.root / "lib")])
        return {**kept, "PYTHONPATH": path, "DEEPRESEARCH_REPORTS": str(self.reports), **more}

    def run(self, code: str, *options: str, python: str = sys.executable, **environment: str) -> Program:
        """Run the code as a program of its own."""
        script = self.root / "program.py"
        script.write_text(textwrap.dedent(code))
        inject(self.root / "inject")
        done = subprocess.run(
            [python, *options, str(script)],
            cwd=self.root,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
        )
        text = self.reports.read_text() if self.reports.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            line.pop("t")
        return Program(done.returncode, done.stdout, done.stderr, tuple(lines))


WANDB = """
    class Run:
        \"\"\"A run.\"\"\"

        def __init__(self):
            self._local_step = 0
            self.seen = []

        def log(self, data, step=None, commit=None):
            \"\"\"Log a dictionary.\"\"\"
            if not isinstance(data, dict):
                raise TypeError("data must be a dictionary")
            self.seen.append(data)
            if step is not None and step > self._local_step:
                self._local_step = step
            if (step is None and commit is None) or commit:
                self._local_step += 1
            return len(self.seen)
"""
WRITER = """
    class SummaryWriter:
        def add_scalar(self, tag, scalar_value, global_step=None, walltime=None):
            return tag

        def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
            return main_tag
"""
LIBRARIES = {
    "wandb.sdk.wandb_run": WANDB,
    "wandb.sdk.lib.noop_run": """
        class NoopRun:
            def log(self, data, *args, **kwargs):
                return None
        """,
    "torch.utils.tensorboard.writer": WRITER,
    "tensorboardX.writer": WRITER,
    "mlflow.tracking.client": """
        class MlflowClient:
            def log_metric(self, run_id, key, value, timestamp=None, step=None, synchronous=None):
                return key

            def log_batch(self, run_id, metrics=(), params=(), tags=(), synchronous=None):
                return None
        """,
    "fastai.learner": """
        class Recorder:
            def __init__(self, learn):
                self.learn, self.metric_names = learn, ["epoch", "train_loss", "accuracy", "time"]

            def after_epoch(self):
                self.log = [self.learn.epoch, 0.5, 0.75, "00:01"]
        """,
    "keras.src.callbacks.callback_list": """
        class CallbackList:
            def on_epoch_end(self, epoch, logs=None):
                return None
        """,
    "pytorch_lightning.trainer.connectors.logger_connector.logger_connector": """
        class LoggerConnector:
            def __init__(self, trainer):
                self.trainer = trainer

            def log_metrics(self, metrics, step=None):
                return None
        """,
    "accelerate.accelerator": """
        class Accelerator:
            def log(self, values, step=None, log_kwargs=None):
                return None
        """,
}

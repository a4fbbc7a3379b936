"""Programs with our files on their path, and libraries of the layout that the hooks know."""

import json
import math
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
LOGGING = """
    from types import SimpleNamespace as Namespace
    from wandb.sdk.wandb_run import Run
    from wandb.sdk.lib.noop_run import NoopRun

    run = Run()
    assert run.log({"loss": 0.5, "text": "no", "on": True, "val": {"acc": 1, "deep": {"x": 2}}}) == 1
    run.log({"part": float("nan")}, commit=False)
    run.log({"loss": float("-inf")})
    run.log({"loss": 0.25}, step=10)
    run.log({"loss": 0.125})
    run.log({"only": "words"})
    run.log({"loss": 3, "trainer/global_step": 70})
    off = NoopRun()
    off.log({"off": 1.0})
    off.log({"off": 2.0}, commit=False)
    off.log({"off": 3.0}, step=5)
    off.log({"off": 4.0})

    from torch.utils.tensorboard.writer import SummaryWriter
    from tensorboardX import writer

    assert SummaryWriter().add_scalar("a/b", 0.5, 3) == "a/b"
    SummaryWriter().add_scalar(tag="c", scalar_value=1e-300, global_step=4)
    SummaryWriter().add_scalar("hp_metric", -1)
    SummaryWriter().add_scalars("both", {"x": 1, "y": 2}, 5)
    writer.SummaryWriter().add_scalar("x", 0.5)

    from mlflow.tracking.client import MlflowClient

    assert MlflowClient().log_metric("run", "m", 0.5) == "m"
    MlflowClient().log_metric("run", "m", value=0.25, step=2)
    rows = [("a", 1, 3), ("b", 2, 3), ("a", 3, 4), ("system/cpu", 9, 4)]
    MlflowClient().log_batch("run", [Namespace(key=k, value=v, step=s) for k, v, s in rows])

    from fastai.learner import Recorder
    from keras.src.callbacks.callback_list import CallbackList
    from pytorch_lightning.trainer.connectors.logger_connector.logger_connector import LoggerConnector
    from accelerate.accelerator import Accelerator

    Recorder(Namespace(epoch=2)).after_epoch()
    CallbackList().on_epoch_end(0, {"loss": 0.5, "val_loss": 0.6})
    CallbackList().on_epoch_end(1)
    loop = Namespace(epoch_loop=Namespace(_batches_that_stepped=7))
    connector = LoggerConnector(Namespace(fit_loop=loop))
    connector.log_metrics({"train_loss": 0.5, "epoch": 1})
    connector.log_metrics({"val_loss": 0.5, "step": 9.0})
    connector.log_metrics({"test_loss": 0.5}, step=11)
    Accelerator().log({"loss": 0.5, "note": "x"}, step=4)
"""
TAKEN = [
    ("wandb", 0, {"loss": 0.5, "val/acc": 1.0, "val/deep/x": 2.0}),
    ("wandb", 1, {"loss": -math.inf}),
    ("wandb", 10, {"loss": 0.25}),
    ("wandb", 10, {"loss": 0.125}),
    ("wandb", 70, {"loss": 3.0}),
    ("wandb", 0, {"off": 1.0}),
    ("wandb", 1, {"off": 2.0}),
    ("wandb", 5, {"off": 3.0}),
    ("wandb", 5, {"off": 4.0}),
    ("tensorboard", 3, {"a/b": 0.5}),
    ("tensorboard", 4, {"c": 1e-300}),
    ("tensorboard", 5, {"both/x": 1.0, "both/y": 2.0}),
    ("tensorboard", None, {"x": 0.5}),
    ("mlflow", 0, {"m": 0.5}),
    ("mlflow", 2, {"m": 0.25}),
    ("mlflow", 3, {"a": 1.0, "b": 2.0}),
    ("mlflow", 4, {"a": 3.0}),
    ("fastai", 2, {"train_loss": 0.5, "accuracy": 0.75}),
    ("keras", 0, {"loss": 0.5, "val_loss": 0.6}),
    ("lightning", 7, {"train_loss": 0.5}),
    ("lightning", 9, {"val_loss": 0.5}),
    ("lightning", 11, {"test_loss": 0.5}),
    ("accelerate", 4, {"loss": 0.5}),
]

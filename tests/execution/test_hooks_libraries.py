"""The real libraries in real notebooks: what is in ``metrics.jsonl`` is what each library itself holds.

Few notebooks with many cells, because importing the libraries is what takes the time.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jupyter_deepresearch.core.types import Outcome
from tests.execution.one_run import OneRun, one_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUIET = {
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
    "HF_HUB_OFFLINE": "1",
}
Points = list[tuple[float | None, float]]
LAST = "from jupyter_deepresearch import report, artifacts\nimport json\nreport(score=1.0)\n"
KEEP = LAST + "(artifacts() / 'kept.json').write_text(json.dumps(kept))\n"


class Done:
    """A run that has ended: its reports by source and name, and what the notebook kept."""

    def __init__(self, run: OneRun) -> None:
        with run.started() as runner:
            runner.wait(240)
        self.run = run
        self.outcome: Outcome = run.outcome()
        self.lines = run.lines(run.paths.metrics)
        kept = run.paths.artifacts / "kept.json"
        self.kept: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}

    def points(self, source: str, name: str, cell: int | None = None) -> Points:
        """(step, value) in the order of their reports."""
        lines = (line for line in self.lines if line["source"] == source and cell in (None, line["cell"]))
        return [(line["step"], line["values"][name]) for line in lines if name in line["values"]]

    def events(self, folder: str, tag: str) -> Points:
        """What TensorBoard itself shows."""
        accumulator = EventAccumulator(str(self.run.paths.work / folder))
        accumulator.Reload()
        return [(event.step, pytest.approx(event.value, rel=1e-6)) for event in accumulator.Scalars(tag)]


LOGGERS = (
    """
import torch
from torch.utils.tensorboard import SummaryWriter
import tensorboardX
kept = {}
writer = SummaryWriter("runs/torch")
for step in range(5):
    writer.add_scalar("val/loss", 1 / (step + 1), step)
writer.add_scalar("tensor", torch.tensor(0.25, requires_grad=True), 7)
writer.add_scalars("both", {"a": 1.0, "b": 2}, 3)
other = tensorboardX.SummaryWriter("runs/x")
other.add_scalar("x/loss", 0.5, 2)
""",
    """
import wandb
run = wandb.init(project="p", name="mine")
wandb.log({"loss": 0.5, "text": "no", "train": {"acc": 0.25}})
wandb.log({"part": 1}, commit=False)
wandb.log({"loss": 0.4})
run.log({"loss": 0.3}, step=10)
wandb.log({"loss": torch.tensor(0.125)})
wandb.log({"loss": 0.0625})
kept["wandb"] = {"loss": run.summary["loss"], "part": run.summary["part"], "step": run.step, "name": run.name,
                 "group": run.group, "folder": run.dir}
""",
    """
import mlflow
with mlflow.start_run() as active:
    for step in range(3):
        mlflow.log_metric("ml/loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"ml/a": 1.0, "ml/b": 2.0}, step=4)
client = mlflow.MlflowClient()
names = ("ml/loss", "ml/a", "ml/b")
kept["mlflow"] = {n: [(m.step, m.value) for m in client.get_metric_history(active.info.run_id, n)] for n in names}
""",
    """
from tqdm.auto import tqdm
for epoch in range(2):
    bar = tqdm(range(40), desc=f"epoch {epoch}")
    for i in bar:
        bar.set_postfix(bar_loss=1 / (i + 1 + 40 * epoch), shown=f"{i}.5%", name="x")
for i in (bar := tqdm(range(3))):
    bar.set_description(f"step {i}: desc_loss={1 / (i + 1):.3f}")
silent = tqdm(range(3), disable=True)
silent.set_postfix(silent=1)
kept["bar"] = type(bar).__mro__[1].__name__
""",
    KEEP,
)


@pytest.fixture(scope="module")
def loggers(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return Done(one_run(tmp_path_factory.mktemp("loggers"), *LOGGERS, env={**QUIET, "WANDB_RUN_GROUP": "our project"}))


def test_a_run_full_of_loggers_is_like_any_other(loggers: Done) -> None:
    assert loggers.outcome.error is None and loggers.outcome.notes == ()
    assert {line["source"] for line in loggers.lines} == {"tensorboard", "wandb", "mlflow", "tqdm", "printed", "report"}


def test_tensorboard_and_its_files_are_whole_without_a_close(loggers: Done) -> None:
    for folder, tags in (("runs/torch", ("val/loss", "tensor")), ("runs/x", ("x/loss",))):
        for tag in tags:
            assert loggers.points("tensorboard", tag) == loggers.events(folder, tag) != []
    assert loggers.points("tensorboard", "both/a") == loggers.events("runs/torch/both_a", "both")
    assert loggers.points("tensorboard", "both/b") == loggers.events("runs/torch/both_b", "both")


def test_wandb_steps_are_wandbs_and_its_run_is_finished(loggers: Done) -> None:
    assert loggers.points("wandb", "loss") == [(0, 0.5), (1, 0.4), (10, 0.3), (10, 0.125), (11, 0.0625)]
    assert loggers.points("wandb", "part") == [(1, 1.0)] and loggers.points("wandb", "train/acc") == [(0, 0.25)]
    kept = loggers.kept["wandb"]
    assert (kept["loss"], kept["part"], kept["name"], kept["group"]) == (0.0625, 1, "mine", "our project")
    log = (Path(kept["folder"]).parent / "logs" / "debug.log").read_text()
    assert "got exitcode: 0" in log


def test_mlflow_has_the_same_history(loggers: Done) -> None:
    for name, history in loggers.kept["mlflow"].items():
        assert loggers.points("mlflow", name) == [tuple(point) for point in history] != []


def test_a_bar_of_a_notebook_tells_its_last_postfix(loggers: Done) -> None:
    assert loggers.kept["bar"] == "tqdm_notebook"
    losses = loggers.points("tqdm", "bar_loss")
    assert losses[0] == (0, 1.0) and losses[-1] == (80, 1 / 80) and (40, 1 / 40) in losses
    assert loggers.points("tqdm", "shown")[-1] == (80, 39.5)
    assert [value for _, value in loggers.points("printed", "desc_loss")][-1] == 0.333
    assert not [line for line in loggers.lines if "silent" in line["values"] or "name" in line["values"]]


FRAMEWORKS = (
    """
import os
os.environ["KERAS_BACKEND"] = "torch"
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
kept = {}
x = torch.randn(64, 4)
y = (x[:, :1] > 0).float()
import lightning
from torch.utils.data import DataLoader, TensorDataset


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(4, 1)

    def loss(self, batch):
        return torch.nn.functional.binary_cross_entropy_with_logits(self.net(batch[0]), batch[1])

    def training_step(self, batch, index):
        loss = self.loss(batch)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(logger):
    trainer = lightning.Trainer(max_epochs=2, accelerator="cpu", log_every_n_steps=2, logger=logger,
        enable_checkpointing=False, enable_model_summary=False)
    data = TensorDataset(x, y)
    trainer.fit(Model(), DataLoader(data, 16), DataLoader(data, 64))
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


kept["lightning"] = fit(False)
""",
    "from lightning.pytorch.loggers import TensorBoardLogger\nkept['both'] = fit(TensorBoardLogger('runs'))\n",
    """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
data = [{"input_ids": torch.randint(0, 50, (8,)), "labels": torch.tensor(i % 2)} for i in range(32)]
sizes = dict(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
arguments = TrainingArguments("outputs", num_train_epochs=2, per_device_train_batch_size=8, logging_steps=2,
    eval_strategy="epoch", report_to="none", use_cpu=True, save_strategy="no")
model = BertForSequenceClassification(BertConfig(**sizes))


def accuracy(found):
    return {"accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean())}


trainer = Trainer(model, arguments, train_dataset=data, eval_dataset=data[:16], compute_metrics=accuracy)
trainer.train()
kept["trainer"] = trainer.state.log_history
""",
    """
import keras
model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
kept["keras"] = model.fit(x.numpy(), y.numpy(), epochs=3, validation_split=0.25, verbose=0).history
""",
    KEEP,
)


@pytest.fixture(scope="module")
def frameworks(tmp_path_factory: pytest.TempPathFactory) -> Done:
    done = Done(one_run(tmp_path_factory.mktemp("frameworks"), *FRAMEWORKS, env=QUIET))
    assert done.outcome.error is None, done.outcome.error
    return done


def test_lightning_without_a_logger_is_seen(frameworks: Done) -> None:
    train, val = (frameworks.points("lightning", name, cell=0) for name in ("train_loss", "val_loss"))
    assert [step for step, _ in train] == [1, 3, 5, 7] and [step for step, _ in val] == [3, 7]
    assert {"train_loss": train[-1][1], "val_loss": val[-1][1]} == frameworks.kept["lightning"]
    assert not [line for line in frameworks.lines if line["cell"] == 0 and "epoch" in line["values"]]


def test_lightning_with_tensorboard_counts_once(frameworks: Done) -> None:
    for name in ("train_loss", "val_loss"):
        told = [p for source in ("lightning", "tensorboard") for p in frameworks.points(source, name, cell=1)]
        assert told == frameworks.events("runs/lightning_logs/version_0", name) != []
        assert told[-1][1] == frameworks.kept["both"][name]


def test_a_trainers_history_is_its_own(frameworks: Done) -> None:
    history = frameworks.kept["trainer"]
    for name in ("loss", "learning_rate", "eval_loss", "eval_accuracy", "train_loss"):
        own = [(entry["step"], entry[name]) for entry in history if name in entry]
        assert frameworks.points("transformers", name) == own != []


def test_keras_history_is_its_own(frameworks: Done) -> None:
    assert set(frameworks.kept["keras"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    for name, history in frameworks.kept["keras"].items():
        assert frameworks.points("keras", name) == [(epoch, value) for epoch, value in enumerate(history)]


SCRIPT = """
import os, sys
import torch, torch.distributed as distributed, torch.multiprocessing as mp
import wandb


def work(rank, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    distributed.init_process_group("gloo", rank=rank, world_size=2)
    log("spawned", rank)
    distributed.destroy_process_group()
    log("after", rank)


def log(name, rank):
    run = wandb.init(project="p", mode="disabled")
    run.log({name: 1.0 + rank}, step=2)


if __name__ == "__main__":
    if "RANK" in os.environ:
        log("torchrun", int(os.environ["RANK"]))
    else:
        import socket
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        mp.spawn(work, (port,), nprocs=2)
"""


def test_children_of_a_dry_run_report_from_rank_0(tmp_path: Path) -> None:
    """wandb is disabled, as in each dry run; torchrun tells the rank, torch.multiprocessing's children ask torch."""
    torchrun = "import sys\n!{sys.executable} -m torch.distributed.run --standalone --nproc_per_node 2 script.py\n"
    run = one_run(
        tmp_path,
        f"open('script.py', 'w').write({SCRIPT!r})\nimport sys\n!{{sys.executable}} script.py\n",
        torchrun,
        LAST,
        env={**QUIET, "WANDB_MODE": "disabled"},
        dry_run=True,
    )
    done = Done(run)
    assert done.outcome.error is None, done.outcome.error
    found = [(line["step"], line["values"]) for line in done.lines if line["source"] == "wandb"]
    assert found == [(2, {"spawned": 1.0}), (2, {"after": 1.0}), (2, {"torchrun": 1.0})]

"""Printed metrics in real runs: through a kernel's messages, and out of a shell command's terminal."""

import json
import sys
from pathlib import Path

from jupyter_deepresearch.core.types import RunState
from tests.execution.one_run import one_run

TABLE = """
print("epoch    train_loss    val_accuracy")
for epoch in range(3):
    print(f"{epoch:5d}    {1 / (epoch + 1):10.4f}    {0.5 + epoch / 8:12.4f}")
"""
BAR = """
from tqdm import tqdm
bar = tqdm(range(20), desc="fine-tuning the second stage", mininterval=0)
for n in bar:
    values = {f"loss_of_head_{head}": f"{head + 0.5:.7f}" for head in range(2)}
    bar.set_postfix(**values, val_accuracy=f"{n / 20:.7f}")
"""


def test_a_printed_table_gives_the_value_and_its_names_when_the_metric_is_missing(tmp_path: Path) -> None:
    run = one_run(tmp_path / "a", TABLE, metric="val_accuracy")
    outcome = run.execute()
    assert (outcome.state, outcome.value) == (RunState.SUCCEEDED, 0.75)
    assert outcome.curve == ((0.0, 0.5), (1.0, 0.625), (2.0, 0.75))
    outcome = one_run(tmp_path / "b", TABLE, metric="val_f1").execute()
    assert outcome.state is RunState.INVALID and outcome.error is not None
    assert outcome.error.message == "the metric 'val_f1' was never reported; reported: train_loss, val_accuracy"


def test_a_bar_keeps_its_numbers_in_the_terminal_of_a_shell_command(tmp_path: Path) -> None:
    """The child has no hook of ours (its own PYTHONPATH): all that is known of it is what it draws."""
    (tmp_path / "bar.py").write_text(BAR)
    python = f"PYTHONPATH=. {sys.executable} {tmp_path / 'bar.py'}"
    run = one_run(tmp_path / "run", f"!stty cols 80; {python}", f"!{python}", metric="val_accuracy")
    assert run.execute().value == 0.95
    lines = [json.loads(line) for line in run.paths.metrics.read_text().splitlines()]
    assert {line["cell"] for line in lines if "val_accuracy" in line["values"]} == {1}

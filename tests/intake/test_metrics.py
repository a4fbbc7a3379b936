"""Which metrics a program will report, told from its source; the names are those that the run's reader would give."""

from __future__ import annotations

import pytest

from jupyter_deepresearch.core.project import Direction
from jupyter_deepresearch.errors import InvalidInput
from jupyter_deepresearch.intake.metrics import printed_names, ranked, source_names
from jupyter_deepresearch.intake.proposal import goal_of


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ('print(f"epoch {epoch} val_accuracy={acc:.4f}")', ["val_accuracy"]),
        ('print("epoch %d, loss: %.3f, val loss: %.3f" % (e, a, b))', ["loss", "val_loss"]),
        ('print("step {}: acc {:.2%}".format(step, acc))', ["acc"]),
        ('print("val_acc:", acc)', ["val_acc"]),
        ('print("epoch", epoch, "loss =", loss.item())', ["loss"]),
        ('log.info("epoch %d val_accuracy=%.4f", epoch, score)', ["val_accuracy"]),
        ('print(json.dumps({"epoch": e, "val_f1": f1}))', ["val_f1"]),
        ('wandb.log({"val/acc": acc, "train": {"loss": loss}})', ["val/acc", "train/loss"]),
        ('self.log("val_loss", loss, prog_bar=True)', ["val_loss"]),
        ('writer.add_scalar("eval/auc", auc, step)', ["eval/auc"]),
        ('mlflow.log_metric("rmse", rmse, step=3)', ["rmse"]),
        ("report(step=3, val_accuracy=a, train_loss=b)", ["val_accuracy", "train_loss"]),
        ("bar.set_postfix(loss=1, acc=2)", ["loss", "acc"]),
        (
            'model.compile("adam", metrics=["accuracy"]); model.fit(x, validation_split=0.1)',
            ["val_accuracy", "val_loss"],
        ),
        (
            'def m(p):\n return {"accuracy": 1}\nTrainer(eval_dataset=d, compute_metrics=m)',
            ["eval_accuracy", "eval_loss"],
        ),
        ('print(f"loaded {n} files from {path}")', []),
        ('print("took: %.1f s" % seconds)', []),
    ],
)
def test_names_in_a_source(line: str, names: list[str]) -> None:
    assert [n for n in source_names([line]) if n in ranked([n])] == names


@pytest.mark.parametrize(
    ("seen", "best"),
    [
        (("loss", "val_loss", "val_accuracy", "lr"), "val_accuracy"),
        (("train_acc", "loss", "test_acc"), "test_acc"),
        (("best_val_acc", "val_acc"), "val_acc"),
        (("train_loss", "eval_loss"), "eval_loss"),
    ],
)
def test_a_score_of_validation_goes_first(seen: tuple[str, ...], best: str) -> None:
    assert ranked(seen)[0] == best


def test_the_goal_is_the_one_given_or_the_best_seen() -> None:
    goal = goal_of("t.py", ("loss", "val_loss"), None, None)
    assert (goal.metric, goal.direction, goal.others) == ("val_loss", Direction.MINIMIZE, ("loss",))
    assert goal_of("t.py", ("loss",), "speed", "minimize").direction is Direction.MINIMIZE
    with pytest.raises(InvalidInput, match=r"^t\.py: found no metric .* --metric NAME"):
        goal_of("t.py", ("lr", "time"), None, None)


def test_what_was_printed_before_is_read_as_in_a_run() -> None:
    assert printed_names("epoch 1\tval_acc: 0.52\nepoch 2\tval_acc: 0.6\n12 files\n") == ("val_acc",)

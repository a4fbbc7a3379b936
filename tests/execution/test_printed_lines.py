"""One printed line at a time: the lines that report, in the forms of many libraries, and lines that only look so."""

import math

import pytest

from jupyter_deepresearch.execution.metrics.printed import PrintedReader

Read = list[tuple[int | None, dict[str, float]]]


def read(text: str, *wanted: str) -> Read:
    reader = PrintedReader(wanted)
    return [(report.step, dict(report.values)) for report in reader.feed(text) + reader.close()]


@pytest.mark.parametrize(
    ("line", "step", "values"),
    [
        ("loss=0.5", None, {"loss": 0.5}),
        ("loss: 0.5", None, {"loss": 0.5}),
        ("loss = -1.5e-3, val/loss: +2E5", None, {"loss": -0.0015, "val/loss": 200000.0}),
        ("acc@1=95.2% acc@5: 99.1 %", None, {"acc@1": 95.2, "acc@5": 99.1}),
        ("x=.5 y=5. z=-inf", None, {"x": 0.5, "y": 5.0, "z": -math.inf}),
        ("epoch 3 train_loss=0.5", 3, {"train_loss": 0.5}),
        ("Epoch 3/10 - loss: 0.5 - val_loss: 0.4", 3, {"loss": 0.5, "val_loss": 0.4}),
        ("[epoch 3] correct=50", 3, {"correct": 50.0}),
        ("loss=0.5 step=7", 7, {"loss": 0.5}),
        ("epoch=2 step=700 loss=0.5", 700, {"loss": 0.5}),
        ("Epoch [2/5], Step [100/600], Loss: 0.5", 2, {"Loss": 0.5}),
        # nanoGPT
        ("step 0: train loss 4.2874, val loss 4.2823", 0, {"train_loss": 4.2874, "val_loss": 4.2823}),
        ("iter 10: loss 2.3, time 12.3ms, mfu 1.20%", 10, {"loss": 2.3}),
        # logfmt and logging
        ('ts=2026-11-23T12:00:00Z level=info msg="half done" loss=1.5e-3 step=7 duration=3.2', 7, {"loss": 0.0015}),
        ("2026-11-23 12:00:01,123 INFO train.py:30 epoch 3 val/loss=0.25", 3, {"val/loss": 0.25}),
        # JSON lines and dicts
        ('{"epoch": 3, "loss": 0.5, "eval": {"f1": 0.3}, "ok": true, "text": "a"}', 3, {"loss": 0.5, "eval/f1": 0.3}),
        ('{"step": 12, "loss": Infinity, "lr": 1e-5, "kept": 4}', 12, {"loss": math.inf, "lr": 1e-5, "kept": 4.0}),
        ("{'loss': 0.5, 'val loss': 0.25, 'epoch': 0.5}", None, {"loss": 0.5, "val_loss": 0.25}),
        ("{'train': {'loss': 0.5}, 'val': {'loss': 0.6}}", None, {"train_loss": 0.5, "val_loss": 0.6}),
        ("{'loss': tensor(0.5231, device='cuda:0'), 'f1': np.float64(0.25)}", None, {"loss": 0.5231, "f1": 0.25}),
        # the PyTorch examples and tutorials, timm, the word language model
        ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.300000", 1, {"Loss": 2.3}),
        (
            "Test set: Average loss: 0.03, Accuracy: 9900/10000 (99%)",
            None,
            {"Average_loss": 0.03, "Accuracy": 99.0},
        ),
        ("loss: 2.298730  [   64/60000]", None, {"loss": 2.29873}),
        (" Accuracy: 50.6%, Avg loss: 2.158", None, {"Accuracy": 50.6, "Avg_loss": 2.158}),
        (
            "Epoch: [0][ 10/100]\tTime  0.12 ( 0.20)\tLoss 6.9e+00 (6.95e+00)\tAcc@1   0.20 (  0.10)",
            0,
            {"Loss": 6.9, "Acc@1": 0.2},
        ),
        (" * Acc@1 72.100 Acc@5 90.230", None, {"Acc@1": 72.1, "Acc@5": 90.23}),
        ("Test: [ 10/48]  Time: 0.1 (0.1)  Loss:  6.9 (6.8)  Acc@1:  0.1 ( 0.2)", None, {"Loss": 6.9, "Acc@1": 0.1}),
        (
            "| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 12.34 | loss  7.64 | ppl  2080.0",
            1,
            {"loss": 7.64, "ppl": 2080.0},
        ),
        ("epoch 0  | loss: 0.0     | val_0_accuracy: 0.5     |  0:00:00s", 0, {"loss": 0.0, "val_0_accuracy": 0.5}),
        ("0:\ttest: 0.8732\tbest: 0.8732 (0)\ttotal: 46.8ms\tremaining: 187ms", 0, {"test": 0.8732, "best": 0.8732}),
        # by hand
        ("train: loss=0.5 acc=0.9 | val: loss=0.6", None, {"train_loss": 0.5, "acc": 0.9, "val_loss": 0.6}),
        ("Final test accuracy: 0.93", None, {"Final_test_accuracy": 0.93}),
        ("The validation accuracy so far is: 0.9", None, {"validation_accuracy": 0.9}),
        ("Best epoch: 3, val_loss: 0.5", None, {"val_loss": 0.5}),
        ("AUC: 0.91 +/- 0.02", None, {"AUC": 0.91}),
        ("loss: 0.5 loss: 0.6", None, {"loss": 0.5}),
    ],
)
def test_lines_that_report(line: str, step: int | None, values: dict[str, float]) -> None:
    assert read(line + "\n") == [(step, values)]


def test_nan_is_a_value() -> None:
    ((step, values),) = read("step 3 loss=nan acc: NaN\n")
    assert step == 3 and values.keys() == {"loss", "acc"} and all(math.isnan(value) for value in values.values())


@pytest.mark.parametrize(
    "line",
    [
        "Running on http://127.0.0.1:8080/?q=0.5",
        "listening at localhost:8080 with cuda:0",
        "torch==2.1 numpy>=1.2 foo~=2.0 bar!=3.1",
        "Python 3.11.7, version: 2.1",
        "PID: 1234 pid=77 port=80",
        "date: 2026-11-23 12:00 time: 12:00:01",
        "Elapsed: 3.5 s, size: 1.5 GB memory: 2.3GB took=0.3 eta: 12s",
        "eval_runtime=0.004, eval_samples_per_second=3911.0",
        "Total training time: 0.00 seconds.",
        "40/40 done: 100%",
        "Downloading: 45%|####   | 4.5M/10M [00:01<00:02, 3.1MB/s]",
        "Progress: 45.5%",
        "saved to /data/lr=0.1/model.pt",
        "found: 3 batch_size=32, epochs=3",
        "Namespace(lr=0.001, batch_size=32, dropout=0.1)",
        "{'lr': 0.001, 'batch_size': 32}",
        "learning_rate: 0.001",
        "LogisticRegression(C=0.1)",
        "  (1): BatchNorm1d(16, eps=1e-05, momentum=0.1, affine=True)",
        '  "initializer_range": 0.02,',
        "Total params: 5.5 M",
        "Total params: 11,689,512",
        "loss = 0.5 * y",
        "SITE/tqdm/auto.py:21: TqdmWarning: IProgress not found.",
        "Epoch 00003: val_loss improved from 0.5 to 0.4",
        "correct: 50 of 100",
        "Ratio 3:2 at 16:9, key: 0x1f, list: [0.5, 0.6], shape=(3, 4)",
        "[LightGBM] [Info] [binary:BoostFromScore]: pavg=0.567500 -> initscore=0.271658",
        "\x1b[34m\x1b[1mwandb\x1b[0m: train/loss=0.2",
        "`Trainer.fit` stopped: `max_epochs=3` reached.",
        "the end",
        "",
        '{"a": [1, 2, {"loss": 0.5}], "loss": true}',
        '{"a": ' * 900 + "1" + "}" * 900,
    ],
)
def test_lines_that_report_nothing(line: str) -> None:
    assert read(line + "\n") == []


def test_a_wanted_name_is_found_in_any_form() -> None:
    for line in ("kendall_tau=3", "Kendall Tau: 3", "kendall-tau 3 |", '  "kendall_tau": 3,', "{'kendall_tau': 3}"):
        assert read(line + "\n", "kendall_tau") == [(None, {"kendall_tau": 3.0})], line
    assert read("latency_ms=3.5 params_m: 7\n", "latency_ms", "params_m") == [
        (None, {"latency_ms": 3.5, "params_m": 7.0})
    ]
    assert read("latency_ms=3.5 params_m: 7\n") == []


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("error = 0.0412", (("error", 0.0412),)),
        ("final error = 50.5", (("final_error", 50.5),)),
        ("epoch 3 error: 0.25", (("error", 0.25),)),
        ("12:30:01 ERROR 5 failures", ()),
        ("ERROR: 3", ()),
        ("Error: 404", ()),
    ],
)
def test_an_error_is_a_metric_and_an_error_is_none(line: str, values: tuple[tuple[str, float], ...]) -> None:
    reader = PrintedReader(("error",))
    found = [*reader.feed(line + "\n"), *reader.close()]
    assert tuple(pair for report in found for pair in report.values) == values

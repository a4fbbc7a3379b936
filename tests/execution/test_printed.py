"""The reader of printed metrics, against recorded output of real libraries and against lines that report nothing.

Every file of printed_samples/ is the real stream output of a tiny training, one output a line; the expected values
were read off the recordings by eye.
"""

import json
from pathlib import Path

from jupyter_deepresearch.execution.metrics.printed import PrintedReader, PrintedReport

SAMPLES = Path(__file__).parent / "printed_samples"
Read = list[tuple[int | None, dict[str, float]]]


def plain(reports: list[PrintedReport]) -> Read:
    return [(report.step, dict(report.values)) for report in reports]


def read(text: str, *wanted: str) -> Read:
    reader = PrintedReader(wanted)
    return plain(reader.feed(text) + reader.close())


def replay(name: str) -> Read:
    """The recorded chunks as a run would feed them: a reader for each stream, closed at the end of each cell."""
    readers: dict[str, PrintedReader] = {}
    found: list[PrintedReport] = []
    cell = 0
    for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines():
        output = json.loads(line)
        if output["cell"] != cell:
            found += [report for reader in readers.values() for report in reader.close()]
            cell = output["cell"]
        found += readers.setdefault(output["name"], PrintedReader()).feed(output["text"])
    return plain(found + [report for reader in readers.values() for report in reader.close()])


def keras(
    step: int | None, accuracy: float, loss: float, val_accuracy: float, val_loss: float
) -> tuple[int | None, dict[str, float]]:
    return step, {"accuracy": accuracy, "loss": loss, "val_accuracy": val_accuracy, "val_loss": val_loss}


def test_keras_bars_and_lines_give_each_epoch_once() -> None:
    assert replay("keras-notebook") == [
        keras(1, 0.4948, 0.6975, 0.3906, 0.7110),
        keras(2, 0.4948, 0.6962, 0.4062, 0.7096),
        keras(3, 0.5000, 0.6946, 0.4219, 0.7083),
        keras(1, 0.5000, 0.6936, 0.4688, 0.7070),
        keras(2, 0.5104, 0.6924, 0.5000, 0.7058),
        keras(3, 0.5208, 0.6913, 0.4688, 0.7047),
        (None, {"accuracy": 0.5156, "loss": 0.6942}),
    ]


def test_keras_in_a_script_under_a_terminal() -> None:
    assert replay("keras-script") == [
        keras(1, 0.4948, 0.8160, 0.4688, 0.8239),
        keras(2, 0.4896, 0.8053, 0.4688, 0.8099),
        keras(3, 0.4896, 0.7926, 0.4688, 0.7976),
        keras(1, 0.4896, 0.7832, 0.4688, 0.7859),
        keras(2, 0.4896, 0.7739, 0.4688, 0.7754),
        keras(3, 0.4896, 0.7657, 0.4688, 0.7654),
        (None, {"accuracy": 0.4805, "loss": 0.7613}),
    ]


def test_hugging_face_lines_with_quoted_numbers_between_bars() -> None:
    def log(loss: float, grad_norm: float, learning_rate: float) -> tuple[None, dict[str, float]]:
        return None, {"loss": loss, "grad_norm": grad_norm, "learning_rate": learning_rate}

    assert replay("hf-trainer-script") == [
        log(0.6936, 0.3833, 4.063e-05),
        log(0.6923, 0.5878, 2.813e-05),
        (None, {"eval_loss": 0.6934, "eval_accuracy": 0.4375}),
        log(0.6937, 0.1992, 1.563e-05),
        log(0.6935, 0.2177, 3.125e-06),
        (None, {"eval_loss": 0.6934, "eval_accuracy": 0.5}),
        (None, {"train_loss": 0.6933}),
    ]


def test_lightning_bar_gives_changes_and_no_stale_values() -> None:
    """The recording holds the start and end of epoch 0, the start of 1 and its last value, the start and end of 2."""
    assert replay("lightning-tqdm-notebook") == [
        (0, {"train_loss": 2.68}),
        (0, {"train_loss": 2.24}),
        (0, {"train_loss": 0.0122}),
        (0, {"train_loss": 0.0098}),
        (0, {"train_loss": 0.00161}),
        (0, {"val_loss": 0.00277}),
        (1, {"train_loss": 0.00374}),
        (1, {"train_loss": 0.00235}),
        (1, {"train_loss": 0.00153}),
        (1, {"train_loss": 4.59e-6, "val_loss": 6.27e-6}),
        (2, {"train_loss": 8.64e-6}),
        (2, {"train_loss": 5.5e-6}),
        (2, {"train_loss": 3.99e-8}),
        (2, {"train_loss": 2.4e-8}),
        (2, {"train_loss": 1.47e-8}),
        (2, {"val_loss": 1.79e-8}),
    ]


def test_a_bar_cut_at_the_terminals_width_gives_no_cut_number() -> None:
    """There ``val_loss=5.19e-5`` is drawn as ``val_loss=5``, and later ``val_loss=2`` has a message behind it."""
    losses = [7.85e-6, 6.57e-6, 2.99e-6, 8.42e-6, 1.79e-6, 1.52e-6, 8.37e-7, 8.85e-7, 5.5e-7, 3.31e-7]
    assert replay("lightning-script") == [(2, {"train_loss": loss}) for loss in losses]


def test_lightning_with_rich_prints_only_what_the_notebook_prints() -> None:
    assert replay("lightning-rich-notebook") == [(None, {"train_loss": 5.6934e-08, "val_loss": 6.7598e-08})]


def test_tqdm_postfixes() -> None:
    first = [(0.0, 1.0), (0.025, 0.5), (0.05, 0.333), (0.075, 0.25), (0.1, 0.2), (0.125, 0.167), (0.15, 0.143)]
    last = [(0.85, 0.0286), (0.875, 0.0278), (0.9, 0.027), (0.925, 0.0263), (0.95, 0.0256), (0.975, 0.025)]
    assert replay("tqdm-auto-notebook") == [(1, {"acc": acc, "loss": loss}) for acc, loss in first + last]


def test_lines_written_between_bars() -> None:
    written: Read = [(0, {"val_loss": 0.0}), (10, {"val_loss": 0.1})]
    assert replay("tqdm-with-widgets-notebook") == written
    assert replay("tqdm-script") == [(1, {"acc": 0.975, "loss": 0.025}), *written]


def test_xgboost_and_lightgbm() -> None:
    def boosted(step: int, *values: float) -> tuple[int, dict[str, float]]:
        return step, dict(zip(("train-logloss", "train-auc", "eval-logloss", "eval-auc"), values, strict=True))

    def light(step: int, auc: float, loss: float) -> tuple[int, dict[str, float]]:
        return step, {"val's_auc": auc, "val's_binary_logloss": loss}

    assert replay("xgboost-lightgbm") == [
        boosted(0, 0.45757, 0.99543, 0.45047, 0.98412),
        boosted(1, 0.32881, 0.99899, 0.35268, 0.99398),
        boosted(2, 0.24432, 0.99971, 0.28556, 0.99655),
        boosted(3, 0.18824, 0.99990, 0.24376, 0.99645),
        boosted(4, 0.14658, 0.99990, 0.21470, 0.99704),
        (0, {"validation_0-logloss": 0.45047}),
        (2, {"validation_0-logloss": 0.28556}),
        (3, {"validation_0-logloss": 0.24376}),
        light(1, 0.986391, 0.565904),
        light(2, 0.990631, 0.514735),
        light(3, 0.989448, 0.472211),
        light(4, 0.989645, 0.435411),
        light(5, 0.994083, 0.399335),
        light(5, 0.994083, 0.399335),
    ]


def test_sklearn_verbose() -> None:
    perceptron = [(10.38819505, 0.08), (7.98630170, 0.1), (6.14473829, 0.1), (4.75397071, 0.16), (3.74649532, 0.24)]
    expected: Read = []
    for number, (loss, score) in enumerate(perceptron, 1):
        expected += [(number, {"loss": loss}), (None, {"Validation_score": score})]
    expected += [
        (1, {"Norm": 2481.47, "Bias": -1.48638, "Avg_loss": 3749.734110, "Objective": 3932.896710}),
        (2, {"Norm": 2828.41, "Bias": -9.822224, "Avg_loss": 1544.414274, "Objective": 1919.891545}),
        (3, {"Norm": 2867.30, "Bias": -16.617072, "Avg_loss": 1458.818660, "Objective": 1863.426851}),
    ]
    expected += [(tree, {"Train_Loss": loss}) for tree, loss in enumerate((1.4990, 1.1513, 0.9175, 0.7460, 0.6130), 1)]
    expected += [(None, {"score": score}) for score in (0.864, 0.852, 0.864, 0.852)]
    expected += [(None, {"accuracy": 1.0})]
    for average in ("macro_avg", "weighted_avg"):
        expected += [(None, {f"{average}_{name}": 1.0 for name in ("precision", "recall", "f1-score")})]
    assert replay("sklearn-verbose") == expected


def test_wandb_lines_report_nothing() -> None:
    assert replay("wandb-offline") == []


def test_an_epoch_on_its_own_line_counts_for_the_lines_below() -> None:
    text = "Epoch 1\n-----\nloss: 2.5  [   64/60000]\nloss: 2.25  [ 6464/60000]\nEpoch 2\nstep 9 loss: 2.0\nloss: 1.5\n"
    assert read(text) == [(1, {"loss": 2.5}), (1, {"loss": 2.25}), (9, {"loss": 2.0}), (2, {"loss": 1.5})]
    reader = PrintedReader()
    reader.feed("Epoch 4/9\n")
    reader.close()
    assert plain(reader.feed("loss: 0.5\n")) == [(None, {"loss": 0.5})]


def test_a_line_drawn_by_hand_counts_each_change_once() -> None:
    drawn = "".join(f"\rloss={loss} acc={acc}" for loss, acc in [(0.5, 0.1), (0.5, 0.1), (0.25, 0.1), (0.25, 0.2)])
    assert read(drawn + "\n") == [(None, {"loss": 0.5, "acc": 0.1}), (None, {"loss": 0.25}), (None, {"acc": 0.2})]
    assert read("loss=0.5\r\nloss=0.5\r\n") == [(None, {"loss": 0.5})] * 2


def test_nan_in_a_bar_counts_with_every_new_state() -> None:
    bar = "\rtrain: 10%|# | {n}/40 [00:01<00:02, 9.1it/s, loss=nan]"
    assert len(read("".join(bar.format(n=n) for n in (4, 4, 5, 6)) + "\n")) == 3


def test_a_new_bar_of_the_same_name_starts_anew() -> None:
    bars = "".join(
        f"\repoch {n}: 0%| | 0/4 [00:00<?, ?it/s]\repoch {n}: 100%|##| 4/4 [00:00<00:00, 9.0it/s, acc=0.5]\n"
        for n in (1, 2)
    )
    assert read(bars) == [(1, {"acc": 0.5}), (2, {"acc": 0.5})]


def test_keras_running_averages_survive_a_crash() -> None:
    assert read("Epoch 1/3\n\r1/6 ━━ 0s 18ms/step - accuracy: 0.4 - loss: 0.6") == [(1, {"accuracy": 0.4, "loss": 0.6})]


def test_a_number_cut_with_its_line_does_not_count() -> None:
    assert read("x" * 4070 + " a=0.5 val_loss=0.123456789\n") == [(None, {"a": 0.5})]

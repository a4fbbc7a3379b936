"""The reader of printed metrics, against recorded output of many libraries, and against recorded output without any.

``printed_samples/README.md`` tells what each recording is. ``expected/*.json`` were written from the libraries' formats
(by patterns of their own over the raw text, and by eye), never from what the reader says.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.execution.metrics.printed import PrintedReader, PrintedReport

SAMPLES = Path(__file__).parent / "printed_samples"
RECORDED = sorted(path.stem for path in (SAMPLES / "expected").glob("*.json"))
Series = dict[str, list[list[float | None]]]


def recorded(name: str, *wanted: str) -> Iterator[PrintedReport]:
    """What a reader for each stream finds in a recording, cell by cell."""
    outputs = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines()]
    for _, cell in groupby(outputs, lambda output: output["cell"]):
        readers: dict[str, PrintedReader] = {}
        for output in cell:
            yield from readers.setdefault(output["name"], PrintedReader(wanted)).feed(output["text"])
        for reader in readers.values():
            yield from reader.close()


def series(reports: Iterator[PrintedReport]) -> Series:
    found: Series = {}
    for report in reports:
        for name, value in report.values:
            found.setdefault(name, []).append([report.step, value])
    return found


@pytest.mark.parametrize("name", RECORDED)
def test_each_librarys_series_is_read_whole_and_right(name: str) -> None:
    expected = json.loads((SAMPLES / "expected" / f"{name}.json").read_text())
    found = series(recorded(name))
    assert {metric: found.get(metric) for metric in expected["series"]} == expected["series"]
    assert found.keys().isdisjoint(expected["absent"])


def test_the_collection_is_large() -> None:
    assert len(RECORDED) >= 20


IMITATED = json.loads((SAMPLES / "imitated" / "formats.json").read_text())


@pytest.mark.parametrize("sample", IMITATED, ids=[sample["library"] for sample in IMITATED])
def test_formats_written_after_the_libraries_sources(sample: dict[str, Any]) -> None:
    reader = PrintedReader()
    reports = reader.feed(sample["text"]) + reader.close()
    found = [[report.step, dict(report.values)] for report in reports]
    for step, values in sample["expected"]:
        assert [step, values] in [[at, {n: v for n, v in read.items() if n in values}] for at, read in found]
    assert len(found) == len(sample["expected"])


USUAL = """
    loss acc accuracy err error score f1 auc map mAP50 ppl perplexity bleu mse mae rmse r2 iou dice reward return
    precision recall mcc kappa top1 Acc@1 accuracy_score f1_score objective metric
""".split()  # noqa: SIM905 (one word each is easier to read here)
NAMES = [
    f"{part}{name}" for part in ("", "train_", "val_", "valid_", "eval_", "test_", "best_", "val/") for name in USUAL
]


@pytest.mark.parametrize(
    "path", [*sorted((SAMPLES / "quiet").glob("*.txt")), SAMPLES / "imitated" / "quiet.txt"], ids=lambda path: path.stem
)
def test_output_without_metrics_gives_nothing_under_a_usual_name(path: Path) -> None:
    """Not even where the objective has such a name: a wanted name counts in every form."""
    text = path.read_text()
    for wanted in [(), *((name,) for name in USUAL), NAMES]:
        reader = PrintedReader(wanted)
        found = {name.lower() for report in reader.feed(text) + reader.close() for name, _ in report.values}
        assert found.isdisjoint(map(str.lower, NAMES))


@pytest.mark.parametrize("name", ["sklearn-tables-and-scores", "stable-baselines3", "lightning-rich-terminal", "spacy"])
def test_tables_and_blocks_are_read_the_same_in_any_pieces(name: str) -> None:
    outputs = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines()]
    text = "".join(output["text"] for output in outputs)
    whole = PrintedReader(["val_loss"])
    expected = whole.feed(text) + whole.close()
    for size in (1, 3, 50, 999):
        reader = PrintedReader(["val_loss"])
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert [report for piece in pieces for report in reader.feed(piece)] + reader.close() == expected

"""The reader of printed metrics, against recorded output of many libraries, and against recorded output without any.

``printed_samples/README.md`` tells what each recording is. ``expected/*.json`` were written from the libraries' formats
(by patterns of their own over the raw text, and by eye), never from what the reader says.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

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

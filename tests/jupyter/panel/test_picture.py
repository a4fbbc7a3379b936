"""Packed points and bounded JSON: what the kernel sends is what was asked for, and small."""

from __future__ import annotations

import json
import math
import re
import struct
from pathlib import Path

import jupyter_deepresearch
from jupyter_deepresearch.core.types import Decision, RunState
from jupyter_deepresearch.jupyter.panel.picture import MESSAGE_BYTES, pack, pages, plain, recent
from jupyter_deepresearch.service.pictures import PointsView
from jupyter_deepresearch.service.views import ChangedView, ChangesView
from tests.jupyter.panel.answers import cost, row


def points(count: int) -> PointsView:
    numbers = tuple(range(count))
    return PointsView(
        seq=count,
        experiment=numbers,
        value=tuple(None if n == 1 else 0.5 + n for n in numbers),
        low=tuple(None for _ in numbers),
        high=tuple(1e300 if n == 0 else None for n in numbers),
        decision=tuple(None if n == 1 else Decision.CONFIRMED for n in numbers),
        state=tuple(RunState.INVALID for _ in numbers),
        measure=tuple(1 + n for n in numbers),
        parent=tuple(None for _ in numbers),
    )


def test_points_are_columns_of_twenty_bytes_each() -> None:
    packed = pack(points(2))
    found = struct.unpack("<I 2I 2f 2f 2f 2H 2B 2B", packed)
    assert len(packed) == 4 + 2 * 20
    assert found[:4] == (2, 0, 1, 0.5) and all(math.isnan(n) for n in found[4:7] + found[8:9])
    assert found[7] > 3e38, "beyond a small float, and still a number"
    assert found[9:] == (1, 2, 1 + list(Decision).index(Decision.CONFIRMED), 0, *[list(RunState).index("invalid")] * 2)


def test_many_points_come_in_pages_that_hold_each_of_them_once() -> None:
    found = list(pages(points(10_000)))
    numbers = [n for page in found for n in struct.unpack_from(f"<{(len(page) - 4) // 20}I", page, 4)]
    assert [struct.unpack_from("<I", page)[0] for page in found] == [4000, 4000, 2000]
    assert numbers == list(range(10_000)) and max(map(len, found)) < 100_000
    assert list(pages(points(0))) == [b"\0\0\0\0"]


def test_the_views_lists_of_words_are_the_kernels() -> None:
    script = Path(jupyter_deepresearch.__file__).parent / "jupyter" / "panel" / "front" / "points.js"
    lists = [re.findall(r'"(\w+)"', found) for found in re.findall(r"const \w+ = \[(.*?)\];", script.read_text(), re.S)]
    assert [str(d) for d in Decision] in lists and [str(s) for s in RunState] in lists


def test_rows_with_the_longest_claims_stay_below_the_limit_and_whole_in_number() -> None:
    rows = tuple(row(number, claim="雪" * 2000) for number in range(25))
    found = plain(rows)
    assert len(json.dumps(found, ensure_ascii=False).encode()) <= MESSAGE_BYTES
    assert [r["experiment"] for r in found] == list(range(25)) and found[0]["claim"].startswith("雪" * 100)
    assert plain((row(1, claim="雪" * 2000),))[0]["claim"] == "雪" * 2000, "what fits is not cut"


def test_a_diff_of_huge_cells_stays_below_the_limit() -> None:
    cells = tuple(ChangedView(f"cell-{n}", tuple(f"+{'x' * 300}" for _ in range(2000))) for n in range(30))
    found = plain(ChangesView(0, 1, cells))
    assert len(json.dumps(found)) <= MESSAGE_BYTES and found["after"] == 1
    assert found["changes"][0]["lines"][-1] == "…", "it says that there is more"


def test_what_is_no_number_is_null() -> None:
    assert plain({"a": (math.nan, math.inf, 1.0)}) == {"a": [None, None, 1.0]}


def test_a_bill_has_its_last_days() -> None:
    assert list(recent(cost(20)).by_day) == [f"2026-10-{day:02d}" for day in range(7, 21)]
    assert recent(cost(2)) == cost(2)

"""The last of what a run printed, as the researcher reads it."""

import json
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.printed_tail import printed_tail


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return RunPaths(tmp_path)


def write(paths: RunPaths, *outputs: dict[str, object]) -> None:
    paths.outputs.write_text("".join(json.dumps({"t": 1.0, **output}) + "\n" for output in outputs), encoding="utf-8")


def stream(cell: int, text: str) -> dict[str, object]:
    return {"cell": cell, "output_type": "stream", "name": "stdout", "text": text}


def test_nothing_was_printed(paths: RunPaths) -> None:
    assert printed_tail(paths, 100) == ""
    write(paths)
    assert printed_tail(paths, 100) == ""


def test_each_cells_part_is_marked_and_drawn_as_a_terminal_shows_it(paths: RunPaths) -> None:
    error = {
        "cell": 3,
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no",
        "traceback": ["\x1b[31mdeep\x1b[0m", "no"],
    }
    shown = {"cell": 2, "output_type": "execute_result", "data": {"text/plain": ["0.", "5"], "image/png": "x"}}
    write(paths, stream(1, "a\n"), stream(1, "10%\r99%\r100%\n"), shown, error)
    assert printed_tail(paths, 1000) == "[cell 1]\na\n100%\n\n[cell 2]\n0.5\n\n[cell 3]\ndeep\nno"


def test_only_the_last_characters_are_kept(paths: RunPaths) -> None:
    write(paths, *(stream(1, f"epoch {n}\n") for n in range(5000)))
    tail = printed_tail(paths, 50)
    assert len(tail) == 50 and tail.startswith("…") and tail.endswith("epoch 4999")


def test_lines_that_are_none_are_passed_over(paths: RunPaths) -> None:
    paths.outputs.write_text('nonsense\n[1]\n{"output_type": "capped"}\n' + json.dumps(stream(1, "kept")) + "\n")
    assert "kept" in printed_tail(paths, 100)

"""The last of what a run printed, as the researcher reads it."""

import json
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.printed_tail import printed_tail
from jupyter_deepresearch.execution.runner.latest import LATEST_BYTES
from jupyter_deepresearch.execution.runner.outputs import OutputLog


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


def test_what_is_redrawn_and_cleared_is_shown_as_it_is_in_the_end(paths: RunPaths) -> None:
    bars = [{**stream(1, f"\r\x07{n}%"), "name": "stderr"} for n in range(100)]
    shown = {"cell": 1, "output_type": "display_data", "display_id": "h", "data": {"text/plain": "first"}}
    updated = {**shown, "output_type": "update_display_data", "data": {"text/plain": "second"}}
    write(paths, stream(1, "a\tb"), *bars, stream(1, "then\n"), shown, updated)
    assert printed_tail(paths, 1000) == "[cell 1]\na\tb\n99%\nthen\nsecond"
    cleared = {"cell": 1, "output_type": "clear_output", "wait": True}
    write(paths, stream(1, "gone\n"), cleared, stream(1, "round 2\n"), cleared)
    assert printed_tail(paths, 1000) == "[cell 1]\nround 2"


def test_a_line_longer_than_what_is_read_first_is_still_found(paths: RunPaths) -> None:
    write(paths, stream(1, "before\n"), stream(2, "\x1b[0m" * 20_000 + "end"))
    assert printed_tail(paths, 100) == "[cell 1]\nbefore\n\n[cell 2]\nend"


def test_a_flood_is_followed_to_its_end(paths: RunPaths) -> None:
    log = OutputLog(paths.outputs, limit_bytes=10_000)
    for number in range(20_000):
        log.stream(1, "stdout", f"epoch {number}\n")
        if number == 150:
            shown = printed_tail(paths, 10_000).split("\n")
            assert shown == ["[cell 1]", *(f"epoch {n}" for n in range(151))], "live, right after the log was full"
    log.rich(2, "error", {"ename": "E", "evalue": "v", "traceback": ["why"]})
    assert printed_tail(paths, 40).endswith("epoch 19999\n\n[cell 2]\nwhy")
    assert len(printed_tail(paths, 20_000)) == 20_000
    log.close()
    sizes = [path.stat().st_size for path in (paths.outputs, paths.latest, paths.before)]
    assert sizes[0] < 11_000 and max(sizes[1:]) <= LATEST_BYTES

"""What cells output: live on disk, as any Jupyter would show it in the notebook, and bounded whatever is printed."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.execution.runner.outputs import CellOutputs, NotebookOutputs, OutputLog, capped_bundle
from jupyter_deepresearch.execution.runner.streams import LINE_CHARS, Room, StreamText
from tests.execution.one_run import REPORT, RUNNER, OneRun, environment, one_run

END = REPORT + "report(score=1.0)"


def shown(*texts: str, room: int = 1000) -> str:
    """What a stream shows after these texts."""
    stream = StreamText(Room.of(room))
    for text in texts:
        stream.add(text)
    return stream.text


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["one\n", "two", " three\n"], "one\ntwo three\n"),
        (["\r 10%", "\r 50%", "\r100%", "\n"], "100%\n"),
        ([" 10%\r", " 50%\r", "done\n"], "done\n"),
        (["a\r\nb\r", "\nc\r\r\n"], "a\nb\nc\n"),
        (["first\n\rsecond"], "first\nsecond"),
        (["12\b\b34\b5\n"], "35\n"),
        (["kept until\r"], "kept until"),
        (["kept until\r", "over"], "over"),
        (["", "\n", ""], "\n"),
    ],
)
def test_carriage_returns_are_obeyed_across_messages(texts: list[str], text: str) -> None:
    assert shown(*texts) == text
    assert shown("".join(texts)) == text


def test_a_flood_keeps_its_beginning_and_its_end() -> None:
    lines = [f"line {number}\n" for number in range(100_000)]
    text = shown(*lines, room=10_000)
    assert len(text) < 10_000
    assert text.startswith("line 0\nline 1\n") and text.endswith("line 99999\n")
    assert "lines left out" in text
    assert len(shown("".join(lines), room=10_000)) < 10_000
    assert shown("".join(lines), room=10_000).endswith("line 99999\n")


def test_what_is_left_out_is_counted_rightly() -> None:
    text = shown(*["x" * 9 + "\n"] * 1000, room=2000)
    head, _, rest = text.partition("\n[... ")
    count = int(rest.split(" characters")[0].replace(",", ""))
    tail = rest.partition("...]\n")[2]
    assert len(head) + count + len(tail) == 10_000


def test_bars_without_end_and_lines_without_end_cost_little() -> None:
    start = time.monotonic()
    assert shown(*["\r" + "#" * 70] * 20_000) == "#" * 70
    assert len(shown(*["." * 50] * 20_000, room=100_000)) < 110_000 + LINE_CHARS
    assert len(shown("y" * 5_000_000 + "\rz", room=1000)) < 2000 + LINE_CHARS
    assert time.monotonic() - start < 10


def cell() -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell("")


def test_streams_merge_as_jupyter_merges_them() -> None:
    outputs = CellOutputs(cell(), 10_000)
    for name, text in [("stdout", "a"), ("stdout", "b\n"), ("stderr", "c\n"), ("stdout", "d\n")]:
        outputs.stream(name, text)
    outputs.render()
    assert [(o.name, o.text) for o in outputs.cell.outputs] == [
        ("stdout", "ab\n"),
        ("stderr", "c\n"),
        ("stdout", "d\n"),
    ]


def test_streams_that_alternate_without_end_become_few_outputs() -> None:
    outputs = CellOutputs(cell(), 100_000)
    for number in range(10_000):
        outputs.stream("stdout" if number % 2 else "stderr", f"{number}\n")
    outputs.render()
    assert len(outputs.cell.outputs) < 100
    assert sum(len(o.text) for o in outputs.cell.outputs) < 110_000
    assert outputs.cell.outputs[-1].text.endswith("9999\n")


def test_any_number_of_floods_stays_within_one_notebook() -> None:
    notebook = NotebookOutputs()
    cells = [cell() for _ in range(60)]
    for index, node in enumerate(cells):
        notebook.start(index, node)
        for name in ("stdout", "stderr"):
            notebook.of(index).stream(name, "flood\n" * 200_000)
    notebook.render()
    sizes = [sum(len(o.text) for o in node.outputs) for node in cells]
    assert sum(sizes) < 1_900_000
    assert min(sizes) > 300 and sizes[0] > 200_000


def test_a_display_that_is_too_large_is_told_by_its_size() -> None:
    kept = capped_bundle({"image/png": "x" * 5000, "text/plain": "small"}, 1000)
    assert kept == {"text/plain": "small"}
    assert capped_bundle({"text/html": "x" * 5000}, 1000) == {"text/plain": "[text/html of 5,000 characters left out]"}


def test_the_log_of_outputs_ends_with_a_mark_and_still_takes_errors(tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "outputs.jsonl", limit_bytes=10_000)
    for _ in range(1000):
        log.stream(0, "stdout", "x" * 100)
    log.rich(0, "error", {"ename": "E", "evalue": "v", "traceback": ["t"]})
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "outputs.jsonl").read_text().splitlines()]
    assert [line["output_type"] for line in lines[-2:]] == ["capped", "error"]
    assert {line["output_type"] for line in lines[:-2]} == {"stream"}
    assert (tmp_path / "outputs.jsonl").stat().st_size < 11_000
    assert log.seen_bytes > 100_000, "what is not written is still seen"


def test_displays_clears_updates_and_errors_look_as_in_any_jupyter(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "from IPython.display import display, clear_output, HTML\nh = display('first', display_id='h')\n"
        "print('between')\nh.update('second')\n1 + 1",
        "for i in range(3):\n    clear_output(wait=True)\n    print('round', i)\n    display(HTML(f'<b>{i}</b>'))",
        "print('gone')\nclear_output()",
        "h.update('third')\nprint('x' * 10)",
        END,
    )
    assert run.execute().state is RunState.SUCCEEDED
    cells = run.notebook().cells
    kinds = [[o.output_type for o in c.outputs] for c in cells]
    assert kinds == [["display_data", "stream", "execute_result"], ["stream", "display_data"], [], ["stream"], []]
    assert cells[0].outputs[0].data["text/plain"] == "'third'"
    assert cells[0].outputs[2].data["text/plain"] == "2"
    assert cells[1].outputs[0].text == "round 2\n"
    assert cells[1].outputs[1].data["text/html"] == "<b>2</b>"
    log = run.lines(run.paths.outputs)
    assert [line["output_type"] for line in log if line["cell"] == 2] == ["stream", "clear_output"]
    assert [line["data"]["text/plain"] for line in log if line["output_type"] == "update_display_data"] == [
        "'second'",
        "'third'",
    ]


def test_text_of_a_thread_of_an_earlier_cell_counts(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "import threading, time\ndef later():\n    time.sleep(0.5)\n    print('score=0.75', flush=True)\n"
        "thread = threading.Thread(target=later)\nthread.start()",
        "thread.join()\ntime.sleep(0.5)",
    )
    assert run.execute().value == 0.75


def test_widgets_and_custom_messages_do_no_harm(tmp_path: Path) -> None:
    run = one_run(
        tmp_path,
        "import ipywidgets as w\nout = w.Output()\ndisplay(out)\nwith out:\n    print('inside')\nw.IntSlider(value=3)",
        "from IPython.display import publish_display_data\npublish_display_data(\n"
        "    {'application/x-odd': {'a': [1]}, 'application/x-odd+json': {'a': [1]}})",
        END,
    )
    outcome = run.execute()
    assert (outcome.state, outcome.notes) == (RunState.SUCCEEDED, ())
    notebook = run.notebook()
    assert "widgets" in notebook.metadata
    assert notebook.cells[1].outputs[0].data == {
        "application/x-odd": '{"a": [1]}',
        "application/x-odd+json": {"a": [1]},
    }


def test_a_disk_that_takes_no_more_costs_the_outputs_and_not_the_run(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: writes beyond it fail, in the kernel too."""
    run = one_run(tmp_path, "print('before')", "for i in range(5000):\n    print('x' * 99)", "print('after')", END)
    limit = (150_000, 150_000)
    with open("/dev/full", "w") as full:
        runner = subprocess.run(
            [*RUNNER, str(run.paths.root)],
            env=environment(),
            timeout=60,
            stderr=full,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        )
    assert runner.returncode == 0
    outcome = run.outcome()
    assert (outcome.state, outcome.value) == (RunState.SUCCEEDED, 1.0)
    assert any("output.ipynb could not be written" in note for note in outcome.notes)
    assert run.text(0) == "before\n", "the last notebook that could be written is whole"


def flooded(tmp_path: Path, *cells: str) -> tuple[OneRun, float]:
    """A run and the most memory in bytes that its runner ever had."""
    run = one_run(tmp_path, *cells)
    peak = 0
    with run.started() as runner:
        process = psutil.Process(runner.pid)
        end = time.monotonic() + 110
        while runner.poll() is None:
            assert time.monotonic() < end
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.02)
    return run, peak


LIMIT_BYTES = 200e6


@pytest.mark.slow
@pytest.mark.parametrize(
    "flood",
    [
        "import sys\nline = 'x' * 79 + '\\n'\nfor i in range(1_250_000):\n    sys.stdout.write(line)\n"
        "    if i % 125_000 == 0:\n        print(f'acc={i}')",
        "for i in range(10):\n    print('y' * 10_000_000)\n    print(f'acc={i}')",
        "for i in range(60_000):\n    print('line', i, flush=True)\n    if i % 6000 == 0:\n        print(f'acc={i}')",
    ],
    ids=["100 MB of lines", "ten lines of 10 MB", "60,000 flushed lines"],
)
def test_a_flood_of_output_loses_no_metric_and_takes_no_memory(tmp_path: Path, flood: str) -> None:
    run, peak = flooded(tmp_path, flood, "print('the next cell')", END)
    outcome = run.outcome()
    assert (outcome.state, outcome.value, outcome.notes) == (RunState.SUCCEEDED, 1.0, ())
    assert peak < LIMIT_BYTES
    assert run.paths.output.stat().st_size < 2e6
    assert run.paths.outputs.stat().st_size < 8.1e6
    assert len([line for line in run.lines(run.paths.metrics) if "acc" in line["values"]]) == 10
    assert run.text(1) == "the next cell\n"
    assert run.text(0).rstrip().endswith(("x" * 79, "acc=9", "line 59999"))


def test_the_runner_is_light_and_imports_nothing_of_the_server() -> None:
    code = (
        "import sys, jupyter_deepresearch.execution.runner.__main__\n"
        "import jupyter_deepresearch.execution.runner.phases as p\n"
        "p._import_engine()\n"
        "heavy = {'optuna', 'jupyter_server', 'anthropic', 'numpy', 'pandas', 'sqlalchemy', 'IPython', 'tornado.web'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"

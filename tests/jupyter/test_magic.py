"""`%deepresearch` in a real kernel of a real server, on projects whose notebooks really run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jupyter.doubles import CONFIG, write_project
from tests.jupyter.kernels import Cell, JupyterServer, Kernel, until

LONG = "import time\nfrom jupyter_deepresearch import report\nreport(score=lr)\ntime.sleep(60)"


def made(folder: Path) -> JupyterServer:
    """A server on an empty root, with Jupyter folders of its own, not yet started."""
    (folder / "root").mkdir()
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return JupyterServer(folder / "root", {name: str(folder / name.lower()) for name in names})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """A server of the test's own, which knows no project."""
    server = made(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A server for tests that mind no other projects than theirs."""
    server = made(tmp_path_factory.mktemp("shared"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def finish(kernel: Kernel) -> None:
    until(lambda: ": finished" in kernel.say("status").text, 60)


@pytest.mark.slow
def test_a_project_from_start_to_its_last_question(shared: JupyterServer) -> None:
    write_project(shared.root / "small")
    kernel = shared.kernel()
    panel = kernel.run("%%deepresearch start small --cycles 2\nmake the score <b>higher</b>\n")
    assert panel.stderr == "" and "small: running, cycle 0 of 2" in panel.text and "<table" in panel.html
    assert (shared.root / "small" / "PROJECT_BRIEF.md").read_text() == "make the score <b>higher</b>\n"
    finish(kernel)
    status = kernel.say("status")
    assert "2 cycles done" in status.text and "baseline  #0 score 0.3 (1 seed)" in status.text
    history = kernel.say("history")
    assert re.findall(r"^\*? +(\d+)  [A-Z]", history.text, re.MULTILINE) == ["2", "1", "0"]
    assert 'href="small/experiments/0000-baseline.ipynb"' in history.html
    assert "0000-baseline.ipynb" in kernel.say("open 0").html
    changes = kernel.say("diff 1")
    assert (
        "from experiment 0 to experiment 1" in changes.text and "\n+lr = " in changes.text and "+lr = " in changes.html
    )
    assert "make the score <b>higher</b>" in kernel.say("memory").text
    assert "&lt;b&gt;higher" in kernel.say("memory").html
    assert "best" in kernel.say("best").text and "in all" in kernel.say("cost").text
    assert "start [PATH]" in kernel.say("help").text
    assert "runs next" in kernel.say("try lr=0.9").text
    until(lambda: "by hand: lr = 0.9" in kernel.say("history").text and "CONFIRMED" in kernel.say("history").text)
    assert "written" in kernel.say('directive lr: 0.5..0.9, and don\'t use "tricks" --ever').text


@pytest.mark.slow
def test_approval_pause_and_stop(shared: JupyterServer) -> None:
    write_project(shared.root / "asking")
    write_project(shared.root / "long", training=LONG)
    kernel = shared.kernel("asking")
    kernel.say("start --approval ask --cycles 3")
    assert kernel.refused("approve") == "approve: nothing waits for you"
    until(lambda: "waiting approval" in kernel.say("status").text)
    assert "change: lr = " in kernel.say("panel").text
    assert kernel.say("approve").text.strip() == "hypothesis 1: approved"
    until(lambda: "waiting   #2" in kernel.say("status").text)
    assert kernel.say("reject 2 I don't believe it").text.strip() == "hypothesis 2: rejected"
    until(lambda: "REJECTED" in kernel.say("history").text)
    assert "asking: paused" in kernel.say("pause").text
    assert re.search("asking: (running|waiting approval)", kernel.say("resume").text)
    assert "asking: stopped" in kernel.say("stop").text

    kernel.say("start ../long")
    until(lambda: "0000-baseline-seed-1" in kernel.say("status").text and "score 0.1" in kernel.say("status").text)
    assert "--yes" in kernel.refused("stop")
    kernel.answers.append("n")
    assert "not stopped" in kernel.say("stop").text
    kernel.answers.append("y")
    assert "long: stopped" in kernel.say("stop").text
    until(lambda: "running   " not in kernel.say("status").text)
    ended = shared.root / "long" / ".deepresearch" / "runs" / "0000-baseline-seed-1" / "exit.json"
    assert '"cancelled"' in ended.read_text()
    assert "asking: stopped" in kernel.say("status --project asking").text


@pytest.mark.slow
def test_the_loop_goes_on_without_its_kernel_and_its_server(server: JupyterServer) -> None:
    write_project(server.root / "small", CONFIG, LONG.replace("60", "4"))
    kernel = server.kernel()
    kernel.say("start small --cycles 1")
    until(lambda: "0000-baseline-seed-1" in kernel.say("status").text)
    server.end_kernel(kernel)
    assert "small: running" in server.kernel().say("status").text
    assert server.process is not None
    server.process.kill()
    server.stop()
    server.start()
    kernel = server.kernel()
    finish(kernel)
    history = kernel.say("history").text
    assert "BASELINE" in history and "LOST" not in history
    runs = sorted(path.name for path in (server.root / "small" / ".deepresearch" / "runs").iterdir())
    assert [name for name in runs if name.startswith("0000")] == ["0000-baseline-seed-1"]


@pytest.mark.slow
def test_every_mistake_is_one_line(server: JupyterServer) -> None:
    write_project(server.root / "one")
    write_project(server.root / "two")
    (server.root / "empty").mkdir()
    kernel = server.kernel()
    assert "no project is known yet" in kernel.refused("status")
    assert "no such project folder" in kernel.refused("start missing")
    assert "found no notebook" in kernel.refused("start empty")
    assert "found no notebook" in kernel.refused("start .."), "outside the server's root: not the server's to say"
    assert "direction" in kernel.refused("start one --direction up")
    assert "other.ipynb" in kernel.refused("start one --notebook other.ipynb")
    assert "3,001 characters" in kernel.refused("%%deepresearch start one\n" + "x" * 3000)
    assert not (server.root / "one" / ".deepresearch").exists()
    kernel.say("start one --cycles 1 --approval ask")
    kernel.say("start two --cycles 1 --approval ask")
    other = server.kernel()
    assert "several projects are known (one, two)" in other.refused("status")
    assert "there is no project 'three'" in other.refused("status --project three")
    assert "unknown parameter 'width'" in other.refused("try --project two width=3")
    assert "99" in other.refused("open 99 --project one")
    assert (
        "one: "
        in server.kernel("one/experiments" if (server.root / "one/experiments").is_dir() else "one").say("status").text
    )
    kernel.say("stop --yes")
    kernel.say("stop --yes --project one")


def completed(kernel: Kernel, code: str, cursor: int | None = None) -> tuple[list[str], str]:
    """What is offered, and the text in whose place it would be put."""
    answer = kernel.client.complete(code, len(code) if cursor is None else cursor, reply=True, timeout=30)["content"]
    return answer["matches"], code[answer["cursor_start"] : answer["cursor_end"]]


@pytest.mark.slow
def test_it_completes_and_explains_itself(shared: JupyterServer) -> None:
    kernel = shared.kernel()
    assert completed(kernel, "%deepresearch sta") == (["start", "status"], "sta")
    assert completed(kernel, "%%deepresearch st") == (["start", "status", "stop"], "st")
    assert completed(kernel, "x = 1\n%deepresearch start --di") == (["--direction"], "--di")
    assert completed(kernel, "%%deepresearch start --me\na brief", 25) == (["--metric"], "--me")
    assert completed(kernel, "%deepresearch start --approval=a")[0] == ["--approval=auto", "--approval=ask"]
    assert completed(kernel, "%deepresearch reject 3 ma") == (["ma"], "ma"), "a reason is no name of Python"
    assert completed(kernel, "%%time\n%deepresearch sta")[0] == ["start", "status"]
    assert "start" not in completed(kernel, "%%deepresearch start\n%deepresearch st")[0], "a brief is not completed"
    assert kernel.run("%reload_ext jupyter_deepresearch") == Cell()
    assert completed(kernel, "%deepresearch sta")[0] == ["start", "status"], "and it says nothing of it twice"
    for magic in ("%deepresearch", "%%deepresearch"):
        content = kernel.client.execute(f"{magic}?", reply=True, timeout=30)["content"]
        assert "directive TEXT" in content["payload"][0]["data"]["text/plain"]
    assert "--metric M" in kernel.say("start?").text and "--metric M" in kernel.say("start --help").text
    assert kernel.say("help").text == kernel.say("").text
    assert kernel.run("%deepresearch help start ?").error == ""
    asked = kernel.run("%deepresearch directive --project none don't (you think that Adam helps?\nprint('after')")
    assert "there is no project 'none'" in asked.stderr and asked.stdout == "after\n" and asked.error == ""
    assert (
        kernel.run("text = '''\n%deepresearch directive a?\n'''\nprint(text)").stdout
        == "\n%deepresearch directive a?\n\n"
    )

"""The panel of a real kernel on a real server, with the test in the place of the page."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.config.loading import Options
from tests.jupyter.doubles import Doubled, write_project
from tests.jupyter.kernels import Cell, JupyterServer, Kernel
from tests.jupyter.test_magic import made
from tests.jupyter.test_magic_alone import a_kernel
from tests.terminal import tell

SLOW = """import time
from jupyter_deepresearch import report
for step in range(20):
    report(step=step, score=lr)
    time.sleep(0.2)"""
WAIT_S = 40.0


@dataclass
class View:
    """A page: sends messages to the panel's comm over a subshell, as JupyterLab does, and hears what comes back."""

    kernel: Kernel
    comm: str = ""
    subshell: str = ""
    traits: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    buffers: list[bytes] = field(default_factory=list)
    outputs: list[Mapping[str, Any]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def show(self, line: str) -> None:
        """Execute a line that shows the panel, and begin to hear."""
        self.kernel.client.execute(line)
        self.hear(lambda: bool(self.comm) and len(self.outputs) >= 2)
        self.kernel.client.control_channel.send(self.kernel.client.session.msg("create_subshell_request"))
        self.subshell = self.kernel.client.get_control_msg(timeout=WAIT_S)["content"]["subshell_id"]

    def say(self, **content: Any) -> None:
        """Send one message of the page's."""
        body = {"comm_id": self.comm, "data": {"method": "custom", "content": content}}
        message = self.kernel.client.session.msg("comm_msg", body)
        message["header"]["subshell_id"] = self.subshell
        self.kernel.client.shell_channel.send(message)

    def ask(self, number: str, **content: Any) -> Any:
        """The answer's body, or the one line in its place."""
        self.say(id=number, **content)
        self.hear(lambda: any(m.get("id") == number for m in self.messages))
        found = next(m for m in self.messages if m.get("id") == number)
        return found["error"] if "error" in found else found["body"]

    def hear(self, holds: Callable[[], bool]) -> None:
        """Take what the kernel says until something holds."""
        end = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end, (self.messages[-3:], self.traits.get("status"), self.outputs[-3:])
            try:
                self._take(self.kernel.client.get_iopub_msg(timeout=0.5))
            except queue.Empty:
                continue

    def _take(self, message: Mapping[str, Any]) -> None:
        kind, content = message["header"]["msg_type"], message["content"]
        data = content.get("data", {})
        if kind == "comm_open" and data.get("state", {}).get("_model_name") == "AnyModel":
            self.comm, self.traits = content["comm_id"], dict(data["state"])
        elif kind == "comm_msg" and content["comm_id"] == self.comm and data["method"] == "update":
            self.traits |= data["state"]
        elif kind == "comm_msg" and content["comm_id"] == self.comm:
            self.messages.append(data["content"])
            self.buffers += map(bytes, message["buffers"])
        elif kind == "update_display_data":
            self.tables.append(data["text/html"])
        elif kind in ("display_data", "stream", "error"):
            self.outputs.append(content)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = made(tmp_path_factory.mktemp("shared"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.mark.slow
def test_a_panel_lives_beside_a_busy_cell(shared: JupyterServer) -> None:
    folder = write_project(shared.root / "small", training=SLOW)
    view = View(shared.kernel())
    view.show("%deepresearch start small --approval ask --cycles 2")
    widget, static = (output["data"] for output in view.outputs)
    assert widget["text/plain"] == "Deep Research: live panel of small" and 'class="dr-static"' in static["text/html"]
    assert view.traits["status"]["project"] == "small" and view.traits["status"]["place"] == "small"
    view.say(kind="hello", seq=0)
    view.hear(lambda: any(m["kind"] == "points" for m in view.messages))

    view.kernel.client.execute("import time; time.sleep(25)")
    view.hear(lambda: bool(view.traits["curves"]["live"]) and len(view.traits["curves"]["live"][0]["points"]) > 2)
    assert view.traits["status"]["running"][0]["run"] == "0000-baseline-seed-1"
    view.hear(lambda: len(view.traits["status"]["waiting"]) == 1)
    view.hear(lambda: any("BASELINE" in table for table in view.tables))

    lr = next(found for found in view.ask("p", kind="ask", what="parameters") if found["name"] == "lr")
    assert lr == {"name": "lr", "value": 0.1, "own": 0.1, "range": "0.001..1 log"}
    assert [r["experiment"] for r in view.ask("h", kind="ask", what="history")] == [1, 0]
    assert view.ask("e", kind="ask", what="experiment", experiment=0)["decision"] == "baseline"
    assert "+lr = " in str(view.ask("d", kind="ask", what="diff", experiment=1)["changes"])
    assert view.ask("e9", kind="ask", what="experiment", experiment=9) == "there is no experiment 9 in small"
    assert view.ask("bad", kind="ask", what="everything").startswith("ask: what is 'everything'; accepted: history")
    assert view.ask("t", kind="tell", command={"kind": "directive", "text": "a small lr"})["seq"] > 0
    view.ask("a", kind="tell", command={"kind": "approve", "hypothesis": 1})
    assert view.ask("a2", kind="tell", command={"kind": "approve", "hypothesis": 1}).endswith("already decided")
    view.hear(lambda: bool(view.traits["status"]["running"]))
    assert not any("Traceback" in str(output) for output in view.outputs) and len(view.outputs) == 2

    shared.ask(f"kernels/{view.kernel.id}/interrupt", {})
    events = [json.loads(line) for line in tell("events", folder, "--json").out.splitlines()]
    said = [(event["kind"], event["body"].get("text")) for event in events]
    assert said.count(("directive", "a small lr")) == 1 and said.count(("approve", None)) == 1
    view.ask("s", kind="tell", command={"kind": "stop"})


@pytest.mark.slow
def test_a_panel_shown_again_is_the_same_and_one_for_each_project(shared: JupyterServer) -> None:
    for name in ("one", "two"):
        write_project(shared.root / name)
    kernel = shared.kernel()
    kernel.say("start one --approval ask --cycles 1")
    kernel.say("start two --approval ask --cycles 1")
    kernel.say("panel --project one")
    assert kernel.run("%reload_ext jupyter_deepresearch") == Cell()
    kernel.say("panel --project two")
    counted = kernel.run(
        "import threading, ipywidgets\n"
        "from jupyter_deepresearch.jupyter.panel.widget import Panel\n"
        "print(sum(isinstance(w, Panel) for w in ipywidgets.widgets.widget._instances.values()),"
        " sum(t.name.startswith('deepresearch panel') for t in threading.enumerate()))\n"
        "ipywidgets.Widget.close_all()"
    )
    assert counted.stdout == "2 2\n" and counted.error == ""
    assert "live panel of one" in kernel.say("panel --project one").text, "closed, it is made anew"
    for name in ("one", "two"):
        kernel.say(f"stop --yes --project {name}")


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A project that was researched to its end, of which no server knows."""
    folder = write_project(tmp_path / "small")
    service = Doubled().service()
    service.run(service.prepare(folder, Options(), "make it better"))
    return folder


@pytest.mark.slow
def test_without_a_server_the_panel_looks_at_the_folder(finished: Path) -> None:
    with a_kernel(finished) as kernel:
        view = View(kernel)
        view.show("%deepresearch panel")
        assert view.traits["status"]["place"] is None and len(view.traits["rows"]) == 3
        assert view.ask("h", kind="ask", what="history", before=1)[0]["decision"] == "baseline"
        view.ask("t", kind="tell", command={"kind": "pause"})
        view.ask("t2", kind="tell", command={"kind": "configure", "budget": {"cycles": 9}})
        view.hear(lambda: view.traits["status"]["cycles"] == 9)
        assert view.traits["trouble"] == "" and not any("traceback" in output for output in view.outputs)


@pytest.mark.slow
def test_a_plain_ipython_shows_text_alone(finished: Path, tmp_path: Path) -> None:
    code = "%load_ext jupyter_deepresearch\n%deepresearch panel\nimport sys\nprint('ipywidgets' in sys.modules)"
    (tmp_path / "code.ipy").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", str(tmp_path / "code.ipy")],
        cwd=finished,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "a larger step is better" in done.stdout and "#0" in done.stdout, done
    assert done.stdout.endswith("False\n") and "live panel" not in done.stdout and "<" not in done.stdout
    assert done.stderr == ""

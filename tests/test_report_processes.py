"""The one file of report() in the Pythons found on this machine, in children and threads, and in a real IPython."""

import json
import math
import os
import shutil
import subprocess
import sys
import textwrap
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

SOURCE = Path(__file__).parents[1] / "jupyter_deepresearch" / "report.py"
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def _answer(python: str, code: str) -> str:
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else ""


def candidates() -> list[str]:
    """This interpreter, those on PATH and pyenv's."""
    found = [shutil.which(f"python3.{minor}") for minor in range(6, 15)]
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, timeout=60).stdout.strip()
        found += sorted(str(path) for path in Path(root).glob("versions/3.*/bin/python"))
    return [sys.executable, *filter(None, found)]


@cache
def pythons() -> dict[str, str]:
    """The interpreters from 3.6 on, one for each version."""
    found: dict[str, str] = {}
    for python in candidates():
        version = _answer(python, VERSION)
        if version and int(version.split(".")[1]) >= 6:
            found.setdefault(version, python)
    return found


@cache
def ipythons() -> dict[str, str]:
    """The interpreters that have IPython, one for each of its versions."""
    found: dict[str, str] = {}
    for python in candidates():
        version = _answer(python, "import IPython; print(IPython.__version__)")
        if version:
            found.setdefault(version, python)
    return found


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A folder that holds the file as a run's kernel sees it."""
    folder = tmp_path / "shim"
    folder.mkdir()
    shutil.copy(SOURCE, folder / "jupyter_deepresearch.py")
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_code(python: str, shim: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = ("RANK", "DEEPRESEARCH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [python, "-W", "error", "-c", textwrap.dedent(code)],
        cwd=shim.parent,  # not the repository, whose package would answer instead
        env={**kept, "PYTHONPATH": str(shim), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("version", sorted(pythons()))
def test_every_python_reports(version: str, shim: Path, tmp_path: Path) -> None:
    path, kept = tmp_path / "reports.jsonl", tmp_path / "kept" / "artifacts"
    code = """
        from jupyter_deepresearch import report, dry_run, artifacts
        import jupyter_deepresearch
        report(step=3, val_accuracy=0.97, train_loss=1)
        report(**{"val/loss": float("nan"), 'a "quoted" \\u00e9': float("-inf")})
        assert dry_run() and artifacts().is_dir() and not jupyter_deepresearch.install_shell_hook()
        jupyter_deepresearch.load_ipython_extension(None)
    """
    environment = {"DEEPRESEARCH_REPORTS": str(path), "DEEPRESEARCH_ARTIFACTS": str(kept), "DEEPRESEARCH_DRY_RUN": "1"}
    before = time.time()
    done = run_code(pythons()[version], shim, code, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "jupyter_deepresearch: inside a run: nothing to load\n"
    first, second = lines(path)
    assert before <= first.pop("t") <= second.pop("t") <= time.time()
    assert first == {"step": 3, "values": {"val_accuracy": 0.97, "train_loss": 1.0}, "source": "report"}
    assert list(second["values"]) == ["val/loss", 'a "quoted" é'] and second["step"] == 0
    assert math.isnan(second["values"]["val/loss"]) and second["values"]['a "quoted" é'] == -math.inf
    assert kept.is_dir()


def test_forked_children_and_threads_never_mix_lines(shim: Path, tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    code = """
        import os, threading
        from jupyter_deepresearch import report

        def many(name):
            for i in range(500):
                report(step=i, **{name * 40: 0.1})

        report(step=0, parent=1)
        children = []
        for number in range(3):
            child = os.fork()
            if child == 0:
                many("child%d" % number)
                os._exit(0)
            children.append(child)
        threads = [threading.Thread(target=many, args=("thread%d" % n,)) for n in range(2)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        assert len([fd for fd in os.listdir("/proc/self/fd")]) < 10
    """
    done = run_code(sys.executable, shim, code, DEEPRESEARCH_REPORTS=str(path))
    assert (done.returncode, done.stderr) == (0, "")
    names = [next(iter(line["values"])) for line in lines(path)]
    assert len(names) == 1 + 5 * 500
    assert {name: names.count(name) for name in set(names) - {"parent"}}.keys() >= {"child2" * 40, "thread1" * 40}
    assert all(names.count(name) == 500 for name in set(names) - {"parent"})


def test_the_file_is_not_inherited_by_programs(shim: Path, tmp_path: Path) -> None:
    code = """
        import os, subprocess
        from jupyter_deepresearch import report
        report(loss=1)
        print(subprocess.run(["ls", "-l", "/proc/self/fd"], stdout=subprocess.PIPE, close_fds=False).stdout.decode())
    """
    done = run_code(sys.executable, shim, code, DEEPRESEARCH_REPORTS=str(tmp_path / "reports.jsonl"))
    assert done.returncode == 0 and "reports.jsonl" not in done.stdout


SHELL = """
    import os, sys
    from IPython.core.interactiveshell import InteractiveShell
    import jupyter_deepresearch
    shell = InteractiveShell.instance(history_length=0)
    shell.system = shell.system_piped  # what a kernel's shell uses
    assert jupyter_deepresearch.install_shell_hook() and jupyter_deepresearch.install_shell_hook()

    def cell(source):
        result = shell.run_cell(source, store_history=False)
        print("ok" if result.success else repr(result.error_in_exec))

    cell("!exit 3")
    cell("!true")
    cell("!kill -9 $$")
    cell("found = !exit 4")
    cell("def f():\\n    code = 5\\n    !exit {code}\\nf()")
    cell("code = 7\\n!exit $code # " + "x" * 300)
    cell("!echo said")
    cell("!sleep 1 &")
    cell("print(_exit_code)")
"""


@pytest.mark.parametrize("version", sorted(ipythons()))
def test_failed_shell_commands_are_noted(version: str, shim: Path, tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    home = {"IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONWARNINGS": "ignore"}
    done = run_code(ipythons()[version], shim, SHELL, DEEPRESEARCH_REPORTS=str(path), **home)
    assert done.returncode == 0, done.stderr
    assert "Background processes not supported" in done.stdout and "said" in done.stdout
    assert done.stdout.rstrip().endswith("0\nok")
    noted = lines(path)
    assert [line["code"] for line in noted] == [3, -9, 5, 7]
    assert [line["shell"] for line in noted[:3]] == ["exit 3", "kill -9 $$", "exit {code}"]
    assert len(noted[3]["shell"]) == 200
    assert all(line.keys() == {"t", "shell", "code"} for line in noted)


def test_a_note_that_fails_leaves_the_command_alone(shim: Path, tmp_path: Path) -> None:
    code = """
        from IPython.core.interactiveshell import InteractiveShell
        import jupyter_deepresearch
        shell = InteractiveShell.instance(history_length=0)
        jupyter_deepresearch.install_shell_hook()
        print(shell.run_cell("!echo ran; exit 3", store_history=False).success)
    """
    environment = {"IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONWARNINGS": "ignore"}
    done = run_code(sys.executable, shim, code, DEEPRESEARCH_REPORTS="/dev/full", **environment)
    assert done.returncode == 0 and "ran" in done.stdout and done.stdout.endswith("True\n")
    assert "a failed command could not be noted" in done.stderr


def test_a_kernel_notes_failed_commands_silently(shim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the runner does it: one silent request after the kernel's start, then the notebook's cells."""
    path = tmp_path / "reports.jsonl"
    environment = {"DEEPRESEARCH_REPORTS": str(path), "PYTHONPATH": str(shim), "IPYTHONDIR": str(tmp_path / "ipython")}
    monkeypatch.delenv("RANK", raising=False)
    manager, client = start_new_kernel(
        kernel_name="python3", env={**os.environ, **environment}, cwd=str(tmp_path), startup_timeout=60
    )
    try:
        printed: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] != "status":
                printed.append(message["content"].get("text", message["msg_type"]))

        client.execute_interactive(
            "__import__('jupyter_deepresearch').install_shell_hook()", silent=True, output_hook=hear, timeout=60
        )
        assert printed == []
        cell = "from jupyter_deepresearch import report\nreport(step=1, loss=0.5)\n!echo said; stty size; exit 6\n!true"
        reply = client.execute_interactive(cell, output_hook=hear, timeout=60)
        assert reply["content"]["status"] == "ok" and "said\r\n24 160" in "".join(printed)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    report, failure = lines(path)
    assert report["values"] == {"loss": 0.5}
    assert (failure["shell"], failure["code"]) == ("echo said; stty size; exit 6", 6)

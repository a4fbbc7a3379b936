"""The command line as a person has it: processes of its own, with what they print."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from jupyter_deepresearch.cli.main import main

PROGRAM = (sys.executable, "-m", "jupyter_deepresearch.cli")
WAIT_S = 120.0


@dataclass(frozen=True)
class Said:
    """What a finished command printed, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def tell(*words: str | Path) -> Said:
    """Run one command to its end."""
    done = subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=WAIT_S, stdin=subprocess.DEVNULL
    )
    return Said(done.returncode, done.stdout, done.stderr)


def look(*words: str | Path) -> Said:
    """As ``tell``, in this process: what is asked many times while it waits takes no core from what it waits for."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, words)])
    return Said(code, out.getvalue(), err.getvalue())


class Running:
    """A command that goes on. It has a session of its own, as one in a terminal has."""

    def __init__(self, *words: str | Path, before: Callable[[], None] | None = None) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=before,
        )

    def type_ctrl_c(self) -> None:
        """Interrupt it and its whole process group, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self, seconds: float = WAIT_S) -> Said:
        """Wait until it has ended by itself."""
        out, err = self.process.communicate(timeout=seconds)
        return Said(self.process.returncode, out, err)

    def kill(self) -> None:
        """End it without giving it any chance, where it has not ended, and show what nobody has read of it yet."""
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            print(*self.process.communicate(), sep="")


def wait_for(what: Callable[[], Any], seconds: float = WAIT_S) -> Any:
    """The first true answer of ``what``, asked ten times a second."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"nothing came in {seconds:g} s"
        time.sleep(0.1)
    return answer


def is_running(pid: int) -> bool:
    """Whether a process is there and does something; one whose parent has not taken notice of its end does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def status(folder: Path) -> Any:
    """The project's status object, None before there is a project."""
    said = look("status", folder, "--json")
    return said.json if said.code == 0 else None


def history(folder: Path) -> Any:
    """The project's experiments, none before there is a project."""
    said = look("history", folder, "--json")
    return said.json if said.code == 0 else []


def events(folder: Path, kind: str) -> list[Any]:
    """The bodies of all events of one kind."""
    lines = look("events", folder, "--json").out.splitlines()
    return [event["body"] for event in map(json.loads, lines) if event["kind"] == kind]

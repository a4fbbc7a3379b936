"""Outputs of a run as a terminal shows them, and as a pipe or a file should have them."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from ..terminal import drawn

REDRAWN_S = 10.0
"""A bar that is drawn over and over is shown to a pipe so often, while nothing else comes."""


class Printer(Protocol):
    """Takes a run's outputs in their order."""

    def show(self, output: Mapping[str, Any]) -> None:
        """Print one line of ``outputs.jsonl``."""

    def rest(self) -> None:
        """Nothing comes now."""

    def end(self) -> None:
        """Nothing comes any more."""


class Raw:
    """For a terminal: what the notebook prints, as it prints it, colours and carriage returns included."""

    def __init__(self) -> None:
        self._last = "\n"

    def show(self, output: Mapping[str, Any]) -> None:
        text = _text(output)
        if output.get("output_type") != "stream" and not self._last.endswith("\n"):
            text = f"\n{text}"
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()
            self._last = text

    def rest(self) -> None:
        """Everything is shown already."""

    def end(self) -> None:
        if not self._last.endswith("\n"):
            print(flush=True)


class Plain:
    """For a pipe or a file: whole lines, as they look when they are finished, without colours."""

    def __init__(self, redrawn_s: float = REDRAWN_S) -> None:
        self._begun: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._redrawn_s = redrawn_s
        self._at = time.monotonic()

    def show(self, output: Mapping[str, Any]) -> None:
        if output.get("output_type") == "stream":
            name = str(output.get("name", "stdout"))
            *lines, begun = (self._begun.get(name, "") + _text(output)).split("\n")
            self._begun[name] = begun if "\r" not in begun[:-1] else begun[begun[:-1].rfind("\r") :]
            for line in lines:
                self._print(drawn(line), name)
                self._shown.pop(name, None)
        else:
            self.end()
            for line in _text(output).splitlines():
                self._print(drawn(line))

    def _print(self, line: str, name: str = "") -> None:
        if line != self._shown.get(name):
            print(line, flush=True)
        self._at = time.monotonic()

    def rest(self) -> None:
        if time.monotonic() - self._at >= self._redrawn_s:
            self._flush()
            self._at = time.monotonic()

    def end(self) -> None:
        self._flush()
        self._begun.clear()
        self._shown.clear()

    def _flush(self) -> None:
        for name, begun in self._begun.items():
            line = drawn(begun)
            if line.strip() and line != self._shown.get(name):
                print(line, flush=True)
                self._shown[name] = line


def _text(output: Mapping[str, Any]) -> str:
    """An output as text."""
    match output.get("output_type"):
        case "stream":
            return str(output.get("text", ""))
        case "error":
            return "\n".join([*output.get("traceback", ()), ""])
        case "capped":
            return "[... the rest is in the run's notebook ...]\n"
        case "clear_output":
            return ""
        case _:
            found = output.get("data", {}).get("text/plain", "")
            return f"{''.join(found)}\n"

"""Text streams of a cell as a notebook keeps them: merged, carriage returns obeyed, the middle of a flood left out."""

import re
from collections import deque
from dataclasses import dataclass

from ...terminal import last_drawn

CELL_CHARS = 256_000
NOTEBOOK_CHARS = 1_400_000
LINE_CHARS = 8_192
"""Longer unfinished lines can no longer be overwritten by a carriage return: their front is kept as it is."""
MOST_STREAMS = 64
"""From so many stream outputs on, text joins the last output of its stream, whatever came between."""

_LINE_END = re.compile("\r+\n")


@dataclass
class Room:
    """How many more characters the heads of one cell's streams may keep, and how many each stream's tail."""

    head: int
    tail: int

    @classmethod
    def of(cls, chars: int) -> "Room":
        """A quarter for the beginning, the rest for the ends of the two streams."""
        return cls(chars // 4, chars * 3 // 8)


class StreamText:
    """One stream output. Memory and work are bounded by its room and the text's length, however it arrives."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_chars = 0
        self._left_out = 0
        self._left_lines = 0
        self._line = ""

    def add(self, text: str) -> None:
        """Take the next text of the stream."""
        text = self._line + text
        if "\r" in text or "\b" in text:
            text = _overwritten(text)
        cut = text.rfind("\n") + 1
        if len(text) - cut > LINE_CHARS:
            cut = len(text) - LINE_CHARS // 2
        self._line = text[cut:]
        if cut:
            self._keep(text[:cut])

    def _keep(self, text: str) -> None:
        if not self._tail:
            if len(text) <= self._room.head:
                self._room.head -= len(text)
                self._head.append(text)
                return
            self._head.append(text[: self._room.head])
            text, self._room.head = text[self._room.head :], 0
        if len(text) > self._room.tail:
            self._leave_out(text[: -self._room.tail])
            text = text[-self._room.tail :]
        self._tail.append(text)
        self._tail_chars += len(text)
        while self._tail_chars - len(self._tail[0]) >= self._room.tail:
            oldest = self._tail.popleft()
            self._tail_chars -= len(oldest)
            self._leave_out(oldest)

    def _leave_out(self, text: str) -> None:
        self._left_out += len(text)
        self._left_lines += text.count("\n")

    @property
    def text(self) -> str:
        """What the notebook shows."""
        tail = "".join(self._tail)
        over = len(tail) - self._room.tail
        left, lines = self._left_out, self._left_lines
        if over > 0:
            left, lines, tail = left + over, lines + tail.count("\n", 0, over), tail[over:]
        gap = f"\n[... {left:,} characters in {lines:,} lines left out ...]\n" if left else ""
        line = self._line.rstrip("\r")
        return "".join(self._head) + gap + tail + line


def _overwritten(text: str) -> str:
    """What a terminal shows of the text, up to what later text may still overwrite; linear in its length."""
    text = _LINE_END.sub("\n", text)
    lines = text.split("\n")
    shown = [last_drawn(line) for line in lines[:-1]]
    rest = lines[-1]
    is_open = rest.endswith("\r")
    shown.append(last_drawn(rest) + ("\r" if is_open else ""))
    return "\n".join(shown)

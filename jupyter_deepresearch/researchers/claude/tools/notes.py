"""The tools for notes: a person's and the researcher's own."""

import asyncio
from dataclasses import dataclass

from ...llm.talk import ToolSpec
from ..blocks import block, quoted
from ..shelf import Shelf
from .tool import RESULT_CHARS, Tool

_PART_CHARS = RESULT_CHARS - 100


@dataclass(frozen=True)
class ReadNote:
    """Arguments of read_note."""

    name: str
    start: int = 0


@dataclass(frozen=True)
class WriteNote:
    """Arguments of write_note."""

    name: str
    text: str


def read_note(shelf: Shelf) -> Tool:
    """A part of a note, and where the next one begins."""

    async def run(asked: ReadNote) -> str:
        text = quoted(await asyncio.to_thread(shelf.read, asked.name))
        start = min(max(0, asked.start), len(text))
        shown = block("note", text[start : start + _PART_CHARS], _PART_CHARS)
        left = len(text) - start - _PART_CHARS
        return shown if left <= 0 else f"{shown}\n{left:,} characters more from start={start + _PART_CHARS}"

    return Tool(ToolSpec("read_note", "Part of a file in notes/.", ReadNote), run)


def write_note(shelf: Shelf) -> Tool:
    """Keeps a finding as a note."""

    async def run(asked: WriteNote) -> str:
        return f"written: {await asyncio.to_thread(shelf.write, asked.name, asked.text)}"

    return Tool(ToolSpec("write_note", "Write or rewrite your own notes/NAME.md.", WriteNote), run)

"""The Writing worker's tools: what was found, and where the report goes."""

import asyncio
from dataclasses import dataclass

from ....core.research import Seen
from ...llm.talk import ToolSpec
from ..shelf import Shelf
from .leader import read_experiment
from .notes import read_note
from .tool import Tool


@dataclass(frozen=True)
class WriteReport:
    """Arguments of write_report."""

    name: str
    text: str


def writing_tools(seen: Seen, shelf: Shelf) -> tuple[Tool, ...]:
    """What the Writing worker may ask for."""
    return (read_experiment(seen), read_note(shelf), write_report(shelf))


def write_report(shelf: Shelf) -> Tool:
    """Stores a report under the next free name, and tells it."""

    async def run(asked: WriteReport) -> str:
        return f"written: {await asyncio.to_thread(shelf.report, asked.name, asked.text)}"

    return Tool(ToolSpec("write_report", "Write a new reports/NAME.md.", WriteReport), run)

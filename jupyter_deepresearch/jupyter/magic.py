"""``%deepresearch`` and ``%%deepresearch``: research from a notebook's cell."""

import sys
from typing import Any

from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ..errors import DeepResearchError, InvalidInput
from ..text import one_line
from .arguments import completions, read_line
from .client import Client
from .conversation import HELP, Conversation

ERROR_CHARS = 1000


def load(ipython: InteractiveShell) -> None:
    """Add the magic, with its tab completion, to ``ipython``."""
    conversation = Conversation(Client.here, _ask)

    def deepresearch(line: str, cell: str | None = None) -> None:
        _answer(conversation, line, cell)

    deepresearch.__doc__ = f"Research a notebook: %deepresearch COMMAND\n\n{HELP}\n"
    ipython.magics_manager.register_function(deepresearch, "line_cell", "deepresearch")
    for key in ("%deepresearch", "%%deepresearch"):
        ipython.set_hook("complete_command", _complete, str_key=key)


def _answer(conversation: Conversation, line: str, cell: str | None) -> None:
    """Show what the line asks for; what cannot be is one readable line."""
    try:
        display(conversation.say(read_line(line, cell)))
    except DeepResearchError as error:
        print(f"deepresearch: {one_line(str(error), ERROR_CHARS)}", file=sys.stderr)


def _ask(question: str) -> str:
    """Put a question to the person. Raises InvalidInput where nobody can answer."""
    try:
        return input(question)
    except (StdinNotImplementedError, EOFError):
        how = "nobody can answer here; `%deepresearch stop --yes` does not ask"
        raise InvalidInput(f"{question.strip()} {how}") from None
    except KeyboardInterrupt:
        return ""


def _complete(shell: InteractiveShell, event: Any) -> list[str]:
    return completions(str(event.text_until_cursor))

"""``%deepresearch`` and ``%%deepresearch``: research from a notebook's cell."""

import os
import sys

from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell

from ..errors import DeepResearchError, InvalidInput
from ..text import one_line
from .arguments import read_line
from .client import Client
from .conversation import Conversation
from .ipython import install
from .meant import notebook_folder
from .panel.screen import Screen, screen_of
from .words import overview

ERROR_CHARS = 1000


def load(ipython: InteractiveShell) -> None:
    """Add the magic, with its tab completion, to ``ipython``."""
    conversation = Conversation(Client.here, _ask, home=notebook_folder(os.environ))
    screen = screen_of(ipython)

    def deepresearch(line: str, cell: str | None = None) -> None:
        _answer(conversation, screen, line, cell)

    deepresearch.__doc__ = f"Research a notebook: %deepresearch WORD ...\n\n{overview()}\n"
    ipython.magics_manager.register_function(deepresearch, "line_cell", "deepresearch")
    install(ipython, conversation.known)


def _answer(conversation: Conversation, screen: Screen, line: str, cell: str | None) -> None:
    """Show what the line asks for; what cannot be is one readable line."""
    try:
        screen.show(conversation.say(read_line(line, cell)))
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

"""What IPython must be told so that a line of the magic is completed, and read as it was typed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.inputtransformer2 import EscapedCommand
from IPython.core.interactiveshell import InteractiveShell

from .completing import Known, offers, typed

_IDENTIFIER = "jupyter_deepresearch"
# Above all matchers of IPython's own, so that they are not even asked.
_PRIORITY = 1_000.0


class QuestionMark(EscapedCommand):
    """A line ``%deepresearch ... text?`` as a line of the magic.

    To IPython a question mark at the end asks what the last name of the line is, or is a syntax error.
    """

    priority = 4  # before the transformer of such questions

    @classmethod
    def find(cls, tokens_by_line: list[list[Any]]) -> "QuestionMark | None":
        """The first such line of the cell, in the way of all token transformers."""
        for tokens in tokens_by_line:
            begun = [token for token in tokens if token.string.strip()][:1]
            if not begun or begun[0].string != "%":
                continue
            line = begun[0].line[begun[0].start[1] :]
            if re.match(r"%deepresearch[ \t]+\S.*\?\s*$", line, re.DOTALL):
                return cls(begun[0].start)
        return None


def install(shell: InteractiveShell, known: Known) -> None:
    """Let Tab offer what stands in ``known``, and a question mark be one. Doing it again changes nothing."""
    completer, transformers = shell.Completer, shell.input_transformer_manager.token_transformers
    others = [m for m in completer.custom_matchers if getattr(m, "matcher_identifier", None) != _IDENTIFIER]
    completer.custom_matchers[:] = [*others, _matcher(known)]
    others = [t for t in transformers if t.__qualname__ != QuestionMark.__qualname__]
    transformers[:] = [*others, QuestionMark]


def _matcher(known: Known) -> Callable[[CompletionContext], SimpleMatcherResult]:
    def deepresearch_matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = typed(context.text_until_cursor)
        if line is None or _is_body(context):
            return SimpleMatcherResult(completions=[], suppress=False)
        found = [SimpleCompletion(offer.text, type=offer.kind) for offer in offers(line, known, Path())]
        if not found and line.fragment:  # what is typed itself, lest names of Python are offered in a text
            found = [SimpleCompletion(line.fragment, type="text")]
        return SimpleMatcherResult(
            completions=found, matched_fragment=line.fragment, suppress=bool(found), ordered=True
        )

    marked: Callable[[CompletionContext], SimpleMatcherResult]
    marked = context_matcher(priority=_PRIORITY, identifier=_IDENTIFIER)(deepresearch_matcher)
    return marked


def _is_body(context: CompletionContext) -> bool:
    """Whether the cursor is in the body of a cell of ours, which is text."""
    return context.cursor_line > 0 and context.full_text.lstrip().startswith("%%deepresearch")

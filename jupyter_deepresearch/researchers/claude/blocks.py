"""Text of files, runs and people inside a prompt: marked as such, bounded, and unable to end its own block."""

import re

from ...core.notes import one_line, shortened

_NAMES = (
    "brief code code_places directives findings latest_outcome memory nearest_earlier note notes outcome output paper "
    "papers parameters"
)
_END = re.compile(rf"</(?=\s*(?:{'|'.join(_NAMES.split())})\b)", re.IGNORECASE)


def block(name: str, text: str, chars: int) -> str:
    """At most ``chars`` characters of ``text`` between ``<name>`` and ``</name>``, whose end nothing inside can say.

    ``name`` is one of those above: of nothing else is the end broken up, or ``</s>`` in code would not be found again.
    """
    return f"<{name}>\n{shortened(quoted(text), chars)}\n</{name}>"


def quoted(text: str) -> str:
    """``text`` with every end of a block broken up, and no lone surrogates."""
    return _END.sub("< /", text.encode("utf-8", "replace").decode("utf-8")).strip("\n")


def unquoted(text: str) -> str:
    """What was quoted, as it stood before."""
    return text.replace("< /", "</")


def last_lines(text: str, chars: int) -> str:
    """The last whole lines that fit into ``chars`` characters, each cleaned; of one that is too long, its end."""
    kept: list[str] = []
    left = chars
    for line in reversed(text[-8 * chars :].splitlines()):
        clean = one_line(line[-4 * chars :], 4 * chars)
        if not clean:
            continue
        if len(clean) > left:
            if not kept:
                kept.append(clean[-chars:])
            break
        kept.append(clean)
        left -= len(clean) + 1
    return "\n".join(reversed(kept))

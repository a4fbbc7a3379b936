"""What changed in a text, as its lines: a short diff without what stayed. Pure."""

import difflib

_LINE_CHARS = 160
_LINES = 400


def changed_lines(before: str, after: str) -> str:
    """The lines that went, marked "-", and those that came, marked "+", in order; "" where none differ.

    Long lines are cut, and of very long texts only the first 400 lines are compared.
    """
    old, new = ([line[:_LINE_CHARS] for line in text.splitlines()[:_LINES]] for text in (before, after))
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    lines: list[str] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            lines += [f"- {line}" for line in old[i:j]] + [f"+ {line}" for line in new[k:m]]
    return "\n".join(lines)

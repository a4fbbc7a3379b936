"""What a terminal shows of text that is drawn over itself: progress bars, spinners."""

import re

_STEERING = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]")


def drawn(line: str) -> str:
    """What a terminal shows of a line in the end, without its colours."""
    return last_drawn(_STEERING.sub("", line))


def last_drawn(line: str) -> str:
    """What is seen of one line in the end: carriage returns begin it anew, backspaces take characters back."""
    line = line.rstrip("\r")
    line = line[line.rfind("\r") + 1 :]
    if "\b" not in line:
        return line
    kept: list[str] = []
    for character in line:
        if character != "\b":
            kept.append(character)
        elif kept:
            kept.pop()
    return "".join(kept)

"""What a terminal shows of text that is drawn over itself: progress bars, spinners."""


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

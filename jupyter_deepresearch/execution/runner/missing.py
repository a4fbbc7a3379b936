"""Why a file is missing in a run although the project has it: ``[launcher] private`` keeps its name from runs."""

import posixpath
import re
from collections.abc import Iterator

_RUN = re.compile(r".*/\.deepresearch/runs/[^/]+/work/")
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")
_WORD = re.compile(r"[^\s'\"`,;:()\[\]=<>]+")
_ERRORS = ("Error", "Exception", "No such file")


def missing_input(message: str, unseen: tuple[str, ...], cwd: str) -> str:
    """What explains a path in an error's message, as an end of that message; empty where nothing does.

    ``unseen``: paths relative to the project that runs do not see, folders with a slash at the end; ``cwd``: the
    absolute folder in which the run works.
    """
    here = _RUN.sub("", f"{cwd}/")
    named = set(_paths(message, here))
    for path in unseen:
        if any(name == path or (path.endswith("/") and name.startswith(path)) for name in named):
            state = "holds files in the project but is empty in each run"
            where = state if path.endswith("/") else "is a file of the project that no run sees"
            return f"; {path} {where}: [launcher] private names it"
    return ""


def error_lines(text: str) -> str:
    """The lines of printed text that may be the last of a traceback or a command's complaint."""
    return "\n".join(line for line in text.splitlines() if any(word in line for word in _ERRORS))


def _paths(message: str, here: str) -> Iterator[str]:
    """What may be paths in a message, relative to the project: quoted texts as a whole, and words."""
    texts = [first or second for first, second in _QUOTED.findall(message)]
    for text in (*texts, *_WORD.findall(message)):
        inside = _RUN.sub("", text)
        if inside.startswith("/"):
            continue
        told = inside if inside != text else posixpath.join(here, text)
        # A script may have gone up from a folder that is not known here.
        yield re.sub(r"^(\.\./)+", "", posixpath.normpath(told).rstrip("."))
        yield posixpath.normpath(inside)

"""The entry point: one command line in, one exit status out. Whatever goes wrong is one line on stderr."""

import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from ..errors import DeepResearchError
from .parser import PROGRAM, parse
from .request import Request

FAILED, INTERRUPTED = 1, 128 + signal.SIGINT
DEBUG = "JUPYTER_DEEPRESEARCH_DEBUG"
"""Set to anything, this environment variable lets an unforeseen error show where it came from."""

_MODULES: Mapping[str, str] = {
    "run": "research",
    "start": "research",
    "doctor": "doctor",
    "init": "init",
    "take": "take",
    "fork": "take",
    **dict.fromkeys(("status", "history", "best", "memory", "cost", "diff", "logs", "events"), "look"),
}
"""Where a command lives; all others steer. Only that module is imported: a status must come at once."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0, 1 for an error, 2 for a usage error, 128 + n when signal n ended it."""
    _write_what_can_be_written()
    try:
        status = _perform(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return status
    except SystemExit as ended:  # argparse has said what was wrong
        return ended.code if isinstance(ended.code, int) else FAILED
    except DeepResearchError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on. Python would complain once more at its end, when it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}")
    except Exception as error:  # the last resort: nobody gets a traceback who did not ask for it
        if os.environ.get(DEBUG):
            raise
        return _complain(f"a defect of this program: {type(error).__name__}: {error} ({DEBUG}=1 shows where)")


def _write_what_can_be_written() -> None:
    """A terminal that has no … or ± (an old locale over ssh) gets a question mark in its place, and no error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _perform(argv: Sequence[str]) -> int:
    request = parse(argv)
    module = import_module(f".{_MODULES.get(request.command, 'steer')}", __package__)
    perform: Callable[[Request], int] = module.perform
    return perform(request)


def _complain(message: str) -> int:
    line = " ".join(message.split())
    print(f"{PROGRAM}: {line}", file=sys.stderr)
    return FAILED

"""A prepared project is researched with nobody at a terminal: ``python -m ...cli.unattended PROJECT_ID FOLDER``.

Prints the pid of the process that goes on, and returns at once. That process is nobody's child, ignores hang-ups, and
writes all that it says to where the caller's stderr goes. FOLDER is there for whoever lists processes.
"""

import contextlib
import os
import signal
import sys
import time

from ..errors import DeepResearchError, StorageFailed
from .parser import PROGRAM

RETRY_S = 30.0


def main() -> int:
    """Go on as a process of its own; only that one returns, with the exit status of `run`."""
    child = os.fork()
    if child:
        os.write(sys.stdout.fileno(), f"{child}\n".encode())
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        return research(sys.argv[1])
    except DeepResearchError as error:
        print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def research(project_id: str) -> int:
    """Research a project to its end; the exit status of `run`. Raises DeepResearchError."""
    from ..app import make_service  # in the process that stays, so that its pid is told at once
    from .research import carry_out

    with contextlib.closing(make_service(name=f"`{PROGRAM} start`")) as service:
        while True:
            project = service.project(project_id)
            try:
                return carry_out(service, project, as_json=False)
            except StorageFailed as error:  # a full disk or a locked ledger is waited out, as a server does
                if not project.store.is_there():
                    raise
                print(f"{error}; trying again in {RETRY_S:g} s", file=sys.stderr, flush=True)
                time.sleep(RETRY_S)


if __name__ == "__main__":
    sys.exit(main())

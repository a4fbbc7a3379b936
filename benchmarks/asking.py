"""``python -m benchmarks.asking URL SECONDS``: ask for ``/api/status`` on a fixed schedule, in a process of its own.

The token comes in ASKING_TOKEN. Prints the seconds of each answer, counted from the moment when it was due to be asked:
a server that is blocked for a second makes all the answers of that second late, not one.
"""

import json
import os
import subprocess
import sys
import time

from jupyter_deepresearch.jupyter.servers import Server

from .servers import Asker

PERIOD_S = 0.02


def asked(server: Server, seconds: float) -> list[float]:
    """Ask for so long; how long each answer took, in seconds."""
    command = [sys.executable, "-m", "benchmarks.asking", server.url, str(seconds)]
    environ = {**os.environ, "ASKING_TOKEN": server.token}
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True, timeout=seconds + 120)
    return [float(value) for value in json.loads(done.stdout)]


def main(url: str, seconds: float) -> None:
    """Be the asking process."""
    asker = Asker(Server(url, os.environ["ASKING_TOKEN"]))
    took, due = [], time.perf_counter()
    end = due + seconds
    while due < end:
        time.sleep(max(0.0, due - time.perf_counter()))
        status, _ = asker.get("api/status")
        assert status == 200, status
        took.append(time.perf_counter() - due)
        due += PERIOD_S
    print(json.dumps(took))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))

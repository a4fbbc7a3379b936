"""The process of one run: ``python -m jupyter_deepresearch.execution.runner RUN_DIR``.

It owns the run folder, holds the GPUs, starts the kernel, executes the notebook through papermill, watches it without
any LLM, and writes ``exit.json`` as its last act. Exit code 0: the end is recorded, whatever it is; 3: another runner
owns the folder, nothing was touched; 2: wrong arguments.
"""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...core.types import Outcome, RunError, RunState
from ..gpus.nvml import GpuDriver, NvmlGpus
from ..paths import RunPaths
from ..spec import RunnerSpec
from .children import become_subreaper
from .run_files import ExitRecord, claim, say

TWIN = 3


def main(arguments: Sequence[str] | None = None, driver: GpuDriver | None = None) -> int:
    """Run the run in the given folder, on GPUs that ``driver`` knows (default: NVIDIA's)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m jupyter_deepresearch.execution.runner RUN_DIR (an existing folder)", file=sys.stderr)
        return 2
    paths = RunPaths(Path(arguments[0]).absolute())
    if claim(paths) is None:
        print(f"{paths.root.name}: another runner owns this run", file=sys.stderr)
        return TWIN
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    become_subreaper()
    record = ExitRecord(paths.exit)
    record.write(outcome_of(paths, driver or NvmlGpus()))
    return 0


def outcome_of(paths: RunPaths, driver: GpuDriver) -> Outcome:
    """Run to the end. Raises nothing: an error of the runner itself is an outcome, too."""
    name = paths.root.name
    try:
        from .phases import run  # 0.1 s of imports, for which the launcher need not wait: the run is claimed by now

        spec = msgspec.json.decode(paths.spec.read_bytes(), type=RunnerSpec)
        name = spec.run
        return run(spec, paths, driver)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  (an end must be recorded whatever happens)
        say(traceback.format_exc())
        message = f"the runner failed: {type(error).__name__}: {error}"
        tail = "".join(traceback.format_exception(error))[-4000:]
        return Outcome(name, RunState.CRASHED, error=RunError("RunnerFailed", message, tail=tail))


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the end is on disk: to tear the interpreter down first would have it noticed 0.1 s later

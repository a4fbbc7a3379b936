"""One run in its runner: the state that its phases share, and what ends it early."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING

from ...core.types import Purpose, RunError, RunState
from ..gpus.lease import GpuLease
from ..gpus.nvml import GpuDriver
from ..metrics.scoring import Tally
from ..paths import RunPaths
from ..spec import Live, RunnerSpec
from .children import Roll
from .guard import Rules, Stop
from .kernel import Kernel
from .rendezvous import Rendezvous
from .reports import MetricLog, ShellExit
from .resources import Sampler
from .run_files import say, write_live

if TYPE_CHECKING:  # nbclient and papermill are imported only while the kernel starts
    from .engine import Execution
    from .outputs import OutputLog

INTERRUPT_S = 3.0
"""How long a kernel that is interrupted for its traceback has before it is killed."""


class Session:
    """All that is known of a live run. Used in one event loop only."""

    def __init__(self, spec: RunnerSpec, paths: RunPaths, driver: GpuDriver) -> None:
        self.spec, self.paths, self.driver = spec, paths, driver
        is_dry = spec.purpose is Purpose.DRY_RUN
        self.rules = Rules(
            spec.guard,
            spec.objective,
            deadline_s=spec.deadline_s,
            deadline_rule=spec.deadline_rule,
            dry_run_s=spec.dry_run_s if is_dry else None,
        )
        self.tally = Tally(spec.objective, spec.locked_cells)
        self.metrics = MetricLog(paths, spec.objective, self.tally, self._on_report)
        self.sampler = Sampler(driver)
        self.roll = Roll(paths.processes)
        self.lease = GpuLease()
        self.rendezvous = Rendezvous()
        self.kernel: Kernel | None = None
        self.output_log: OutputLog | None = None
        self.execution: Execution | None = None
        self.body: asyncio.Task[None] | None = None
        self.stop: Stop | None = None
        self.error: RunError | None = None
        self.exits: list[ShellExit] = []
        self.notes: list[str] = list(spec.notes)
        self.language: Mapping[str, str] = {}
        self.packages: asyncio.Future[str] | None = None
        self.is_closing = False
        self.died_of_memory = False
        self.started: float | None = None
        self._since: float | None = None
        self._unwritten: set[str] = set()

    @property
    def elapsed_s(self) -> float | None:
        """Seconds since the run holds its GPUs; None before."""
        return None if self.started is None else monotonic() - self.started

    @property
    def seen_bytes(self) -> int:
        """How much output the cells have made so far."""
        return 0 if self.output_log is None else self.output_log.seen_bytes

    @property
    def is_in_cells(self) -> bool:
        return self.execution is not None

    def begin(self, lease: GpuLease) -> None:
        """The run holds its GPUs: its clock runs from here."""
        self.lease, self.started, self._since = lease, monotonic(), time()
        self.sampler.gpus = lease.uuids

    def end_early(self, stop: Stop) -> None:
        """A rule has fired or somebody asked: end the run now. Only the first reason counts."""
        if self.stop is not None or self.is_closing:
            return
        self.stop = stop
        if not self.is_in_cells or self.kernel is None:
            if self.body is not None:
                self.body.cancel()
        elif stop.state in (RunState.STALLED, RunState.TIMED_OUT):
            self.kernel.interrupt()  # its traceback says where the run was
            asyncio.get_running_loop().call_later(INTERRUPT_S, self.kernel.kill)
        else:
            self.kernel.kill()

    def on_kernel_death(self) -> None:
        """The kernel's process is gone."""
        self.died_of_memory = self.sampler.system_killed_for_memory()
        if self.execution is not None:
            self.execution.kernel_died()

    def _on_report(self, values: Mapping[str, float], printed: bool) -> None:
        stop = self.rules.reported(values, printed=printed)
        if stop is not None:
            self.end_early(stop)

    # What the execution tells.

    def cell_started(self, index: int) -> None:
        self.metrics.cell = index
        self.tell()

    def printed(self, stream: str, text: str) -> None:
        self.metrics.printed(stream, text)

    def cell_ended(self, index: int) -> bool:
        self.metrics.end_cell()
        self.save()
        return self.stop is None and not self._failed_commands(index)

    def _failed_commands(self, index: int) -> list[ShellExit]:
        """The cell's shell commands that failed and count; all are taken off the list."""
        from .engine import allows_errors

        exits, self.metrics.exits = self.metrics.exits, []
        if self.execution is None or allows_errors(self.execution.client.nb.cells[index]):
            return []
        self.exits.extend(exits)
        return exits

    def tell(self, note: str = "", waits: bool = False) -> None:
        """Renew ``live.json``. ``waits``: the run has not begun, since what it needs is taken."""
        progress = None if self.execution is None else self.execution.progress
        live = Live(
            kernel_pid=None if self.kernel is None else self.kernel.pid,
            cell=None if progress is None else progress.cell,
            cells=0 if self.execution is None else len(self.execution.client.nb.cells),
            since=self._since,
            note=note,
            gpus=self.lease.uuids,
            waits=waits,
        )
        try:
            write_live(self.paths, live)
        except OSError as error:
            self.could_not_write(self.paths.live, error)

    def save(self) -> None:
        """Write the notebook as it is now."""
        if self.execution is None:
            return
        try:
            self.execution.client.save(self.paths.output)
        except OSError as error:
            self.could_not_write(self.paths.output, error)

    def could_not_write(self, path: Path, error: OSError) -> None:
        """Note once for each file that it is not up to date: the run itself goes on."""
        if path.name not in self._unwritten:
            self._unwritten.add(path.name)
            self.notes.append(f"{path.name} could not be written: {error.strerror or error}")
            say(self.notes[-1])

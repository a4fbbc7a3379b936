"""A run's phases, in order: GPUs, kernel, notebook, cells, end."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from ...core.types import Outcome, RunError, RunState
from ...errors import DeepResearchError
from ..fingerprint import fingerprint
from ..gpus.allocation import VISIBLE
from ..gpus.lease import GpuDesk, GpuLease, GpuWish, Waiting, environment
from ..gpus.nvml import GpuDriver
from ..paths import RunPaths
from ..spec import RunnerSpec
from .closing import close
from .ending import clean, outcome
from .guard import Stop
from .injecting import inject
from .kernel import Kernel
from .not_started import NotStarted
from .rendezvous import rendezvous
from .session import Session
from .watch import watch

_GPU_POLL_S = 1.0


def run(spec: RunnerSpec, paths: RunPaths, driver: GpuDriver) -> Outcome:
    """Run from the wait for GPUs to the outcome. Only errors of the runner itself are raised."""
    with asyncio.Runner() as runner:
        session = Session(spec, paths, driver)
        watching = runner.run(_open(session))

        def drive(phase: Coroutine[Any, Any, None]) -> None:
            runner.run(_as_body(session, phase))

        try:
            drive(_start(session))
            _import_engine()  # takes as long as the kernel takes to start, on another core
            drive(_connect(session))
            _execute(session, drive)
        except asyncio.CancelledError:
            if session.stop is None:
                raise
        except (DeepResearchError, RuntimeError, OSError) as error:
            session.error = _as_error(session, error)
        finally:
            session.is_closing = True
            facts = runner.run(close(session, watching))
    return outcome(facts)


async def _as_body(session: Session, phase: Coroutine[Any, Any, None]) -> None:
    session.body = asyncio.current_task()
    if session.stop is not None:
        phase.close()
        raise asyncio.CancelledError
    await phase


def _as_error(session: Session, error: Exception) -> RunError:
    kernel = session.kernel
    code = None if kernel is None else kernel.returncode
    tail = "" if kernel is None else clean(kernel.stderr_tail)
    if session.is_in_cells:
        died = f" (its process ended with {code})" if code is not None else ""
        return RunError("RunnerFailed", f"{error}{died}", tail=tail, exit_code=code)
    message = str(error)
    if kernel is not None and not isinstance(error, DeepResearchError):
        message = NotStarted(session.spec.kernel, kernel.executable, error, tail, code).message
    return RunError("KernelNotStarted", message, tail=tail, exit_code=code)


async def _open(session: Session) -> "asyncio.Task[None]":
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, session, number)
    session.tell()
    return loop.create_task(watch(session))


def _on_signal(session: Session, number: signal.Signals) -> None:
    message = f"the runner was ended by signal {int(number)} ({number.name})"
    session.end_early(Stop(RunState.CANCELLED, "Cancelled", "signal", message, signal=int(number)))


async def _start(session: Session) -> None:
    """Wait for GPUs, then launch the kernel."""
    spec, paths = session.spec, session.paths
    wish = GpuWish(spec.gpus, spec.gpus_per_run, spec.gpu_free_gb)
    session.begin(await _lease(session, wish))
    session.tell("starting the kernel")
    paths.private.mkdir(parents=True, exist_ok=True)
    inject(paths.inject)
    session.rendezvous = rendezvous()
    added = {**_told(session, wish), **session.rendezvous.variables(spec.env)}
    kernel = Kernel(spec.kernel, spec.cwd, {**spec.env, **added}, paths.inject)
    session.kernel = kernel
    await kernel.launch(session.on_kernel_death)
    session.tell("starting the kernel")


async def _lease(session: Session, wish: GpuWish) -> GpuLease:
    desk = GpuDesk(session.driver)
    seen = session.spec.env.get(VISIBLE, os.environ.get(VISIBLE))
    while isinstance(lease := desk.take(wish, seen), Waiting):
        session.tell(lease.note, waits=True)
        await asyncio.sleep(_GPU_POLL_S)
    if session.driver.trouble is not None and wish.gpus != "none":
        session.notes.append(f"{session.driver.trouble}: ran without a GPU")
    if not isinstance(wish.gpus, str) and not lease.devices:
        session.notes.append(f"[launcher] gpus = {list(wish.gpus)}, but no NVIDIA GPU is visible: ran without")
    return lease


def _told(session: Session, wish: GpuWish) -> Mapping[str, str]:
    """What the kernel's environment gains."""
    spec, paths = session.spec, session.paths
    return {
        "DEEPRESEARCH_RUN": spec.run,
        "DEEPRESEARCH_PROJECT": spec.project,
        "DEEPRESEARCH_WORK": str(paths.work),
        "DEEPRESEARCH_REPORTS": str(paths.reports),
        "DEEPRESEARCH_ARTIFACTS": spec.artifacts,
        "DEEPRESEARCH_DRY_RUN": "1" if spec.dry_run else "0",
        **environment(session.lease, wish),
    }


def _import_engine() -> None:
    # jsonschema would load a grammar of internationalized addresses where that is installed, for 0.9 s; notebooks
    # hold none.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from . import engine  # noqa: F401


async def _connect(session: Session) -> None:
    """Wait until the kernel answers, and make it ours."""
    kernel = session.kernel
    assert kernel is not None
    await kernel.connect()
    session.language = await kernel.language()
    trouble = await kernel.prepare()
    session.packages = asyncio.get_running_loop().run_in_executor(None, fingerprint, kernel.interior.path)
    if trouble is not None:
        session.notes.append(f"failed shell commands and floods of output are not seen in this kernel: {trouble}")


def _execute(session: Session, drive: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    from .engine import Execution, RunClient, execute, load
    from .outputs import OutputLog

    kernel = session.kernel
    assert kernel is not None
    notebook = load(session.paths.input)
    notebook.metadata["language_info"] = dict(session.language)
    session.output_log = OutputLog(session.paths.outputs)
    client = RunClient(notebook, kernel.manager, kernel.client, session.output_log, session.printed)
    session.execution = Execution(client, session)
    execute(session.execution, notebook, drive)

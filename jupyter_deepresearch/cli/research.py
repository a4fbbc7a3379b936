"""`run`: the loop in the foreground. `start`: the same in the Jupyter server that holds the folder."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from .. import text
from ..app import make_service
from ..core.events import Record
from ..core.types import ProjectState
from ..errors import Conflict, LeaseHeld
from ..service import past, views
from ..service.opened import OpenedProject, has_log
from ..service.service import Service
from .introducing import introduction
from .opening import command_line, lab_line, opened
from .parser import PROGRAM
from .progress import Progress
from .request import Request

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def perform(request: Request) -> int:
    """See ``main``. Raises InvalidInput, NotFound, Conflict, StorageFailed."""
    if request.command == "start":
        from .starting import start  # HTTP, which a run does without

        return start(request)
    return _run(request)


def _run(request: Request) -> int:
    refuse_a_busy_project(request.folder)
    with contextlib.closing(make_service(name=f"`{PROGRAM} run`")) as service:
        return carry_out(service, service.prepare(request.folder, request.options), request.as_json)


def carry_out(service: Service, project: OpenedProject, as_json: bool) -> int:
    """Research a prepared project to its end; the exit status. Raises LeaseHeld, Conflict, StorageFailed."""
    if not as_json:
        print(introduction(project), flush=True)
    with _interruptible() as caught:
        try:
            _research(service, project, as_json)
        except KeyboardInterrupt:
            _say_how_to_go_on(project)
            return 128 + (caught[0] if caught else signal.SIGINT)
    return _conclude(project, as_json)


def refuse_a_busy_project(folder: Path) -> None:
    """Two processes never research one project; the second must not even undo its pause. Raises LeaseHeld."""
    if not has_log(folder):
        return
    with opened(folder) as project:
        holder = project.store.holder()
    if holder is not None:
        raise LeaseHeld(
            f"{folder} is being researched by {holder.name}, pid {holder.pid} on {holder.host}; "
            f"watch it with: {command_line('status', folder)}"
        )


def _research(service: Service, project: OpenedProject, as_json: bool) -> None:
    """Go on to the end, showing each record as it is written."""
    if as_json:
        service.announce = lambda project_id, record: _print_json(record)
        service.run(project)
        return
    with Progress(project, is_live=sys.stdout.isatty()) as progress:
        service.announce = progress.show
        service.run(project)


def _print_json(record: Record) -> None:
    for event in past.events([record]):
        print(views.to_json(event), flush=True)


@contextlib.contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Other signals that mean "end" go the way of Ctrl-C, which asyncio turns into an orderly end. Yields what came."""
    caught: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell script's background job
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
    for ending in SIGNALS:
        if signal.getsignal(ending) is signal.SIG_DFL:  # nohup ignores SIGHUP, and that holds
            before[ending] = signal.signal(ending, interrupt)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_how_to_go_on(project: OpenedProject) -> None:
    live = "the live run goes on by itself" if len(project.state.runs) == 1 else "live runs go on by themselves"
    live = f"{live} and will be found again; " if project.state.runs else ""
    # A closed terminal takes no more lines.
    with contextlib.suppress(OSError):
        print(f"\ninterrupted: {live}go on with: {command_line('run', project.folder)}", file=sys.stderr, flush=True)


def _conclude(project: OpenedProject, as_json: bool) -> int:
    """Print what came of it; 0 unless the project failed."""
    view = project.status()
    if not as_json:
        champion = None if view.champion is None else view.champion.experiment
        print(f"\n{text.history_text(project.history(), champion)}\n\n{text.best_text(view)}")
        print(f"all       {len(list((project.folder / 'experiments').glob('*.ipynb')))} notebooks in experiments/")
        print(f"open them {lab_line(project.folder)}")
    if view.state is ProjectState.FAILED:
        raise Conflict(view.reason)
    return 0

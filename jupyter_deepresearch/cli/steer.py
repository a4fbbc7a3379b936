"""Commands that tell a project something. They are written into its log, where whoever researches it finds them."""

import contextlib
import sys
from collections.abc import Sequence

from .. import text
from ..app import make_service
from ..errors import Conflict, InvalidInput
from ..service import views
from ..service.commands import (
    ApproveCommand,
    BranchCommand,
    CancelCommand,
    Command,
    DirectiveCommand,
    PauseCommand,
    RejectCommand,
    ReproduceCommand,
    ResumeCommand,
    StopCommand,
    TryCommand,
)
from ..service.opened import OpenedProject
from .opening import command_line, opened
from .parser import CHAMPION
from .request import Request


def perform(request: Request) -> int:
    """See ``main``. Raises InvalidInput, NotFound, Conflict, StorageFailed; nothing is written then."""
    with opened(request.folder) as project:
        command = _command(project, request)
        if isinstance(command, StopCommand) and not (request.yes or _is_confirmed(project)):
            print("nothing was stopped")
            return 1
        record = project.command(command)
        if isinstance(command, StopCommand):
            _end_live_runs(project)
        said = f"{_done(project, command)}{_whats_next(project, command, request)}"
        print(views.to_json({"seq": record.seq, "kind": request.command}) if request.as_json else said)
    return 0


def _command(project: OpenedProject, request: Request) -> Command:
    match request.command:
        case "try":
            return TryCommand(text.assignments(request.words), request.notebook, request.claim)
        case "approve":
            return ApproveCommand(_waiting(project, request.words))
        case "reject":
            number, why = _number_and_text(request.words)
            return RejectCommand(_waiting(project, number), why)
        case "directive":
            return DirectiveCommand(" ".join(request.words))
        case "cancel":
            return CancelCommand(request.words[0])
        case "reproduce":
            return ReproduceCommand(int(request.words[0]), request.seeds)
        case "branch":
            return BranchCommand(None if request.words[0] == CHAMPION else int(request.words[0]))
        case "pause":
            return PauseCommand()
        case "resume":
            return ResumeCommand()
        case "stop":
            return StopCommand()
        case word:  # a command without a place in main.py must not stop anything
            raise InvalidInput(f"{word}: not a command that steers")


def _number_and_text(words: Sequence[str]) -> tuple[Sequence[str], str]:
    if words and words[0].isdecimal():
        return words[:1], " ".join(words[1:])
    return (), " ".join(words)


def _waiting(project: OpenedProject, number: Sequence[str]) -> int:
    """The hypothesis meant: the one named, else the only one that waits."""
    if number:
        return int(number[0])
    waiting = [work.number for work in project.state.works.values() if work.waiting]
    if not waiting:
        raise Conflict("no hypothesis waits for you")
    if len(waiting) > 1:
        raise InvalidInput(f"several hypotheses wait: {', '.join(map(str, waiting))}; say which one")
    return waiting[0]


def _is_confirmed(project: OpenedProject) -> bool:
    """Whether the person says yes to losing live runs. Without any, or without a person to ask, see below."""
    live = len(project.state.runs)
    if not live:
        return True
    if not sys.stdin.isatty():
        raise InvalidInput(f"stop cancels {live} live run(s); say so with --yes")
    return input(f"stop cancels {live} live run(s). Stop? [y/N] ").strip().lower() in ("y", "yes")


def _end_live_runs(project: OpenedProject) -> None:
    """Live runs outlive whoever started them: where nobody is left to cancel them, we do."""
    if project.state.runs and project.store.holder() is None:
        with contextlib.closing(make_service(name="`jupyter deepresearch stop`")) as service:
            service.run(project)


def _done(project: OpenedProject, command: Command) -> str:
    match command:
        case TryCommand():
            return f"noted: experiment {project.state.next_experiment - 1} is yours, it runs next"
        case ApproveCommand(hypothesis=number):
            return f"approved: {number}"
        case RejectCommand(hypothesis=number):
            return f"rejected: {number}"
        case DirectiveCommand():
            return "noted: it is read before the next hypothesis"
        case PauseCommand():
            return "paused: nothing new is started, live runs finish"
        case ResumeCommand():
            return "resumed"
        case CancelCommand(run=run):
            return f"noted: {run} is being cancelled"
        case BranchCommand():
            base = project.state.branch
            return f"noted: hypotheses grow from {f'experiment {base.number}' if base else 'the champion'} from now on"
        case ReproduceCommand(experiment=number, seeds=seeds):
            return f"noted: experiment {number} gets {seeds} further seed(s)"
        case _:
            return "stopped: live runs are being cancelled" if project.state.runs else "stopped"


def _whats_next(project: OpenedProject, command: Command, request: Request) -> str:
    """How to go on where nobody is there to act on what was written."""
    if project.store.holder() is not None or isinstance(command, PauseCommand | RejectCommand | StopCommand):
        return ""
    if isinstance(command, ResumeCommand):
        from .starting import go_on  # HTTP, and all that researching takes

        where = go_on(project)
        return f": {where}" if where else f": {text.one_line(project.status().reason, 200)}"
    return f". Nobody is researching it now; go on with: {command_line('start', request.folder)}"

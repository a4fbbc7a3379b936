"""``decide``: what a command becomes at a project's state, an event of its log or a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..core import events as ev
from ..core.growth import build, revise
from ..core.offers import approval
from ..core.ports import History, Notebooks
from ..core.project import Project
from ..core.state import State, Work
from ..core.types import Edit
from ..errors import AlreadyDecided, Conflict, InvalidInput, NotFound
from .commands import (
    ApproveCommand,
    BranchCommand,
    CancelCommand,
    Command,
    ConfigureCommand,
    DirectiveCommand,
    EditCommand,
    PauseCommand,
    RejectCommand,
    ReproduceCommand,
    ResumeCommand,
    StopCommand,
    TryCommand,
    bounded,
    stated,
)
from .trying import tried


@dataclass(frozen=True)
class Context:
    """What deciding takes besides the state. ``reconfigure`` lays tables over a configuration, or refuses."""

    history: History
    notebooks: Notebooks
    reconfigure: Callable[[Project, Mapping[str, Any]], Project]


def decide(command: Command, state: State, context: Context) -> ev.Event:
    """The event that the command becomes at this state.

    Raises InvalidInput, NotFound, AlreadyDecided or Conflict, each in one line; nothing is written then.
    """
    match command:
        case ApproveCommand(hypothesis=number):
            return approval(state, _waiting(state, context, number).number, by="person")
        case RejectCommand(hypothesis=number, reason=reason):
            return ev.Reject(_waiting(state, context, number).number, bounded("reject: reason", reason))
        case EditCommand():
            return _edit(command, state, context)
        case TryCommand():
            return tried(command, state, context.history, context.notebooks)
        case DirectiveCommand(text=text):
            return ev.Directive(stated("directive: the text", text))
        case CancelCommand(run=run):
            return _cancel(run, state, context)
        case ReproduceCommand():
            return _reproduce(command, state, context)
        case BranchCommand(experiment=number):
            return _branch(number, state, context.history)
        case ConfigureCommand(tables=tables):
            return ev.Configure(context.reconfigure(state.project, tables))
        case PauseCommand():
            return ev.Pause()
        case ResumeCommand():
            return ev.Resume()
        case StopCommand():
            return ev.Stop()


def _waiting(state: State, context: Context, number: int) -> Work:
    work = state.works.get(number)
    if work is not None and work.waiting:
        return work
    context.history.experiment(number)  # NotFound where there never was one
    raise AlreadyDecided(f"hypothesis {number} was already decided")


def _edit(command: EditCommand, state: State, context: Context) -> ev.Event:
    work = _waiting(state, context, command.hypothesis)
    old = work.experiment.hypothesis
    hypothesis = replace(
        old,
        claim=old.claim if command.claim is None else stated("edit: claim", command.claim),
        parameters=old.parameters if command.parameters is None else command.parameters,
        edits=old.edits if command.edits is None else _further(work, command.edits),
    )
    edited = revise(context.history, work.experiment, hypothesis)
    context.notebooks.check(build(context.history, edited), state.survey)
    return ev.EditHypothesis(edited)


def _further(work: Work, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """The edits on top of those that the person made in the files, which are shown first."""
    own = work.experiment.by_hand
    if edits[: len(own)] != own:
        raise InvalidInput(
            f"edit: hypothesis {work.number} is your edit of the files: change them, or add to its {len(own)} edits"
        )
    return edits[len(own) :]


def _cancel(run: str, state: State, context: Context) -> ev.Event:
    if run in state.runs:
        if state.runs[run].cancelled:
            raise AlreadyDecided(f"run {run} is already being cancelled")
        return ev.Cancel(run)
    if context.history.has_run(run):
        raise AlreadyDecided(f"run {run} has already ended")
    live = ", ".join(state.runs) or "none"
    raise NotFound(f"no live run is called {run!r}; live: {live}")


def _reproduce(command: ReproduceCommand, state: State, context: Context) -> ev.Event:
    if not 1 <= command.seeds <= 100:
        raise InvalidInput(f"reproduce: seeds is {command.seeds}; accepted: 1 to 100")
    experiment = context.history.experiment(command.experiment)
    if command.experiment in state.works:
        raise Conflict(f"experiment {command.experiment} is still open; reproduce it once it has its verdict")
    if experiment.measure != state.measure:
        raise Conflict(f"experiment {command.experiment} was measured by other locked cells than today's")
    history = context.history
    verdict = history.verdict(command.experiment)
    if verdict is None:
        raise Conflict(f"experiment {command.experiment} was never run; try its values by hand instead")
    return ev.Reproduce(
        experiment, command.seeds, history.values(command.experiment), verdict, history.reproduced(command.experiment)
    )


def _branch(number: int | None, state: State, history: History) -> ev.Branch:
    if number is None or (state.champion is not None and state.champion.number == number):
        if state.branch is None:
            raise Conflict("branch: hypotheses grow from the champion already")
        return ev.Branch(None)
    experiment = history.experiment(number)
    if state.branch is not None and state.branch.number == number:
        raise AlreadyDecided(f"branch: hypotheses grow from experiment {number} already")
    if number in state.works and state.works[number].wanted is None:
        raise Conflict(f"branch: experiment {number} is still open; branch from it once it has its verdict")
    if experiment.measure != state.measure:
        raise Conflict(f"branch: experiment {number} was measured by other locked cells than today's")
    values = history.values(number)
    if not values:
        raise Conflict(f"branch: no run of experiment {number} succeeded; fork it by hand to mend it")
    return ev.Branch(experiment, values)

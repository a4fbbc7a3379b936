"""What people and programs may tell a project: typed commands, and ``decide``, which makes events of them."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import msgspec

from ..core import events as ev
from ..core.growth import build, coded, revise
from ..core.offers import approval
from ..core.ports import History, Notebooks
from ..core.project import Project
from ..core.state import State, Work
from ..core.types import Edit, Experiment, Hypothesis, HypothesisKind, Parameters
from ..errors import AlreadyDecided, Conflict, InvalidInput, InvalidNotebook, NotFound

TEXT_LIMIT_CHARS = 2000


@dataclass(frozen=True)
class ApproveCommand:
    hypothesis: int


@dataclass(frozen=True)
class RejectCommand:
    hypothesis: int
    reason: str = ""


@dataclass(frozen=True)
class EditCommand:
    """None leaves a part of the hypothesis as it was."""

    hypothesis: int
    claim: str | None = None
    parameters: Parameters | None = None
    edits: tuple[Edit, ...] | None = None


@dataclass(frozen=True)
class TryCommand:
    """The person's own hypothesis: values on top of the champion, or another notebook of the folder."""

    parameters: Parameters = field(default_factory=dict)
    notebook: str | None = None
    claim: str | None = None


@dataclass(frozen=True)
class DirectiveCommand:
    text: str


@dataclass(frozen=True)
class CancelCommand:
    run: str


@dataclass(frozen=True)
class ReproduceCommand:
    experiment: int
    seeds: int


@dataclass(frozen=True)
class ConfigureCommand:
    """Tables of deepresearch.toml that replace what is configured."""

    tables: Mapping[str, Any]


@dataclass(frozen=True)
class PauseCommand:
    pass


@dataclass(frozen=True)
class ResumeCommand:
    pass


@dataclass(frozen=True)
class StopCommand:
    pass


Command = (
    ApproveCommand
    | RejectCommand
    | EditCommand
    | TryCommand
    | DirectiveCommand
    | CancelCommand
    | ReproduceCommand
    | ConfigureCommand
    | PauseCommand
    | ResumeCommand
    | StopCommand
)


class CommandKind(enum.StrEnum):
    """The words for commands in REST and on the command line."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    TRY = "try"
    DIRECTIVE = "directive"
    CANCEL = "cancel"
    REPRODUCE = "reproduce"
    CONFIGURE = "configure"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


_CLASSES: Mapping[CommandKind, type[Command]] = {
    CommandKind.APPROVE: ApproveCommand,
    CommandKind.REJECT: RejectCommand,
    CommandKind.EDIT: EditCommand,
    CommandKind.TRY: TryCommand,
    CommandKind.DIRECTIVE: DirectiveCommand,
    CommandKind.CANCEL: CancelCommand,
    CommandKind.REPRODUCE: ReproduceCommand,
    CommandKind.CONFIGURE: ConfigureCommand,
    CommandKind.PAUSE: PauseCommand,
    CommandKind.RESUME: ResumeCommand,
    CommandKind.STOP: StopCommand,
}


def parse(kind: str, body: Mapping[str, Any]) -> Command:
    """The command that ``{kind, ...body}`` says. Raises InvalidInput naming the key, what was found and is accepted."""
    if not isinstance(kind, str) or kind not in set(CommandKind):
        raise InvalidInput(f"unknown command {kind!r}; accepted: {', '.join(CommandKind)}")
    if kind == CommandKind.CONFIGURE:
        return ConfigureCommand(dict(body))
    cls = _CLASSES[CommandKind(kind)]
    known = [f.name for f in fields(cls)]
    for key in body:
        if key not in known:
            raise InvalidInput(f"{kind}: unknown key {key!r}; accepted: {', '.join(known) or 'none'}")
    try:
        return msgspec.convert(dict(body), cls)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{kind}: {error}".replace("`", "'")) from error


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
            return ev.Reject(_waiting(state, context, number).number, _bounded("reject: reason", reason))
        case EditCommand():
            return _edit(command, state, context)
        case TryCommand():
            return _try(command, state, context)
        case DirectiveCommand(text=text):
            return ev.Directive(_said("directive: the text", text))
        case CancelCommand(run=run):
            return _cancel(run, state, context)
        case ReproduceCommand():
            return _reproduce(command, state, context)
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
        claim=old.claim if command.claim is None else _said("edit: claim", command.claim),
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


def _try(command: TryCommand, state: State, context: Context) -> ev.Event:
    if not command.parameters and command.notebook is None:
        raise InvalidInput("try: nothing to try; give NAME=VALUE of a parameter, or a notebook")
    changes = ", ".join(f"{k} = {v}" for k, v in command.parameters.items())
    by_hand = f"by hand: {', '.join(filter(None, [command.notebook, changes]))}"
    claim = _bounded("try: claim", command.claim or "") or by_hand
    source, survey, parent = None, state.survey, state.champion.experiment if state.champion else None
    if command.notebook is not None:
        source, survey = context.notebooks.read(command.notebook)
        parent = None
        metric = state.project.objective.metric
        now = context.notebooks.measure(context.history.source(state.measure), metric)
        if context.notebooks.measure(source, metric) != now:
            raise InvalidNotebook(f"{command.notebook}: its locked cells differ from {state.project.notebook}'s")
    experiment = Experiment(
        number=state.next_experiment,
        hypothesis=Hypothesis(claim, HypothesisKind.BY_HAND, parameters=command.parameters),
        parent=parent.number if parent else None,
        cycle=state.next_cycle,
        measure=state.measure,
        settings={**(parent.settings if parent else {}), **command.parameters},
        source=source,
        code=parent.code if parent else "",
        sense=parent.sense if parent else "",
    )
    context.notebooks.check(build(context.history, experiment), survey)
    return ev.Try(coded(context.history, experiment))


def _said(what: str, text: str) -> str:
    """A text that has to say something."""
    if not text.strip():
        raise InvalidInput(f"{what} is empty")
    return _bounded(what, text)


def _bounded(what: str, text: str) -> str:
    text = text.strip()
    if len(text) > TEXT_LIMIT_CHARS:
        raise InvalidInput(f"{what} has {len(text):,} characters; at most {TEXT_LIMIT_CHARS:,} are accepted")
    return text


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

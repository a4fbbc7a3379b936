"""What people and programs may tell a project: typed commands, read from JSON."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from ..core.types import Edit, Parameters
from ..errors import InvalidInput

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
    """The person's own hypothesis: values on top of what hypotheses grow from, or another notebook of the folder."""

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
class BranchCommand:
    """The next hypotheses grow from this experiment, from the champion again where it is None."""

    experiment: int | None


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
    | BranchCommand
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
    BRANCH = "branch"
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
    CommandKind.BRANCH: BranchCommand,
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


def stated(what: str, text: str) -> str:
    """A text that has to say something, without blanks around it. Raises InvalidInput."""
    if not text.strip():
        raise InvalidInput(f"{what} is empty")
    return bounded(what, text)


def bounded(what: str, text: str) -> str:
    """A text of at most ``TEXT_LIMIT_CHARS`` characters, without blanks around it. Raises InvalidInput."""
    text = text.strip()
    if len(text) > TEXT_LIMIT_CHARS:
        raise InvalidInput(f"{what} has {len(text):,} characters; at most {TEXT_LIMIT_CHARS:,} are accepted")
    return text

"""What the agents answer, as frozen dataclasses: their JSON schemas are made of these."""

import enum
from dataclasses import dataclass, field


class PlanKind(enum.StrEnum):
    """What a leader wants done next."""

    CODE = "code"
    PARAMETERS = "parameters"
    SWEEP = "sweep"
    IDEA = "idea"
    REPORT = "report"
    WAIT = "wait"


@dataclass(frozen=True)
class Setting:
    """One parameter and the value it should have."""

    name: str
    value: float | bool | str


@dataclass(frozen=True)
class Plan:
    """The leader's answer in THINK.

    ``change``: for code what to edit, for idea the question, for report its subject, for wait the reason. ``space`` are
    lines such as "lr: 1e-4..1e-2 log" or "act: relu | gelu" for a sweep of ``trials``; ``minutes`` how long to wait.
    """

    kind: PlanKind
    claim: str = ""
    why: str = ""
    expected: str = ""
    change: str = ""
    parameters: tuple[Setting, ...] = ()
    space: tuple[str, ...] = ()
    trials: int = 0
    minutes: int = 0


@dataclass(frozen=True)
class PatchEdit:
    """``search`` must occur exactly once in the cell (by its id) or the file (by its path) named by ``place``."""

    place: str
    search: str
    replace: str


@dataclass(frozen=True)
class Patch:
    """The code worker's answer: ``place`` as shown, "cell ID" or "file PATH"; ``note`` where it cannot be done."""

    edits: tuple[PatchEdit, ...] = ()
    parameters: tuple[Setting, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Reflection:
    """The leader's answer in REFLECT: one or two sentences, and the experiments that teach nothing any more."""

    lesson: str
    obsolete: tuple[int, ...] = field(default=())


@dataclass(frozen=True)
class Findings:
    """The Idea worker's answer: what it found, with where it stands."""

    findings: str


@dataclass(frozen=True)
class Written:
    """The Writing worker's answer: the report's path and one sentence on it."""

    path: str
    summary: str

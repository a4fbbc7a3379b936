"""What a person has set a project to, and the words that its researcher still has to read."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields

from ..config.researcher import resolve_researcher
from ..core.project import Approval, Budget, ResearcherKind, ResearcherOptions
from ..core.state import Bill, State
from ..errors import InvalidConfig
from .opened import OpenedProject
from .overview import utc_day


@dataclass(frozen=True)
class LimitView:
    """One key of ``[budget]``: ``limit`` is null where there is none, ``spent`` where it is not known (calls without a
    price; the disk without a limit), or is that of each run alone."""

    key: str
    limit: float | None
    spent: float | None


@dataclass(frozen=True)
class WhoView:
    """Who proposes, and the sentence that says why; or what is in the way."""

    kind: ResearcherKind
    sentence: str


@dataclass(frozen=True)
class SettingsView:
    """What may be changed while a project is at work."""

    approval: Approval
    budgets: tuple[LimitView, ...]
    researcher: WhoView
    max_parallel: int
    seeds: int


@dataclass(frozen=True)
class DirectiveView:
    """A directive in force. ``seq`` and ``at`` (wall time) are those of its event; ``unread`` until a THINK has
    read it."""

    seq: int
    at: float
    text: str
    unread: bool


@dataclass(frozen=True)
class DirectivesView:
    """Those in force, oldest first."""

    directives: tuple[DirectiveView, ...]


def settings(project: OpenedProject) -> SettingsView:
    """The settings in force, each budget with what was spent of it."""
    configured = project.state.project
    return SettingsView(
        configured.approval,
        tuple(_limits(project)),
        who(configured.researcher),
        configured.launcher.max_parallel,
        configured.trust.seeds,
    )


def who(options: ResearcherOptions) -> WhoView:
    """Who would propose in this process's environment."""
    try:
        choice = resolve_researcher(options, os.environ)
    except InvalidConfig as refusal:
        return WhoView(options.kind or ResearcherKind.CLAUDE, str(refusal))
    return WhoView(choice.kind, choice.sentence)


def _limits(project: OpenedProject) -> Iterator[LimitView]:
    state = project.state
    for one in fields(Budget):
        limit: float | None = getattr(state.project.budget, one.name)
        if one.name == "disk_gb":
            yield LimitView(one.name, limit, None if limit is None else project.records.disk_bytes() / 1e9)
        else:
            yield LimitView(one.name, limit, _spent(one.name, state))


def _spent(key: str, state: State) -> float | None:
    today = state.bill.today if state.bill.day == utc_day(time.time()) else Bill().today
    bill = today if key.endswith("_per_day") else state.bill.total
    match key.removesuffix("_per_day"):
        case "cycles":
            return state.cycles
        case "hours":
            return state.worked_s / 3600
        case "gpu_hours":
            return state.gpu_s / 3600
        case "patience":
            return state.since_gain
        case "usd":
            return bill.usd
        case "tokens":
            return bill.tokens_in + bill.tokens_out
        case "calls":
            return bill.calls
        case _:
            return None


def directives(project: OpenedProject) -> DirectivesView:
    """The directives in force; those that a THINK has not read yet are marked."""
    notes = [note.instruction for note in project.state.directives]
    marks = ", ".join("?" * len(notes))
    moments = dict(project.store.query(f"SELECT seq, at FROM events WHERE seq IN ({marks})", *(n.seq for n in notes)))
    return DirectivesView(tuple(DirectiveView(n.seq, moments[n.seq], n.text, n.fresh) for n in notes))

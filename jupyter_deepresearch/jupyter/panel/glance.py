"""What a panel shows of a project at one moment, asked with as few questions as what was known before allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.types import Purpose
from ...service.views import CostView, ExperimentView, MemoryTexts, RunView, StatusView
from ..answering import Answering
from .messages import PAGE_ROWS
from .picture import plain, recent

LIVE_CURVES = 4
CURVE_POINTS = 120

Pairs = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LiveCurve:
    """The objective as one live run has reported it."""

    run: str
    experiment: int
    seed: int
    points: Pairs


@dataclass(frozen=True)
class ChampionCurve:
    """The same of the champion's latest run."""

    experiment: int
    points: Pairs


@dataclass(frozen=True)
class CurvesView:
    live: tuple[LiveCurve, ...]
    champion: ChampionCurve | None


@dataclass(frozen=True)
class Glance:
    """The parts of a panel, as views."""

    status: StatusView
    rows: tuple[ExperimentView, ...]
    memory: MemoryTexts
    cost: CostView
    curves: CurvesView

    def traits(self) -> Mapping[str, Any]:
        """Each part as the JSON that a view gets, by the name of its trait; bounded in size."""
        return {
            "status": plain(self.status),
            "rows": plain(self.rows),
            "curves": plain(self.curves),
            "memory": plain(self.memory),
            "cost": plain(recent(self.cost)),
        }


def look(client: Answering, project_id: str, before: Glance | None = None) -> Glance:
    """The project as it is now. Where its log has not grown since ``before``, only its status and live curves are
    asked for. Raises what the client raises."""
    status = client.status(project_id)
    curves = CurvesView(_live(client, status, before), _champion(client, status, before))
    if before is not None and before.status.seq == status.seq:
        return Glance(status, before.rows, before.memory, before.cost, curves)
    rows = client.newest(project_id, PAGE_ROWS)
    return Glance(status, rows, client.memory(project_id), client.cost(project_id), curves)


def _live(client: Answering, status: StatusView, before: Glance | None) -> tuple[LiveCurve, ...]:
    known = {curve.run: curve for curve in before.curves.live} if before else {}
    reported = {run.run: run.latest for run in before.status.running} if before else {}
    curves = []
    for run in _shown(status):
        if run.run not in known or reported.get(run.run) != run.latest:
            pairs = () if run.latest is None else _pairs(client, status, run.experiment, run.run)
            known[run.run] = LiveCurve(run.run, run.experiment, run.seed, pairs)
        curves.append(known[run.run])
    return tuple(curves)


def _shown(status: StatusView) -> list[RunView]:
    """A dry run measures nothing that could be held against the champion."""
    return [run for run in status.running if run.purpose is not Purpose.DRY_RUN][:LIVE_CURVES]


def _champion(client: Answering, status: StatusView, before: Glance | None) -> ChampionCurve | None:
    if status.champion is None:
        return None
    number = status.champion.experiment
    known = before.curves.champion if before else None
    if before is not None and known is not None and _standing(before.status) == _standing(status):
        return known
    return ChampionCurve(number, _pairs(client, status, number, None))


def _standing(status: StatusView) -> tuple[object, ...]:
    """What differs where the champion, or which of its runs is the latest, differs."""
    champion = status.champion
    if champion is None:
        return ()
    own = tuple(run.run for run in status.running if run.experiment == champion.experiment)
    return champion.experiment, champion.seeds, own


def _pairs(client: Answering, status: StatusView, experiment: int, run: str | None) -> Pairs:
    metric = status.objective.metric
    return client.curve(status.id, experiment, metric, CURVE_POINTS, run).series.get(metric, ())

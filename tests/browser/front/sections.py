"""Sections of the panel by themselves on the stage, with a panel around them that only remembers."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_deepresearch.core.enums import Decision, RunState
from jupyter_deepresearch.jupyter.panel.picture import pack
from jupyter_deepresearch.service.pictures import PointsView
from tests.browser.front.stage import Stage

PLAY = """([make, state, packed, seq, answers]) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
    const points = new stage.module.Points();
    if (packed) points.read(bytes(packed), seq);
    const asked = [], opened = [];
    const ask = async (what, body) => {
        asked.push([what, body]);
        if (!(body.experiment in answers)) throw new Error("no such experiment");
        return answers[body.experiment];
    };
    stage.panel = { state: { ...state, points }, ask, open: (experiment) => opened.push(experiment), asked, opened };
    stage.read = (text) => { points.read(bytes(text), seq); stage.section.update(stage.panel.state); };
    stage.section = stage.module[make](stage.panel);
    const views = document.getElementById("views");
    views.className = "dr-panel";
    views.replaceChildren(stage.section.node);
    stage.section.update(stage.panel.state);
}"""
EXPORTS = ("Points", "makePicture", "makeCurves", "DECISIONS", "STATES", "shownRange", "ticksWithin")


@dataclass(frozen=True)
class Spot:
    """One experiment as the picture gets it."""

    experiment: int
    decision: Decision | None
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    measure: int = 1
    state: RunState = RunState.SUCCEEDED


def packed(spots: Sequence[Spot]) -> bytes:
    """The columns as the kernel sends them."""

    def known(name: str) -> tuple[float | None, ...]:
        return tuple(None if math.isnan(value) else value for value in (getattr(spot, name) for spot in spots))

    view = PointsView(
        seq=1,
        experiment=tuple(spot.experiment for spot in spots),
        value=known("value"),
        low=known("low"),
        high=known("high"),
        decision=tuple(spot.decision for spot in spots),
        state=tuple(spot.state for spot in spots),
        measure=tuple(spot.measure for spot in spots),
        parent=tuple(None for _ in spots),
    )
    return pack(view)


def status(direction: str = "maximize", champion: Mapping[str, object] | None = None, **rest: object) -> dict[str, Any]:
    objective = {"metric": "val_accuracy", "direction": direction}
    return {"objective": objective, "champion": champion, "baseline": None, "running": [], **rest}


def play(
    stage: Stage,
    make: str,
    state: Mapping[str, object],
    spots: Sequence[Spot] = (),
    answers: Mapping[int, object] | None = None,
) -> None:
    """One section with this state on a page that is built."""
    told = base64.b64encode(packed(spots)).decode() if spots else None
    answered = {str(number): answer for number, answer in (answers or {}).items()}
    stage.page.evaluate(PLAY, [make, dict(state), told, 1, answered])


def read(stage: Stage, spots: Sequence[Spot]) -> None:
    """Further points arrive."""
    stage.page.evaluate("text => stage.read(text)", base64.b64encode(packed(spots)).decode())

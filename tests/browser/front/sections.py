"""Sections of the panel by themselves on the stage, with a panel around them that only remembers."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_deepresearch.core.enums import Decision, RunState
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
    """The columns as the protocol writes them down."""
    count = len(spots)
    decisions = [0 if s.decision is None else 1 + list(Decision).index(s.decision) for s in spots]
    return (
        struct.pack(f"<I{count}I", count, *(s.experiment for s in spots))
        + b"".join(struct.pack(f"<{count}f", *(getattr(s, name) for s in spots)) for name in ("value", "low", "high"))
        + struct.pack(f"<{count}H", *(s.measure for s in spots))
        + bytes(decisions)
        + bytes(list(RunState).index(s.state) for s in spots)
    )


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

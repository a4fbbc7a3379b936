"""Events and other values to JSON and back. Sources are kept compressed: they are most of what a log would weigh."""

import base64
import json
import zlib
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from ..core import events as ev
from ..core.project import is_finite
from ..errors import InvalidInput, StorageFailed

T = TypeVar("T")

_UTF8 = ("utf-8", "replace")


def encode(event: ev.Event) -> str:
    """An event's body as JSON text, its sources compressed.

    What JSON or UTF-8 cannot hold never gets into the log: an outcome loses such points, a lone surrogate becomes a
    question mark, any other number that is NaN or infinite is refused with InvalidInput.
    """
    body = msgspec.to_builtins(_finite(event))
    for holder in (body, body.get("experiment")):
        if isinstance(holder, dict) and isinstance(holder.get("source"), dict):
            holder["source"] = _packed(holder["source"])
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(*_UTF8).decode()
    except ValueError as error:
        raise InvalidInput(f"{ev.kind_of(event)}: a number is NaN or infinite; accepted: finite numbers") from error


def _finite(event: ev.Event) -> ev.Event:
    """An outcome without what is not a finite number; unknown is None."""
    if not isinstance(event, ev.Ended):
        return event
    outcome = event.outcome
    return ev.Ended(
        replace(
            outcome,
            value=outcome.value if is_finite(outcome.value) else None,
            curve=tuple(point for point in outcome.curve if all(map(is_finite, point))),
            finals={name: value for name, value in outcome.finals.items() if is_finite(value)},
        )
    )


def decode(cls: type[T], text: str) -> T:
    """The event of class ``cls`` that ``encode`` wrote. Raises StorageFailed for anything else."""
    try:
        if '"z":"' not in text:
            return msgspec.json.decode(text, type=cls)
        body = json.loads(text)
        for holder in (body, body.get("experiment")):
            if isinstance(holder, dict) and isinstance(holder.get("source"), dict) and "z" in holder["source"]:
                holder["source"] = json.loads(zlib.decompress(base64.b64decode(holder["source"]["z"])))
        return msgspec.convert(body, cls, str_keys=True)
    except (msgspec.MsgspecError, ValueError, zlib.error) as error:
        raise StorageFailed(f"the ledger holds an unreadable {cls.__name__} event: {error}") from error


def _packed(source: dict[str, Any]) -> dict[str, str]:
    return {"z": base64.b64encode(zlib.compress(json.dumps(source).encode(), 9)).decode()}


def places(event: ev.Event) -> tuple[int | None, str | None]:
    """The experiment and the run that an event is about, for looking it up."""
    match event:
        case ev.Proposed() | ev.Try() | ev.EditHypothesis() | ev.Repaired() | ev.Reproduce():
            return event.experiment.number, None
        case ev.Branch(experiment=experiment):
            return (None if experiment is None else experiment.number), None
        case ev.Judged() | ev.Reflected() | ev.Answered():
            return event.experiment, None
        case ev.Approve() | ev.Reject():
            return event.hypothesis, None
        case ev.Planned(run=run):
            return run.experiment, run.id
        case ev.Launched(handle=handle):
            return None, handle.run
        case ev.Ended(outcome=outcome):
            return None, outcome.run
        case ev.Cancel(run=run_id):
            return None, run_id
        case _:
            return None, None

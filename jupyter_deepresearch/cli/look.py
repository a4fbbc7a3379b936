"""Commands that only look: status, history, best, memory, cost, diff, logs, events."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from .. import text
from ..changes import changes
from ..service import views
from ..service.opened import OpenedProject
from .logs import follow
from .opening import opened
from .request import Request


def perform(request: Request) -> int:
    """See ``main``. Raises NotFound, StorageFailed."""
    with opened(request.folder) as project:
        _COMMANDS[request.command](project, request)
    return 0


def _status(project: OpenedProject, request: Request) -> None:
    view = project.status()
    print(views.to_json(view) if request.as_json else text.status_text(view))
    if view.waiting and not request.as_json:
        print(f"\n{text.waiting_text(view.waiting)}")


def _history(project: OpenedProject, request: Request) -> None:
    rows = project.history()
    if request.as_json:
        print(views.to_json(rows))
        return
    champion = project.state.champion
    print(_fitted(text.history_text(rows, None if champion is None else champion.number)))


def _fitted(table: str) -> str:
    """A table as wide as the terminal: lines that break are no table. As it is where it goes into a file or a pipe."""
    if not sys.stdout.isatty():
        return table
    width = shutil.get_terminal_size().columns
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in table.split("\n"))


def _best(project: OpenedProject, request: Request) -> None:
    view = project.status()
    print(views.to_json(view.champion) if request.as_json else text.best_text(view))


def _memory(project: OpenedProject, request: Request) -> None:
    texts = project.memory()
    print(views.to_json(texts) if request.as_json else text.memory_text(texts))


def _cost(project: OpenedProject, request: Request) -> None:
    view = project.cost()
    print(views.to_json(view) if request.as_json else text.cost_text(view))


def _diff(project: OpenedProject, request: Request) -> None:
    first, second = (*map(int, request.words), None)[:2]
    assert first is not None, "the parser asks for one number at least"
    found = changes(project, first, second)
    print(views.to_json(found) if request.as_json else _changes_text(found))


def _changes_text(found: views.ChangesView) -> str:
    before = "the project's notebook" if found.before is None else f"experiment {found.before}"
    lines = [f"from {before} to experiment {found.after}"]
    for change in found.changes:
        lines += ["", change.place, *map(text.plain, change.lines)]
    return "\n".join(lines if found.changes else [*lines, "no difference"])


def _logs(project: OpenedProject, request: Request) -> None:
    follow(project, request.words[0] if request.words else None, until_end=request.follow, as_json=request.as_json)


def _events(project: OpenedProject, request: Request) -> None:
    for event in project.events(request.after):
        print(event_json(event) if request.as_json else _event_text(event))


def event_json(event: Mapping[str, Any]) -> str:
    """One event on one line; what is not finite becomes null, as in all our JSON."""
    return views.to_json(event)


def _event_text(event: Mapping[str, Any]) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event["at"]))
    body = json.dumps(event["body"], ensure_ascii=False)
    return f"{event['seq']:>6}  {at}  {event['kind']:<10} {text.one_line(body, 120)}"


_COMMANDS: Mapping[str, Callable[[OpenedProject, Request], None]] = {
    "status": _status,
    "history": _history,
    "best": _best,
    "memory": _memory,
    "cost": _cost,
    "diff": _diff,
    "logs": _logs,
    "events": _events,
}

"""Claude on a real project folder, ledger and notebook, over real HTTP; only its runs end at once, and time flies."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_deepresearch.app import RealMakers
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core.ports import Launcher, RunSpec
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.types import Outcome, RunError, RunState
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.testing import FakeClock, FakeLauncher, MessagesServer

LEADER, FALLBACK = "claude-haiku-5-5", "claude-sonnet-5"
CELLS = {
    "settings": ("x = 0.5  # sweep: 0.0..6.0\nwidth = 8\nseed = 0\ndry_run = False", ["parameters"]),
    "model": ("def model(v):\n    return v * 1\n", []),
    "training": ("for step in range(3):\n    loss = model(step)\n", []),
    "score": ("from jupyter_deepresearch import report\nreport(score=-((x - 3) ** 2))", ["locked"]),
}
BROKEN = "BROKEN"
"""An edit that puts this somewhere fails its dry run."""


def write(folder: Path) -> Path:
    """A project whose score is best at x = 3."""
    folder.mkdir()
    cells = [new_code_cell(text, metadata={"tags": tags}, id=name) for name, (text, tags) in CELLS.items()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "train.ipynb")
    (folder / "PROJECT_BRIEF.md").write_text("Make the score large.", encoding="utf-8")
    (folder / "deepresearch.toml").write_text('[objective]\nmetric = "score"\n[trust]\nseeds = 1\n', encoding="utf-8")
    return folder


def ending(spec: RunSpec) -> Outcome:
    """By arithmetic: -(x - 3)^2, a little more for every edit; a broken edit fails its dry run."""
    run, edits = spec.run.id, spec.build.edits
    if any(BROKEN in edit.replace for edit in edits):
        error = RunError(
            "NameError", "name 'BROKEN' is not defined", cell=1, tail="NameError: name 'BROKEN' is not defined"
        )
        return Outcome(run, RunState.CRASHED, error=error, elapsed_s=1.0)
    if spec.dry_run:
        return Outcome(run, RunState.SUCCEEDED, elapsed_s=1.0)
    x = float(spec.build.parameters.get("x", 0.5) or 0.0)
    value = -((x - 3) ** 2) + 0.01 * len(edits)
    curve = tuple((float(step), value * (4 - step)) for step in range(1, 4))
    return Outcome(run, RunState.SUCCEEDED, value, curve, {"score": value}, elapsed_s=60.0)


@dataclass
class Makers(RealMakers):
    """Everything as in the product, but for the runs."""

    launched: FakeLauncher = field(default_factory=lambda: FakeLauncher(ending))

    def launcher(self, folder: Path, project: Project) -> Launcher:
        return self.launched


@dataclass
class World:
    """One project with its service. ``research`` goes on until the project rests."""

    folder: Path
    server: MessagesServer
    tables: Mapping[str, Any]
    clock: FakeClock = field(default_factory=FakeClock)
    makers: Makers = field(default_factory=Makers)

    def __post_init__(self) -> None:
        self._service: Service | None = None

    def open(self) -> OpenedProject:
        """The project as a start finds it, made where it is new; a service opened before is closed first."""
        self.close()
        self._service = Service(self.makers, Registry(self.folder.parent / "projects.json"), self.clock)
        researcher = {
            "kind": "claude",
            "base_url": self.server.base_url,
            "leader_model": LEADER,
            "price": {"input": 0.1, "output": 0.5},
            **self.tables.get("researcher", {}),
        }
        tables = {**self.tables, "researcher": researcher}
        return self._service.prepare(self.folder, Options(tables=tables))

    def research(self, act: Callable[[OpenedProject], None] = lambda project: None) -> OpenedProject:
        """Start, let ``act`` prepare something, and go on to the end."""
        project = self.open()
        act(project)
        return self.go_on(project)

    def go_on(self, project: OpenedProject) -> OpenedProject:
        """Research an opened project to its end."""
        assert self._service is not None
        self._service.run(project)
        return project

    def close(self) -> None:
        if self._service is not None:
            self._service.close()
            self._service = None


@contextmanager
def world(folder: Path, script: Any, server: Mapping[str, Any] | None = None, **tables: Any) -> Iterator[World]:
    """A world around a new project, and a server with this script; ``server`` are further options of it."""
    with MessagesServer(script, **(server or {})) as server:
        made = World(write(folder), server, tables)
        try:
            yield made
        finally:
            made.close()


def events(project: OpenedProject, kind: type[Any]) -> list[Any]:
    """The log's events of one class."""
    return [record.event for record in project.store.records() if isinstance(record.event, kind)]


def parameters(claim: str, **values: float) -> dict[str, Any]:
    """A plan that sets values."""
    named = [{"name": name, "value": value} for name, value in values.items()]
    return {"kind": "parameters", "claim": claim, "why": "it should", "expected": "a gain", "parameters": named}


def code(claim: str, change: str = "as said") -> dict[str, Any]:
    """A plan that has code edited."""
    return {"kind": "code", "claim": claim, "why": "it should", "expected": "a gain", "change": change}


def patch(search: str, replace: str, place: str = "cell model") -> dict[str, Any]:
    """A patch of one edit."""
    return {"edits": [{"place": place, "search": search, "replace": replace}]}


__all__ = ["World", "code", "events", "parameters", "patch", "world", "write"]

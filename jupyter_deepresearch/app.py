"""The composition root: the only place that names the real part of every seam."""

import asyncio
import hashlib
import os
import time
from pathlib import Path

from .config import refuse_unbuilt, resolve_researcher
from .core.events import Survey
from .core.ports import Desk, Launcher, Notebooks, Researcher, RunRecords
from .core.project import Project
from .desk import FolderDesk
from .execution.environment import find_kernel
from .execution.local import LocalLauncher
from .execution.publish import ProjectNotebooks
from .execution.records import FolderRecords
from .registry import Registry
from .service import Service
from .store import SqliteStore


class SystemClock:
    """The machine's time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RealMakers:
    """Makes what a project is really researched with."""

    def store(self, folder: Path) -> SqliteStore:
        return SqliteStore(folder / ".deepresearch" / "ledger.db")

    def notebooks(self, folder: Path) -> Notebooks:
        return ProjectNotebooks(folder)

    def desk(self, folder: Path) -> Desk:
        return FolderDesk(folder)

    def records(self, folder: Path) -> RunRecords:
        return FolderRecords(folder)

    def launcher(self, folder: Path, project: Project) -> Launcher:
        return LocalLauncher(folder)

    def researcher(self, project: Project, project_id: str) -> Researcher:
        from .researchers.sweep import SweepResearcher  # optuna takes a second to import

        resolve_researcher(project, os.environ)
        return SweepResearcher(int(hashlib.sha256(project_id.encode()).hexdigest()[:8], 16))

    def preflight(self, project: Project, survey: Survey) -> tuple[str, ...]:
        """See ``opened.Makers``. Raises InvalidConfig, InvalidNotebook."""
        refuse_unbuilt(project)
        find_kernel(survey.kernel)
        _, sentence = resolve_researcher(project, os.environ)
        return (sentence,)


def make_service(root: Path | None = None, name: str = "this command") -> Service:
    """A service on real parts and the person's registry. ``root`` confines project folders."""
    return Service(RealMakers(), Registry(), SystemClock(), root, name)

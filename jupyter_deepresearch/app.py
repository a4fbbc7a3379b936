"""The composition root: the only place that names the real part of every seam."""

import asyncio
import functools
import hashlib
import os
import time
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

from .config.loading import refuse_unbuilt
from .config.researcher import refuse_unpriced, resolve_researcher
from .core.events import Survey
from .core.ports import Build, Desk, HandedBack, Launcher, Notebooks, Origin, RunRecords
from .core.project import Project, ResearcherKind, ResearcherOptions
from .core.research import Researcher
from .core.types import Experiment, Outcome, Parameters, Piece, Run, Source, Verdict
from .execution.desk import FolderDesk
from .execution.gpus.allocation import VISIBLE
from .execution.gpus.looking import GpuView, look
from .execution.gpus.nvml import NvmlGpus
from .execution.records import FolderRecords
from .researchers.llm.talk import Model
from .service.registry import Registry
from .service.service import Service
from .store.sqlite import SqliteStore


class SystemClock:
    """The machine's time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LateNotebooks:
    """``ProjectNotebooks`` from its first use on: nbformat takes a second to import, and most commands only look."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._folder = folder
        self._project = project

    @functools.cached_property
    def _real(self) -> Notebooks:
        from .execution.notebooks.publish import ProjectNotebooks

        return ProjectNotebooks(self._folder, self._project)

    def read(self, notebook: str) -> tuple[Source, Survey]:
        return self._real.read(notebook)

    def edited(self) -> tuple[Source, Survey] | None:
        return self._real.edited()

    def measure(self, source: Source, metric: str) -> str:
        return self._real.measure(source, metric)

    def check(self, build: Build, survey: Survey) -> None:
        self._real.check(build, survey)

    def pieces(self, build: Build) -> tuple[Piece, ...]:
        return self._real.pieces(build)

    def parameters(self, build: Build) -> Parameters:
        return self._real.parameters(build)

    def origin(self, notebook: str) -> Origin | None:
        return self._real.origin(notebook)

    def handed_back(self, fork: Source, build: Build) -> HandedBack:
        return self._real.handed_back(fork, build)

    def publish(self, experiment: Experiment, run: Run, verdict: Verdict, outcome: Outcome) -> str | None:
        return self._real.publish(experiment, run, verdict, outcome)


class RealMakers:
    """Makes what a project is really researched with. What takes long to import is imported where it is made."""

    def store(self, folder: Path) -> SqliteStore:
        return SqliteStore(folder / ".deepresearch" / "ledger.db")

    def notebooks(self, folder: Path, project: Project) -> Notebooks:
        return LateNotebooks(folder, project)

    def desk(self, folder: Path) -> Desk:
        return FolderDesk(folder)

    def records(self, folder: Path) -> RunRecords:
        return FolderRecords(folder)

    def launcher(self, folder: Path, project: Project) -> Launcher:
        from .execution.local import LocalLauncher

        return LocalLauncher(folder)

    def researcher(self, folder: Path, project: Project) -> Researcher:
        from .researchers.chosen import ChosenResearcher

        def decide(options: ResearcherOptions) -> tuple[ResearcherOptions, str]:
            choice = resolve_researcher(options, os.environ)
            return choice.options, choice.sentence

        return ChosenResearcher(decide, functools.partial(make_researcher, folder, project.name))

    def check_researcher(self, project: Project) -> str:
        """See ``opened.Makers``."""
        from .researchers.chosen import is_priced

        choice = resolve_researcher(project.researcher, os.environ)
        refuse_unpriced(project.budget, choice, lambda model: is_priced(model, choice.options, os.environ))
        return choice.sentence

    def preflight(self, project: Project, survey: Survey) -> tuple[str, ...]:
        """See ``opened.Makers``. Raises InvalidConfig, InvalidNotebook."""
        from .execution.environment import find_kernel

        refuse_unbuilt(project)
        find_kernel(project.launcher.kernel or survey.kernel, project.notebook)
        return (self.check_researcher(project),)


def make_researcher(folder: Path, name: str, options: ResearcherOptions) -> Researcher:
    """The researcher of ``options`` that leave nothing open, for the project ``name`` in ``folder``.

    Raises InvalidConfig where a person's own prompt cannot be used.
    """
    from .researchers.sweep import SweepResearcher

    # By name, not by id: the same folder researched again tries the same things.
    sweep = SweepResearcher(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
    if options.kind is ResearcherKind.SWEEP:
        return sweep
    from .researchers.claude.papers import Papers
    from .researchers.claude.prompts import Prompts
    from .researchers.claude.researcher import ClaudeResearcher
    from .researchers.claude.shelf import Shelf

    # One cache for all projects: the services count whoever asks from here as one.
    papers = Papers(Path(jupyter_data_dir()) / "jupyter_deepresearch" / "papers")
    return ClaudeResearcher(_model(options), Shelf(folder), papers, Prompts(folder), sweep)


def _model(options: ResearcherOptions) -> Model:
    if options.kind is ResearcherKind.CLAUDE_CLI:
        from .researchers.llm.cli import CommandModel

        return CommandModel(options, os.environ)
    from .researchers.llm.sdk import MessagesModel

    return MessagesModel(options, os.environ)


def make_service(root: Path | None = None, name: str = "this command") -> Service:
    """A service on real parts and the person's registry. ``root`` confines project folders."""
    return Service(RealMakers(), Registry(), SystemClock(), root, name)


def gpus() -> tuple[GpuView, ...]:
    """The GPUs of this machine and who holds them, none where there is no driver."""
    return look(NvmlGpus(), os.environ.get(VISIBLE))

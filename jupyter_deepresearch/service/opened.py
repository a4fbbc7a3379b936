"""One project folder opened: its log, its files, what may be asked and told. Works with and without a server."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ..config.loading import reconfigure
from ..core.events import Record, Sourced, Survey
from ..core.growth import build
from ..core.ledger import Ledger
from ..core.marks import marks
from ..core.ports import Build, Curves, Desk, History, Launcher, Notebooks, Owner, RunRecords, Store
from ..core.project import Budget, Project
from ..core.research import Researcher
from ..core.state import State
from ..core.types import Parameters
from ..errors import DeepResearchError, InvalidNotebook, NotFound
from . import cost as bill
from . import past, status, views
from .commands import Command, ResumeCommand
from .deciding import Context, decide
from .overview import Row, overview, utc_day
from .pictures import ParameterView, PointsView
from .remembered import Remembered
from .search import FoundView, search
from .status import Situation


class Past(Store, History, past.Rows, Protocol):
    """What one store answers: the log, the past, and SQL over both."""

    def holder(self) -> Owner | None: ...

    def is_there(self) -> bool: ...

    def close(self) -> None: ...


class Makers(Protocol):
    """Makes the real part of every seam for a project folder. The composition root has the only one."""

    def store(self, folder: Path) -> Past: ...

    def notebooks(self, folder: Path, project: Project) -> Notebooks: ...

    def desk(self, folder: Path) -> Desk: ...

    def records(self, folder: Path) -> RunRecords: ...

    def launcher(self, folder: Path, project: Project) -> Launcher: ...

    def researcher(self, folder: Path, project: Project) -> Researcher:
        """Who proposes, by the options of the moment of asking."""

    def check_researcher(self, project: Project) -> str:
        """One sentence on who proposes. Raises InvalidConfig where it could not, or not within the budgets."""

    def preflight(self, project: Project, survey: Survey) -> tuple[str, ...]:
        """Remarks for the person on what will be used. Raises where kernel or researcher cannot be."""


@dataclass(frozen=True)
class OpenedProject:
    """A project that has a log. Every answer is made from the log and the run folders at the moment of asking."""

    id: str
    folder: Path
    store: Past
    ledger: Ledger
    notebooks_under: Callable[[Project], Notebooks]
    records: RunRecords
    check_researcher: Callable[[Project], str]
    remembered: Remembered = field(default_factory=Remembered)

    @classmethod
    def at(cls, folder: Path, makers: Makers) -> "OpenedProject":
        """Open a project that exists. Raises NotFound for a folder without a log, StorageFailed."""
        if not has_log(folder):
            raise NotFound(f"{folder} holds no research project yet; start one there first")
        store = makers.store(folder)
        ledger = Ledger(store)
        try:
            state = ledger.state()
            if state is None:
                raise NotFound(f"{folder} holds no research project yet; start one there first")
            notebooks = partial(makers.notebooks, folder)
            records = makers.records(folder)
            return cls(state.opened.project_id, folder, store, ledger, notebooks, records, makers.check_researcher)
        except DeepResearchError:
            store.close()
            raise

    @property
    def state(self) -> State:
        state = self.ledger.state()
        assert state is not None, "an opened project has a first event"
        return state

    @property
    def notebooks(self) -> Notebooks:
        """The notebook side of the folder, as the project is configured now."""
        return self.notebooks_under(self.state.project)

    def command(self, command: Command, command_id: str | None = None) -> Record:
        """Write a command. A repeated ``command_id`` answers the record that it made first.

        Resuming a failed project reads its notebook anew: that is what the person has mended meanwhile.
        Raises InvalidInput, NotFound, AlreadyDecided, Conflict, StorageFailed; nothing is written then.
        """
        context = Context(self.store, self.notebooks, self._reconfigured)

        def decided(state: State | None) -> Any:
            assert state is not None
            return decide(command, state, context)

        mended = self.mended() if isinstance(command, ResumeCommand) else None
        if mended is not None:
            self.ledger.append(mended)
        return self.ledger.append(decided, command_id=command_id)

    def _reconfigured(self, project: Project, tables: Mapping[str, Any]) -> Project:
        """The configuration with these tables over it. Raises InvalidConfig."""
        wanted = reconfigure(project, tables)
        if wanted.researcher != project.researcher or _limits_usd(wanted.budget, project.budget):
            self.check_researcher(wanted)
        return wanted

    def mended(self) -> Sourced | None:
        """The notebook of a failed project as it now is, None for one that has not failed. Raises InvalidNotebook.

        The measure stays as it is where nothing has been measured by it.
        """
        state = self.state
        if state.failed is None or state.failed.is_researchers:
            return None
        source, survey = self.notebooks.read(state.project.notebook)
        return Sourced(source, survey, new_measure=state.baseline is not None)

    def was_said(self, remark: str) -> bool:
        """Whether the person was told this sentence before."""
        told = "SELECT 1 FROM events WHERE kind = 'announced' AND json_extract(body, '$.text') = ? LIMIT 1"
        return bool(self.store.query(told, remark))

    def status(self, life: views.Life | None = None, place: str | None = None) -> views.StatusView:
        """The status object; ``life`` is who researches it, looked up in the lease when not given, ``place`` where the
        folder is for a server."""
        return status.status(self._situation(life or views.Life(self.store.holder() is not None), place))

    def row(self, holder: Owner | None, life: views.Life, place: str | None = None) -> Row:
        """The project in a list of all, as ``holder`` researches it, or nobody."""
        at = self._situation(life, place)
        is_stopped = at.state.stopped and not at.state.runs
        is_at_rest = at.state.failed is not None or at.state.finished is not None or is_stopped
        now = time.time()
        return Row(overview(at, now), holder, life, utc_day(now), is_at_rest)

    def _situation(self, life: views.Life, place: str | None) -> Situation:
        folder, remembered = str(self.folder), self.remembered
        return Situation(self.state, folder, self.store, self.records, life, place, remembered, self._runs_with)

    def _runs_with(self, number: int) -> Parameters:
        """All values that an experiment runs with; none where its notebook cannot be made any more.

        The notebook is composed only where it is not the person's own: that takes a second of imports.
        """
        experiment = self.store.experiment(number)
        if experiment.source is None and not experiment.code:
            return {**self.state.survey.parameters, **experiment.settings}
        with contextlib.suppress(InvalidNotebook, NotFound):
            return self.notebooks.parameters(build(self.store, experiment))
        return experiment.settings

    def cost(self) -> views.CostView:
        """What calls to language models have cost, and what budgets have left."""
        return bill.cost(self.store, self.state, time.time(), self.remembered)

    def history(self, after: int = -1, limit: int | None = None) -> tuple[views.ExperimentView, ...]:
        """Experiments numbered above ``after``, oldest first."""
        return past.history(self.store, after, limit)

    def newest(self, limit: int, before: int | None = None) -> tuple[views.ExperimentView, ...]:
        """At most ``limit`` experiments numbered below ``before``, newest first."""
        return past.newest(self.store, limit, before)

    def points(self, after: int = 0) -> PointsView:
        """The experiments that have changed after this seq, as columns."""
        return past.points(self.store, self.state.seq, after)

    def search(self, text: str, limit: int) -> FoundView:
        """The newest experiments that a text fits. Raises InvalidInput for too long a one."""
        return search(self.store, text, limit)

    def parameters(self) -> tuple[ParameterView, ...]:
        """The lines of the parameters cell of what hypotheses grow from (of the person's own before there is a
        champion), with the values that it runs with: what an idea of one's own starts from."""
        survey, base = self.state.survey, self.state.base
        own = survey.parameters
        best = own if base is None else self.notebooks.parameters(build(self.store, base.experiment))
        ranges = {dimension.name: str(dimension).partition(": ")[2] for dimension in survey.space}
        return tuple(ParameterView(name, value, own.get(name), ranges.get(name)) for name, value in best.items())

    def experiment(self, number: int) -> views.ExperimentView:
        """One experiment. Raises NotFound."""
        found = past.experiment(self.store, number)
        if found is None:
            raise NotFound(f"there is no experiment {number} in {self.state.project.name}")
        return found

    def recipe(self, number: int) -> Build:
        """How an experiment's notebook comes about. Raises NotFound."""
        return build(self.store, self.store.experiment(number))

    def curves(self, number: int, run: str | None, points: int, metric: str | None = None) -> Curves:
        """The reported series of one run of an experiment, or one metric's; none where nothing was reported of it.

        By default of the run that the experiment is shown by, if that has a value, else of its latest. Raises NotFound.
        """
        self.experiment(number)
        rows = self.store.query("SELECT run FROM runs WHERE experiment = ? ORDER BY seq DESC", number)
        runs = [str(r[0]) for r in rows]
        if run is not None and run not in runs:
            raise NotFound(f"experiment {number} has no run {run!r}; it has: {', '.join(runs) or 'none'}")
        if not runs:
            return Curves("", {})
        if run is None:
            shown = self.store.last_run(number)  # a reproduction that has just begun has no curve to compare with
            run = shown[0].id if shown is not None and shown[1].value is not None else runs[0]
        return self.records.curves(run, points, metric)

    def memory(self) -> views.MemoryTexts:
        """Both tiers of the memory as they would be sent, and what the latest verdict did to them."""
        state = self.state
        objective = state.project.objective
        found = marks(state.before.memory, state.memory, objective)
        return views.MemoryTexts(
            state.brief,
            state.memory.render(objective),
            state.notes,
            entered=found.entered,
            changed=found.changed,
            dropped=found.dropped,
        )

    def events(self, after: int = 0) -> Iterator[Mapping[str, Any]]:
        """The log after ``after`` as JSON objects ``{seq, at, kind, body}``, whole sources left out."""
        return past.events(self.store.records(after))


def has_log(folder: Path) -> bool:
    """Whether a project was started in this folder. A ledger without an event is what a crash at the start leaves."""
    path = folder / ".deepresearch" / "ledger.db"
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=30)) as db:
            return db.execute("SELECT 1 FROM events LIMIT 1").fetchone() is not None
    except sqlite3.Error as error:
        return "no such table" not in str(error)  # whatever else it is, opening it says what is wrong


def _limits_usd(wanted: Budget, there: Budget) -> bool:
    """Whether a limit in USD is set that was not there."""
    before = (there.usd, there.usd_per_day)
    return any(
        new is not None and new != old for new, old in zip((wanted.usd, wanted.usd_per_day), before, strict=True)
    )

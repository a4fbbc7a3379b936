"""The REST routes of a project's experiments: all of them as rows and columns, one of them in every detail."""

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..changes import changes, codes
from ..errors import InvalidInput
from ..service import runs
from ..service.opened import OpenedProject
from .base_handler import PROJECT, ResearchHandler

EXPERIMENTS_LIMIT = 1000
POINTS_LIMIT = 10_000


class ExperimentsHandler(ResearchHandler):
    """``.../{id}/experiments?after=&limit=``, or ``?order=newest&before=&limit=``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """History objects numbered above ``after``, oldest first, or below ``before``, newest first."""
        await self.ask(project_id, self._page)

    def _page(self, project: OpenedProject) -> object:
        limit, order = self.count("limit", 100, 1, EXPERIMENTS_LIMIT), self.get_query_argument("order", "oldest")
        after, before = self.number("after", None, -1), self.number("before", None, 0)
        if order not in ("oldest", "newest"):
            raise InvalidInput(f"order: found {order[:40]!r}; accepted: oldest, newest")
        if order == "newest":
            _refuse("after", after, "before=N with order=newest")
            return project.newest(limit, before)
        _refuse("before", before, "after=N, or order=newest with it")
        return project.history(-1 if after is None else after, limit)


def _refuse(name: str, found: int | None, accepted: str) -> None:
    if found is not None:
        raise InvalidInput(f"{name}: found {found} with the other order; accepted: {accepted}")


class ExperimentHandler(ResearchHandler):
    """``.../{id}/experiments/{n}``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str, number: str) -> None:
        """One history object."""
        await self.ask(project_id, lambda project: project.experiment(int(number)))


class MetricsHandler(ResearchHandler):
    """``.../{id}/experiments/{n}/metrics?run=&points=&metric=``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str, number: str) -> None:
        """The curves of one run of the experiment, the one it is shown by where none is named; all metrics, or one."""
        await self.ask(project_id, lambda project: self._curves(project, int(number)))

    def _curves(self, project: OpenedProject, number: int) -> object:
        run, metric = self.get_query_argument("run", None), self.get_query_argument("metric", None)
        return project.curves(number, run, self.count("points", 200, 2, POINTS_LIMIT), metric)


class PointsHandler(ResearchHandler):
    """``.../{id}/points?after=SEQ``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """The experiments that have changed after SEQ, as columns."""
        await self.ask(project_id, lambda project: project.points(self.count("after", 0, 0)))


class DiffHandler(ResearchHandler):
    """``.../{id}/experiments/{n}/diff?to=m``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str, number: str) -> None:
        """The changed lines from experiment n to m; without m, from the parent of n to n."""
        await self.ask(project_id, lambda project: changes(project, int(number), self.number("to", None, 0)))


class CodeHandler(ResearchHandler):
    """``.../{id}/experiments/{n}/code?to=m``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str, number: str) -> None:
        """The whole texts of the places that differ, of the two sides that ``diff`` has."""
        await self.ask(project_id, lambda project: codes(project, int(number), self.number("to", None, 0)))


class RunsHandler(ResearchHandler):
    """``.../{id}/experiments/{n}/runs``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str, number: str) -> None:
        """The facts of every run of the experiment, oldest first."""
        await self.ask(project_id, lambda project: runs.runs(project, int(number)))


class OutputHandler(ResearchHandler):
    """``.../{id}/experiments/{n}/output?run=&chars=``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str, number: str) -> None:
        """The end of what one run printed and raised: the live one, or the one that the experiment is shown by."""
        await self.ask(project_id, lambda project: self._output(project, int(number)))

    def _output(self, project: OpenedProject, number: int) -> object:
        chars = self.count("chars", runs.OUTPUT_CHARS, 1, runs.MOST_OUTPUT_CHARS)
        return runs.output(project, number, self.get_query_argument("run", None), chars)


class SearchHandler(ResearchHandler):
    """``.../{id}/search?text=&limit=``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """The numbers of the experiments that a text fits, newest first."""
        await self.ask(project_id, self._search)

    def _search(self, project: OpenedProject) -> object:
        return project.search(self.get_query_argument("text", ""), self.count("limit", 200, 1, EXPERIMENTS_LIMIT))


EXPERIMENT = rf"{PROJECT}/experiments/([0-9]{{1,9}})"
ROUTES: list[tuple[str, Any]] = [
    (rf"{PROJECT}/experiments", ExperimentsHandler),
    (EXPERIMENT, ExperimentHandler),
    (rf"{EXPERIMENT}/metrics", MetricsHandler),
    (rf"{EXPERIMENT}/diff", DiffHandler),
    (rf"{EXPERIMENT}/code", CodeHandler),
    (rf"{EXPERIMENT}/runs", RunsHandler),
    (rf"{EXPERIMENT}/output", OutputHandler),
    (rf"{PROJECT}/points", PointsHandler),
    (rf"{PROJECT}/search", SearchHandler),
]

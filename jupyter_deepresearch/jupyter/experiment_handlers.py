"""The REST routes of a project's experiments: all of them as rows and columns, one of them in every detail."""

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..changes import changes
from ..errors import InvalidInput
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


EXPERIMENT = rf"{PROJECT}/experiments/([0-9]{{1,9}})"
ROUTES: list[tuple[str, Any]] = [
    (rf"{PROJECT}/experiments", ExperimentsHandler),
    (EXPERIMENT, ExperimentHandler),
    (rf"{EXPERIMENT}/metrics", MetricsHandler),
    (rf"{EXPERIMENT}/diff", DiffHandler),
    (rf"{PROJECT}/points", PointsHandler),
]

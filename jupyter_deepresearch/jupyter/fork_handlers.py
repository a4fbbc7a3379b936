"""The REST routes that write an experiment into the project's ``forks/``, for a person to go on with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import InvalidInput
from ..forks import ForkedView, TakenView, fork, take
from ..service.opened import OpenedProject
from ..service.root import Root
from ..service.service import Service
from .base_handler import ResearchHandler
from .experiment_handlers import EXPERIMENT
from .requests import read_object


class _Writing(ResearchHandler):
    """A route that writes once it is asked to, with nothing in its body."""

    async def write_out(self, project_id: str, write: Callable[[Service, OpenedProject], object]) -> None:
        """Answer with what was written. Raises nothing: refusals are answers."""
        await self.answer(lambda service: self._written(service, project_id, write), 201)

    def _written(self, service: Service, project_id: str, write: Callable[[Service, OpenedProject], object]) -> object:
        for key in read_object(self.request.body):
            raise InvalidInput(f"unknown key {key[:80]!r}; accepted: none, the body is {{}}")
        return write(service, service.project(project_id))


class TakeHandler(_Writing):
    """``.../{id}/experiments/{n}/take``"""

    @web.authenticated
    @authorized(action="execute")
    async def post(self, project_id: str, number: str) -> None:
        """The experiment as a notebook and a patch, in a folder of its own in ``forks/``."""
        await self.write_out(project_id, lambda service, project: _taken(service, project, int(number)))


def _taken(service: Service, project: OpenedProject, number: int) -> TakenView:
    view = take(project, number)
    return replace(view, place=Root(service.root).place(Path(view.folder)))


class ForkHandler(_Writing):
    """``.../{id}/experiments/{n}/fork``"""

    @web.authenticated
    @authorized(action="execute")
    async def post(self, project_id: str, number: str) -> None:
        """The experiment's notebook in ``forks/``, to be edited and handed back by the command ``try``."""
        await self.write_out(project_id, lambda service, project: _forked(service, project, int(number)))


def _forked(service: Service, project: OpenedProject, number: int) -> ForkedView:
    view = fork(project, number)
    return replace(view, place=Root(service.root).place(project.folder / view.notebook))


ROUTES: list[tuple[str, Any]] = [(rf"{EXPERIMENT}/take", TakeHandler), (rf"{EXPERIMENT}/fork", ForkHandler)]

"""The REST routes but those of experiments. Each asks the service in a thread, and answers with a view as JSON."""

import contextlib
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import NotFound, StorageFailed
from ..guess import guess
from ..service.opened import OpenedProject
from ..service.service import Service
from ..service.settings import directives, settings
from ..service.views import StatusView
from . import experiment_handlers, fork_handlers
from .base_handler import API, PROJECT, ResearchHandler
from .live import live_kernels
from .requests import read_command, read_path, read_start

EVENTS_LIMIT = 1000


class ProjectsHandler(ResearchHandler):
    """``/deepresearch/api/projects``"""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The status objects of all known projects."""
        await self.answer(_statuses)

    @web.authenticated
    @authorized(action="execute")
    async def post(self) -> None:
        """Make or take up the project in a folder, and research it."""
        live = await live_kernels(self.session_manager, str(self.settings["server_root_dir"]))
        await self.answer(lambda service: self._start(service, live), 201)

    def _start(self, service: Service, live: Mapping[Path, str]) -> StatusView:
        assert service.root is not None, "a server has a root"
        start = read_start(self.request.body, service.root, live)
        return service.status(service.create(start.folder, start.options, start.brief))


def _statuses(service: Service) -> tuple[StatusView, ...]:
    found = []
    for project in service.projects():
        with contextlib.suppress(StorageFailed):  # one torn ledger does not hide the others
            found.append(service.status(project))
    return tuple(found)


class ProjectHandler(ResearchHandler):
    """``/deepresearch/api/projects/{id}``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """The status object."""
        await self.answer(lambda service: service.status(service.project(project_id)))


class ParametersHandler(ResearchHandler):
    """``.../{id}/parameters``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """The lines of the parameters cell, with the champion's values."""
        await self.ask(project_id, lambda project: project.parameters())


class OverviewHandler(ResearchHandler):
    """``/deepresearch/api/overview?project=``"""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A light row of every known project, or of one alone."""
        project_id = self.get_query_argument("project", None)
        await self.answer(lambda service: service.overview(project_id))


class SettingsHandler(ResearchHandler):
    """``.../{id}/settings``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """What may be changed while the project is at work, each budget with what was spent of it."""
        await self.ask(project_id, settings)


class DirectivesHandler(ResearchHandler):
    """``.../{id}/directives``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """The directives in force, oldest first."""
        await self.ask(project_id, directives)


class MemoryHandler(ResearchHandler):
    """``.../{id}/memory``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Both tiers of the memory as they would be sent."""
        await self.ask(project_id, lambda project: project.memory())


class CostHandler(ResearchHandler):
    """``.../{id}/cost``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """What calls to language models have cost, by phase, day and model."""
        await self.ask(project_id, lambda project: project.cost())


class EventsHandler(ResearchHandler):
    """``.../{id}/events?after=SEQ``"""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """``{events, next}``: at most 1,000 events after SEQ, and the SEQ to ask with next."""
        await self.ask(project_id, self._events)

    def _events(self, project: OpenedProject) -> Mapping[str, object]:
        after = self.count("after", 0, 0)
        events = list(islice(project.events(after), EVENTS_LIMIT))
        return {"events": events, "next": events[-1]["seq"] if events else after}


class CommandsHandler(ResearchHandler):
    """``.../{id}/commands``"""

    @web.authenticated
    @authorized(action="execute")
    async def post(self, project_id: str) -> None:
        """Write a command; the seq of its event."""
        await self.answer(lambda service: self._tell(service, project_id), 202)

    def _tell(self, service: Service, project_id: str) -> Mapping[str, int]:
        told = read_command(self.request.body)
        return {"seq": service.command(service.project(project_id), told.command, told.command_id)}


class GuessHandler(ResearchHandler):
    """``/deepresearch/api/guess?path=``"""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """What a start at a notebook would be, and what is known for it already. Starts nothing."""
        live = await live_kernels(self.session_manager, str(self.settings["server_root_dir"]))
        await self.answer(lambda service: guess(service, read_path(self.get_query_argument("path", None)), live))


class GpusHandler(ResearchHandler):
    """``/deepresearch/api/gpus``"""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The GPUs of this machine, none where there is no driver."""
        await self.answer(_gpus)


def _gpus(service: Service) -> Iterable[object]:
    from ..app import gpus

    return gpus()


class UnknownHandler(ResearchHandler):
    """Every other path below ``/deepresearch/api``: an answer that a program can read."""

    @web.authenticated
    async def get(self, path: str) -> None:
        await self.answer(lambda service: self._refuse(path))

    @web.authenticated
    async def post(self, path: str) -> None:
        await self.answer(lambda service: self._refuse(path))

    def _refuse(self, path: str) -> object:
        raise NotFound(f"there is no route /deepresearch/api/{path[:200]}")


ROUTES: list[tuple[str, Any]] = [
    (rf"{API}/overview", OverviewHandler),
    (rf"{API}/projects", ProjectsHandler),
    (PROJECT, ProjectHandler),
    *experiment_handlers.ROUTES,
    *fork_handlers.ROUTES,
    (rf"{PROJECT}/parameters", ParametersHandler),
    (rf"{PROJECT}/settings", SettingsHandler),
    (rf"{PROJECT}/directives", DirectivesHandler),
    (rf"{PROJECT}/memory", MemoryHandler),
    (rf"{PROJECT}/cost", CostHandler),
    (rf"{PROJECT}/events", EventsHandler),
    (rf"{PROJECT}/commands", CommandsHandler),
    (rf"{API}/guess", GuessHandler),
    (rf"{API}/gpus", GpusHandler),
    (rf"{API}/(.*)", UnknownHandler),
]

"""What all REST routes share: who may ask, the service asked in a thread, views as JSON, our errors as JSON."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin

from ..errors import (
    BudgetReached,
    Conflict,
    DeepResearchError,
    Forbidden,
    InvalidInput,
    NotFound,
    ResearcherFailed,
    StorageFailed,
)
from ..service.opened import OpenedProject
from ..service.service import Service
from ..service.views import to_json
from .requests import read_number

if TYPE_CHECKING:
    from .extension import DeepResearchApp

API = "/deepresearch/api"
PROJECT = rf"{API}/projects/([^/]+)"
_STATUS: tuple[tuple[type[DeepResearchError], int], ...] = (
    (InvalidInput, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (BudgetReached, 409),
    (StorageFailed, 503),
    (ResearcherFailed, 503),
)


class ResearchHandler(ExtensionHandlerMixin, APIHandler):
    """What all routes share."""

    auth_resource = "deepresearch"

    async def answer(self, ask: Callable[[Service], object], status: int = 200) -> None:
        """Answer with what ``ask`` makes of the service, in a thread; our errors as ``{message, reason, key?}``."""
        app = cast("DeepResearchApp", self.extensionapp)
        app.listen()
        try:
            body = await asyncio.to_thread(lambda: to_json(ask(app.service())))
        except DeepResearchError as error:
            status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
            key = {} if error.key is None else {"key": error.key}
            body = to_json({"message": str(error), "reason": error.reason, **key})
        self.set_status(status)
        self.finish(body)

    async def ask(self, project_id: str, question: Callable[[OpenedProject], object]) -> None:
        """Answer with what ``question`` makes of one project."""
        await self.answer(lambda service: question(service.project(project_id)))

    def number(self, name: str, default: int | None, low: int, high: int = 2**53) -> int | None:
        """A whole number of the query. Raises InvalidInput."""
        return read_number(name, self.get_query_argument(name, None), default, low, high)

    def count(self, name: str, default: int, low: int, high: int = 2**53) -> int:
        """A whole number of the query that is always there. Raises InvalidInput."""
        return self.number(name, default, low, high) or 0

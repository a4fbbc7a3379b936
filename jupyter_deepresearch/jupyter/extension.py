"""The server extension: what `jupyter server` loads."""

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Unicode, default

from .._version import __version__
from ..core.events import Record, kind_of
from ..errors import Conflict, DeepResearchError
from ..service.service import Service
from . import handlers

CHANGED = "https://jupyter_deepresearch.dev/events/changed/v1"
SCHEMA = Path(__file__).with_name("changed.yaml")


class DeepResearchApp(ExtensionApp):
    """`jupyter_deepresearch` as a Jupyter server extension: one service for all projects under the server's root."""

    name = "jupyter_deepresearch"
    app_name = "Deep Research"
    description = "A research loop that lives in the Jupyter server."
    version = __version__
    extension_url = "/deepresearch"
    load_other_extensions = True

    resume = Bool(True, help="Projects that were running go on by themselves when the server starts.").tag(config=True)
    root = Unicode(help="The folder that all projects lie under; the server's root folder by default.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lock = threading.Lock()
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @default("root")
    def _default_root(self) -> str:
        return str(self._server.root_dir)

    @property
    def _server(self) -> ServerApp:
        assert self.serverapp is not None, "an extension is initialized with its server"
        return self.serverapp

    @property
    def _events(self) -> EventLogger:
        return cast(EventLogger, self._server.event_logger)

    def initialize_settings(self) -> None:
        """Register the event schema: a listener hears only of those known when it connects."""
        self._events.register_event_schema(SCHEMA)

    def initialize_handlers(self) -> None:
        self.handlers.extend(handlers.ROUTES)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        self.listen()
        if self.resume:
            threading.Thread(target=self._go_on, name="deepresearch-resume", daemon=True).start()

    async def stop_extension(self) -> None:
        """Give all leases back; live runs go on without us."""
        await asyncio.to_thread(self._close)

    def listen(self) -> None:
        """Announce changes in the event loop that is running now, the server's."""
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.get_running_loop()

    def service(self) -> Service:
        """The service, made when it is first asked for. Blocks: call it in a thread. Raises Conflict while stopping."""
        with self._lock:
            if self._closed:
                raise Conflict("the server is stopping")
            if self._service is None:
                from ..app import make_service  # a second of imports that the server's start need not wait for

                self._service = make_service(Path(self.root), f"the Jupyter server on port {self._server.port}")
                self._service.announce = self._announce
            return self._service

    def _go_on(self) -> None:
        try:
            self.service().resume_all()
        except DeepResearchError as error:
            self.log.warning("Deep Research: projects were not resumed: %s", error)

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            if self._service is not None:
                self._service.close()

    def _announce(self, project_id: str, record: Record) -> None:
        """Say that a project changed. Called in any thread; the event bus knows only the server's own."""
        if self._loop is not None:
            body = {"project": project_id, "seq": record.seq, "kind": kind_of(record.event)}
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._emit, body)

    def _emit(self, body: Mapping[str, object]) -> None:
        self._events.emit(schema_id=CHANGED, data=dict(body))

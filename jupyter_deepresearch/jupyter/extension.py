"""The server extension: what `jupyter server` loads."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from jupyter_deepresearch._version import __version__


class ProjectsHandler(ExtensionHandlerMixin, APIHandler):
    """`/deepresearch/api/projects`."""

    auth_resource = "deepresearch"

    @web.authenticated
    @authorized
    def get(self) -> None:
        """The status objects of all known projects."""
        self.finish("[]")


class DeepResearchApp(ExtensionApp):
    """`jupyter_deepresearch` as a Jupyter server extension."""

    name = "jupyter_deepresearch"
    app_name = "Deep Research"
    description = "A research loop that lives in the Jupyter server."
    version = __version__
    extension_url = "/deepresearch"
    load_other_extensions = True

    def initialize_handlers(self) -> None:
        self.handlers.append((r"/deepresearch/api/projects", ProjectsHandler))

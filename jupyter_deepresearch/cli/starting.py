"""`start`: hands a folder to the Jupyter server that holds it, or to a process of its own where none does."""

import os

from .. import text
from ..config.loading import Options
from ..detached import Detached, go_on_detached, start_detached
from ..errors import Forbidden, NoServer
from ..jupyter.client import Client
from ..jupyter.servers import URL_VARIABLE, find_server
from ..service import views
from ..service.opened import OpenedProject
from .introducing import introduction
from .opening import command_line, opened
from .request import Request
from .research import refuse_a_busy_project


def start(request: Request) -> int:
    """Have the project researched by the running server, else by a process of its own. Raises what either refuses."""
    try:
        server = find_server(cwd=request.folder)
        view = Client(server).start(request.folder, request.options)
    except (NoServer, Forbidden) as error:
        if os.environ.get(URL_VARIABLE):  # the person has named one
            raise
        return _start_detached(request, str(error))
    if request.as_json:
        print(views.to_json(view))
        return 0
    with opened(request.folder) as project:
        print(introduction(project))
    print(f"{text.headline(view)}, in the Jupyter server at {server.url}")
    print(f"watch it with: {command_line('status', request.folder)}")
    return 0


def _start_detached(request: Request, why: str) -> int:
    refuse_a_busy_project(request.folder)
    loop = start_detached(request.folder, request.options, prepared=lambda p: _introduce(p, request))
    with opened(request.folder) as project:
        view = project.status()
    if request.as_json:
        print(views.to_json(view))
    elif loop.is_over:
        print(f"{text.headline(view)}: {text.one_line(view.reason, 200)}")
    else:
        look = command_line("logs", request.folder, "-f")
        print(f"{text.headline(view)}, in a process of its own, {_where(loop)} ({why})")
        print(f"watch it with: {look}, or status; end it with stop")
    return 0


def _introduce(project: OpenedProject, request: Request) -> None:
    if not request.as_json:
        print(introduction(project), flush=True)


def go_on(project: OpenedProject) -> str:
    """Have a project that nobody researches researched again, as `start` does; in words, where. Raises as ``start``."""
    try:
        server = find_server(cwd=project.folder)
        Client(server).start(project.folder, Options())
        return f"researched again in the Jupyter server at {server.url}"
    except (NoServer, Forbidden):
        if os.environ.get(URL_VARIABLE):
            raise
    loop = go_on_detached(project)
    if loop is None or loop.is_over:
        return ""
    return f"researched again in a process of its own, {_where(loop)}"


def _where(loop: Detached) -> str:
    return f"pid {loop.pid}, log {loop.log}"

"""`start`: hands a folder to the Jupyter server that holds it."""

from .. import text
from ..jupyter.client import Client
from ..jupyter.servers import find_server
from ..service import views
from .introducing import introduction
from .opening import command_line, opened
from .request import Request


def start(request: Request) -> int:
    """Make or take up the project in the running server. Raises NotFound without one, and what the server refuses."""
    server = find_server(cwd=request.folder)
    view = Client(server).start(request.folder, request.options)
    if request.as_json:
        print(views.to_json(view))
        return 0
    with opened(request.folder) as project:
        print(introduction(project))
    print(f"{text.headline(view)}, in the Jupyter server at {server.url}")
    print(f"watch it with: {command_line('status', request.folder)}")
    return 0

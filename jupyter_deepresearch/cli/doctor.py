"""`doctor`: what is there and what is missing."""

from .. import text
from ..core.project import Project
from ..doctor import examine
from ..service import views
from ..service.opened import has_log
from .opening import opened
from .request import Request


def perform(request: Request) -> int:
    """Print every check; 1 where one is not OK."""
    checks = tuple(examine(request.folder, _started(request)))
    if request.as_json:
        print(views.to_json(checks))
    else:
        print(text.aligned([(check.name, "OK" if check.ok else "!!", check.said) for check in checks]))
    return 0 if all(check.ok for check in checks) else 1


def _started(request: Request) -> Project | None:
    """The configuration that a project goes on with, None before its start."""
    if not has_log(request.folder):
        return None
    with opened(request.folder) as project:
        return project.state.project

"""`doctor`: what is there and what is missing."""

from .. import text, views
from ..doctor import examine
from .request import Request


def perform(request: Request) -> int:
    """Print every check; 1 where one is not OK."""
    checks = tuple(examine(request.folder))
    if request.as_json:
        print(views.to_json(checks))
    else:
        print(text.aligned([(check.name, "OK" if check.ok else "!!", check.said) for check in checks]))
    return 0 if all(check.ok for check in checks) else 1

"""The panel's script and style, put together out of the pieces in ``front``. No build step, nothing fetched."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from ...errors import StorageFailed

# The pieces share one scope. What others are made of comes first, the module's export last, all else by name.
FIRST = ("dom.js", "words.js")
LAST = ("panel.js",)


@cache
def script() -> str:
    """One ES module. Raises StorageFailed where the installation is not whole."""
    between = [name for name in _names(".js") if name not in (*FIRST, *LAST)]
    return "\n".join(_text(name) for name in (*FIRST, *between, *LAST))


@cache
def style() -> str:
    """The style sheet. Raises StorageFailed."""
    return "\n".join(map(_text, _names(".css")))


def _names(ending: str) -> list[str]:
    return sorted(piece.name for piece in _folder().iterdir() if piece.name.endswith(ending))


def _folder() -> Traversable:
    folder = files(__package__) / "front"
    if not folder.is_dir():
        raise StorageFailed("the panel's scripts are missing: install jupyter_deepresearch again")
    return folder


def _text(name: str) -> str:
    try:
        return (_folder() / name).read_text(encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise StorageFailed(f"the panel's {name} cannot be read ({why}): install jupyter_deepresearch again") from None

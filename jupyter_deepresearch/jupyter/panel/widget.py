"""The panel as a widget. Importing it imports ipywidgets and anywidget, so it is imported once a panel is shown."""

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import comm
import traitlets

from ...service.views import ExperimentView, StatusView
from ...text import one_line
from .front import script, style
from .glance import Glance
from .messages import Sent, to_json

Decided = Callable[[StatusView, Sequence[ExperimentView]], None]
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


class Panel(anywidget.AnyWidget):
    """A view of one project, an ``Outlet``: see ``jupyter.panel`` for its traits and messages."""

    _esm = script()
    _css = style()

    status = traitlets.Any().tag(sync=True)
    rows = traitlets.Any().tag(sync=True)
    curves = traitlets.Any().tag(sync=True)
    memory = traitlets.Any().tag(sync=True)
    cost = traitlets.Any().tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)
    points = traitlets.Bytes(b"").tag(sync=True)
    points_seq = traitlets.Int(0).tag(sync=True)

    def __init__(self, first: Glance, points: bytes, points_seq: int, decided: Decided) -> None:
        """``decided`` is told, in the feed's thread, of every verdict."""
        super().__init__(**first.traits(), points=points, points_seq=points_seq)
        self._decided = decided
        self._name = one_line(first.status.project)
        _let_messages_keep_their_shell(self.comm)

    @property
    def is_open(self) -> bool:
        """Whether views can still hear of it: ``Widget.close_all()`` closes every widget, a page may close its own."""
        return self.comm is not None and self.comm.comm_id in comm.get_comm_manager().comms

    def show(self, trait: str, value: Any) -> None:
        setattr(self, trait, value)

    def send(self, message: Sent, buffers: Sequence[bytes] = ()) -> None:
        super().send(to_json(message), list(buffers))
        getattr(self.comm, "_reply_subshell_ids", {}).clear()  # ipykernel notes the id of every answer there, for ever

    def decided(self, status: StatusView, rows: Sequence[ExperimentView]) -> None:
        self._decided(status, rows)

    def set_state(self, sync_data: Any) -> None:
        """A view may not change what the kernel shows."""

    def listen(self, heard: Callable[[object], None]) -> None:
        """Give every message of a view to ``heard``."""
        self.on_msg(lambda _, content, __: heard(content))

    def __repr__(self) -> str:
        return f"Deep Research: live panel of {self._name}"

    def _repr_mimebundle_(self, **options: object) -> Any:
        """As anywidget's, with one readable line where no widget can be drawn."""
        view = {"version_major": 2, "version_minor": 1, "model_id": self.model_id}
        return {"text/plain": repr(self), WIDGET_MIME: view}, {}


def _let_messages_keep_their_shell(talk: Any) -> None:
    """Messages of a view come over a shell of their own, which a running cell does not hold up. ipykernel 7.4 moves
    them to the shell in which the last message was sent, and that is the cell's: ours may stay where they are."""
    if hasattr(talk, "_reply_subshell_for"):
        talk._reply_subshell_for = lambda content, shell: shell

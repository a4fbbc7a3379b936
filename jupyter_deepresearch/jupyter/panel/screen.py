"""A kernel's panels, each with the static table beside it that stays where widgets cannot be drawn."""

import atexit
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from IPython.display import display, update_display

from ...errors import DeepResearchError, StorageFailed
from ...service.views import ExperimentView, StatusView
from ..answering import Answering
from ..render import Shown, sentence
from .feed import Feed
from .glance import look
from .picture import pack

if TYPE_CHECKING:
    from .widget import Panel

STATIC_ROWS = 20


@dataclass(frozen=True)
class PanelShown(Shown):
    """The static table of a project, in whose place its live panel is shown where a front end can draw it.

    ``again`` finds who answers for the project, ``draw`` makes the table anew, ``remark`` is what to know besides.
    """

    view: StatusView
    client: Answering
    again: Callable[[], Answering]
    draw: Callable[[StatusView, Sequence[ExperimentView]], Shown]
    remark: str = ""


@dataclass
class _Placed:
    """A panel of this kernel. All its static tables share one display id, and so are updated together."""

    panel: "Panel"
    feed: Feed
    shown: PanelShown

    @property
    def display_id(self) -> str:
        return f"deepresearch-{self.shown.view.id}"


@dataclass
class Screen:
    """Where answers of the magic are shown: live where there is a front end, else as text."""

    is_live: bool
    _placed: dict[str, _Placed] = field(default_factory=dict)

    def show(self, shown: Shown) -> None:
        """Show it in the cell that is running. A panel that cannot be live raises DeepResearchError, its table is
        shown all the same."""
        if not isinstance(shown, PanelShown):
            display(shown)
            return
        if shown.remark:
            display(sentence(shown.remark))
        if self.is_live:
            self._show_live(shown)
        else:
            display(_static(shown))

    def _show_live(self, shown: PanelShown) -> None:
        try:
            placed = self._panel(shown)
        except DeepResearchError:
            display(_static(shown))
            raise
        except ImportError as error:
            display(_static(shown))
            raise StorageFailed(f"the live panel needs ipywidgets and anywidget: {error}") from None
        display(placed.panel)
        display(_static(shown), display_id=placed.display_id)

    def _panel(self, shown: PanelShown) -> _Placed:
        """The project's panel in this kernel: the one there is, else a new one."""
        placed = self._placed.get(shown.view.id)
        if placed is not None and placed.panel.is_open:
            placed.feed.connect = shown.again
            placed.shown = shown
            return placed
        if placed is not None:
            placed.feed.close()
        placed = self._placed[shown.view.id] = self._made(shown)
        return placed

    def _made(self, shown: PanelShown) -> _Placed:
        from .widget import Panel  # a kernel that shows no panel need not import ipywidgets

        first = look(shown.client, shown.view.id)
        points = shown.client.points(shown.view.id)
        panel = Panel(first, pack(points), points.seq, lambda status, rows: redraw(status, rows))
        feed = Feed(shown.view.id, shown.again, panel, first, points.seq)
        placed = _Placed(panel, feed, shown)

        def redraw(status: StatusView, rows: Sequence[ExperimentView]) -> None:
            drawn = placed.shown.draw(status, rows[:STATIC_ROWS])
            update_display(drawn, display_id=placed.display_id)

        panel.listen(feed.put)
        atexit.register(feed.close)
        feed.start()
        return placed


def _static(shown: PanelShown) -> Shown:
    return Shown(shown.text, shown.html)


_SCREENS: dict[bool, Screen] = {}


def screen_of(shell: Any) -> Screen:
    """The screen of this kernel, the same after the extension was loaded again. Only a kernel's shell is live."""
    return _SCREENS.setdefault(hasattr(shell, "kernel"), Screen(hasattr(shell, "kernel")))

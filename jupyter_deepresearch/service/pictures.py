"""What a panel or a sidebar draws of a project besides its status: points, parameters, marks in the memory."""

from dataclasses import dataclass

from ..core.types import Decision, RunState, Value


@dataclass(frozen=True)
class PointsView:
    """Experiments as columns of equal length, oldest first: all that changed after some seq, up to ``seq``.

    ``value`` is null where nothing counts yet, ``low`` and ``high`` (95 %) below two seeds; values of two ``measure``
    numbers are never compared. ``parent`` is what an experiment grew from, null for the baseline and other notebooks.
    """

    seq: int
    experiment: tuple[int, ...]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    decision: tuple[Decision | None, ...]
    state: tuple[RunState, ...]
    measure: tuple[int, ...]
    parent: tuple[int | None, ...]


@dataclass(frozen=True)
class ParameterView:
    """One line of the parameters cell: its value in the champion (what ``try`` builds on) and in the person's own
    notebook, null where that has none; ``range`` is what is searched, in words, null where it is not."""

    name: str
    value: Value
    own: Value
    range: str | None

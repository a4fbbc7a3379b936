"""What two libraries tell of the same number: Lightning hands its values to TensorBoard, a Trainer to wandb. Pure."""

import math
from dataclasses import replace

from ..spec import MetricLine

_REMEMBERED = 4096

_Key = tuple[int | None, str, float | None, float | None]


class Repeats:
    """Lets each (name, step, value) of a cell pass from the first that tells it, and not from another.

    One that tells the same twice itself is let pass: that is what was logged. The last 4,096 numbers are remembered.
    A cell's number is never taken for the repetition of another cell's, which may be locked where this one is not.
    """

    def __init__(self) -> None:
        self._sources: dict[_Key, str] = {}

    def without(self, line: MetricLine) -> MetricLine | None:
        """The line without what another source has told; None where nothing is left."""
        values = {name: value for name, value in line.values.items() if not self._is_repeated(line, name, value)}
        if len(values) == len(line.values):
            return line
        return replace(line, values=values) if values else None

    def _is_repeated(self, line: MetricLine, name: str, value: float) -> bool:
        key = (line.cell, name, line.step, None if math.isnan(value) else value)
        first = self._sources.setdefault(key, line.source)
        if len(self._sources) > _REMEMBERED:
            del self._sources[next(iter(self._sources))]
        return first != line.source

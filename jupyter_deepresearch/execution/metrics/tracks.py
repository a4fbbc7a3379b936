"""How often, from where to where and for how long a run has reported each metric: what is left is estimated by it."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...core.ports import Track
from ..spec import MetricLine
from .series import parse_line

END_BYTES = 65_536
"""Of a longer file only its beginning and its end are read, so much of each: a status must come at once."""


@dataclass
class _Seen:
    first: MetricLine
    last: MetricLine
    reports: int = 1
    rises: bool = True

    def take(self, line: MetricLine) -> None:
        before, now = self.last.step, line.step
        self.rises = self.rises and before is not None and now is not None and now >= before
        self.last = line
        self.reports += 1


def tracks(path: Path, now: float | None = None) -> Mapping[str, Track]:
    """The tracks of a ``metrics.jsonl`` by the metrics' names; none where it cannot be read."""
    try:
        lines, is_whole = _ends(path)
    except OSError:
        return {}
    seen: dict[str, _Seen] = {}
    for line in filter(None, map(parse_line, lines)):
        for name in line.values:
            if name in seen:
                seen[name].take(line)
            else:
                seen[name] = _Seen(line, line)
    at = time.time() if now is None else now
    return {name: _track(one, at, is_whole) for name, one in seen.items()}


def _ends(path: Path) -> tuple[Iterable[bytes], bool]:
    """Whole lines of the file's beginning and end, and whether these are all. Raises OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= 2 * END_BYTES:
            return file.read(size).split(b"\n")[:-1], True
        begun = file.read(END_BYTES).split(b"\n")[:-1]
        file.seek(size - END_BYTES)
        return [*begun, *file.read(END_BYTES).split(b"\n")[1:-1]], False


def _track(seen: _Seen, now: float, is_whole: bool) -> Track:
    return Track(
        reports=seen.reports if is_whole else None,
        first_step=seen.first.step,
        last_step=seen.last.step,
        lasted_s=max(0.0, seen.last.t - seen.first.t),
        age_s=max(0.0, now - seen.last.t),
        rises=seen.rises and seen.first.step is not None,
    )

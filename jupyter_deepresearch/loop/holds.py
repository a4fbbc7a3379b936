"""What is put off for a while: steps that cannot be taken right now. Never logged; a restart simply tries again."""

import math
from dataclasses import dataclass

from ..core.ports import Clock
from ..core.steps import Launch, Reflect, Repair, Step, Think

LONGEST_BACK_OFF_S = 1800.0

ASKING: frozenset[type[Step]] = frozenset({Think, Repair, Reflect})
"""The steps that need the researcher."""
STARTING: frozenset[type[Step]] = frozenset({Launch, Think})
"""The steps that need a launcher: no further hypothesis while no run can be started."""


@dataclass(frozen=True)
class _Hold:
    steps: frozenset[type[Step]]
    until: float
    seq: int | None = None


class Holds:
    """Waits longer after each failure in a row, while the loop goes on with what else there is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holds: list[_Hold] = []
        self._failures: dict[frozenset[type[Step]], int] = {}

    def after_failure(self, steps: frozenset[type[Step]], at_least_s: float = 0.0) -> bool:
        """Put these steps off, for as long as was asked for where that is longer and within the longest back-off;
        whether this is the first failure in a row."""
        count = self._failures[steps] = self._failures.get(steps, 0) + 1
        delay = min(LONGEST_BACK_OFF_S, max(2.0 ** min(count, 20), at_least_s))
        self._holds.append(_Hold(steps, self._clock.monotonic() + delay))
        return count == 1

    def until_news(self, seq: int) -> None:
        """Ask for no hypothesis before the log, now at ``seq``, has grown."""
        self._holds.append(_Hold(frozenset({Think}), math.inf, seq))

    def worked(self, steps: frozenset[type[Step]]) -> bool:
        """One of these steps succeeded; whether that ends failures in a row."""
        return self._failures.pop(steps, 0) > 0

    def lift(self) -> None:
        """Try everything at once: somebody said something."""
        self._holds.clear()

    def at(self, seq: int) -> frozenset[type[Step]]:
        """The steps that are put off now, with the log at ``seq``."""
        now = self._clock.monotonic()
        self._holds = [h for h in self._holds if now < h.until and h.seq in (None, seq)]
        return frozenset().union(*(h.steps for h in self._holds))

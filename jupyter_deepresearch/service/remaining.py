"""How long a live run will still take: by the steps it has reported, held against an earlier run of the same code."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.ports import Progress, RunRecords, Track
from ..core.state import OpenRun, State, Work
from ..core.types import Parameters, Purpose
from .cost import NOTHING_PAID, Reflections
from .views import EstimateView

_EPOCHS = re.compile(r"(n_|num_|max_|total_)?(train_)?epochs?", re.IGNORECASE)
_STEPS = re.compile(r"(n_|num_|max_|total_|train_)*(steps|iters|iterations|updates)", re.IGNORECASE)


@dataclass(frozen=True)
class Earlier:
    """An ended run to compare with. ``longer``: how many times as long as it the live run is meant to train."""

    tracks: Mapping[str, Track]
    longer: float = 1.0


def expected_s(state: State, records: RunRecords, live: OpenRun, progress: Progress) -> float | None:
    """Seconds that a live run will still take; None where nothing tells.

    By its reports and those of an earlier run of its experiment, of the champion or of the baseline; where these say
    nothing yet, by how long runs that succeeded took.
    """
    if live.run.purpose is Purpose.DRY_RUN or progress.elapsed_s is None:
        return None
    left = remaining_s(progress.tracks, _earlier(state, records, live)) if progress.tracks else None
    if left is None and state.typical_s is not None and state.typical_s > progress.elapsed_s:
        return state.typical_s - progress.elapsed_s
    return left


def estimate(state: State, work: Work, paid: Reflections = NOTHING_PAID) -> EstimateView:
    """What a waiting hypothesis is expected to take, and how that is known. ``paid``: for others so far."""
    typical, cost = state.typical_s, _basis(paid)
    if typical is None:
        return EstimateView(None, paid.usd, f"no run has succeeded yet{cost}")
    rank = state.champion or state.baseline
    times = longer(_parameters(state, work), _parameters(state, rank))
    basis = "the running mean of successful runs"
    more = "" if times == 1.0 else f", {times:.3g} times as long by its epochs or steps"
    sweep = work.experiment.hypothesis.sweep
    trials = sweep.trials if sweep is not None else 1
    each = f", for each of {trials} trials" if trials > 1 else ""
    return EstimateView(round(trials * times * typical / 60, 2), paid.usd, f"{basis}{more}{each}{cost}")


def _basis(paid: Reflections) -> str:
    """Where the price comes from."""
    if not paid.experiments:
        return "; no reflection was paid for so far"
    if paid.usd is None:
        return "; the price of reflecting is not known"
    return f"; the mean price of reflecting on {paid.experiments} experiment{'s' * (paid.experiments != 1)}"


def _earlier(state: State, records: RunRecords, live: OpenRun) -> Earlier | None:
    """The latest run that succeeded, of the work most like the live run's."""
    own = state.work(live.run.experiment)
    for work in filter(None, (own, state.champion, state.baseline)):
        ended = [a.run.id for a in work.attempts if a.outcome.value is not None]
        found = records.progress(ended[-1]) if ended else None
        if found is not None and found.tracks:
            return Earlier(found.tracks, longer(_parameters(state, own), _parameters(state, work)))
    return None


def _parameters(state: State, work: Work | None) -> Parameters:
    return {**state.survey.parameters, **(work.experiment.settings if work is not None else {})}


def remaining_s(live: Mapping[str, Track], earlier: Earlier | None) -> float | None:
    """Seconds until a live run has reported all that the earlier one had; None where that cannot be told.

    Of the metrics that both have reported throughout, the one with the fewest reports counts that the live run has
    reported twice: epochs stay what they are where the size of a batch is another one.
    """
    if earlier is None:
        return None
    longest = max((track.lasted_s for track in earlier.tracks.values()), default=0.0)
    found = []
    for name, track in live.items():
        old = earlier.tracks.get(name)
        if old is None or old.lasted_s <= longest / 2:
            continue
        left = _left(track, old, earlier.longer)
        if left is not None:
            found.append((old.lasted_s / max(1, (old.reports or 1_000_000) - 1), max(0.0, left - track.age_s)))
    return max(found)[1] if found else None


def _left(live: Track, old: Track, longer: float) -> float | None:
    """By steps where they only rise (a run that goes on from a checkpoint begins in the middle), else by reports."""
    if live.lasted_s <= 0:
        return None
    if live.rises and old.rises:
        done, total = _steps(live, old, longer)
        advanced = (live.last_step or 0.0) - (live.first_step or 0.0)
    elif live.reports is not None and old.reports is not None:
        done, total, advanced = float(live.reports), old.reports * longer, live.reports - 1.0
    else:
        return None
    if advanced <= 0 or done > total:
        return None
    return (total - done) * live.lasted_s / advanced


def _steps(live: Track, old: Track, longer: float) -> tuple[float, float]:
    """How far the live run is, and how far it will come, both counted from the first step of the old one."""
    first, last = old.first_step or 0.0, old.last_step or 0.0
    between = (last - first) / (old.reports - 1) if old.reports is not None and old.reports > 1 else 0.0
    return (live.last_step or 0.0) - first, (last - first + between) * longer - between


def longer(live: Parameters, earlier: Parameters) -> float:
    """How many times as long as an earlier run a run with these parameters is meant to train: by epochs, else steps."""
    for names in (_EPOCHS, _STEPS):
        ratios = [_ratio(live[name], earlier[name]) for name in live if name in earlier and names.fullmatch(name)]
        changed = [ratio for ratio in ratios if ratio not in (None, 1.0)]
        if changed and changed[0] is not None:
            return changed[0]
    return 1.0


def _ratio(now: object, then: object) -> float | None:
    if isinstance(now, bool) or isinstance(then, bool):
        return None
    if not (isinstance(now, int | float) and isinstance(then, int | float) and now > 0 and then > 0):
        return None
    with contextlib.suppress(OverflowError):  # whole numbers beyond all floats
        return now / then
    return None

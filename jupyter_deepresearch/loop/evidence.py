"""What the researcher may read of one project: the log, the code and the run folders, asked for by number."""

from ..core.answers import Recalled
from ..core.growth import build, coded, grow, revise
from ..core.ports import Curves, Progress
from ..core.research import Account, Change
from ..core.state import State
from ..core.types import Experiment, Hypothesis, Piece
from .logbook import Parts

_POINTS = 200


class LedgerEvidence:
    """See ``core.research.Evidence``. It tells of the project as it was at ``state``, wherever that matters."""

    def __init__(self, parts: Parts, state: State) -> None:
        self._parts = parts
        self._state = state

    def account(self, experiment: int) -> Account:
        history = self._parts.history
        shown = history.last_run(experiment)
        run, outcome = shown if shown is not None else (None, None)
        seen = self._parts.records.progress(run.id) if run is not None else None
        return Account(
            experiment=history.experiment(experiment),
            verdict=history.verdict(experiment),
            lesson=history.lesson(experiment),
            run=run,
            outcome=outcome,
            seconds_per_step=_pace(seen, self._state.project.objective.metric),
        )

    def curves(self, experiment: int) -> Curves:
        shown = self._parts.history.last_run(experiment)
        return Curves("", {}) if shown is None else self._parts.records.curves(shown[0].id, _POINTS)

    def output(self, experiment: int, chars: int) -> str:
        shown = self._parts.history.last_run(experiment)
        return "" if shown is None else self._parts.records.output(shown[0].id, chars)

    def pieces(self, experiment: int | None) -> tuple[Piece, ...]:
        history = self._parts.history
        of = self._parent() if experiment is None else history.experiment(experiment)
        return self._parts.notebooks.pieces(build(history, of))

    def recall(self, words: str, limit: int) -> tuple[Recalled, ...]:
        return self._parts.history.recall(words, limit)

    def change(self, hypothesis: Hypothesis, of: int | None = None) -> Change:
        history, survey = self._parts.history, self._state.survey
        if of is None:
            made = coded(history, grow(self._state, hypothesis))
        else:
            made = revise(history, history.experiment(of), hypothesis)
        self._parts.notebooks.check(build(history, made), survey)
        return Change(made.sense, {**survey.parameters, **made.settings})

    def _parent(self) -> Experiment:
        """The branch, the champion, else the notebook as it is."""
        rank = self._state.base or self._state.baseline
        return rank.experiment if rank is not None else self._parts.history.experiment(0)


def _pace(seen: Progress | None, metric: str) -> float | None:
    track = seen.tracks.get(metric) if seen is not None else None
    if track is None or track.first_step is None or track.last_step is None or track.last_step <= track.first_step:
        return None
    return track.lasted_s / (track.last_step - track.first_step)

"""What has been tried in a search space, as an Optuna study rebuilt for every question: the log is the only truth."""

import copy
import datetime as dt
import math
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from ..core.answers import Trial
from ..core.project import Direction, Objective, is_finite
from ..core.types import Decision, Dimension, Parameters, Value
from .space import distance, holds_all, is_log, rounded, spread_point

IMPORTANCE_TRIALS = 8

_STUDY_TRIALS = 256
_BEST_TRIALS = 64
_LONG_AGO = dt.datetime(2000, 1, 1)

# Optuna announces each study on stderr (ours is made anew for each proposal), and 4 warns of what 5 does by default.
optuna.logging.set_verbosity(optuna.logging.WARNING)
warnings.filterwarnings(
    "ignore",
    category=optuna.exceptions.ExperimentalWarning,
    module=r"optuna\._experimental|jupyter_deepresearch\.researchers",
)


@dataclass(frozen=True)
class Study:
    """The trials that lie in ``space``, oldest first; ``busy`` are places to keep away from: running, or rejected.

    ``turn`` counts everything ever proposed: with ``seed`` it alone decides what chance decides.
    """

    objective: Objective
    space: tuple[Dimension, ...]
    trials: tuple[Trial, ...]
    busy: tuple[Parameters, ...]
    seed: int
    turn: int

    @classmethod
    def of(
        cls,
        objective: Objective,
        space: tuple[Dimension, ...],
        trials: Sequence[Trial],
        waiting: Sequence[Parameters],
        seed: int,
    ) -> "Study":
        """The study that the log amounts to."""
        inside = [t for t in trials if holds_all(space, t.parameters)]
        busy = [t.parameters for t in inside if t.decision is Decision.REJECTED]
        busy += [p for p in waiting if holds_all(space, p)]
        judged = tuple(t for t in inside if t.decision is not Decision.REJECTED)
        return cls(objective, space, judged, tuple(busy), seed, len(trials) + len(waiting))

    @property
    def startup(self) -> int:
        """How many trials fill the space evenly before the sampler learns from them."""
        return max(5, len(self.space) + 1)

    @property
    def is_starting(self) -> bool:
        """Whether there is too little to learn from yet."""
        return len(self.trials) < self.startup or len(self.finished) < 3

    @cached_property
    def finished(self) -> tuple[Trial, ...]:
        """The trials with a value, best first."""
        sign = -1.0 if self.objective.direction is Direction.MAXIMIZE else 1.0
        valued = [t for t in self.trials if is_finite(t.value)]
        return tuple(sorted(valued, key=lambda t: (sign * (t.value or 0.0), t.experiment)))

    @cached_property
    def failed(self) -> tuple[Trial, ...]:
        """The trials without a value."""
        return tuple(t for t in self.trials if not is_finite(t.value))

    def suggestions(self) -> Iterator[Parameters]:
        """Places worth trying, best first; only the first is meant, the others are for when it was tried before."""
        if not self.is_starting:
            study = self._optuna
            seed = random.Random(f"{self.seed} {self.turn}").getrandbits(31)
            study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=0, seed=seed, multivariate=True, constant_liar=True
            )
            for _ in range(12):
                asked = study.ask(self._distributions)
                yield {d.name: rounded(d, _outer(d, asked.params[d.name])) for d in self.space}
        shift = [random.Random(f"{self.seed} {d.name}").random() for d in self.space]
        for index in range(50):
            yield spread_point(self.space, self.turn + index, shift)

    @cached_property
    def importances(self) -> Mapping[str, float]:
        """The share of each parameter in the differences so far, largest first; empty before there are eight values.

        PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023): linear in the number of trials.
        """
        values = {t.value for t in self.finished}
        if len(self.finished) < IMPORTANCE_TRIALS or len(values) < 3:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        shares = optuna.importance.get_param_importances(self._optuna, evaluator=evaluator)
        return {name: float(share) for name, share in shares.items() if is_finite(float(share))}

    def nearest(self, parameters: Parameters, count: int) -> tuple[tuple[float, Trial], ...]:
        """The finished trials next to a place, with their distances."""
        near = sorted((distance(self.space, t.parameters, parameters), -t.experiment, t) for t in self.finished)
        return tuple((far, trial) for far, _, trial in near[:count])

    @cached_property
    def _optuna(self) -> optuna.Study:
        is_up = self.objective.direction is Direction.MAXIMIZE
        direction = optuna.study.StudyDirection.MAXIMIZE if is_up else optuna.study.StudyDirection.MINIMIZE
        study = optuna.create_study(direction=direction, storage=optuna.storages.InMemoryStorage())
        study.add_trials([*map(self._frozen, self._telling), *map(self._running, self.busy[-_BEST_TRIALS:])])
        return study

    @cached_property
    def _telling(self) -> tuple[Trial, ...]:
        """The best and the latest trials, so that a question costs the same after any number of cycles."""
        if len(self.trials) <= _STUDY_TRIALS:
            return self.trials
        best = {t.experiment for t in self.finished[:_BEST_TRIALS]}
        others = [t.experiment for t in self.trials if t.experiment not in best]
        chosen = best | set(others[len(best) - _STUDY_TRIALS :])
        return tuple(t for t in self.trials if t.experiment in chosen)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        """A failed trial counts as pruned: the sampler then ranks it behind every value."""
        is_valued = is_finite(trial.value)
        state = TrialState.COMPLETE if is_valued else TrialState.PRUNED
        return _told(state, trial.value if is_valued else None, self._inner(trial.parameters), self._distributions)

    def _running(self, parameters: Parameters) -> FrozenTrial:
        return _told(TrialState.RUNNING, None, self._inner(parameters), self._distributions)

    @cached_property
    def _distributions(self) -> dict[str, BaseDistribution]:
        return {d.name: distribution_of(d) for d in self.space}

    def _inner(self, parameters: Parameters) -> dict[str, Value]:
        return {d.name: _inner(d, parameters[d.name]) for d in self.space}


class _Told(FrozenTrial):
    """A trial as the log has it. Nobody changes it, so that the study's own copy of it may share its values."""

    def __deepcopy__(self, memo: dict[int, object]) -> "_Told":
        return copy.copy(self)


def _told(
    state: TrialState, value: float | None, inner: dict[str, Value], distributions: dict[str, BaseDistribution]
) -> _Told:
    return _Told(
        number=-1,
        trial_id=-1,
        state=state,
        value=value,
        datetime_start=_LONG_AGO,
        datetime_complete=_LONG_AGO if state.is_finished() else None,
        params=inner,
        distributions=distributions,
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """A dimension as Optuna has it; choices by their place, since Optuna takes 1 and True for the same."""
    if dimension.choices:
        return CategoricalDistribution(tuple(range(len(dimension.choices))))
    low, high = dimension.low or 0.0, dimension.high or 0.0
    if dimension.integer:
        return IntDistribution(math.ceil(low), math.floor(high), log=is_log(dimension))
    return FloatDistribution(low, high, log=is_log(dimension))


def _inner(dimension: Dimension, value: Value) -> Value:
    return dimension.choices.index(value) if dimension.choices else value


def _outer(dimension: Dimension, value: Value) -> Value:
    return dimension.choices[int(value)] if dimension.choices and isinstance(value, int) else value

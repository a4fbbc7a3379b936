"""A person's own hypothesis as an experiment: values on top of what hypotheses grow from, a notebook, a fork."""

from dataclasses import replace

from ..core import events as ev
from ..core.growth import build, coded
from ..core.ports import History, Notebooks
from ..core.state import State
from ..core.types import Experiment, Hypothesis, HypothesisKind, Parameters, Source
from ..errors import InvalidInput, InvalidNotebook, NotFound
from .commands import TryCommand, bounded


def tried(command: TryCommand, state: State, history: History, notebooks: Notebooks) -> ev.Try:
    """The person's hypothesis, numbered. Raises InvalidInput, InvalidNotebook."""
    if not command.parameters and command.notebook is None:
        raise InvalidInput("try: nothing to try; give NAME=VALUE of a parameter, or a notebook")
    changes = ", ".join(f"{k} = {v}" for k, v in command.parameters.items())
    by_hand = f"by hand: {', '.join(filter(None, [command.notebook, changes]))}"
    claim = bounded("try: claim", command.claim or "") or by_hand
    plain = Experiment(
        number=state.next_experiment,
        hypothesis=Hypothesis(claim, HypothesisKind.BY_HAND, parameters=command.parameters),
        cycle=state.next_cycle,
        measure=state.measure,
    )
    if command.notebook is None:
        made = _on_top(plain, state.base.experiment if state.base else None)
        notebooks.check(build(history, made), state.survey)
    else:
        made = _of_notebook(plain, command.notebook, state, history, notebooks)
    return ev.Try(coded(history, made))


def _on_top(plain: Experiment, parent: Experiment | None) -> Experiment:
    values = plain.hypothesis.parameters
    if parent is None:
        return replace(plain, settings=values)
    settings = {**parent.settings, **values}
    return replace(plain, parent=parent.number, settings=settings, code=parent.code, sense=parent.sense)


def _of_notebook(plain: Experiment, path: str, state: State, history: History, notebooks: Notebooks) -> Experiment:
    source, survey = notebooks.read(path)
    origin = _origin(path, state, history, notebooks)
    if origin is None:
        made = replace(plain, settings=plain.hypothesis.parameters, source=source)
    else:
        made = _of_fork(plain, path, source, origin, history, notebooks)
    if made.source is not None:
        metric = state.project.objective.metric
        if notebooks.measure(made.source, metric) != notebooks.measure(history.source(state.measure), metric):
            raise InvalidNotebook(f"{path}: its locked cells differ from {state.project.notebook}'s")
    notebooks.check(build(history, made), survey)
    return made


def _origin(path: str, state: State, history: History, notebooks: Notebooks) -> Experiment | None:
    """The experiment of this project and measure that the notebook says it is a fork of, None for any other one."""
    origin = notebooks.origin(path)
    if origin is None or origin.project != state.opened.project_id:
        return None
    try:
        experiment = history.experiment(origin.experiment)
    except NotFound:
        return None
    return experiment if experiment.measure == state.measure else None


def _of_fork(
    plain: Experiment, path: str, source: Source, origin: Experiment, history: History, notebooks: Notebooks
) -> Experiment:
    """A fork handed back: a child of the experiment that it was made of, on whose code files it runs."""
    own = plain.hypothesis.parameters
    back = notebooks.handed_back(source, build(history, origin))
    changes: Parameters = {**back.changes, **own}
    if back.source is None and not changes:
        raise InvalidInput(f"try: {path} does not differ from experiment {origin.number}; change something in it first")
    return replace(
        plain,
        hypothesis=replace(plain.hypothesis, parameters=changes),
        parent=origin.number,
        settings={**back.settings, **own},
        source=back.source,
        by_hand=back.edits,
        code=origin.code,
        sense=origin.sense,
    )

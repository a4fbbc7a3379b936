"""How an experiment grows out of earlier ones: numbers, parents, and the recipe of its notebook."""

from dataclasses import replace

from .ports import Build, History
from .research import Standing
from .sources import fingerprint, sense
from .state import State, Work
from .statistics import interval95, mean
from .types import Experiment, Hypothesis, HypothesisKind


def grow(state: State, hypothesis: Hypothesis) -> Experiment:
    """The experiment that a hypothesis becomes: the next number, grown from the branch or the champion."""
    is_baseline = hypothesis.kind is HypothesisKind.BASELINE
    parent = state.base.experiment if state.base and not is_baseline else None
    return Experiment(
        number=state.next_experiment,
        hypothesis=hypothesis,
        parent=parent.number if parent else None,
        cycle=None if is_baseline else state.next_cycle,
        measure=state.measure,
        settings={**(parent.settings if parent else {}), **hypothesis.parameters},
        code=parent.code if parent else "",
        sense=parent.sense if parent else "",
        sweep=_sweep(state, hypothesis),
    )


def _sweep(state: State, hypothesis: Hypothesis) -> int | None:
    """The number of the experiment that opened the sweep which this hypothesis is a trial of."""
    if hypothesis.kind is not HypothesisKind.SWEEP:
        return None
    return state.next_experiment if hypothesis.sweep is not None or state.sweep is None else state.sweep.first


def coded(history: History, experiment: Experiment) -> Experiment:
    """The experiment with the digests of its code, where it changes code."""
    if experiment.source is None and not experiment.hypothesis.edits:
        return experiment
    made = build(history, experiment)
    own = history.source(experiment.measure)
    code, meaning = fingerprint(made.source, made.edits), sense(made.source, made.edits)
    code, meaning = "" if code == fingerprint(own) else code, "" if meaning == sense(own) else meaning
    return replace(experiment, code=code, sense=meaning)


def revise(history: History, experiment: Experiment, hypothesis: Hypothesis) -> Experiment:
    """The same experiment with another hypothesis, as a person edited or a researcher mended it."""
    parent = history.experiment(experiment.parent) if experiment.parent is not None else None
    settings = {**(parent.settings if parent else {}), **hypothesis.parameters}
    code, meaning = (parent.code, parent.sense) if parent else ("", "")
    revised = replace(experiment, hypothesis=hypothesis, settings=settings, code=code, sense=meaning)
    return coded(history, revised)


def build(history: History, experiment: Experiment) -> Build:
    """How the experiment's notebook comes about: the person's source, then every edit from the root down."""
    edits, at = list(experiment.hypothesis.edits), experiment
    while at.source is None and at.parent is not None:
        at = history.experiment(at.parent)
        edits = [*at.hypothesis.edits, *edits]
    return Build(at.source or history.source(experiment.measure), tuple(edits), experiment.settings)


def standing(state: State, work: Work | None) -> Standing | None:
    """What a researcher may know of the baseline, the champion or the branch."""
    if work is None or not work.values:
        return None
    values = list(work.values.values())
    return Standing(
        experiment=work.number,
        value=mean(values),
        seeds=len(values),
        claim=work.experiment.hypothesis.claim,
        parameters={**state.survey.parameters, **work.experiment.settings},
        code=work.experiment.code,
        interval=interval95(values),
    )

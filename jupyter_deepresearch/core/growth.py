"""How an experiment grows out of earlier ones: numbers, parents, and the recipe of its notebook."""

from dataclasses import replace

from .ports import Build, History, Standing
from .sources import fingerprint
from .state import State, Work
from .statistics import interval95, mean
from .types import Experiment, Hypothesis, HypothesisKind


def grow(state: State, hypothesis: Hypothesis) -> Experiment:
    """The experiment that a hypothesis becomes: the next number, grown from the champion."""
    is_baseline = hypothesis.kind is HypothesisKind.BASELINE
    parent = state.champion.experiment if state.champion and not is_baseline else None
    return Experiment(
        number=state.next_experiment,
        hypothesis=hypothesis,
        parent=parent.number if parent else None,
        cycle=None if is_baseline else state.next_cycle,
        measure=state.measure,
        settings={**(parent.settings if parent else {}), **hypothesis.parameters},
        code=parent.code if parent else "",
    )


def coded(history: History, experiment: Experiment) -> Experiment:
    """The experiment with the digest of its code, where it changes code."""
    if experiment.source is None and not experiment.hypothesis.edits:
        return experiment
    made = build(history, experiment)
    code, own = fingerprint(made.source, made.edits), fingerprint(history.source(experiment.measure))
    return replace(experiment, code="" if code == own else code)


def revise(history: History, experiment: Experiment, hypothesis: Hypothesis) -> Experiment:
    """The same experiment with another hypothesis, as a person edited or a researcher mended it."""
    parent = history.experiment(experiment.parent) if experiment.parent is not None else None
    settings = {**(parent.settings if parent else {}), **hypothesis.parameters}
    revised = replace(experiment, hypothesis=hypothesis, settings=settings, code=parent.code if parent else "")
    return coded(history, revised)


def build(history: History, experiment: Experiment) -> Build:
    """How the experiment's notebook comes about: the person's source, then every edit from the root down."""
    edits, at = list(experiment.hypothesis.edits), experiment
    while at.source is None and at.parent is not None:
        at = history.experiment(at.parent)
        edits = [*at.hypothesis.edits, *edits]
    return Build(at.source or history.source(experiment.measure), tuple(edits), experiment.settings)


def standing(state: State, work: Work | None) -> Standing | None:
    """What a researcher may know of the baseline or the champion."""
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

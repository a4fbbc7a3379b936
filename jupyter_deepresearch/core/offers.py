"""A person's own edit of the notebook or the code, found on disk: what comes of it. Pure."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property

from . import events as ev
from .sources import changed_files, edits_between, fingerprint, has_other_cells, has_other_locked_cells
from .state import State, Work
from .types import Experiment, Hypothesis, HypothesisKind, Source

_PLACES_SHOWN = 3


@dataclass(frozen=True)
class Found:
    """The person's files as they now are. ``is_same_measure``: whether values measured by them and by the source in
    the log may be compared."""

    source: Source
    survey: ev.Survey
    is_same_measure: bool = True

    @cached_property
    def digest(self) -> str:
        return fingerprint(self.source)


def respond(state: State, found: Found, own: Source) -> ev.Event | None:
    """What is to be written about the files as they were found; None where the log has it already.

    ``own`` is the measure's own source. What values are measured by opens a new measure, once nothing waits under the
    old one; it is left alone while nobody researches. Any other edit is offered once: a further one replaces it, one
    taken back withdraws it.
    """
    offer = state.offer
    if state.failed is not None:
        return None  # its files are read when it is resumed
    if not found.is_same_measure:
        return None if state.finished is not None or state.stopped else _new_measure(state, found, own)
    there = None if offer is None or offer.experiment.source is None else fingerprint(offer.experiment.source)
    if found.digest == there != state.own:
        return None
    if found.digest == state.own or found.digest in state.met:
        why = "the project has taken it in" if found.digest == there else "you took this edit back"
        return None if offer is None else _withdrawn(offer, why)
    if offer is None:
        return ev.Proposed(_offered(state, found, own))
    return ev.EditHypothesis(_replaced(state, offer.experiment, found, own))


def approval(state: State, hypothesis: int, by: str) -> ev.Approve:
    """The word that lets a waiting hypothesis run; an offer gets its cycle by it."""
    work = state.works.get(hypothesis)
    return ev.Approve(hypothesis, by, state.next_cycle if work is not None and work.is_offer else None)


def _offered(state: State, found: Found, own: Source) -> Experiment:
    return Experiment(
        number=state.next_experiment,
        hypothesis=Hypothesis(
            _claim(state, found, own), HypothesisKind.BY_HAND, "you changed it in the project's folder"
        ),
        measure=state.measure,
        source=found.source,
        by_hand=edits_between(own, found.source),
        code=found.digest,
    )


def _replaced(state: State, old: Experiment, found: Found, own: Source) -> Experiment:
    """The same offer with the files as they now are. What the person said of it (a claim, values) stays."""
    was = "" if old.source is None else _claim(state, replace(found, source=old.source), own)
    claim = _claim(state, found, own) if old.hypothesis.claim == was else old.hypothesis.claim
    return replace(
        old,
        hypothesis=replace(old.hypothesis, claim=claim, edits=()),
        source=found.source,
        by_hand=edits_between(own, found.source),
        code=found.digest,
    )


def _withdrawn(offer: Work, why: str) -> ev.Reject:
    return ev.Reject(offer.number, why, by="files")


def _new_measure(state: State, found: Found, own: Source) -> ev.Event:
    if state.offer is not None:
        return _withdrawn(state.offer, "it is part of a new measure")
    what = _listed(_measuring(state, found, own))
    sentence = (
        f"you changed {what}: a new measure begins with a new baseline; earlier values are shown but not compared"
    )
    return ev.Sourced(found.source, found.survey, new_measure=True, sentence=sentence)


def _measuring(state: State, found: Found, own: Source) -> list[str]:
    """What changed of the things that values are measured by, in words."""
    cells = [f"a locked cell of {state.project.notebook}"] if has_other_locked_cells(own, found.source) else []
    locked = state.project.code.locked
    files = [p for p in changed_files(own, found.source) if any(fnmatchcase(p, pattern) for pattern in locked)]
    return [*cells, *(f"the locked file {path}" for path in files)] or ["what values are measured by"]


def _claim(state: State, found: Found, own: Source) -> str:
    notebook = [state.project.notebook] if has_other_cells(own, found.source) else []
    return f"by hand: your edit of {_listed([*notebook, *changed_files(own, found.source)])}"


def _listed(places: list[str]) -> str:
    if len(places) > _PLACES_SHOWN:
        places = [*places[: _PLACES_SHOWN - 1], f"{len(places) - _PLACES_SHOWN + 1} more files"]
    return " and ".join(filter(None, [", ".join(places[:-1]), *places[-1:]]))

"""Pause, resume, stop, budgets, ends: how the course of a whole project folds."""

from . import events as ev
from .frozen import changed
from .state import State
from .types import StopReason


def fold_course(state: State, event: ev.Event) -> State:
    """The state after such an event; as it was after any other."""
    match event:
        case ev.Configure(project=project):
            return changed(state, project=project, finished=None)
        case ev.Briefed(text=text):
            return changed(state, brief=text)
        case ev.Pause():
            return changed(state, paused=True)
        case ev.Resume():
            return changed(state, paused=False, stopped=False, finished=None, failed=None)
        case ev.Stop():
            return changed(state, stopped=True)
        case ev.Finished(reason=reason):
            return changed(state, finished=event, turn=state.turn + (reason is StopReason.EXHAUSTED))
        case ev.Postponed():
            return changed(state, postponed=event, turn=state.turn + 1)
        case ev.Failed():
            works = {k: w for k, w in state.works.items() if not w.is_baseline or event.is_researchers}
            return changed(state, failed=event, works=works)
        case ev.Announced(text=text):
            return changed(state, announced=text)
        case _:
            return state


def reopened(state: State) -> State:
    """The state without an end by exhaustion: what the person says may open a space that was."""
    is_exhausted = state.finished is not None and state.finished.reason is StopReason.EXHAUSTED
    return changed(state, finished=None) if is_exhausted else state

"""The person's own edits of the notebook and the code, noticed while the project is researched."""

import asyncio
from collections.abc import Callable
from functools import partial

from ..core import events as ev
from ..core.offers import Found, respond
from ..core.state import State
from ..core.types import Source
from ..errors import InvalidNotebook
from .logbook import TICK_S, Logbook

_SHARE = 50
"""A look may take one part in so many of the time: stat is slow on some file systems, and some projects are large."""


class _Settled(Exception):
    """The log has moved on, and nothing is to be written about the files any more."""


class Noticing:
    """Looks at the person's files now and then, in a thread of its own, and writes what comes of it."""

    def __init__(self, log: Logbook) -> None:
        self._log = log
        self._parts = log.parts
        self._own: str | None = None
        self._read: tuple[Source, ev.Survey] | None = None
        self._found: tuple[Found, Source] | None = None
        self._next = 0.0
        self._complaint = ""

    async def take_in(self, state: State) -> State:
        """The state with what the person changed on disk. Raises StorageFailed, Fenced."""
        await self._look(state)
        while self._found is not None and state.own == self._own and respond(state, *self._found) is not None:
            try:
                self._parts.ledger.append(partial(self._decided, *self._found), epoch=self._log.epoch)
            except _Settled:
                break
            state = self._log.state()
        return state

    def _decided(self, found: Found, own: Source, state: State | None) -> ev.Event:
        assert state is not None
        event = respond(state, found, own) if state.own == self._own else None
        if event is None:
            raise _Settled
        return event

    async def _look(self, state: State) -> None:
        """Bring what was found up to date, with the files and with the measure."""
        clock = self._parts.clock
        is_taken_in = self._own not in (None, state.own)  # by another event than ours: what was read before is old
        self._own, self._found = state.own, self._found if self._own == state.own else None
        started = clock.monotonic()
        if is_taken_in or started >= self._next:
            try:
                seen = await asyncio.to_thread(self._seen, state.project.notebook if is_taken_in else None)
            except InvalidNotebook as error:
                self._read = self._found = None
                self._complain(state, f"{error}: the research goes on with what it was")
            else:
                self._read, self._found = (self._read, self._found) if seen is None else (seen, None)
            self._next = clock.monotonic() + max(TICK_S, _SHARE * (clock.monotonic() - started))
        if self._read is not None and self._found is None:
            self._found = await asyncio.to_thread(self._compared, state, *self._read)

    def _seen(self, now: str | None) -> tuple[Source, ev.Survey] | None:
        """What was edited; the files as they are, where ``now`` names their notebook."""
        found = self._parts.notebooks.edited()
        return found if now is None or found is not None else self._parts.notebooks.read(now)

    def _compared(self, state: State, source: Source, survey: ev.Survey) -> tuple[Found, Source]:
        own = self._parts.history.source(state.measure)
        measure: Callable[[Source], str] = partial(self._parts.notebooks.measure, metric=state.project.objective.metric)
        return Found(source, survey, measure(source) == measure(own)), own

    def _complain(self, state: State, text: str) -> None:
        """Say it once as long as it is the same."""
        if text not in (self._complaint, state.announced):
            self._log.append(ev.Announced(text))
        self._complaint = text

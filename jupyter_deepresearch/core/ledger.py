"""A log with its fold: what the loop and the service write through and read the state from."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from .events import Event, Record
from .fold import apply
from .ports import Store
from .state import State

Listener = Callable[[Record], None]


class Ledger:
    """Keeps the state of one store up to date. Safe to use from several threads.

    ``listeners`` are called with every record in order, whoever wrote it, in the thread that saw it first; they may ask
    for the state, which is then ahead of what they are told.
    """

    def __init__(self, store: Store, listeners: Iterable[Listener] = ()) -> None:
        self.store = store
        self.listeners = list(listeners)
        self._lock = threading.RLock()
        self._state: State | None = None
        self._untold: deque[Record] = deque()
        self._is_telling = False

    def state(self) -> State | None:
        """The state after everything written so far, None for an empty log. Raises StorageFailed."""
        with self._lock:
            for record in self._new():
                self._state = apply(self._state, record)
                if self.listeners:  # the past of a long log is let go of as it is read
                    self._untold.append(record)
            self._tell()
            return self._state

    def append(
        self, event: Event | Callable[[State | None], Event], *, epoch: int | None = None, command_id: str | None = None
    ) -> Record:
        """Write one event; a callable decides on the state at the very moment of writing, or raises to write nothing.

        Raises Fenced, StorageFailed and whatever the callable raises.
        """
        with self._lock:
            what = (lambda: event(self.state())) if callable(event) else event
            record = self.store.append(what, epoch=epoch, command_id=command_id)
            self.state()
            return record

    def _tell(self) -> None:
        """Call the listeners, unless it is one of them that asks."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._untold:
                record = self._untold.popleft()
                for listener in self.listeners:
                    listener(record)
        finally:
            self._is_telling = False

    def _new(self) -> Iterator[Record]:
        yield from self.store.records(self._state.seq if self._state else 0)

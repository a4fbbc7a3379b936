"""The log with its fold, as several readers use it."""

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.types import Source
from jupyter_deepresearch.testing import memory_store
from tests.core.logs import SURVEY, base_project


def test_listeners_may_ask_for_the_state_and_are_told_in_order() -> None:
    store = memory_store()
    writer, reader = Ledger(store), Ledger(store)
    first: list[tuple[int, int]] = []
    second: list[int] = []

    def asks(record: ev.Record) -> None:
        state = reader.state()
        assert state is not None
        first.append((record.seq, state.seq))

    reader.listeners += [asks, lambda record: second.append(record.seq)]
    for event in (ev.Opened("p", base_project(), Source("{}"), SURVEY), ev.Pause(), ev.Resume(), ev.Pause()):
        writer.append(event)
    state = reader.state()
    assert state is not None and (state.seq, state.paused) == (4, True)
    assert first == [(1, 4), (2, 4), (3, 4), (4, 4)] and second == [1, 2, 3, 4]
    store.close()

"""The log with its fold, as several readers use it."""

import weakref
from collections.abc import Iterator
from contextlib import closing

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ledger import Ledger
from jupyter_deepresearch.core.types import Source
from jupyter_deepresearch.testing import memory_store
from tests.core.logs import SURVEY, base_project
from tests.long_log import long_log


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


def test_a_long_past_is_not_held_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[weakref.ref[ev.Record]] = []
    most = 0
    with closing(memory_store()) as store:
        for event in long_log(50):
            store.append(event)
        records = store.records

        def watched(after: int = 0) -> Iterator[ev.Record]:
            nonlocal most
            for record in records(after):
                read.append(weakref.ref(record))
                most = max(most, sum(one() is not None for one in read))
                yield record

        monkeypatch.setattr(store, "records", watched)
        state = Ledger(store).state()
    assert state is not None and state.cycles == 50
    assert most < 10 < len(read)

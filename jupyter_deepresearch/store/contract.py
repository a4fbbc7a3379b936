"""What every Store promises, as tests that any implementation can be held to."""

import itertools
import os
from collections.abc import Callable

from ..core import events as ev
from ..core.ports import Owner, Store
from ..errors import Fenced, LeaseHeld
from ..processes import boot_id, start_ticks


class StoreContract:
    """What every Store promises, as tests: subclass it in a test module and say how to ``make`` an empty one.

    A second call of ``open_again`` opens the same log once more, as another process would; None where it cannot be.
    """

    def make(self) -> Store:
        """A new, empty store."""
        raise NotImplementedError

    def open_again(self, store: Store) -> Store | None:
        """The same log, opened a second time."""
        return None

    def test_records_are_numbered_without_gaps(self) -> None:
        store = self.make()
        written = [store.append(ev.Announced(str(n))) for n in range(1203)]
        assert [r.seq for r in written] == list(range(1, 1204))
        assert list(store.records()) == written
        assert list(store.records(after=1200)) == written[1200:]
        assert list(store.records(after=5000)) == []

    def test_an_event_is_decided_at_the_moment_of_writing(self) -> None:
        store = self.make()
        store.append(ev.Announced("first"))
        record = store.append(lambda: ev.Announced(f"after {sum(1 for _ in store.records())}"))
        assert record.event == ev.Announced("after 1")

    def test_a_callable_that_raises_writes_nothing(self) -> None:
        store = self.make()

        def refuse() -> ev.Event:
            raise LookupError("no")

        for _ in range(2):
            assert _raised(LookupError, lambda: store.append(refuse, command_id="c")) == "no"
        assert list(store.records()) == []
        assert store.append(ev.Pause(), command_id="c").seq == 1

    def test_a_repeated_command_id_is_the_same_command(self) -> None:
        store = self.make()
        first = store.append(ev.Pause(), command_id="c")
        calls = itertools.count()
        again = store.append(lambda: ev.Announced(str(next(calls))), command_id="c")
        assert again == first and next(calls) == 0
        assert store.append(ev.Pause(), command_id="d").seq == 2

    def test_a_lease_has_one_holder_and_every_other_is_fenced(self) -> None:
        store = self.make()
        assert store.append(ev.Announced("unfenced")).seq == 1
        assert _raised(Fenced, lambda: store.append(ev.Announced("nobody holds it"), epoch=1))
        first = store.acquire(_owner("first"))
        store.append(ev.Announced("held"), epoch=first)
        held = _raised(LeaseHeld, lambda: store.acquire(_owner("second")))
        assert "first" in held and str(os.getpid()) in held and "\n" not in held
        store.release(first)
        assert _raised(Fenced, lambda: store.append(ev.Announced("released"), epoch=first))
        second = store.acquire(_owner("second"))
        assert second > first
        store.release(first)  # not theirs any more
        store.append(ev.Announced("still held"), epoch=second)
        assert _raised(Fenced, lambda: store.append(ev.Announced("late"), epoch=first))
        assert [r.seq for r in store.records()] == [1, 2, 3]

    def test_a_dead_holder_loses_the_lease_and_one_elsewhere_never(self) -> None:
        store = self.make()
        dead = Owner("dead", "here", 2**22 + 1, 1, boot_id())
        first = store.acquire(dead)
        second = store.acquire(_owner("living"))
        assert second > first
        store.release(second)
        store.acquire(Owner("elsewhere", "there", 2**22 + 1, 1, boot_id()))
        assert "elsewhere" in _raised(LeaseHeld, lambda: store.acquire(_owner("here")))

    def test_two_that_opened_it_see_one_log(self) -> None:
        store = self.make()
        other = self.open_again(store)
        if other is None:
            return
        for number in range(10):
            (store, other)[number % 2].append(ev.Announced(str(number)))
        assert list(store.records()) == list(other.records())
        assert [r.seq for r in store.records()] == list(range(1, 11))
        epoch = other.acquire(_owner("other"))
        assert _raised(Fenced, lambda: store.append(ev.Pause(), epoch=epoch + 1))
        assert store.append(ev.Pause(), epoch=epoch).seq == 11


def _owner(name: str) -> Owner:
    return Owner(name, "here", os.getpid(), start_ticks(os.getpid()), boot_id())


def _raised(kind: type[Exception], call: Callable[[], object]) -> str:
    """The message of the error that ``call`` raises."""
    try:
        call()
    except kind as error:
        return str(error) or kind.__name__
    raise AssertionError(f"{kind.__name__} was not raised")

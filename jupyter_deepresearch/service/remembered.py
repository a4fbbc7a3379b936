"""Answers that hold until the log has more to say: a panel asks every second, the log speaks now and then."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_KEPT = 100

T = TypeVar("T")


class Remembered:
    """The last answer to each of the latest questions. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()

    def answer(self, question: Hashable, as_of: Hashable, ask: Callable[[], T]) -> T:
        """What ``ask`` answers, or answered when the question was last put ``as_of`` the same."""
        with self._lock:
            found = self._answers.get(question)
        if found is not None and found[0] == as_of:
            known: T = found[1]
            return known
        answer = ask()
        with self._lock:
            self._answers.pop(question, None)
            self._answers[question] = as_of, answer
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return answer

"""The server: listens, checks, records, and answers by its script."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from .caching import PromptCache
from .complaint import Complaint, must
from .handler import Listener
from .rules import Limits, check
from .script import Answer, Entry, Fault
from .sent import SentRequest
from .wire import message, output_usage

Script = Sequence[Entry] | Callable[[SentRequest], Entry]
END = Fault.status(500, message="the script is at its end")


@dataclass(frozen=True)
class Reply:
    """What to send: an entry of the script, and the message that its answer (or a fault's) makes."""

    entry: Entry
    answer: Answer
    message: Mapping[str, Any]


@dataclass
class MessagesServer:
    """A server of language models on 127.0.0.1 that does what ``script`` says; a context manager.

    ``script`` is a sequence, one entry for each POST /v1/messages that the real API would accept, or a callable that
    is asked for each. What the real API refuses is refused, uses no entry, and is kept in ``refused``. An exception
    of the callable is answered with status 500 and raised again when the server closes.

    ``key``: who sends no or another key gets 401. ``models``: those that exist, None for any. ``structured``: False
    refuses ``output_config``, "ignored" takes it without a look. ``tools`` False refuses tools. ``streams`` False
    always answers with one message.
    """

    script: Script = ()
    key: str | None = None
    models: tuple[str, ...] | None = None
    structured: bool | str = True
    tools: bool = True
    streams: bool = True
    requests: list[SentRequest] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    replies: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _cache: PromptCache = field(default_factory=PromptCache, repr=False)
    _errors: list[Exception] = field(default_factory=list, repr=False)
    _listener: Listener | None = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        """Where it listens, without a path. Raises RuntimeError outside of ``with``."""
        if self._listener is None:
            raise RuntimeError("the server listens only inside of `with`")
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def __enter__(self) -> Self:
        self._listener = Listener(self)
        self._listener.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.end()
            self._listener = None
        if self._errors and error is None:
            raise self._errors[0]

    def received(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> SentRequest:
        """A request as it is recorded; only those to /v1/messages are."""
        request = SentRequest(path, headers, body, time.monotonic())
        if path == "/v1/messages":
            with self._lock:
                self.requests.append(request)
        return request

    def admit(self, request: SentRequest) -> None:
        """Raise Complaint where the real API would refuse the request."""
        try:
            self._check(request)
        except Complaint as complaint:
            with self._lock:
                self.refused.append(str(complaint))
            raise

    def reply(self, request: SentRequest) -> Reply:
        """The next entry of the script, made into a message."""
        entry, number = self._next(request)
        answer = entry if isinstance(entry, Answer) else entry.answer
        if isinstance(entry, Fault) and not entry.makes_message:
            return Reply(entry, answer, {})
        with self._lock:
            usage = {**self._cache.usage(request), **output_usage(answer), "service_tier": "standard"}
        return Reply(entry, answer, message(answer, request, {**usage, **(answer.usage or {})}, number))

    def _check(self, request: SentRequest) -> None:
        sent = (request.headers.get("authorization", "").removeprefix("Bearer "), request.headers.get("x-api-key"))
        if self.key is not None and self.key not in sent:
            raise Complaint("invalid x-api-key", 401, "authentication_error")
        if not request.path.startswith("/v1/messages"):
            return
        must("anthropic-version" in request.headers, "anthropic-version: header is required")
        try:
            check(request, Limits(self.models, self.structured, self.tools))
        except (AttributeError, KeyError, TypeError) as error:
            raise Complaint(f"the request is not of the API's shape: {error!r}") from error

    def _next(self, request: SentRequest) -> tuple[Entry, int]:
        """The entry whose turn it is, and its number; a callable is asked without the lock, for it may wait."""
        with self._lock:
            place = self.replies
            if not callable(self.script) and place >= len(self.script):
                return END, place
            self.replies += 1
        if not callable(self.script):
            return self.script[place], place + 1
        try:
            return self.script(request), place + 1
        except Exception as error:  # noqa: BLE001 - a test's own code: raised again in the test's thread
            self._errors.append(error)
            return Fault.status(500, message=f"the script raised {error!r}"), place + 1

"""HTTP of a ``MessagesServer``: connections that close when it does, bodies, and faults on the wire."""

from __future__ import annotations

import http.server
import itertools
import json
import socket
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .complaint import Complaint
from .script import Fault, Way
from .sent import SentRequest
from .wire import Event, events

if TYPE_CHECKING:
    from .server import MessagesServer, Reply

POLL_S = 0.02
GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class Listener(http.server.ThreadingHTTPServer):
    """Accepts connections in a thread of its own, and ends every one of them when it ends."""

    daemon_threads = False  # joined on closing: a test leaves no thread behind
    request_queue_size = 128

    def __init__(self, server: MessagesServer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plays = server
        self.ending = threading.Event()
        self.numbers = itertools.count(1)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._accepting = threading.Thread(target=self.serve_forever, args=(POLL_S,), name="messages", daemon=True)

    def begin(self) -> None:
        """Start to accept."""
        self._accepting.start()

    def end(self) -> None:
        """Accept no more, cut what is open, wait for every thread."""
        self.ending.set()
        self.shutdown()
        with self._guard:
            for connection in self._open:
                cut(connection)
        self.server_close()
        self._accepting.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), GONE):
            super().handle_error(request, client_address)


def cut(connection: socket.socket) -> None:
    """End both directions, so that whoever reads wakes."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # with Nagle's wait and unbuffered headers a call takes 44 ms, else 1.5

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""

    def do_GET(self) -> None:
        self._guarded({})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        self._guarded(body)

    def _guarded(self, body: object) -> None:
        """Answer a request, or complain about it."""
        self.number = f"req_{next(self.server.numbers):06d}"
        try:
            if not isinstance(body, dict):
                raise Complaint("the request body is not valid JSON")
            path = self.path.partition("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = self.server.plays.received(path, headers, body)
            self.server.plays.admit(request)
            self._answer(request)
        except Complaint as complaint:
            self._error(complaint.code, complaint.type, str(complaint))
        except GONE:
            self.close_connection = True  # whoever asked has hung up

    def _answer(self, request: SentRequest) -> None:
        match self.command, request.path:
            case "POST", "/v1/messages":
                self._message(request, self.server.plays.reply(request))
            case "POST", "/v1/messages/count_tokens":
                self._json({"input_tokens": request.tokens})
            case "GET", "/v1/models":
                listed = [model(name) for name in self.server.plays.models or ()]
                self._json({"data": listed, "has_more": False, "first_id": None, "last_id": None})
            case "GET", path if path.startswith("/v1/models/"):
                self._model(path.removeprefix("/v1/models/"))
            case _:
                raise Complaint(f"Not found: {self.command} {request.path}", 404, "not_found_error")

    def _model(self, name: str) -> None:
        known = self.server.plays.models
        if known is not None and name not in known:
            raise Complaint(f"model: {name}", 404, "not_found_error")
        self._json(model(name))

    def _message(self, request: SentRequest, reply: Reply) -> None:
        streams = bool(request.body.get("stream")) and self.server.plays.streams
        if isinstance(reply.entry, Fault):
            self._fault(reply.entry, reply, streams)
        elif streams:
            self._stream(list(events(reply.message, reply.answer)))
        else:
            self._json(reply.message)

    def _fault(self, fault: Fault, reply: Reply, streams: bool) -> None:
        match fault.way:
            case Way.IN_STREAM | Way.TRUNCATED if streams:
                sent = list(events(reply.message, reply.answer))[: fault.after_events]
                error = Event("error", {"error": {"type": fault.type, "message": fault.message}})
                self._stream([*sent, error] if fault.way is Way.IN_STREAM else sent)
            case Way.STATUS | Way.IN_STREAM:
                extra = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
                self._error(fault.code, fault.type, fault.message, extra)
            case Way.GARBAGE:
                self._send(200, "text/html", b"<html><body><h1>Welcome to the network</h1></body></html>")
            case Way.IGNORES_STREAM:
                self._json(reply.message)
            case Way.TRUNCATED:
                whole = json.dumps(reply.message).encode()
                self._headers(200, "application/json", {"content-length": str(len(whole))})
                self.wfile.write(whole[: len(whole) // 2])
                self._hang_up()
            case Way.HANG | Way.DROPPED:
                self.server.ending.wait(fault.seconds)
                self._hang_up()

    def _stream(self, sent: list[Event]) -> None:
        """Frames until the last, then the end of the connection, which is the end of the stream."""
        self._headers(200, "text/event-stream; charset=utf-8", {"cache-control": "no-cache", "connection": "close"})
        for event in sent:
            self.wfile.write(event.frame)
            self.wfile.flush()
        self.close_connection = True

    def _json(self, value: Mapping[str, Any]) -> None:
        self._send(200, "application/json", json.dumps(value, ensure_ascii=False).encode())

    def _error(self, code: int, kind: str, said: str, extra: Mapping[str, str] | None = None) -> None:
        body = {"type": "error", "error": {"type": kind, "message": said}, "request_id": self.number}
        self._send(code, "application/json", json.dumps(body).encode(), extra)

    def _send(self, code: int, kind: str, body: bytes, extra: Mapping[str, str] | None = None) -> None:
        self._headers(code, kind, {"content-length": str(len(body)), **(extra or {})})
        self.wfile.write(body)
        self.wfile.flush()

    def _headers(self, code: int, kind: str, extra: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in {"content-type": kind, "request-id": self.number, **extra}.items():
            self.send_header(name, value)
        self.end_headers()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        cut(self.connection)


def model(name: str) -> Mapping[str, Any]:
    """A model as the list of models describes it."""
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2026-10-07T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    }

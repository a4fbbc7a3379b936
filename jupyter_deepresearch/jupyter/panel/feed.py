"""The thread behind a panel: it alone asks the REST API and sends to the view, so nothing waits for a busy kernel."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from ...core.types import ProjectState
from ...errors import DeepResearchError, NoServer
from ...service.views import ExperimentView, StatusView
from ...text import one_line
from ..answering import Answering
from .glance import Glance, look
from .messages import Answer, Ask, Beat, Hello, Points, Sent, Tell, id_of, read
from .picture import pages
from .replies import reply

HEARD_S = 60.0
RUNNING_S = 1.0
IDLE_S = 3.0
ALONE_S = 15.0
BEAT_S = 12.0
ERROR_CHARS = 300
# So many messages may wait. Who sends more while the server is slow is not answered.
WAITING_LIMIT = 200

T = TypeVar("T")


def pause_s(running: bool, heard_s_ago: float, trouble: int) -> float:
    """How long to wait before the project is looked at again.

    ``heard_s_ago``: since a view was heard of; ``trouble``: how often in a row the project could not be asked.
    """
    if heard_s_ago > HEARD_S:
        return ALONE_S
    if trouble:
        return min(ALONE_S, 2.0 ** (trouble - 1))
    return RUNNING_S if running else IDLE_S


class Outlet(Protocol):
    """Where what the feed finds goes. All of it is called in the feed's thread."""

    @property
    def is_open(self) -> bool:
        """Whether anybody can still hear of it; the thread ends where nobody can."""

    def show(self, trait: str, value: Any) -> None:
        """Replace a trait as a whole."""

    def send(self, message: Sent, buffers: Sequence[bytes] = ()) -> None:
        """Send a message to every view."""

    def decided(self, status: StatusView, rows: Sequence[ExperimentView]) -> None:
        """A verdict, or the project's state, has changed; ``rows`` are the newest, newest first."""


class Feed:
    """Keeps one panel up to date with one project, from what was shown ``first`` on.

    ``connect`` finds who answers, again after a lost server. ``tick``, ``take`` and ``wait_s`` are the thread's own.
    """

    def __init__(
        self,
        project_id: str,
        connect: Callable[[], Answering],
        outlet: Outlet,
        first: Glance,
        points_seq: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connect = connect
        self._project_id = project_id
        self._outlet = outlet
        self._clock = clock
        self._client: Answering | None = None
        self._glance = first
        self._traits = dict(first.traits())
        self._points_seq = points_seq
        self._troubles = 0
        self._heard_at = self._sent_at = self._ticked_at = clock()
        self._is_due = False
        self._inbox: queue.Queue[object] = queue.Queue(WAITING_LIMIT)
        self._is_over = threading.Event()

    # From any thread

    def start(self) -> None:
        """Begin, in a thread that ends with the kernel."""
        threading.Thread(target=self._run, name=f"deepresearch panel {self._project_id}", daemon=True).start()

    def put(self, content: object) -> None:
        """A message of a view, as it came. Never waits, never raises."""
        try:
            self._inbox.put_nowait(content)
        except queue.Full:
            return

    def close(self) -> None:
        """End the thread; what it is asking now is its last question."""
        self._is_over.set()
        self.put({"kind": "here"})

    # In the thread

    def _run(self) -> None:
        while self._outlet.is_open and not self._is_over.is_set():
            try:
                self._step()
            except Exception as error:  # noqa: BLE001 (a thread that ends would leave a panel that says nothing)
                self._troubles += 1
                self._ticked_at = self._clock()
                self._show("trouble", f"the panel has an error: {one_line(repr(error), ERROR_CHARS)}")

    def _step(self) -> None:
        try:
            content = self._inbox.get(timeout=max(0.01, self.wait_s()))
        except queue.Empty:
            self.tick()
        else:
            if not self._is_over.is_set():
                self.take(content)

    def wait_s(self) -> float:
        """How long until the next tick, if nothing is heard; 0 or less: now."""
        if self._is_due:
            return 0.0
        now = self._clock()
        pause = pause_s(_is_busy(self._glance.status), now - self._heard_at, self._troubles)
        return self._ticked_at + pause - now

    def tick(self) -> None:
        """Look at the project, and send what has changed."""
        self._is_due = False
        if self._clock() - self._sent_at >= BEAT_S:
            self._send(Beat())
        try:
            self._asked(self._look)
            self._troubles = 0
            self._show("trouble", "")
        except DeepResearchError as error:
            self._client = None
            self._troubles += 1
            self._show("trouble", f"reconnecting: {one_line(str(error), ERROR_CHARS)}")
        self._ticked_at = self._clock()

    def take(self, content: object) -> None:
        """Do what a message of a view says; a mistake in it is answered by one line."""
        self._heard_at = self._clock()
        try:
            message = read(content)
            if isinstance(message, Hello):
                self._asked(lambda client: self._send_points(client, message.seq))
            elif isinstance(message, Ask | Tell):
                self._send(self._asked(lambda client: reply(client, self._project_id, message)))
                self._is_due = isinstance(message, Tell)
        except DeepResearchError as error:
            self._send(Answer(id_of(content), error=one_line(str(error), ERROR_CHARS)))

    def _asked(self, question: Callable[[Answering], T]) -> T:
        """The answer of the server in hand, or of one that is found in its place. Raises DeepResearchError."""
        if self._client is not None:
            try:
                return question(self._client)
            except NoServer:
                self._client = None
        client = self.connect()
        found = question(client)
        self._client = client
        return found

    def _look(self, client: Answering) -> None:
        before = self._glance
        glance = look(client, self._project_id, before)
        if glance.status.seq != before.status.seq:
            self._send_new_points(client)
        self._glance = glance
        for trait, value in glance.traits().items():
            self._show(trait, value)
        if _verdicts(glance) != _verdicts(before):
            self._outlet.decided(glance.status, glance.rows)

    def _send_new_points(self, client: Answering) -> None:
        view = client.points(self._project_id, self._points_seq)
        if view.experiment:
            self._send_pages(self._points_seq, view.seq, list(pages(view)))
            self._points_seq = view.seq

    def _send_points(self, client: Answering, after: int) -> None:
        """What a view asks for by its hello, even if it is nothing: then it knows that it is heard."""
        view = client.points(self._project_id, after)
        self._send_pages(after, max(view.seq, after), list(pages(view)))

    def _send_pages(self, after: int, seq: int, packed: Sequence[bytes]) -> None:
        for page in packed[:-1]:
            self._send(Points(after, after), (page,))
        self._send(Points(after, seq), (packed[-1],))

    def _show(self, trait: str, value: Any) -> None:
        if self._traits.get(trait, "") != value:
            self._traits[trait] = value
            self._outlet.show(trait, value)
            self._sent_at = self._clock()

    def _send(self, message: Sent, buffers: Sequence[bytes] = ()) -> None:
        self._outlet.send(message, buffers)
        self._sent_at = self._clock()


def _is_busy(status: StatusView) -> bool:
    return bool(status.running) or status.state is ProjectState.RUNNING


def _verdicts(glance: Glance) -> object:
    """What the static table says."""
    decisions = tuple((row.experiment, row.decision, row.value) for row in glance.rows)
    return glance.status.state, glance.status.champion, decisions

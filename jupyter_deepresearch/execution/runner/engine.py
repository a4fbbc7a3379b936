"""The ``deepresearch`` engine of papermill: executes a notebook over nbclient, its outputs live on disk and bounded.

The kernel is started and ended by the runner. Saving is the runner's too (atomic, by cell and by time); papermill's
manager of the execution keeps ``metadata.papermill`` as in any notebook it ran.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.iorw import load_notebook_node

from .outputs import NotebookOutputs, OutputLog
from .run_files import replace_file

ENGINE = "deepresearch"
ALLOWS_ERRORS = "raises-exception"
_DEATH_GRACE_S = 0.1
_IDLE_TIMEOUT_S = 120
"""How long after a cell's reply its last output may take: a flood is read faster than that."""
_MESSAGE_CHARS = 20_000
_BURST_S = 0.02


@dataclass(frozen=True)
class CellFailure:
    """An exception that ended a cell: its name, its message, its traceback as text."""

    cell: int
    name: str
    message: str
    traceback: str


@dataclass
class Progress:
    """How far the execution came. ``cell`` is the executing one; ``died``: the kernel's end was noticed."""

    code_cells: int = 0
    finished: int = 0
    cell: int | None = None
    failure: CellFailure | None = None
    died: bool = False


class Listener(Protocol):
    """Who is told of the execution as it goes. Called in the event loop; must be quick."""

    def cell_started(self, index: int) -> None: ...

    def printed(self, stream: str, text: str) -> None: ...

    def cell_ended(self, index: int) -> bool:
        """Whether the execution goes on."""


class ExecutionManager(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's bookkeeping without its saving, and without calling cells complete that never ran."""

    def save(self, **kwargs: Any) -> None:
        self.last_save_time = self.now()

    def notebook_complete(self, **kwargs: Any) -> None:
        pending = [cell for cell in self.nb.cells if cell.metadata.papermill["status"] == self.PENDING]
        super().notebook_complete(**kwargs)
        for cell in pending:
            cell.metadata.papermill["status"] = self.PENDING


class DeepResearchEngine(Engine):  # type: ignore[misc]
    """What papermill knows as "deepresearch". ``drive`` runs a coroutine to its end in the runner's loop."""

    @classmethod
    def execute_notebook(cls, nb: NotebookNode, kernel_name: str, **kwargs: Any) -> NotebookNode:
        manager = ExecutionManager(nb, progress_bar=False)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, **kwargs)
        finally:
            manager.notebook_complete()
        return nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: ExecutionManager,
        kernel_name: str,
        *,
        execution: "Execution",
        drive: Callable[[Coroutine[Any, Any, None]], None],
        **kwargs: Any,
    ) -> None:
        drive(execution.run(nb_man))


papermill_engines.register(ENGINE, DeepResearchEngine)


def load(path: Path) -> NotebookNode:
    """The notebook to execute, with the metadata that papermill keeps. Raises OSError, ValueError."""
    notebook: NotebookNode = load_notebook_node(str(path))
    return notebook


def execute(execution: "Execution", notebook: NotebookNode, drive: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """Execute the notebook through papermill's entry point; ``execution.progress`` tells what came of it."""
    papermill_engines.execute_notebook_with_engine(ENGINE, notebook, "", execution=execution, drive=drive)


class RunClient(NotebookClient):
    """nbclient, with outputs that go to disk as they come and stay bounded. Nothing in a message can stop it."""

    def __init__(
        self, nb: NotebookNode, manager: Any, kernel_client: Any, log: OutputLog, printed: Callable[[str, str], None]
    ) -> None:
        super().__init__(nb, km=manager, timeout=None, iopub_timeout=_IDLE_TIMEOUT_S, raise_on_iopub_timeout=False)
        self.kc = kernel_client
        self.outputs = NotebookOutputs()
        self._output_log = log
        self._printed = printed
        self._cells: dict[str, tuple[NotebookNode, int]] = {}
        self.troubles: list[str] = []
        self.taken = 0

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        """As nbclient's: take messages until the cell is done; but what threads of earlier cells print counts, too."""
        self._cells[parent_msg_id] = (cell, cell_index)
        assert self.kc is not None
        inbox: zmq.Socket[bytes] = zmq.Socket.shadow(self.kc.iopub_channel.socket)
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=None)
            busy_until = monotonic() + _BURST_S
            while message is not None:
                if self._ends(message, parent_msg_id):
                    return
                message = self._waiting_message(inbox) if monotonic() < busy_until else None

    def _ends(self, message: dict[str, Any], parent_msg_id: str) -> bool:
        """Take one message of any cell; whether it was the last of the executing one."""
        self.taken += 1
        parent = message["parent_header"].get("msg_id")
        if parent in self._cells and (parent == parent_msg_id or message["msg_type"] == "stream"):
            try:
                self.process_message(message, *self._cells[parent])
            except CellExecutionComplete:
                return True
        return False

    def _waiting_message(self, inbox: "zmq.Socket[bytes]") -> dict[str, Any] | None:
        """A message that has already arrived, None without: taking it so costs a third of a turn of the event loop."""
        assert self.kc is not None
        try:
            frames = inbox.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        message: dict[str, Any] = self.kc.session.deserialize(self.kc.session.feed_identities(frames)[1])
        return message

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As nbclient's, but an error of ours or of a strange message is noted: raised here it would end all output."""
        try:
            return self._take(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception as error:  # noqa: BLE001  (raised here it would end all output of the run)
            if len(self.troubles) < 20:
                reason = f"{type(error).__name__}: {error}".split("\n")[0][:200]
                self.troubles.append(f"a message of type {msg.get('msg_type')} was dropped: {reason}")
            return None

    def _take(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        kind, content = msg["msg_type"], msg["content"]
        if kind == "stream":
            self._output_log.stream(cell_index, content["name"], content["text"])
            self._printed(content["name"], content["text"])
            if not self.output_hook_stack[msg["parent_header"].get("msg_id")]:
                self._clear_if_waiting(cell, cell_index)
                self.outputs.of(cell_index).stream(content["name"], content["text"])
                return None
        elif kind in ("display_data", "execute_result", "update_display_data", "error", "clear_output"):
            self._output_log.rich(cell_index, kind, content)
            if kind == "error":
                content["evalue"] = str(content["evalue"])[:_MESSAGE_CHARS]
                content["traceback"] = [line[:_MESSAGE_CHARS] for line in content["traceback"][-100:]]
            if "data" in content:
                is_update = kind == "update_display_data"
                content["data"] = self.outputs.bundle(cell_index, content["data"], replaces=is_update)
            if kind != "update_display_data" and kind != "clear_output":
                self._clear_if_waiting(cell, cell_index)
        shown = super().process_message(msg, cell, cell_index)
        if self.kc is not None:
            # nbclient answers an Output widget (rich's bars draw in one) on the shell channel past its asyncio socket.
            # Such a send uses up the wake-up for a reply that came meanwhile: without a look it would lie there.
            self.kc.shell_channel.socket.get(zmq.EVENTS)
        if kind == "clear_output" and not cell.outputs:
            self.outputs.of(cell_index).cleared()
        return shown

    def save(self, path: Path) -> None:
        """Put the notebook as it is now in the place of ``path``, in one step. Raises OSError."""
        self.outputs.render()
        replace_file(path, nbformat.v4.writes(self.nb).encode("utf-8", "backslashreplace"))

    def _clear_if_waiting(self, cell: NotebookNode, cell_index: int) -> None:
        if self.clear_before_next_output:
            cell.outputs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
            self.outputs.of(cell_index).cleared()


@dataclass
class Execution:
    """One pass over a notebook's cells on a kernel that answers."""

    client: RunClient
    listener: Listener
    progress: Progress = field(default_factory=Progress)

    async def run(self, nb_man: ExecutionManager) -> None:
        """Execute the code cells in order, up to the first that fails, the kernel's death, or the listener's no."""
        cells = self.client.nb.cells
        self.progress.code_cells = sum(map(is_executed, cells))
        for index, cell in enumerate(cells):
            nb_man.cell_start(cell, index)
            goes_on = True
            try:
                if is_executed(cell):
                    goes_on = await self._run_cell(nb_man, cell, index)
            finally:
                nb_man.cell_complete(cell, cell_index=index)
            if not goes_on:
                return
        self.progress.cell = None
        self.client.set_widgets_metadata()

    async def _run_cell(self, nb_man: ExecutionManager, cell: NotebookNode, index: int) -> bool:
        self.progress.cell = index
        self.client.outputs.start(index, cell)
        self.listener.cell_started(index)
        try:
            await self.client.async_execute_cell(cell, index)
            self.progress.finished += 1
        except CellExecutionError as error:
            message = error.evalue[:_MESSAGE_CHARS]
            self.progress.failure = CellFailure(index, error.ename, message, _traceback(cell, error))
        except DeadKernelError:
            self.progress.died = True
        goes_on = self.listener.cell_ended(index)
        if self.progress.failure is None and not self.progress.died:
            return goes_on
        nb_man.cell_exception(cell, cell_index=index)
        return False

    def kernel_died(self) -> None:
        """Tell that the kernel's process is gone: all that it still sent is taken, then the cell ends."""
        self.progress.died = True
        self._wait_for_silence(-1)

    def _wait_for_silence(self, taken: int) -> None:
        if self.client.taken != taken:
            loop = asyncio.get_running_loop()
            loop.call_later(_DEATH_GRACE_S, self._wait_for_silence, self.client.taken)
            return
        waiting = self.client.task_poll_for_reply
        if waiting is not None:
            waiting.cancel()


def _traceback(cell: NotebookNode, error: CellExecutionError) -> str:
    """The traceback as the cell shows it, else as the kernel's reply had it."""
    shown = [output for output in cell.outputs if output.output_type == "error"]
    return "\n".join(shown[-1].traceback) if shown else str(error.traceback)


def is_executed(cell: NotebookNode) -> bool:
    """Whether a cell is sent to the kernel: code that is not blank."""
    return bool(cell.cell_type == "code" and cell.source.strip())


def allows_errors(cell: NotebookNode) -> bool:
    """Whether the cell is tagged as one that may fail."""
    return ALLOWS_ERRORS in cell.metadata.get("tags", [])

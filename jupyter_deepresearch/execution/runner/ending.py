"""How a run ended: from what is known of it to its outcome. Pure; the only judge of SUCCEEDED."""

import math
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...core.types import Outcome, Purpose, RunError, RunState
from ..metrics.scoring import Score
from ..spec import RunnerSpec
from .guard import Stop
from .missing import error_lines, missing_input
from .reports import ShellExit

TAIL_CHARS = 4000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_MEMORY_NAMES = ("MemoryError", "OutOfMemoryError", "_ArrayMemoryError", "ResourceExhaustedError", "XlaRuntimeError")
_MEMORY_WORDS = re.compile(
    r"CUDA out of memory|CUDA error: out of memory|MPS backend out of memory|OutOfMemoryError|"
    r"CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED|can't allocate memory|Cannot allocate memory|^MemoryError",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Death:
    """The kernel's process ended by itself, with ``code`` as Popen has it.

    ``by_memory``: the system was killing processes for want of memory just then.
    """

    code: int | None
    by_memory: bool = False


@dataclass(frozen=True)
class Facts:
    """All that is known of a run at its end.

    ``stop``: the rule or request that ended it; ``error``: what kept it from starting or going on; ``failure``: the
    exception of a cell as an error; ``exits``: failed shell commands that count; ``tail``: what was printed last;
    ``unseen``: what the project holds and the run does not see, folders with a slash at the end.
    """

    spec: RunnerSpec
    score: Score
    code_cells: int = 0
    finished: int = 0
    cell: int | None = None
    stop: Stop | None = None
    error: RunError | None = None
    failure: RunError | None = None
    exits: tuple[ShellExit, ...] = ()
    death: Death | None = None
    tail: str = ""
    elapsed_s: float | None = None
    gpu_s: float = 0.0
    peak_memory_bytes: int | None = None
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()


def outcome(facts: Facts) -> Outcome:
    """The run's outcome. A value only where every condition of success holds."""
    state, error = _end(facts)
    is_dry = facts.spec.purpose is Purpose.DRY_RUN
    value = facts.score.value if state is RunState.SUCCEEDED and not is_dry else None
    return Outcome(
        facts.spec.run,
        state,
        value=value,
        curve=facts.score.curve,
        finals=facts.score.finals,
        elapsed_s=facts.elapsed_s,
        gpu_s=facts.gpu_s,
        peak_memory_bytes=facts.peak_memory_bytes,
        locked_score=facts.score.locked and value is not None,
        error=error,
        notes=facts.notes,
        environment=facts.environment,
    )


def _end(facts: Facts) -> tuple[RunState, RunError | None]:
    if facts.stop is not None:
        return _stopped(facts, facts.stop)
    if facts.error is not None:
        return RunState.CRASHED, facts.error
    if facts.failure is not None:
        return _failed(facts, facts.failure)
    if facts.death is not None:
        return _died(facts, facts.death)
    if facts.exits:
        return _shell_failed(facts, facts.exits[0])
    if facts.finished < facts.code_cells:
        message = f"only {facts.finished} of {facts.code_cells} code cells ran"
        return RunState.CRASHED, RunError("NotAllCellsRan", message, facts.cell)
    return _measured(facts)


def _stopped(facts: Facts, stop: Stop) -> tuple[RunState, RunError | None]:
    if stop.state is RunState.SUCCEEDED:
        return stop.state, None
    tail = facts.failure.tail if facts.failure is not None else facts.tail
    error = RunError(stop.kind, stop.message, facts.cell, clean(tail), signal=stop.signal, rule=stop.rule)
    return stop.state, error


def _failed(facts: Facts, failure: RunError) -> tuple[RunState, RunError]:
    if failure.kind == "SystemExit":
        message = (
            f"the notebook ended itself with sys.exit({failure.message}) "
            f"after {facts.finished} of {facts.code_cells} code cells"
        )
        return RunState.CRASHED, RunError(failure.kind, message, failure.cell, failure.tail)
    why = missing_input(failure.message, facts.unseen, facts.spec.cwd)
    failure = replace(failure, message=failure.message + why)
    is_memory = failure.kind in _MEMORY_NAMES or _MEMORY_WORDS.search(failure.message) is not None
    return (RunState.OUT_OF_MEMORY if is_memory else RunState.CRASHED), failure


def _died(facts: Facts, death: Death) -> tuple[RunState, RunError]:
    code, number = death.code, None
    if code is not None and code < 0:
        number, code = -code, None
    if number is not None:
        message = f"the kernel's process was ended by {_signal_name(number)}"
    else:
        message = "the kernel's process ended" + (f" with exit code {code}" if code is not None else "")
    if death.by_memory:
        message += "; the system was killing processes for want of memory at that moment"
    is_memory = death.by_memory or _MEMORY_WORDS.search(facts.tail) is not None
    state = RunState.OUT_OF_MEMORY if is_memory else RunState.CRASHED
    message += f", after {facts.finished} of {facts.code_cells} code cells"
    return state, RunError("KernelDied", message, facts.cell, clean(facts.tail), exit_code=code, signal=number)


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _shell_failed(facts: Facts, exit_: ShellExit) -> tuple[RunState, RunError]:
    ended = f"exited with {exit_.code}" if exit_.code > 0 else f"was ended by {_signal_name(-exit_.code)}"
    is_memory = _MEMORY_WORDS.search(facts.tail) is not None
    state = RunState.OUT_OF_MEMORY if is_memory else RunState.CRASHED
    why = missing_input(error_lines(clean(facts.tail)), facts.unseen, facts.spec.cwd)
    message = f"the command !{exit_.command} {ended}{why}"
    return state, RunError("ShellCommandFailed", message, exit_.cell, clean(facts.tail), exit_code=exit_.code)


def _measured(facts: Facts) -> tuple[RunState, RunError | None]:
    metric, score = facts.spec.objective.metric, facts.score
    if facts.spec.purpose is Purpose.DRY_RUN:
        return RunState.SUCCEEDED, None
    if score.value is None:
        names = ", ".join(score.names[:20]) or "nothing"
        message = f"the metric {metric!r} was never reported; reported: {names}"
        return RunState.INVALID, RunError("MetricMissing", message)
    if not math.isfinite(score.value):
        message = f"the value of {metric} that counts is {score.value}"
        return RunState.DIVERGED, RunError("Diverged", message, rule="diverge")
    return RunState.SUCCEEDED, None


def clean(text: str) -> str:
    """The end of a text, without colours."""
    return _ANSI.sub("", text[-2 * TAIL_CHARS :])[-TAIL_CHARS:]

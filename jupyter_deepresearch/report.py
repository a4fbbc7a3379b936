"""What a notebook calls to report numbers: report(), dry_run(), artifacts(). One file, standard library, Python 3.6+.

The runner copies this file, as ``jupyter_deepresearch.py``, onto the path of a run's kernel. It therefore imports
nothing of ours, and nothing heavy: processes of the notebook import it too. Annotations are strings for old Pythons.

In a run, DEEPRESEARCH_REPORTS names the file that each report is appended to, one JSON object a line:
``{"t": seconds since 1970, "step": 3, "values": {"val_accuracy": 0.97}, "source": "report"}``, NaN and Infinity as
Python's json writes them. The hooks of libraries append the same with the library's name as the source (and no step,
where the library has none), ``{"t": ..., "shown": "words beside a bar"}`` and ``{"t": ..., "note": "one line"}``. The
shell hook appends ``{"t": ..., "shell": "the command", "code": 3}``.
"""

import operator
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import collections.abc
    import pathlib

__all__ = ["artifacts", "dry_run", "install_shell_hook", "load_ipython_extension", "report"]

_ACCEPTED = "a number (int, float, NaN and infinity included) or an array or tensor of exactly one number"
_SHELL_CHARS = 200
_TEXT_CHARS = 1000


class _Writer:
    """The open reports file of this process; another process (a fork) or another path opens its own."""

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self.pid = os.getpid()
        self.path = path
        self.torn = False
        try:
            self.fd = os.open(path, flags, 0o644)
        except OSError as error:
            raise _unwritten(error, path) from None

    def append(self, line: str) -> None:
        """Append ``line`` in one write, so that lines of several threads and processes never mix. Raises OSError."""
        content = line.encode("utf-8", "backslashreplace")
        if self.torn:
            content = b"\n" + content
        try:
            written = os.write(self.fd, content)
        except OSError as error:
            raise _unwritten(error, self.path) from None
        self.torn = written < len(content)
        if self.torn:
            raise OSError(28, "deepresearch: only a part of the report could be written (disk full?)", self.path)


_writer = None  # type: _Writer | None
_counted = 0
_torch_rank = None  # type: int | None
_rankless = -1  # how many variables the environment had when it told no rank
_quoted = {}  # type: dict[str, str]


def _unwritten(error: OSError, path: str) -> OSError:
    reason = "deepresearch: the report could not be written: " + (error.strerror or str(error))
    return OSError(error.errno, reason, path)


def _append(path: str, line: str) -> None:
    global _writer
    writer = _writer
    if writer is None or writer.pid != os.getpid() or writer.path != path:
        # Two threads may both come here; then one descriptor stays open unused, which harms nobody and needs no lock
        # (a lock held by another thread during a fork would block the child for ever).
        writer = _writer = _Writer(path)
    writer.append(line)


def _is_other_rank() -> bool:
    """Whether this process is a worker of distributed training other than the first."""
    global _torch_rank, _rankless
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        _torch_rank = distributed.get_rank()
    if _torch_rank is not None:  # known still when the process group has been destroyed
        return bool(_torch_rank != 0)
    count = len(os.environ)
    if count == _rankless:  # looking for what is not there takes longer than all the rest, so it is done once
        return False
    # Lightning's own launcher sets LOCAL_RANK alone. A process's index among multiprocessing's children is no rank.
    rank = os.environ.get("RANK", os.environ.get("LOCAL_RANK"))
    if rank is None:
        _rankless = count
    return rank is not None and rank.strip() not in ("", "0")


def as_number(value: object) -> "float | None":
    """``value`` as a float where ``report`` would take it, else None. Never raises an Exception."""
    if isinstance(value, float):
        return float(value)
    try:
        return _number("", value)
    except Exception:  # noqa: BLE001 (what a library was given to log may raise anything)
        return None


def _number(name: str, value: object) -> float:
    """``value`` as a float. Raises TypeError naming the metric, what was found and what is accepted."""
    found = type(value).__name__
    if isinstance(value, float):
        return float(value)
    single = value
    item = getattr(value, "item", None)
    if callable(item):
        try:
            single = item()
        except (TypeError, ValueError, RuntimeError):
            shape = tuple(getattr(value, "shape", ()))
            raise TypeError(_refusal(name, f"{found} of shape {shape}")) from None
    if isinstance(single, (bool, str, bytes)) or not hasattr(single, "__float__"):
        raise TypeError(_refusal(name, f"{type(single).__name__} {repr(single)[:60]}"))
    try:
        return float(single)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(_refusal(name, f"{found} that is no float: {error}")) from None


def _refusal(name: str, found: str) -> str:
    shown = " ".join(found.split())
    return f"report(): the value of metric {name!r} is a {shown}; accepted is {_ACCEPTED}"


def _counted_step(step: object) -> int:
    """The given step as an int; without one, the number of this process's reports so far. Raises TypeError."""
    global _counted
    if step is None:
        step = _counted
        _counted += 1
        return step
    if not isinstance(step, bool):
        try:
            return operator.index(step)  # type: ignore[arg-type]
        except TypeError:
            pass
    found = " ".join(repr(step)[:60].split())
    raise TypeError(f"report(): step is a {type(step).__name__} {found}; accepted is an int, or no step at all")


def _as_json(value: float) -> str:
    if value - value == 0:
        return float.__repr__(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _json_name(name: str) -> str:
    quoted = _quoted.get(name)
    if quoted is None:
        import json  # only here: it takes longer to import than all the rest

        quoted = json.dumps(name)
        if len(_quoted) < 1000:
            _quoted[name] = quoted
    return quoted


def report(step: "object" = None, **metrics: "object") -> None:
    """Report numbers measured at a step: ``report(step=epoch, val_accuracy=acc, train_loss=loss)``.

    ``step`` is an int; without it the calls of this process are counted from 0. Each metric is one number: a float or
    int, NaN and infinity included, or an array or tensor that holds exactly one. Names such as ``val/loss`` go as
    ``report(step=1, **{"val/loss": 0.1})``. In a run the numbers become part of it; outside one, a line is printed.
    Workers of distributed training other than rank 0 are ignored.

    Raises TypeError for anything that is no number and when no metric is given; OSError when the run's report file
    cannot be written, because a silent loss would spoil the run.
    """
    if not metrics:
        raise TypeError("report(): no metric given; call it as report(step=epoch, val_accuracy=acc)")
    values = {name: _number(name, value) for name, value in metrics.items()}
    at = _counted_step(step)
    if _is_other_rank():
        return
    path = os.environ.get("DEEPRESEARCH_REPORTS")
    if not path:
        print(f"step {at}: " + " ".join([f"{name}={value:.6g}" for name, value in values.items()]))
        return
    pairs = ", ".join([f"{_json_name(name)}: {_as_json(value)}" for name, value in values.items()])
    _append_values(path, "report", str(at), pairs)


def _append_values(path: str, source: str, step: str, pairs: str) -> None:
    _append(path, f'{{"t": {time.time()!r}, "step": {step}, "values": {{{pairs}}}, "source": "{source}"}}\n')


def logged(source: str, step: object, values: "collections.abc.Mapping[str, object]") -> None:
    """Report what a library logs; used by hooks. What is no number is dropped, nothing is printed. Raises OSError."""
    path = os.environ.get("DEEPRESEARCH_REPORTS")
    if not path or _is_other_rank():
        return
    pairs = []
    for name, value in values.items():
        number = value if type(value) is float else as_number(value)
        if number is not None:
            pairs.append((_quoted.get(name) or _json_name(str(name))) + ": " + _as_json(number))
    if pairs:
        _append_values(path, source, _json_step(step), ", ".join(pairs))


def _json_step(step: object) -> str:
    if type(step) is int:
        return repr(step)
    at = None if step is None else as_number(step)
    return "null" if at is None else _as_json(at)


def note(text: str) -> None:
    """Put one line into the run's record. Raises OSError."""
    _append_text("note", text)


def shown(text: str) -> None:
    """Have words that a widget shows read for metrics, as if they were printed. Raises OSError."""
    if not _is_other_rank():
        _append_text("shown", text)


def _append_text(kind: str, text: str) -> None:
    path = os.environ.get("DEEPRESEARCH_REPORTS")
    if path:
        import json

        _append(path, f'{{"t": {time.time()!r}, "{kind}": {json.dumps(text[:_TEXT_CHARS])}}}\n')


def dry_run() -> bool:
    """Whether this is a dry run: the short trial of changed code, in which a notebook should do little work."""
    return os.environ.get("DEEPRESEARCH_DRY_RUN") == "1"


def artifacts() -> "pathlib.Path":
    """The folder, made if absent, that is kept with the run; outside a run ``artifacts`` in the working directory."""
    import pathlib

    folder = pathlib.Path(os.environ.get("DEEPRESEARCH_ARTIFACTS") or "artifacts").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def load_ipython_extension(ipython: "object") -> None:
    """``%load_ext jupyter_deepresearch`` in a researched notebook: inside a run there is no magic to load."""
    print("jupyter_deepresearch: inside a run: nothing to load")


def install_shell_hook() -> bool:
    """Note each ``!command`` of this kernel that exits non-zero in the reports file. True where the hook is in place.

    The command itself runs as before, in a kernel with a terminal of 160 columns. ``x = !command`` goes another way in
    IPython and stays silent, as by hand.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return False
    original = shell.system
    if getattr(original, "deepresearch_hook", False):
        return True
    # Programs cut progress bars at the 80 columns of IPython's pseudo-terminal, and the numbers at their end with them.
    widen = "stty cols 160 2>/dev/null; " if os.name == "posix" and original.__name__ == "system_piped" else ""
    call = compile("_deepresearch_system(_deepresearch_command)", "<deepresearch>", "eval")

    def system(cmd: str) -> "object":
        """Run a shell command, as IPython does."""
        # IPython expands {names} of a command with the local variables of the frame that called system(). The frame of
        # this eval has the caller's variables as its own, so that a command inside a function finds them as without us.
        names = {"_deepresearch_system": original, "_deepresearch_command": widen + cmd}
        result = eval(call, names, sys._getframe(1).f_locals)
        _note_exit(shell, cmd)
        return result

    system.deepresearch_hook = True  # type: ignore[attr-defined]
    shell.system = system
    return True


def _note_exit(shell: "object", command: str) -> None:
    try:
        code = shell.user_ns.get("_exit_code")  # type: ignore[attr-defined]
        path = os.environ.get("DEEPRESEARCH_REPORTS")
        if path and isinstance(code, int) and code != 0:
            import json

            shown = json.dumps(command[:_SHELL_CHARS])
            _append(path, f'{{"t": {time.time()!r}, "shell": {shown}, "code": {code:d}}}\n')
    except Exception as error:  # noqa: BLE001 (whatever goes wrong in our note, the notebook's command has done its work)
        sys.stderr.write(f"deepresearch: a failed command could not be noted: {error}\n")

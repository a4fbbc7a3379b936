"""Why a kernel did not start, and the one line that mends it, out of what its process left behind. Pure but for a look
at the environment that the line is for."""

import re
from dataclasses import dataclass

from ..mending import install_line

# What ipykernel itself needs: without one of these it is half installed, or was broken by a later install.
_PARTS = frozenset(
    (
        *("IPython", "comm", "debugpy", "jupyter_client", "jupyter_core", "matplotlib_inline", "nest_asyncio"),
        *("packaging", "psutil", "tornado", "traitlets", "zmq"),
    )
)
_NO_KERNEL = re.compile(
    r"^(?:(?P<python>[^:\n]*/[^:\n]*): )?.*No module named '?ipykernel(?:_launcher)?\b", re.MULTILINE
)
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[\w.]+)'")
_MOST_CHARS = 300


@dataclass(frozen=True)
class NotStarted:
    """A start that failed: the kernelspec's name, the program that was (to be) started, the error, what the process
    wrote to its error stream, and its exit code, None where it lives or never was."""

    kernel: str
    program: str
    error: Exception
    stderr: str = ""
    code: int | None = None

    @property
    def message(self) -> str:
        """One line: which kernel, why, and what to do where that is known."""
        return f'the kernel "{self.kernel}" did not start: {self._cause()}'

    def _cause(self) -> str:
        choose = "install it again, or choose another kernel (`jupyter kernelspec list`, --kernel NAME)"
        if isinstance(self.error, FileNotFoundError):
            return f"its program {self.error.filename or self.program} is not there; {choose}"
        if isinstance(self.error, PermissionError):
            return f"its program {self.error.filename or self.program} may not be run; {choose}"
        if isinstance(self.error, OSError):
            return f"{self.error.strerror or self.error} ({self.program}); {choose}"
        found = _NO_KERNEL.search(self.stderr)
        if found is not None:
            python = found["python"] or self.program
            return f"ipykernel is not installed for {python}; mend it with: {install_line(python, ('ipykernel',))}"
        return self._last_words()

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        said = lines[-1][:_MOST_CHARS] if lines else "it said nothing"
        ended = f"{self.error}" if self.code is None else _ended(self.code)
        missing = _NO_MODULE.search(self.stderr)
        if missing is not None and missing["name"].partition(".")[0] in _PARTS:
            line = install_line(self.program, ("--force-reinstall", "ipykernel"))
            return f"{missing[0].partition(': ')[2]}, which ipykernel needs; mend it with: {line}"
        return f"{said} ({ended})"


def _ended(code: int) -> str:
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with {code}"

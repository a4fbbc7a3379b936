"""Asking the Python of a kernel what is there: its program is started once, and nothing of the project is run."""

import os
import re
import string
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from jupyter_client.kernelspec import KernelSpec

from ...errors import DeepResearchError

TIMEOUT_S = 60.0
_INSIDE = Path(__file__).with_name("_inside.py")
_MARK = "deepresearch-checkup:"
_LAUNCHERS = ("ipykernel_launcher", "ipykernel")


class NoAnswer(DeepResearchError):
    """The kernel's Python cannot be asked; why, in one line."""

    reason = "no_answer"


@dataclass(frozen=True)
class Answer:
    """What the kernel's Python says. ``places``: for each module asked for, the file that it would be loaded from, None
    where there is none; ``editable``: distributions installed in place, with their folders; ``torch``: its version and
    its CUDA's, None for a build without."""

    version: str = ""
    executable: str = ""
    path: tuple[str, ...] = ()
    places: Mapping[str, str | None] = field(default_factory=dict)
    editable: tuple[tuple[str, str], ...] = ()
    torch: tuple[str, str | None] | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, place in self.places.items() if place is None))


def ask(spec: KernelSpec, modules: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> Answer:
    """What the Python of this kernelspec says of ``modules``, started in ``cwd`` with the variables of a run.

    Raises NoAnswer.
    """
    command = [*python_of(spec), "-c", _INSIDE.read_text(encoding="utf-8"), *modules]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=_variables(spec, environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{command[0]} gave no answer within {TIMEOUT_S:g} s") from None
    except OSError as error:
        raise NoAnswer(f"{command[0]} cannot be started: {error.strerror or error}") from None
    told = re.search(rf"^{_MARK}(.*)$", done.stdout, re.MULTILINE)
    if told is None:
        last = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), "it said nothing")
        raise NoAnswer(f"{command[0]} ended with {done.returncode}: {last[:300]}")
    try:
        return msgspec.json.decode(told[1], type=Answer)
    except msgspec.MsgspecError as error:
        raise NoAnswer(f"{command[0]} answered what cannot be read ({error})") from None


def python_of(spec: KernelSpec) -> list[str]:
    """The command of a kernelspec up to where it starts ipykernel. Raises NoAnswer where it does not."""
    words = [_filled(word, spec) for word in spec.argv]
    for at in range(1, len(words) - 1):
        if words[at] == "-m" and words[at + 1] in _LAUNCHERS:
            own = {"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
            return [sys.executable if words[0] in own else words[0], *words[1:at]]
    raise NoAnswer(f"{' '.join(words)[:200]} starts no ipykernel: what it needs cannot be looked up")


def _filled(word: str, spec: KernelSpec) -> str:
    known = {"prefix": sys.prefix, "resource_dir": spec.resource_dir}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], found[0]), word)


def _variables(spec: KernelSpec, environ: Mapping[str, str]) -> dict[str, str]:
    """A run's variables with those of the kernelspec, as jupyter_client fills them in."""
    added = {name: string.Template(str(value)).safe_substitute(environ) for name, value in spec.env.items()}
    return {**environ, **added, "PYTHONIOENCODING": "utf-8"} if os.name == "posix" else {**environ, **added}

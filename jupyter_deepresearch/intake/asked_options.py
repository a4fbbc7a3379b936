"""What a script says of its options itself: asked by ``probe.py``, in a bounded time, where it can do no harm."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..core.project import LauncherOptions
from .options import Kind, Option, Passing, longest, settled
from .source_options import kind_of

ASK_SECONDS = 30.0
_MOST_LINKS, _CODE = 2000, (".py", ".yaml", ".yml", ".toml", ".json")
_PROBE = Path(__file__).with_name("probe.py")
_KINDS: Mapping[str, Kind] = {"int": "int", "float": "float", "str": "str", "bool": "bool", "Path": "str"}
_SETTABLE = {"StoreAction", "StoreTrueAction", "StoreFalseAction", "BooleanOptionalAction"}
_BOOLS = ("bool", "str2bool", "string_to_bool", "strtobool", "boolean", "str_to_bool", "str2boolean")


@dataclass(frozen=True)
class Answer:
    """What came of asking. ``problem``: why nothing came, in a clause. ``commands``: subcommands, one is needed."""

    options: tuple[Option, ...] = ()
    commands: tuple[str, ...] = ()
    problem: str | None = None
    text: str = ""


def ask_options(python: str, folder: Path, words: Sequence[str], environ: Mapping[str, str]) -> Answer:
    """The options of a script. ``words``: how it is started in ``folder``, and what it is asked with.

    It runs in a folder of links to the project's, so that a file it makes is no one's.
    """
    with tempfile.TemporaryDirectory(prefix="deepresearch-") as temporary:
        found = Path(temporary) / "options.jsonl"
        command = [python, str(_PROBE), str(found), *words]
        answer = _run(command, folder, Path(temporary) / "work", environ)
        parsers = [json.loads(line) for line in found.read_text().splitlines()] if found.exists() else []
    actions = list({_key(action): action for parser in parsers for action in parser}.values())
    if not actions:
        return Answer(problem=answer.problem or "it reads no command line")
    needed = [a["choices"] for a in actions if a["action"] == "SubParsersAction"]
    own = list(parsers[-1]) if needed and len(parsers) > 1 else actions
    return Answer(tuple(filter(None, map(_option, own))), tuple(map(str, needed[0])) if needed else ())


def run_in_links(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Answer:
    """What a command prints on stdout, started in a folder of links to what is in ``folder``."""
    with tempfile.TemporaryDirectory(prefix="deepresearch-") as temporary:
        return _run(command, folder, Path(temporary) / "work", environ)


def _run(command: Sequence[str], folder: Path, work: Path, environ: Mapping[str, str]) -> Answer:
    work.mkdir()
    entries = list(folder.iterdir())
    if len(entries) > _MOST_LINKS:  # data beside the code
        entries = [entry for entry in entries if entry.suffix in _CODE or entry.is_dir()]
    for entry in entries:
        if not any(fnmatchcase(entry.name, name) for name in (*LauncherOptions().private, ".git", ".deepresearch")):
            (work / entry.name).symlink_to(entry.resolve())
    quiet = {**environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", "MPLBACKEND": "Agg", "WANDB_MODE": "disabled"}
    try:
        process = subprocess.Popen(
            command,
            cwd=work,
            env=quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Answer(problem=f"{command[0]} cannot be started ({error.strerror})")
    with _ended(process):
        try:
            out, err = process.communicate(timeout=ASK_SECONDS)
        except subprocess.TimeoutExpired:
            return Answer(problem=f"it was still running after {ASK_SECONDS:g} s")
    if process.returncode not in (0, None):
        last = [line.strip() for line in err.splitlines() if line.strip()][-1:]
        return Answer(
            problem=f"it ended with status {process.returncode}{': ' + last[0][:200] if last else ''}", text=out
        )
    return Answer(text=out)


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Afterwards nothing of the process's session is left."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _key(action: Mapping[str, Any]) -> str:
    return longest(action["spellings"]) if action["spellings"] else str(action["dest"])


def _option(action: Mapping[str, Any]) -> Option | None:
    if action["action"] not in _SETTABLE:
        return None
    spellings = tuple(action["spellings"])
    default = action["default"]
    value = tuple(default) if isinstance(default, list) else None if default == "==SUPPRESS==" else default
    passing = _passing(action)
    kind: Kind | None = "bool" if passing in (Passing.SWITCH, Passing.PAIR) else _kind(action, value)
    option = Option(
        flag=_key(action),
        value=False if passing is Passing.SWITCH else value,
        passing=passing,
        kind=kind,
        choices=tuple(action["choices"]),
        spellings=spellings,
        off=spellings[-1] if passing is Passing.PAIR else "",
        required=action["required"],
        computed=not action["known"],
        about=" ".join(action["help"].split()) if action["help"] != "==SUPPRESS==" else "",
    )
    return settled(option)


def _passing(action: Mapping[str, Any]) -> Passing:
    if action["action"] in ("StoreTrueAction", "StoreFalseAction"):
        return Passing.SWITCH
    if action["action"] == "BooleanOptionalAction":
        return Passing.PAIR
    return Passing.WORDS if action["nargs"] in ("+", "*") or isinstance(action["nargs"], int) else Passing.VALUE


def _kind(action: Mapping[str, Any], value: object) -> Kind | None:
    if action["type"] in _BOOLS:
        return "bool"
    return _KINDS.get(action["type"]) or (None if action["type"] else kind_of(value) or "str")


def interpreter(argv: Sequence[str]) -> str:
    """The Python of a kernelspec's command, as Jupyter finds it."""
    name = Path(argv[0]).name
    return sys.executable if argv[0] == name and name.rstrip("0123456789.") == "python" else argv[0]

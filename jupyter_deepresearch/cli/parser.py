"""Words of a command line -> ``Request``. Every command has a parser of its own, so that options may stand anywhere."""

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._version import __version__
from ..config.loading import Options
from .request import Request

PROGRAM = "jupyter deepresearch"
CHAMPION = "champion"


def _is_number(word: str) -> bool:
    return word.isdecimal()


def _is_base(word: str) -> bool:
    return word.isdecimal() or word == CHAMPION


def _is_assignment(word: str) -> bool:
    return "=" in word and word.partition("=")[0].strip().isidentifier()


def _is_run(word: str) -> bool:
    return re.match(r"\d{4,}-[a-z]", word) is not None


def _is_anything(word: str) -> bool:
    return True


def _is_nothing(word: str) -> bool:
    return False


@dataclass(frozen=True)
class Shape:
    """A command's own arguments: how they are shown, how many there may be, and which words can be nothing else."""

    help: str
    shown: str = ""
    least: int = 0
    most: int | None = 0
    own: Callable[[str], bool] = _is_nothing


COMMANDS: Mapping[str, Shape] = {
    "init": Shape("make a project around a notebook or a script", "[FILE] [-- ARGS]", 0, 2, _is_anything),
    "run": Shape("research it here, in the foreground, until a budget or the target ends it"),
    "start": Shape("research it in the Jupyter server that holds the folder, else in a process of its own"),
    "status": Shape("where it stands"),
    "history": Shape("all experiments as a table"),
    "best": Shape("the champion and the baseline"),
    "memory": Shape("what the researcher remembers, as it would be sent"),
    "cost": Shape("what calls to a language model have cost"),
    "diff": Shape("how experiment N differs from M (its parent)", "N [M]", 1, 2, _is_number),
    "take": Shape("an experiment as a notebook and a patch, in a folder of its own", "N", 1, 1, _is_number),
    "fork": Shape("an experiment's notebook in forks/, to edit and hand back", "N", 1, 1, _is_number),
    "logs": Shape("what a run prints (the latest one)", "[RUN]", 0, 1, _is_run),
    "events": Shape("everything that was written into its log"),
    "try": Shape("your own hypothesis, run next", "[NAME=VALUE ...]", 0, None, _is_assignment),
    "approve": Shape("let a waiting hypothesis run", "[N]", 0, 1, _is_number),
    "reject": Shape("refuse a waiting hypothesis", "[N] [WHY]", 0, None, _is_number),
    "directive": Shape("tell the researcher something before it thinks next", "TEXT", 1, None),
    "pause": Shape("start nothing new; live runs finish"),
    "resume": Shape("undo pause and stop"),
    "stop": Shape("start nothing new and cancel live runs"),
    "cancel": Shape("end one live run", "RUN", 1, 1, _is_run),
    "reproduce": Shape("run an experiment with further seeds", "N", 1, 1, _is_number),
    "branch": Shape("let hypotheses grow from experiment N", "N|champion", 1, 1, _is_base),
    "doctor": Shape("what is there and what is missing: kernel and its packages, GPU, extension, disk, sandbox, key"),
}


def parse(argv: Sequence[str]) -> Request:
    """The request of a command line. Raises SystemExit: 0 after --help and --version, 2 for a usage error."""
    top = _top_parser()
    if not argv:
        top.print_help()
        raise SystemExit(2)
    command = top.parse_args(argv[:1]).command
    parser = _parser(command)
    own, arguments = _until_dashes(argv[1:]) if command == "init" else (argv[1:], ())
    found = parser.parse_intermixed_args(list(own))
    folder, words = _project_first(found.words, COMMANDS[command])
    _check_count(parser, command, words)
    return _request(command, folder, words, found, tuple(arguments))


def _until_dashes(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before ``--`` and what after it."""
    at = list(argv).index("--") if "--" in argv else len(argv)
    return argv[:at], argv[at + 1 :]


def _top_parser() -> argparse.ArgumentParser:
    width = max(len(name) for name in COMMANDS)
    listed = "\n".join(f"  {name:<{width}}  {shape.help}" for name, shape in COMMANDS.items())
    top = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND [PROJECT] [--json]",
        description="A research loop around a notebook. PROJECT is a folder, the current one by default.",
        epilog=f"commands:\n{listed}\n\n{PROGRAM} COMMAND --help tells more of one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    top.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    return top


def _parser(command: str) -> argparse.ArgumentParser:
    shape = COMMANDS[command]
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {command}",
        usage=f"{PROGRAM} {command} [PROJECT] {shape.shown} [options]".replace("  ", " "),
        description=f"{shape.help}.".capitalize() if shape.help[:1].islower() else shape.help,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", metavar="PROJECT", help="its folder, the current one by default")
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_options(parser, command)
    return parser


def _add_options(parser: argparse.ArgumentParser, command: str) -> None:
    add = parser.add_argument
    if command in ("run", "start"):
        add("--notebook", metavar="FILE", help="the notebook to research, where the folder has several")
        add("--metric", metavar="NAME", help="the reported number to improve")
        add("--direction", choices=("maximize", "minimize"), help="which way is better (default: by the metric's name)")
        add("--researcher", metavar="KIND", help="who proposes: claude, claude-cli or sweep")
        add("--approval", choices=("auto", "ask"), help="whether each hypothesis waits for you")
        add("--kernel", metavar="NAME", help="the kernel of every run (default: the notebook's own)")
        add("--cycles", type=int, metavar="N", help="stop after so many hypotheses")
        add("--hours", type=float, metavar="H", help="stop after so much work")
        add("--usd", type=float, metavar="X", help="the most that calls to a language model may cost")
    elif command == "init":
        add("--metric", metavar="NAME", help="the number to improve, as the program prints or logs it")
        add("--direction", choices=("maximize", "minimize"), help="which way is better (default: by the metric's name)")
        add("--kernel", metavar="NAME", help="the kernel of every run (default: the notebook's own)")
        add("-y", "--yes", action="store_true", help="do not ask")
    elif command == "events":
        add("--after", type=int, default=0, metavar="SEQ", help="only what came after this number")
    elif command == "logs":
        add("-f", "--follow", action="store_true", help="go on until the run has ended")
    elif command == "take":
        add("--into", metavar="DIR", type=Path, help="where to (default: a new folder in the project's forks/)")
    elif command == "reproduce":
        add("--seeds", type=int, required=True, metavar="K", help="how many further seeds")
    elif command == "stop":
        add("-y", "--yes", action="store_true", help="do not ask")
    elif command == "try":
        add("--notebook", metavar="FILE", help="another notebook of the folder in place of the champion's")
        add("--claim", metavar="TEXT", help="what you expect of it")


def _project_first(words: Sequence[str], shape: Shape) -> tuple[Path, tuple[str, ...]]:
    """The project's folder, if the first word names it, and the words of the command.

    A word that can only be the command's own is; else one that is a folder or a path is the project, and so is any
    word where no argument can stand or one is already complete.
    """
    here = Path(".")
    if not words or shape.own(words[0]):
        return here, tuple(words)
    takes_text = shape.most is None and shape.own in (_is_nothing, _is_number)
    is_path = os.path.isdir(words[0]) or (os.sep in words[0] and not any(c.isspace() for c in words[0]))
    is_surplus = not takes_text and (shape.own is not _is_run or len(words) > 1)
    if is_path or is_surplus or (len(words) > 1 and shape.own(words[1])):
        return Path(words[0]), tuple(words[1:])
    return here, tuple(words)


def _check_count(parser: argparse.ArgumentParser, command: str, words: Sequence[str]) -> None:
    shape = COMMANDS[command]
    if len(words) < shape.least:
        parser.error(f"nothing given for {shape.shown.split()[0]}")
    if shape.most is not None and len(words) > shape.most:
        parser.error(f"found {words[shape.most]!r} too much; accepted: [PROJECT] {shape.shown}".rstrip())
    for word in words if shape.own in (_is_number, _is_base) and shape.most is not None else ():
        if not shape.own(word):
            or_champion = f", or {CHAMPION}" if shape.own is _is_base else ""
            parser.error(f"found {word!r}; accepted: the number of an experiment{or_champion}")


def _request(
    command: str, folder: Path, words: tuple[str, ...], found: argparse.Namespace, arguments: tuple[str, ...]
) -> Request:
    given: dict[str, Any] = vars(found)
    names = ("notebook", "metric", "direction", "researcher", "approval", "kernel", "cycles", "hours", "usd")
    chosen: dict[str, Any] = {name: given.get(name) for name in names} if command in ("run", "start", "init") else {}
    options = Options(**chosen)
    return Request(
        command=command,
        folder=Path(os.path.abspath(folder)),
        words=words,
        as_json=found.json,
        options=options,
        after=given.get("after", 0),
        follow=given.get("follow", False),
        seeds=given.get("seeds", 1),
        yes=given.get("yes", False),
        notebook=given.get("notebook"),
        claim=given.get("claim"),
        into=given.get("into"),
        arguments=arguments,
    )

"""Which project, folder, run or hypothesis is meant where a line leaves it open: never a guess."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..config.loading import Options
from ..errors import Conflict, InvalidInput, NotFound
from ..service.views import StatusView
from ..text import one_line


def notebook_folder(environ: Mapping[str, str]) -> Path | None:
    """Where the notebook of this kernel lies, for links that go on working after ``%cd``; None where nobody tells."""
    named = Path(environ.get("JPY_SESSION_NAME", ""))
    if named.is_absolute() and named.parent.is_dir():
        return named.parent
    try:
        return Path.cwd()
    except OSError:
        return None


def project_meant(known: Sequence[StatusView], name: str | None, cwd: Path) -> StatusView:
    """The project of this name or id, else the one around ``cwd``, else the only one. Raises NotFound, Conflict."""
    if name is not None:
        return _named(known, name)
    here = cwd.resolve()
    around = [view for view in known if here.is_relative_to(view.path)]
    if around:
        return max(around, key=lambda view: len(view.path))
    if len(known) == 1:
        return known[0]
    if not known:
        raise NotFound("no project is known yet; start one with `%deepresearch start PATH`")
    names = ", ".join(sorted(view.project for view in known))
    raise Conflict(f"several projects are known ({names}); say which one by --project NAME")


def _named(known: Sequence[StatusView], name: str) -> StatusView:
    found = [view for view in known if name in (view.id, view.project)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(view.id for view in found)
        raise Conflict(f"several projects are called {one_line(name)!r}; say which one by its id: {ids}")
    names = ", ".join(sorted(view.project for view in known)) or "none"
    raise NotFound(f"there is no project {one_line(name)!r}; known: {names}")


def place_meant(path: str, options: Options, cwd: Path) -> tuple[Path, Options]:
    """The project's folder; for a notebook its own, with the notebook as an option. Raises InvalidInput."""
    try:
        place = (cwd / Path(path).expanduser()).resolve()
        is_notebook = place.suffix == ".ipynb" and place.is_file()
    except (OSError, RuntimeError, ValueError):  # too long a name, no such person, a zero byte
        raise InvalidInput(f"start: found {one_line(path)!r}; accepted: the path of a folder") from None
    if not is_notebook:
        return place, options
    if options.notebook is not None:
        raise InvalidInput(f"start: found two notebooks, {place.name} and {options.notebook}; accepted: one")
    return place.parent, replace(options, notebook=place.name)


def run_meant(view: StatusView, named: str) -> str:
    """The run: by its name, by its experiment's number, or the only live one. Raises NotFound, InvalidInput."""
    number = named.removeprefix("#")
    if named and not number.isdecimal():
        return named
    live = [run.run for run in view.running if not named or run.experiment == int(number)]
    if len(live) == 1:
        return live[0]
    of = f" of experiment {int(number)}" if named else ""
    if not live:
        raise NotFound(f"cancel: no run{of} is live")
    raise InvalidInput(f"cancel: several runs{of} are live ({', '.join(live)}); say which one: cancel RUN")


def waiting_meant(view: StatusView, word: str) -> int:
    """The only hypothesis that waits. Raises NotFound, InvalidInput."""
    numbers = [waiting.hypothesis for waiting in view.waiting]
    if len(numbers) == 1:
        return numbers[0]
    if not numbers:
        raise NotFound(f"{word}: nothing waits for you")
    found = ", ".join(str(number) for number in numbers)
    raise InvalidInput(f"{word}: several hypotheses wait ({found}); say which one: {word} N")

"""What the words of the magic do: each asks the server and gives back what is shown."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.project import BRIEF_LIMIT_CHARS
from ..errors import Conflict, Forbidden, InvalidInput, NoServer, NotFound
from ..service.views import StatusView
from ..text import headline, one_line, parameters_text
from .answering import Answering
from .arguments import Line
from .render import PANEL_ROWS, Renderer, Shown, lines, sentence
from .servers import URL_VARIABLE

HISTORY_ROWS = 50

HELP = """\
start [PATH]        research the project in PATH (default: here), or go on with it
                    --notebook F --metric M --direction maximize|minimize --researcher claude|sweep
                    --approval auto|ask --kernel NAME --cycles N --hours H --usd X
                    %%deepresearch start ... takes the brief as the cell's body
status              what is happening and why
panel               status, what waits for you, and the history
history             every experiment, newest first
best                the champion and the baseline
memory              what the researcher is told
cost                what language models have cost, by phase and by day
open N              a link to the notebook of experiment N
diff N [M]          what experiment N changes (from N to M)
try NAME=VALUE ...  test your own idea next; --notebook F, --claim TEXT
approve [N]         let a waiting hypothesis run
reject [N] [WHY]    do not let it run
directive TEXT      tell the researcher something
pause               start nothing new, let live runs finish
resume              undo pause and stop
stop [--yes]        start nothing new and cancel live runs
cancel RUN          end one live run
help                these lines
Every command but start takes --project NAME as its first option, where several projects are known."""


@dataclass
class Conversation:
    """One kernel's talk with its server, or with the folders where no server takes the project.

    ``ask`` puts a question to the person; ``started`` is the project in hand.
    """

    connect: Callable[[], Answering]
    ask: Callable[[str], str]
    cwd: Callable[[], Path] = Path.cwd
    started: str | None = None
    _is_detached: bool = False

    def say(self, line: Line) -> Shown:
        """Do what the line says. Raises DeepResearchError."""
        if line.word == "help":
            return lines(HELP)
        if self._is_detached and line.word != "start" and line.project is None:
            return self._say(self._folders(""), line)
        try:
            client = self.connect()
            if line.word != "start" and line.project is None and self._is_stranger(client):
                return self._say(self._folders(""), line)
            shown = self._say(client, line)
        except (NoServer, Forbidden) as error:
            is_named = bool(os.environ.get(URL_VARIABLE))
            if is_named or (isinstance(error, Forbidden) and line.word != "start"):
                raise
            shown = self._say(self._folders(str(error)), line)
            self._is_detached = line.word == "start" or self._is_detached
        else:
            self._is_detached = False
        return shown

    def _folders(self, why: str) -> Answering:
        from .ledger import LedgerClient  # what researches, which a kernel of a server need not import

        return LedgerClient(self.cwd(), why)

    def _is_stranger(self, client: Answering) -> bool:
        """Whether the folder here belongs to a project of which the server knows nothing."""
        if self.started is not None:
            return False
        here = self.cwd().resolve()
        around = [f for f in (here, *here.parents) if (f / ".deepresearch" / "ledger.db").is_file()]
        return bool(around) and all(Path(view.path).resolve() != around[0] for view in client.projects())

    def _say(self, client: Answering, line: Line) -> Shown:
        if line.word == "start":
            shown = self._start(client, line)
        else:
            view = self._project(client, line.project)
            answer = self._shown(client, view, line)
            shown = answer if answer is not None else self._told(client, view, line)
        if not client.remark:
            return shown
        return Shown(f"{client.remark}\n{shown.text}", f"{sentence(client.remark).html}{shown.html}")

    def _start(self, client: Answering, line: Line) -> Shown:
        if line.text is not None and len(line.text) > BRIEF_LIMIT_CHARS:
            raise InvalidInput(
                f"the cell's brief has {len(line.text):,} characters; at most {BRIEF_LIMIT_CHARS:,} are accepted: move"
                " the rest to notes/*.md"
            )
        brief = line.text if line.text and line.text.strip() else None
        folder = (self.cwd() / Path(line.path).expanduser()).resolve()
        view = client.start(folder, line.options, brief)
        self.started = view.id
        return self._renderer().panel(view, client.newest(view.id, PANEL_ROWS))

    def _renderer(self) -> Renderer:
        return Renderer(self.cwd())

    # Which project

    def _project(self, client: Answering, name: str | None) -> StatusView:
        """The project named, else the one started here, else the one around this folder, else the only one."""
        if name is None and self.started is not None:
            return client.status(self.started)
        known = client.projects()
        if name is not None:
            return self._named(known, name)
        here = self.cwd().resolve()
        around = [view for view in known if here.is_relative_to(view.path)]
        if around:
            return max(around, key=lambda view: len(view.path))
        if len(known) == 1:
            return known[0]
        if not known:
            raise NotFound("no project is known yet; start one with `%deepresearch start PATH`")
        names = ", ".join(sorted(view.project for view in known))
        raise Conflict(f"several projects are known ({names}); say which one by --project NAME")

    def _named(self, known: tuple[StatusView, ...], name: str) -> StatusView:
        found = [view for view in known if name in (view.id, view.project)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(view.id for view in found)
            raise Conflict(f"several projects are called {one_line(name)!r}; say which one by its id: {ids}")
        names = ", ".join(sorted(view.project for view in known)) or "none"
        raise NotFound(f"there is no project {one_line(name)!r}; known: {names}")

    # Questions

    def _shown(self, client: Answering, view: StatusView, line: Line) -> Shown | None:
        """The answer to a question, None for a word that is none."""
        render = self._renderer()
        match line.word:
            case "status":
                return render.status(view)
            case "panel":
                return render.panel(view, client.newest(view.id, PANEL_ROWS))
            case "history":
                return render.history(view, client.newest(view.id, HISTORY_ROWS))
            case "best":
                return render.best(view)
            case "memory":
                return render.memory(client.memory(view.id))
            case "cost":
                return render.cost(client.cost(view.id))
            case "open":
                row = client.experiment(view.id, line.numbers[0])
                if row.notebook is None:
                    raise NotFound(f"experiment {row.experiment} has no notebook yet: it is {row.state.value}")
                return render.link(view, row)
            case "diff":
                return render.changes(client.changes(view.id, *line.numbers))
            case _:
                return None

    # Commands

    def _told(self, client: Answering, view: StatusView, line: Line) -> Shown:
        """Write the command; a sentence that says what comes of it."""
        match line.word:
            case "try":
                return self._try(client, view, line)
            case "approve" | "reject":
                return self._decide(client, view, line)
            case "directive":
                client.command(view.id, "directive", text=line.text)
                return sentence("written; it is read before the next hypothesis")
            case "cancel":
                client.command(view.id, "cancel", run=line.run)
                return sentence(f"run {one_line(line.run)} is being cancelled")
            case "stop":
                return self._stop(client, view, line.yes)
            case word:
                client.command(view.id, word)
                return sentence(headline(client.status(view.id)))

    def _try(self, client: Answering, view: StatusView, line: Line) -> Shown:
        given = {"notebook": line.notebook, "claim": line.claim}
        body = {key: value for key, value in given.items() if value is not None}
        client.command(view.id, "try", parameters=dict(line.parameters), **body)
        what = parameters_text(line.parameters) or line.notebook or ""
        return sentence(f"{what}: runs next, with the same record and verdict as any hypothesis")

    def _decide(self, client: Answering, view: StatusView, line: Line) -> Shown:
        number = line.numbers[0] if line.numbers else self._only_waiting(view, line.word)
        reason = {"reason": line.text} if line.word == "reject" and line.text else {}
        client.command(view.id, line.word, hypothesis=number, **reason)
        return sentence(f"hypothesis {number}: {'approved' if line.word == 'approve' else 'rejected'}")

    def _only_waiting(self, view: StatusView, word: str) -> int:
        numbers = [waiting.hypothesis for waiting in view.waiting]
        if len(numbers) == 1:
            return numbers[0]
        if not numbers:
            raise NotFound(f"{word}: nothing waits for you")
        found = ", ".join(str(number) for number in numbers)
        raise InvalidInput(f"{word}: several hypotheses wait ({found}); say which one: {word} N")

    def _stop(self, client: Answering, view: StatusView, yes: bool) -> Shown:
        live = [run.run for run in view.running]
        if live and not yes:
            answer = self.ask(f"Stop {view.project} and cancel {', '.join(live)}? [y/N] ")
            if answer.strip().lower() not in ("y", "yes"):
                return sentence("not stopped")
        client.command(view.id, "stop")
        return sentence(headline(client.status(view.id)))

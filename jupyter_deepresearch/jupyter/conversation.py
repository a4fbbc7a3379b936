"""What the words of the magic do: each asks the server and gives back what is shown."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.project import BRIEF_LIMIT_CHARS
from ..core.types import ProjectState
from ..errors import Forbidden, InvalidInput, NoServer, NotFound
from ..service.views import ExperimentView, StatusView
from ..text import headline, one_line, parameters_text
from .answering import Answering
from .arguments import Line
from .completing import Known
from .meant import place_meant, project_meant, run_meant, waiting_meant
from .nearby import quoted
from .panel.screen import PanelShown
from .render import PANEL_ROWS, Renderer, Shown, lines, sentence
from .servers import URL_VARIABLE, here
from .words import help_text, overview

_PAGE = 1000  # rows that may be asked for at once


@dataclass
class Conversation:
    """One kernel's talk with its server, or with the folders where no server takes the project.

    ``ask`` puts a question to the person; ``home`` is the notebook's folder, ``started`` the project in hand, ``known``
    what answers have told.
    """

    connect: Callable[[], Answering]
    ask: Callable[[str], str]
    cwd: Callable[[], Path] = here
    home: Path | None = None
    started: str | None = None
    known: Known = field(default_factory=Known)
    _is_detached: bool = False

    def say(self, line: Line) -> Shown:
        """Do what the line says. Raises DeepResearchError."""
        if line.word == "help":
            return lines(help_text(line.topic) if line.topic else overview())
        if self._is_detached and line.word != "start" and line.project is None:
            return self._say(self._folders(""), line, self._folders)
        try:
            client = self.connect()
            if line.word != "start" and line.project is None and self._is_stranger(client):
                return self._say(self._folders(""), line, self._folders)
            shown = self._say(client, line, self.connect)
        except (NoServer, Forbidden) as error:
            is_named = bool(os.environ.get(URL_VARIABLE))
            if is_named or (isinstance(error, Forbidden) and line.word != "start"):
                raise
            shown = self._say(self._folders(str(error)), line, self._folders)
            self._is_detached = line.word == "start" or self._is_detached
        else:
            self._is_detached = False
        return shown

    def _folders(self, why: str = "") -> Answering:
        from .ledger import LedgerClient  # what researches, which a kernel of a server need not import

        return LedgerClient(self.cwd(), why)

    def _is_stranger(self, client: Answering) -> bool:
        """Whether the folder here belongs to a project of which the server knows nothing."""
        if self.started is not None:
            return False
        here = self.cwd().resolve()
        around = [f for f in (here, *here.parents) if (f / ".deepresearch" / "ledger.db").is_file()]
        return bool(around) and all(Path(view.path).resolve() != around[0] for view in client.projects())

    def _say(self, client: Answering, line: Line, again: Callable[[], Answering]) -> Shown:
        """``again`` finds who answers for the project, whenever its panel asks."""
        view = self._start(client, line) if line.word == "start" else self._project(client, line.project)
        self.known.learn(view)
        if line.word in ("start", "panel"):
            return self._panel(client, view, again)
        answer = self._shown(client, view, line)
        shown = answer if answer is not None else self._told(client, view, line)
        if not client.remark:
            return shown
        return Shown(f"{client.remark}\n{shown.text}", f"{sentence(client.remark).html}{shown.html}")

    def _start(self, client: Answering, line: Line) -> StatusView:
        if line.text is not None and len(line.text) > BRIEF_LIMIT_CHARS:
            raise InvalidInput(
                f"the cell's brief has {len(line.text):,} characters; at most {BRIEF_LIMIT_CHARS:,} are accepted: move"
                " the rest to notes/*.md"
            )
        brief = line.text if line.text and line.text.strip() else None
        folder, options = place_meant(line.path, line.options, self.cwd())
        view = client.start(folder, options, brief)
        self.started = view.id
        return view

    def _panel(self, client: Answering, view: StatusView, again: Callable[[], Answering]) -> Shown:
        renderer = self._renderer()

        def draw(now: StatusView, rows: Sequence[ExperimentView]) -> Shown:
            self.known.hear([now])
            return renderer.panel(now, rows)

        shown = draw(view, client.newest(view.id, PANEL_ROWS))
        return PanelShown(shown.text, shown.html, view, client, again, draw, client.remark)

    def _renderer(self) -> Renderer:
        return Renderer(self.home or self.cwd())

    # Which project

    def _project(self, client: Answering, name: str | None) -> StatusView:
        """The project named, else the one started here, else the one around this folder, else the only one."""
        if name is None and self.started is not None:
            try:
                return client.status(self.started)
            except NotFound:  # its folder is gone
                self.started = None
        known = client.projects()
        self.known.hear(known)
        return project_meant(known, name, self.cwd())

    # Questions

    def _shown(self, client: Answering, view: StatusView, line: Line) -> Shown | None:
        """The answer to a question, None for a word that is none."""
        render = self._renderer()
        match line.word:
            case "status":
                return render.status(view)
            case "history":
                return render.history(view, _newest(client, view.id, line.count))
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
                run = run_meant(view, line.run)
                client.command(view.id, "cancel", run=run)
                return sentence(f"run {one_line(run)} is being cancelled")
            case "branch":
                return self._branch(client, view, line)
            case "stop":
                return self._stop(client, view, line.yes)
            case word:
                client.command(view.id, word)
                return self._standing(client, view, word)

    def _try(self, client: Answering, view: StatusView, line: Line) -> Shown:
        given = {"notebook": line.notebook, "claim": line.claim}
        body = {key: value for key, value in given.items() if value is not None}
        client.command(view.id, "try", parameters=dict(line.parameters), **body)
        what = parameters_text(line.parameters) or line.notebook or ""
        return sentence(f"{what}: runs next, with the same record and verdict as any hypothesis")

    def _decide(self, client: Answering, view: StatusView, line: Line) -> Shown:
        number = line.numbers[0] if line.numbers else waiting_meant(view, line.word)
        reason = {"reason": line.text} if line.word == "reject" and line.text else {}
        client.command(view.id, line.word, hypothesis=number, **reason)
        return sentence(f"hypothesis {number}: {'approved' if line.word == 'approve' else 'rejected'}")

    def _branch(self, client: Answering, view: StatusView, line: Line) -> Shown:
        number = line.numbers[0] if line.numbers else None
        client.command(view.id, "branch", experiment=number)
        base = "the champion" if number is None else f"experiment {number}"
        return sentence(f"hypotheses grow from {base} from now on")

    def _stop(self, client: Answering, view: StatusView, yes: bool) -> Shown:
        live = [run.run for run in view.running]
        if live and not yes:
            answer = self.ask(f"Stop {view.project} and cancel {', '.join(live)}? [y/N] ")
            if answer.strip().lower() not in ("y", "yes"):
                return sentence("not stopped")
        client.command(view.id, "stop")
        return self._standing(client, view, "stop")

    def _standing(self, client: Answering, view: StatusView, word: str) -> Shown:
        """Where the project stands after a command, and why."""
        now = client.status(view.id)
        self.known.learn(now)
        said = f"{headline(now)}: {one_line(now.reason, 200)}"
        if word == "resume" and now.state is ProjectState.FINISHED:
            folder = quoted(os.path.relpath(now.path, self.cwd()))
            said += f"; with a larger budget it goes on: %deepresearch start {folder} --cycles N"
        return sentence(said)


def _newest(client: Answering, project_id: str, count: int | None) -> Sequence[ExperimentView]:
    """So many experiments, newest first; None for all. Asked for page by page."""
    rows: list[ExperimentView] = []
    while count is None or len(rows) < count:
        wanted = _PAGE if count is None else min(_PAGE, count - len(rows))
        page = client.newest(project_id, wanted, rows[-1].experiment if rows else None)
        rows += page
        if len(page) < wanted:
            break
    return rows

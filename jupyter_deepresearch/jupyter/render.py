"""Views as HTML with plain text beside it. Everything that comes from a project is escaped."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from .. import text
from ..core.money import dollars
from ..service.views import ChangesView, ExperimentView, RankView, StatusView

# Lines of a diff, by their sign, in the theme's colours; the sign itself stays readable without them.
_SHADES = {"+": "--jp-success-color1", "-": "--jp-error-color1"}


@dataclass(frozen=True)
class Shown:
    """One output: HTML where it can be drawn, else the plain text, which says the same."""

    text: str
    html: str

    def _repr_mimebundle_(self, **options: object) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    def __repr__(self) -> str:
        return self.text


def lines(plain: str) -> Shown:
    """Plain text, shown as it is."""
    return Shown(plain, f'<pre style="line-height: 1.3">{escape(plain)}</pre>')


def sentence(plain: str) -> Shown:
    """One line for the person."""
    return Shown(plain, f"<p>{escape(plain)}</p>")


@dataclass(frozen=True)
class Renderer:
    """Renders for a notebook in the folder ``cwd``: links are relative to it, as Jupyter wants them."""

    cwd: Path

    def status(self, view: StatusView) -> Shown:
        """The status sentence, champion and baseline, live runs, what waits."""
        return Shown(text.status_text(view), self._status(view))

    def history(self, view: StatusView, rows: Sequence[ExperimentView]) -> Shown:
        """Every experiment, newest first."""
        newest = tuple(reversed(rows))
        champion = view.champion.experiment if view.champion else None
        return Shown(text.history_text(newest, champion), self._history(view, newest))

    def panel(self, view: StatusView, rows: Sequence[ExperimentView]) -> Shown:
        """Status, what waits for the person, and the history."""
        parts, htmls = [text.status_text(view)], [self._status(view)]
        if view.waiting:
            parts.append(text.waiting_text(view.waiting))
            htmls.append(lines(parts[-1]).html)
        history = self.history(view, rows)
        return Shown("\n\n".join([*parts, history.text]), "".join([*htmls, history.html]))

    def best(self, view: StatusView) -> Shown:
        """Champion and baseline."""
        html = _table(("", "experiment", escape(view.objective.metric), "claim"), self._ranks(view))
        return Shown(text.best_text(view), html)

    def link(self, view: StatusView, row: ExperimentView) -> Shown:
        """A link to an experiment's notebook, which exists."""
        name = f"{row.experiment}: {text.one_line(row.claim)}"
        return Shown(f"{name}\n{self._relative(view, row.notebook)}", f"<p>{self._link(view, row.notebook, name)}</p>")

    def changes(self, found: ChangesView) -> Shown:
        """Changed lines, place by place."""
        before = "the notebook as it was started" if found.before is None else f"experiment {found.before}"
        title = f"from {before} to experiment {found.after}"
        if not found.changes:
            return sentence(f"{title}: no line differs")
        plain, html = [title], [f"<p>{escape(title)}</p>"]
        for change in found.changes:
            plain += ["", change.place, *(text.plain(line) for line in change.lines)]
            rows = "".join(_diff_line(line) for line in change.lines)
            html.append(f'<p><code>{escape(change.place)}</code></p><pre style="line-height: 1.3">{rows}</pre>')
        return Shown("\n".join(plain), "".join(html))

    def _status(self, view: StatusView) -> str:
        notes = [("running", text.run_text(run)) for run in view.running]
        notes += [
            ("waiting", f"#{w.hypothesis} {text.one_line(w.claim, 200)} ({text.change_text(w)})") for w in view.waiting
        ]
        notes += [("searching", text.space_text(view.space)), *(("note", remark) for remark in view.remarks)]
        items = "".join(f"<li>{escape(label)}: {escape(said)}</li>" for label, said in notes)
        head = f"<p><b>{escape(text.headline(view))}</b><br>{escape(view.reason)}</p>"
        table = _table(("", "experiment", escape(view.objective.metric), "claim"), self._ranks(view))
        cost = f"{view.usage.calls} calls to a language model, {dollars(view.usage.usd)}"
        return f'<div class="dr-static">{head}{table}<ul>{items}</ul><p>{escape(cost)}</p></div>'

    def _ranks(self, view: StatusView) -> Iterable[tuple[str, ...]]:
        for label, rank in (("best", view.champion), ("baseline", view.baseline)):
            yield (label, *self._rank(view, rank))

    def _rank(self, view: StatusView, rank: RankView | None) -> tuple[str, str, str]:
        if rank is None:
            return "-", "-", "none yet"
        value = text.measured_text(rank.value, rank.interval, rank.seeds)
        number = self._link(view, rank.notebook, f"#{rank.experiment}")
        return number, escape(value), escape(text.one_line(rank.claim))

    def _history(self, view: StatusView, rows: Sequence[ExperimentView]) -> str:
        if not rows:
            return "<p>no experiment yet</p>"
        champion = view.champion.experiment if view.champion else None
        return _table(("", "#", "decision", "value", "time", "claim"), (self._row(view, row, champion) for row in rows))

    def _row(self, view: StatusView, row: ExperimentView, champion: int | None) -> tuple[str, ...]:
        return (
            "★" if row.experiment == champion else "",
            self._link(view, row.notebook, str(row.experiment)),
            escape(text.decision_text(row)),
            escape(text.measured_text(row.value, row.interval, row.seeds)),
            escape(text.seconds_text(row.elapsed_s)),
            escape(text.one_line(row.claim, 120)),
        )

    def _link(self, view: StatusView, notebook: str | None, name: str) -> str:
        if notebook is None:
            return escape(name)
        return f'<a href="{escape(quote(self._relative(view, notebook)))}" target="_blank">{escape(name)}</a>'

    def _relative(self, view: StatusView, notebook: str | None) -> str:
        return Path(os.path.relpath(Path(view.path) / (notebook or ""), self.cwd)).as_posix()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    left = ' style="text-align: left"'
    cells = "".join(f"<th{left}>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td{left}>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="dr-static"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>'


def _diff_line(line: str) -> str:
    shade = _SHADES.get(line[:1])
    style = f' style="background: color-mix(in srgb, var({shade}) 18%, transparent)"' if shade else ""
    return f"<span{style}>{escape(line)}\n</span>"

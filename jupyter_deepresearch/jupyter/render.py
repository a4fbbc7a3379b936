"""Views as HTML with plain text beside it. Everything that comes from a project is escaped."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from .. import text
from ..core.money import dollars
from ..service.views import BudgetView, ChangesView, CostView, ExperimentView, MemoryTexts, RankView, StatusView
from .markup import Shown, gauge, lines, listed, preformatted, sentence, table

__all__ = ["PANEL_ROWS", "Renderer", "Shown", "lines", "sentence"]

PANEL_ROWS = 20
_CLAIM_CHARS = 160


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Renderer:
    """Renders for a notebook in the folder ``cwd``: links are relative to it, as Jupyter wants them."""

    cwd: Path
    now: Callable[[], datetime] = _now

    def status(self, view: StatusView) -> Shown:
        """The status sentence, champion and baseline, live runs, what waits."""
        notes = [("searching", text.space_text(view.space)), *(("note", remark) for remark in view.remarks)]
        items = listed(f"{escape(label)}: {escape(said)}" for label, said in notes)
        return Shown(text.status_text(view), f"<div>{self._standing(view)}{items}{self._spent(view)}</div>")

    def history(self, view: StatusView, rows: Sequence[ExperimentView]) -> Shown:
        """These experiments, newest first, and how many are older."""
        earlier = text.earlier_text(rows)
        more = f"{earlier}; `%deepresearch history all` shows every one" if earlier else ""
        plain = "\n".join(filter(None, [text.history_text(rows, _champion(view)), more]))
        return Shown(plain, f"<div>{self._history(view, rows)}{_remark(more)}</div>")

    def panel(self, view: StatusView, rows: Sequence[ExperimentView], total: int | None = None) -> Shown:
        """What stays of the panel in a saved notebook: status, what waits, the newest of ``rows`` (newest first).

        ``total`` is the number of experiments where it is known. All of it lies in one element of class ``dr-static``.
        """
        newest = rows[:PANEL_ROWS]
        earlier = text.earlier_text(newest, total)
        when = f"as of {self.now():%Y-%m-%d %H:%M:%S} UTC"
        parts = [text.status_text(view), *([text.waiting_text(view.waiting)] if view.waiting else [])]
        parts.append("\n".join(filter(None, [text.history_text(newest, _champion(view)), earlier])))
        html = f"{self._standing(view)}{self._history(view, newest)}{_remark(earlier)}{self._spent(view)}"
        plain = "\n\n".join([*parts, when])
        return Shown(plain, f'<div class="dr-static">{html}<p><small>{escape(when)}</small></p></div>')

    def best(self, view: StatusView) -> Shown:
        """Champion and baseline, and what lies between them."""
        return Shown(text.best_text(view), f"<div>{self._ranks(view)}</div>")

    def memory(self, texts: MemoryTexts) -> Shown:
        """Both tiers as they would be sent, how full they are, and what the last verdict changed."""
        tiers = (("brief", texts.brief, texts.brief_limit_chars), ("log", texts.log, texts.log_limit_chars))
        html = "".join(
            gauge(name, len(tier), limit, text.used_text(tier, limit))
            + lines(text.plain(tier).strip() or "(none)").html
            for name, tier, limit in tiers
        )
        changed = text.changed_lines(texts)
        news = f"<p>Since the verdict before:</p>{preformatted(changed)}" if changed else ""
        return Shown(text.memory_text(texts), f"<div>{html}{news}</div>")

    def cost(self, view: CostView) -> Shown:
        """The bill as tables, what is left of budgets as gauges."""
        tables = (table([escape(c) for c in rows[0]], _escaped(rows[1:])) for rows in text.cost_tables(view))
        budgets = "".join(map(_budget, view.budgets))
        said = "".join(f"<p>{escape(line)}</p>" for line in text.cost_lines(view))
        return Shown(text.cost_text(view), f"<div>{''.join(tables)}{said}{budgets}</div>")

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
            html.append(f"<p><code>{escape(change.place)}</code></p>{preformatted(map(text.plain, change.lines))}")
        return Shown("\n".join(plain), "".join(html))

    # Pieces that are HTML

    def _standing(self, view: StatusView) -> str:
        """State and its reason, champion and baseline, what runs, what waits."""
        running = (f"running: {escape(text.run_text(run))}" for run in view.running)
        cards = (text.waiting_text((waiting,)).splitlines() for waiting in view.waiting)
        waiting = (f"waiting: {'<br>'.join(escape(line.strip()) for line in card)}" for card in cards)
        items = listed([*running, *waiting])
        return f"<p><b>{escape(text.headline(view))}</b><br>{escape(view.reason)}</p>{self._ranks(view)}{items}"

    def _ranks(self, view: StatusView) -> str:
        best, baseline = view.champion, view.baseline
        gain = best.value - baseline.value if best is not None and baseline is not None else None
        rows = [("best", *self._rank(view, best, gain)), ("baseline", *self._rank(view, baseline, None))]
        return table(("", "#", escape(text.one_line(view.objective.metric, 40)), "change", "claim"), rows)

    def _rank(self, view: StatusView, rank: RankView | None, gain: float | None) -> tuple[str, ...]:
        if rank is None:
            return "-", "-", "", "none yet"
        value = text.measured_text(rank.value, rank.interval, rank.seeds)
        number = self._link(view, rank.notebook, f"#{rank.experiment}")
        return number, escape(value), text.delta_text(gain), escape(text.one_line(rank.claim, _CLAIM_CHARS))

    def _spent(self, view: StatusView) -> str:
        return f"<p>{view.usage.calls:,} calls to a language model, {escape(dollars(view.usage.usd))}</p>"

    def _history(self, view: StatusView, rows: Sequence[ExperimentView]) -> str:
        if not rows:
            return "<p>no experiment yet</p>"
        champion, measure = _champion(view), text.latest_measure(rows)
        head = ("", "#", "decision", "value", "change", "time", "cost", "claim")
        return table(head, (self._row(view, row, champion, measure) for row in rows))

    def _row(self, view: StatusView, row: ExperimentView, champion: int | None, measure: int) -> tuple[str, ...]:
        cells = text.history_cells(row, champion, measure)
        number = self._link(view, row.notebook, str(row.experiment))
        star = "★" if row.experiment == champion else ""
        return star, number, *map(escape, cells[2:]), escape(text.one_line(row.claim, _CLAIM_CHARS))

    def _link(self, view: StatusView, notebook: str | None, name: str) -> str:
        if notebook is None:
            return escape(name)
        return f'<a href="{escape(quote(self._relative(view, notebook)))}" target="_blank">{escape(name)}</a>'

    def _relative(self, view: StatusView, notebook: str | None) -> str:
        return Path(os.path.relpath(Path(view.path) / (notebook or ""), self.cwd)).as_posix()


def _champion(view: StatusView) -> int | None:
    return view.champion.experiment if view.champion else None


def _remark(said: str) -> str:
    return f"<p>{escape(said)}</p>" if said else ""


def _budget(budget: BudgetView) -> str:
    label, said = f"budget.{budget.key}:", text.budget_text(budget)
    if budget.spent is None or budget.limit <= 0:
        return f"<p>{escape(label)} {escape(said)}</p>"
    return gauge(label, min(budget.spent, budget.limit), budget.limit, said)


def _escaped(rows: Iterable[Sequence[str]]) -> Iterable[Sequence[str]]:
    return ([escape(cell) for cell in row] for row in rows)

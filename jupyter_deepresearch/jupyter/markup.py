"""Pieces of HTML without a colour or size of their own: they take those of the page, light or dark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

# Lines of a diff, by their sign, in the theme's colours; the sign itself stays readable without them.
_SHADES = {"+": "--jp-success-color1", "-": "--jp-error-color1", "~": "--jp-warn-color1"}
_PRE = ' style="line-height: 1.3; white-space: pre-wrap"'
_LEFT = ' style="text-align: left"'


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
    return Shown(plain, f"<pre{_PRE}>{escape(plain)}</pre>")


def sentence(plain: str) -> Shown:
    """One line for the person."""
    return Shown(plain, f"<p>{escape(plain)}</p>")


def preformatted(texts: Iterable[str]) -> str:
    """Text lines as they are; those that begin with ``+``, ``-`` or ``~`` are shaded."""
    return f"<pre{_PRE}>{''.join(map(_line, texts))}</pre>"


def _line(text: str) -> str:
    shade = _SHADES.get(text[:1])
    style = f' style="background: color-mix(in srgb, var({shade}) 18%, transparent)"' if shade else ""
    return f"<span{style}>{escape(text)}\n</span>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    cells = "".join(f"<th{_LEFT}>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td{_LEFT}>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def listed(items: Iterable[str]) -> str:
    """Items that are HTML already as a list; nothing for none."""
    found = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{found}</ul>" if found else ""


def gauge(label: str, used: float, limit: float, said: str) -> str:
    """How much of a limit is used, as a bar with its words beside it."""
    of = f'value="{used:.15g}" max="{limit:.15g}"'
    return f'<p>{escape(label)} <meter {of} min="0">{escape(said)}</meter> {escape(said)}</p>'

"""arXiv, by its public API: Atom feeds. After https://info.arxiv.org/help/api/user-manual.html"""

import re
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree

from .paper import Paper, known_id

_ATOM = "{http://www.w3.org/2005/Atom}"
_OURS = "{http://arxiv.org/schemas/atom}"
_COMMON = re.compile(r"an?|and|as|at|by|for|from|in|into|is|of|on|or|the|to|under|using|versus|via|vs|when|with", re.I)
_MOST_WORDS = 5


@dataclass(frozen=True)
class Arxiv:
    """``host`` with its scheme. Its terms of use ask for three seconds between requests."""

    host: str = "https://export.arxiv.org"
    name: str = "arXiv"
    gap_s: float = 3.0

    def search_url(self, query: str) -> str | None:
        """All of the first words, anywhere in the entry: with many words nothing would be found."""
        words = [word for word in re.findall(r"[^\W_]+", query) if not _COMMON.fullmatch(word)][:_MOST_WORDS]
        if not words:
            return None
        return self._url(
            search_query=" AND ".join(f"all:{word}" for word in words), sortBy="relevance", max_results="8"
        )

    def paper_url(self, paper: str) -> str | None:
        kind, _, name = paper.partition(":")
        return self._url(id_list=name, max_results="1") if kind == "arxiv" else None

    def parse(self, body: bytes) -> tuple[Paper, ...]:
        feed = _tree(body)
        if feed.tag != f"{_ATOM}feed":
            raise ValueError("no Atom feed")
        return tuple(paper for entry in feed.iter(f"{_ATOM}entry") if (paper := self._paper(entry)) is not None)

    def _url(self, **asked: str) -> str:
        return f"{self.host}/api/query?{urlencode(asked)}"

    def _paper(self, entry: ElementTree.Element) -> Paper | None:
        link = _text(entry, f"{_ATOM}id")
        if "/api/errors" in link:
            raise ValueError(_text(entry, f"{_ATOM}summary") or "an error without words")
        found, title = known_id(link), _text(entry, f"{_ATOM}title")
        if found is None or not title:
            return None
        year = _text(entry, f"{_ATOM}published")[:4]
        return Paper(
            id=found,
            title=title,
            authors=tuple(name for a in entry.iter(f"{_ATOM}author") if (name := _text(a, f"{_ATOM}name"))),
            year=int(year) if re.fullmatch(r"[0-9]{4}", year) else None,
            source=self.name,
            abstract=_text(entry, f"{_ATOM}summary") or None,
            arxiv=found.removeprefix("arxiv:"),
            doi=_text(entry, f"{_OURS}doi").lower() or None,
        )


def _tree(body: bytes) -> ElementTree.Element:
    """Atom declares no document type; with none there are no entities to expand, and nothing to load."""
    text = body.decode("utf-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a document type where none belongs")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"no XML: {error}") from error


def _text(element: ElementTree.Element, tag: str) -> str:
    return " ".join((element.findtext(tag) or "").split())

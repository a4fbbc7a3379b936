"""Semantic Scholar, by its Academic Graph API: JSON. After https://api.semanticscholar.org/api-docs/graph"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

import msgspec

from .paper import Paper, known_id

_FIELDS = "title,abstract,year,authors,externalIds"
_PREFIX = {"arxiv": "ARXIV:", "doi": "DOI:", "s2": ""}


class _Author(msgspec.Struct, frozen=True):
    name: str | None = None


class _External(msgspec.Struct, frozen=True, rename={"arxiv": "ArXiv", "doi": "DOI"}):
    arxiv: str | None = None
    doi: str | None = None


class _Entry(msgspec.Struct, frozen=True, rename={"external": "externalIds", "key": "paperId"}):
    key: str | None = None
    title: str | None = None
    abstract: str | None = None
    year: int | None = None
    authors: tuple[_Author, ...] | None = None
    external: _External | None = None


class _Answer(_Entry, frozen=True):
    """A search answers ``data`` (absent where nothing was found), the request for one paper its fields."""

    total: int | None = None
    data: tuple[_Entry, ...] | None = None


@dataclass(frozen=True)
class SemanticScholar:
    """``host`` with its scheme. Without a key all the world shares one limit; it asks for a second between two."""

    host: str = "https://api.semanticscholar.org"
    name: str = "Semantic Scholar"
    gap_s: float = 1.0

    def search_url(self, query: str) -> str | None:
        words = " ".join(query.replace("-", " ").split())  # a hyphen finds nothing, says its documentation
        asked = urlencode({"query": words, "limit": "8", "fields": _FIELDS})
        return f"{self.host}/graph/v1/paper/search?{asked}" if words else None

    def paper_url(self, paper: str) -> str | None:
        kind, _, name = paper.partition(":")
        return f"{self.host}/graph/v1/paper/{_PREFIX[kind]}{quote(name, safe='/:')}?fields={_FIELDS}"

    def parse(self, body: bytes) -> tuple[Paper, ...]:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError as error:
            raise ValueError(f"no list of papers: {error}") from error
        if answer.key is None and answer.data is None and answer.total is None:
            raise ValueError("no list of papers")
        entries = answer.data or ((answer,) if answer.key else ())
        return tuple(paper for entry in entries if (paper := self._paper(entry)) is not None)

    def _paper(self, entry: _Entry) -> Paper | None:
        names = entry.external or _External()
        known = (known_id(f"arxiv:{names.arxiv}"), known_id(f"doi:{names.doi}"), known_id(f"s2:{entry.key}"))
        found, title = next((name for name in known if name), None), " ".join((entry.title or "").split())
        if found is None or not title:
            return None
        return Paper(
            id=found,
            title=title,
            authors=tuple(author.name for author in entry.authors or () if author.name),
            year=entry.year,
            source=self.name,
            abstract=" ".join((entry.abstract or "").split()) or None,
            arxiv=known[0].removeprefix("arxiv:") if known[0] else None,
            doi=names.doi.lower() if names.doi else None,
        )

"""A paper as all sources tell of it, and what a source is."""

import re
from dataclasses import dataclass
from typing import Protocol

_ARXIV = re.compile(
    r"(?:.*/(?:abs|pdf)/|arxiv:)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?", re.I
)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/[\w.()/:;<>-]+)", re.I)
_CORPUS = re.compile(r"(?:s2:)?([0-9a-f]{40})", re.I)


@dataclass(frozen=True)
class Paper:
    """``id`` is "arxiv:...", "doi:..." or "s2:..."; ``source`` who told of it. Unknown is None."""

    id: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    source: str
    abstract: str | None
    arxiv: str | None = None
    doi: str | None = None


class Source(Protocol):
    """Where papers are looked for. ``gap_s`` seconds lie between two requests at least."""

    @property
    def name(self) -> str:
        """As people call it."""

    @property
    def gap_s(self) -> float:
        """Seconds."""

    def search_url(self, query: str) -> str | None:
        """Where to ask for papers on ``query``; None where nothing of it can be asked."""

    def paper_url(self, paper: str) -> str | None:
        """Where to ask for one paper by its id; None where this source does not know such ids."""

    def parse(self, body: bytes) -> tuple[Paper, ...]:
        """The papers of an answer of either kind. Raises ValueError for what is none."""


def known_id(said: str) -> str | None:
    """The id in the one way that it is written here: of an id, a DOI or a link; None for anything else."""
    text = said.strip()
    if match := _ARXIV.fullmatch(text):
        return f"arxiv:{match[1]}"
    if match := _CORPUS.fullmatch(text):
        return f"s2:{match[1].lower()}"
    if (match := _DOI.fullmatch(text)) and ".." not in match[1]:
        return f"doi:{match[1].lower()}"
    return None


def merged(lists: tuple[tuple[Paper, ...], ...], most: int) -> tuple[Paper, ...]:
    """The lists in turn, each paper once: the same arXiv id, DOI or title is the same paper. What the first telling
    leaves unknown is taken from the next."""
    kept: list[Paper] = []
    places: dict[str, int] = {}
    for paper in _in_turn(lists):
        names = _names(paper)
        place = next((places[name] for name in names if name in places), None)
        if place is None:
            place = len(kept)
            kept.append(paper)
        else:
            kept[place] = _fuller(kept[place], paper)
        for name in (*names, *_names(kept[place])):
            places.setdefault(name, place)
    return tuple(kept[:most])


def _in_turn(lists: tuple[tuple[Paper, ...], ...]) -> list[Paper]:
    longest = max(map(len, lists), default=0)
    return [papers[k] for k in range(longest) for papers in lists if k < len(papers)]


def _names(paper: Paper) -> tuple[str, ...]:
    title = "".join(c for c in paper.title.casefold() if c.isalnum())
    return tuple(
        f"{kind}:{name}" for kind, name in (("arxiv", paper.arxiv), ("doi", paper.doi), ("title", title)) if name
    )


def _fuller(first: Paper, other: Paper) -> Paper:
    return Paper(
        id=first.id,
        title=first.title,
        authors=first.authors or other.authors,
        year=first.year if first.year is not None else other.year,
        source=first.source,
        abstract=first.abstract or other.abstract,
        arxiv=first.arxiv or other.arxiv,
        doi=first.doi or other.doi,
    )

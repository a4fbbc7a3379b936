"""All sources as one library, its answers kept on disk: a restarted step is answered the same."""

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from ....errors import NotFound
from .arxiv import Arxiv
from .asking import Asking, NoSuchPaper, Unreachable
from .paper import Paper, Source, known_id, merged
from .semantic_scholar import SemanticScholar

MOST_FOUND = 8
_KEPT_S = 7 * 24 * 3600.0
_KEPT_IN_PART_S = 3600.0
_ADVICE = "work from what you know and from notes"

_T = TypeVar("_T")


@dataclass(frozen=True)
class Found:
    """What a search gave, the best first; ``remark`` says in one line what could not be asked, "" for nothing."""

    papers: tuple[Paper, ...]
    remark: str = ""


@dataclass(frozen=True)
class _Kept:
    at: float
    papers: tuple[Paper, ...]
    whole: bool


class Papers:
    """Searches ``sources`` and keeps what they answered in ``cache``: searches for a week (for an hour where not all of
    them answered), papers for ever. A cache that cannot be written costs nothing but requests."""

    def __init__(
        self,
        cache: Path,
        sources: tuple[Source, ...] = (Arxiv(), SemanticScholar()),
        asking: Asking | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._sources = sources
        self._asking = asking or Asking(cache / "turns")
        self._now = now

    async def search(self, query: str) -> Found:
        """Papers on ``query``, at most eight, each once. Never raises for want of a network."""
        wanted = " ".join(query.casefold().split())[:300]
        place = self._place("searches", wanted)
        kept = _read(place, _Kept)
        if kept and 0 <= self._now() - kept.at < (_KEPT_S if kept.whole else _KEPT_IN_PART_S):
            return Found(kept.papers)
        asked = [(source, url) for source in self._sources if (url := source.search_url(wanted))]
        answers = await asyncio.gather(*(self._ask(source, url) for source, url in asked))
        remark = ", ".join(said for _, said in answers if said)
        if len(asked) == sum(bool(said) for _, said in answers):
            if kept:
                return Found(kept.papers)
            return Found((), f"no paper search now: {remark or 'no words to search for'}; {_ADVICE}")
        papers = merged(tuple(papers for papers, _ in answers), MOST_FOUND)
        self._keep(place, _Kept(self._now(), papers, whole=not remark))
        for paper in papers:
            self._keep_paper(paper)
        return Found(papers, remark)

    async def get(self, paper: str) -> Paper:
        """One paper by its id, DOI or link, with its abstract where any source has it.

        Raises NotFound, in one line, for an id that none knows and where none can be asked.
        """
        wanted = known_id(paper)
        if wanted is None:
            raise NotFound(f"{paper[:80]!r} is no paper; accepted: an id such as arxiv:1706.03762 or doi:10.1000/182")
        best = _read(self._place("papers", wanted), Paper)
        reasons: list[str] = []
        for source in self._sources:
            if best is not None and best.abstract:
                break
            if url := source.paper_url(wanted):
                papers, said = await self._ask(source, url)
                reasons += [said] if said else []
                best = next(iter(merged((((best,) if best else ()) + papers[:1],), 1)), None)
        if best is None:
            why = f"no paper search now: {', '.join(reasons)}; {_ADVICE}" if reasons else f"nobody knows {wanted}"
            raise NotFound(why)
        self._keep_paper(best, wanted)
        return best

    async def _ask(self, source: Source, url: str) -> tuple[tuple[Paper, ...], str]:
        """What the source told, and why it could not."""
        try:
            return source.parse(await self._asking.get(source.name, url, source.gap_s)), ""
        except NoSuchPaper:
            return (), ""
        except Unreachable as error:
            return (), str(error)
        except (ValueError, RecursionError):
            return (), f"{source.name} answered what cannot be read"

    def _keep_paper(self, paper: Paper, name: str | None = None) -> None:
        if paper.abstract:
            self._keep(self._place("papers", name or paper.id), paper)

    def _place(self, kind: str, name: str) -> Path:
        return self._cache / kind / f"{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}.json"

    def _keep(self, place: Path, what: _Kept | Paper) -> None:
        draft = place.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(what))
            os.replace(draft, place)


def _read(place: Path, kind: type[_T]) -> _T | None:
    """What is kept there; None for nothing, and for what is no longer readable."""
    try:
        return msgspec.json.decode(place.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None

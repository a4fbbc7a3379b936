"""The Idea worker's tools: papers and notes."""

from dataclasses import dataclass

from ....core.notes import one_line
from ....core.research import Seen
from ...llm.talk import ToolSpec
from ..blocks import block
from ..papers import Paper, Papers
from ..shelf import Shelf
from .notes import read_note, write_note
from .tool import RESULT_CHARS, Tool

_LINE_CHARS = 95
_TITLE_CHARS = 160
_AUTHORS_SHOWN = 3
_MARK_CHARS = 20  # of <paper> and </paper>
_REMARK_CHARS = 220


@dataclass(frozen=True)
class SearchPapers:
    """Arguments of search_papers."""

    query: str


@dataclass(frozen=True)
class GetPaper:
    """Arguments of get_paper."""

    id: str


def idea_tools(seen: Seen, shelf: Shelf, papers: Papers) -> tuple[Tool, ...]:
    """What the Idea worker may ask for. Nothing of ``seen`` is needed: its prompt says what is asked."""
    return (search_papers(papers), get_paper(papers), read_note(shelf), write_note(shelf))


def search_papers(papers: Papers) -> Tool:
    """Papers by words, a line each."""

    async def run(asked: SearchPapers) -> str:
        found = await papers.search(asked.query)
        if not found.papers:
            return found.remark or "no paper found; try fewer or other words"
        lines = block("papers", "\n".join(map(_line, found.papers)), RESULT_CHARS - _REMARK_CHARS)
        return f"{lines}\n({one_line(found.remark, _REMARK_CHARS - 30)})" if found.remark else lines

    return Tool(ToolSpec("search_papers", "arXiv and Semantic Scholar, by 2-5 words.", SearchPapers), run)


def get_paper(papers: Papers) -> Tool:
    """One paper with its abstract."""

    async def run(asked: GetPaper) -> str:
        paper = await papers.get(asked.id)
        head = f"{paper.id} {one_line(paper.title, _TITLE_CHARS)}\n{_authors(paper)}, {paper.year or 'no year'}"
        return block("paper", f"{head}\n{paper.abstract or 'no abstract is known'}", RESULT_CHARS - _MARK_CHARS)

    return Tool(ToolSpec("get_paper", "A paper's abstract.", GetPaper), run)


def _line(paper: Paper) -> str:
    start = f"{paper.id} {paper.year or '----'} "
    return start + one_line(paper.title, max(40, _LINE_CHARS - len(start)))


def _authors(paper: Paper) -> str:
    shown = ", ".join(one_line(name, 40) for name in paper.authors[:_AUTHORS_SHOWN])
    return f"{shown} et al." if len(paper.authors) > _AUTHORS_SHOWN else shown or "unknown authors"

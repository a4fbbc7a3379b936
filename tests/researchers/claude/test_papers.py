"""Paper search against a loopback server that speaks the two formats as their documentation shows them."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_deepresearch.errors import NotFound
from jupyter_deepresearch.researchers.claude.papers import Found, Paper, Papers, asking
from jupyter_deepresearch.researchers.claude.papers.arxiv import Arxiv
from jupyter_deepresearch.researchers.claude.papers.asking import Asking
from jupyter_deepresearch.researchers.claude.papers.paper import known_id
from jupyter_deepresearch.researchers.claude.papers.semantic_scholar import SemanticScholar

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
  <title type="html">ArXiv Query</title>
  <id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>
  {entries}
</feed>"""

ENTRY = """<entry>
    <id>http://arxiv.org/abs/{id}v2</id>
    <updated>2018-02-14T00:00:00Z</updated>
    <published>2017-10-25T17:00:00Z</published>
    <title>{title}</title>
    <summary>  {abstract}
    </summary>
    <author><name>Ada One</name></author>
    <author><name>Bo Two</name><arxiv:affiliation>Somewhere</arxiv:affiliation></author>
    <link href="http://arxiv.org/abs/{id}v2" rel="alternate" type="text/html"/>
    <arxiv:primary_category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
  </entry>"""

CORPUS = "649def34f8be52c8b66281af98ae884c09aef38b"


def entry(name: str, title: str, abstract: str = "Mixed pairs\n  of examples help.") -> str:
    return ENTRY.format(id=name, title=title, abstract=abstract)


def scholar(title: str, abstract: str | None = "Short.", **external: str) -> dict[str, Any]:
    authors = [{"authorId": "1", "name": "Ada One"}]
    return {
        "paperId": CORPUS,
        "externalIds": {"CorpusId": 215416146, **external},
        "title": title,
        "abstract": abstract,
        "year": 2019,
        "authors": authors,
    }


class Web:
    """What the two services answer next, and what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.atom = FEED.format(entries=entry("1710.09412", "mixup: Beyond Empirical\n  Risk Minimization"))
        self.found: Any = {
            "total": 1,
            "offset": 0,
            "data": [scholar("Another paper", DOI="10.18653/V1/2020.ACL-MAIN.447")],
        }
        self.one: Any = scholar("Another paper", DOI="10.18653/V1/2020.ACL-MAIN.447")
        self.status = 200
        self.headers: dict[str, str] = {}
        self.hang = threading.Event()
        self.hangs = False
        server = type("Handler", (_Handler,), {"web": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), server)
        self.host = f"http://127.0.0.1:{self.server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self) -> None:
        web = self.web
        web.asked.append((self.path, self.headers["User-Agent"]))
        if web.hangs:
            web.hang.wait(20)
            return  # who asked has given up
        is_atom = self.path.startswith("/api/query")
        told = web.found if "/paper/search" in self.path else web.one
        body = web.atom.encode() if is_atom else json.dumps(told).encode()
        self.send_response(web.status)
        for name, value in {"Content-Length": str(len(body)), **web.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield web
    web.hang.set()
    web.server.shutdown()
    thread.join()
    web.server.server_close()


def papers(web: Web, cache: Path, gap_s: float = 0.0, **asking: Any) -> Papers:
    sources = (Arxiv(web.host, gap_s=gap_s), SemanticScholar(web.host, gap_s=gap_s))
    return Papers(cache, sources, Asking(cache / "turns", **asking))


def search(library: Papers, query: str = "mixup augmentation") -> Found:
    return asyncio.run(library.search(query))


def test_both_sources_are_asked_once_and_told_together(web: Web, tmp_path: Path) -> None:
    found = search(papers(web, tmp_path), "mixup of the image-augmentation")
    assert found == Found(
        (
            Paper(
                "arxiv:1710.09412",
                "mixup: Beyond Empirical Risk Minimization",
                ("Ada One", "Bo Two"),
                2017,
                "arXiv",
                "Mixed pairs of examples help.",
                arxiv="1710.09412",
            ),
            Paper(
                "doi:10.18653/v1/2020.acl-main.447",
                "Another paper",
                ("Ada One",),
                2019,
                "Semantic Scholar",
                "Short.",
                doi="10.18653/v1/2020.acl-main.447",
            ),
        )
    )
    atom, graph = sorted(path for path, _ in web.asked)
    assert parse_qs(urlsplit(atom).query)["search_query"] == ["all:mixup AND all:image AND all:augmentation"]
    assert parse_qs(urlsplit(graph).query)["query"] == ["mixup of the image augmentation"]
    assert {agent.split()[0] for _, agent in web.asked} == {"jupyter-deepresearch"}


def test_a_search_is_asked_once_in_a_week_whatever_process_asks(web: Web, tmp_path: Path) -> None:
    clock = time.time()
    first = search(papers(web, tmp_path))
    web.atom = FEED.format(entries="")
    again = Papers(
        tmp_path, (Arxiv(web.host, gap_s=0), SemanticScholar(web.host, gap_s=0)), now=lambda: clock + 6 * 86400
    )
    assert search(again, " Mixup  AUGMENTATION ") == first
    assert len(web.asked) == 2
    later = Papers(
        tmp_path, (Arxiv(web.host, gap_s=0), SemanticScholar(web.host, gap_s=0)), now=lambda: clock + 8 * 86400
    )
    assert [p.source for p in search(later).papers] == ["Semantic Scholar"]


def test_the_same_paper_told_twice_is_one_with_what_either_knows(web: Web, tmp_path: Path) -> None:
    web.found = {
        "total": 3,
        "data": [
            scholar("Mixup", ArXiv="1710.09412", DOI="10.48550/arXiv.1710.09412"),
            scholar("MIXUP - Beyond Empirical Risk Minimization!", DOI="10.1000/other"),
            scholar("A third", None),
        ],
    }
    found = search(papers(web, tmp_path)).papers
    assert [(p.id, p.doi) for p in found] == [
        ("arxiv:1710.09412", "10.48550/arxiv.1710.09412"),
        (f"s2:{CORPUS}", None),
    ]


def test_at_most_eight_are_told(web: Web, tmp_path: Path) -> None:
    web.atom = FEED.format(entries="".join(entry(f"2001.0000{k}", f"Title {k}") for k in range(8)))
    found = search(papers(web, tmp_path)).papers
    assert [p.source for p in found] == ["arXiv", "Semantic Scholar", *["arXiv"] * 6]


def test_nothing_found_is_no_failure(web: Web, tmp_path: Path) -> None:
    web.atom, web.found = FEED.format(entries=""), {"total": 0, "offset": 0}
    assert search(papers(web, tmp_path)) == Found(())


def test_a_paper_that_a_search_found_costs_no_request(web: Web, tmp_path: Path) -> None:
    library = papers(web, tmp_path)
    search(library)
    paper = asyncio.run(library.get("https://arxiv.org/abs/1710.09412v1"))
    assert paper.abstract == "Mixed pairs of examples help."
    assert len(web.asked) == 2


def test_a_paper_without_an_abstract_is_asked_for_where_it_may_have_one(web: Web, tmp_path: Path) -> None:
    web.atom = FEED.format(entries="")
    web.one = scholar("By DOI", "In full.", DOI="10.1000/182")
    library = papers(web, tmp_path)
    paper = asyncio.run(library.get("doi:10.1000/182"))
    assert (paper.title, paper.abstract) == ("By DOI", "In full.")
    assert [urlsplit(path).path for path, _ in web.asked] == ["/graph/v1/paper/DOI:10.1000/182"]
    assert asyncio.run(papers(web, tmp_path).get("10.1000/182")) == paper
    assert len(web.asked) == 1


def test_what_is_no_id_is_refused_before_anybody_is_asked(web: Web, tmp_path: Path) -> None:
    for name in ("", "mixup", "../x", "doi:10.1000/../../secret", "https://evil.example/?q=1"):
        with pytest.raises(NotFound, match="is no paper; accepted"):
            asyncio.run(papers(web, tmp_path).get(name))
    assert web.asked == []


def test_an_unknown_paper_is_said_to_be_unknown(web: Web, tmp_path: Path) -> None:
    web.status = 404
    with pytest.raises(NotFound, match=r"nobody knows arxiv:2999\.00001"):
        asyncio.run(papers(web, tmp_path).get("2999.00001"))


def test_ids_are_written_in_one_way() -> None:
    assert known_id("arXiv:1706.03762v5") == known_id("https://arxiv.org/pdf/1706.03762.pdf") == "arxiv:1706.03762"
    assert known_id("cond-mat/0102536v1") == "arxiv:cond-mat/0102536"
    assert known_id("https://doi.org/10.1000/ABC") == "doi:10.1000/abc"
    assert known_id(CORPUS.upper()) == f"s2:{CORPUS}"


def test_offline_is_one_line_and_not_kept(web: Web, tmp_path: Path) -> None:
    closed = Papers(tmp_path, (Arxiv("http://127.0.0.1:1", gap_s=0), SemanticScholar("http://127.0.0.1:1", gap_s=0)))
    assert search(closed) == Found(
        (),
        "no paper search now: arXiv cannot be reached, Semantic Scholar cannot be reached; "
        "work from what you know and from notes",
    )
    with pytest.raises(NotFound, match="no paper search now: arXiv cannot be reached"):
        asyncio.run(closed.get("1706.03762"))
    assert len(search(papers(web, tmp_path)).papers) == 2


def test_one_source_that_fails_leaves_the_other(web: Web, tmp_path: Path) -> None:
    web.atom = "<html>Please log in to this hotel's network</html>"
    found = search(papers(web, tmp_path))
    assert [p.source for p in found.papers] == ["Semantic Scholar"]
    assert found.remark == "arXiv answered what cannot be read"


def test_an_old_answer_is_better_than_none(web: Web, tmp_path: Path) -> None:
    first = search(papers(web, tmp_path))
    web.status = 500
    late = time.time() + 30 * 86400
    library = Papers(tmp_path, (Arxiv(web.host, gap_s=0), SemanticScholar(web.host, gap_s=0)), now=lambda: late)
    assert search(library) == first


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_a_pause_gets_it_from_every_process(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    web.status, web.headers = status, {"Retry-After": "3600"}
    assert f"arXiv is busy ({status})" in search(papers(web, tmp_path)).remark
    asked = len(web.asked)
    web.status = 200
    for _ in range(2):
        remark = search(papers(web, tmp_path)).remark
        assert "arXiv wants no question for another 60 minutes" in remark
        monkeypatch.setattr(asking, "_not_before", {})  # what another process would know
    assert len(web.asked) == asked


def test_a_pause_may_be_given_as_a_date(web: Web, tmp_path: Path) -> None:
    web.status = 429
    web.headers = {"Retry-After": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 7200 + 30))}
    search(papers(web, tmp_path))
    assert "another 120 minutes" in search(papers(web, tmp_path)).remark


def test_turns_lie_apart_also_between_processes(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    one = Asking(tmp_path / "turns", longest_wait_s=300.0)
    monkeypatch.setattr(asyncio, "sleep", noted)
    for _ in range(3):
        asyncio.run(one.get("arXiv", f"{web.host}/api/query", 100.0))
        monkeypatch.setattr(asking, "_not_before", {})
    assert waits[0] == 0.0
    assert 90 < waits[1] <= 100
    assert 190 < waits[2] <= 200


def test_without_a_place_for_the_cache_the_turns_are_kept_in_memory(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    library = Papers(tmp_path / "file" / "papers", (Arxiv(web.host, gap_s=1000.0),))
    assert len(search(library).papers) == 1
    assert "arXiv wants no question" in search(library, "something else").remark


def test_a_time_stamp_out_of_a_wrong_clock_stops_nobody(web: Web, tmp_path: Path) -> None:
    search(papers(web, tmp_path))
    (mark,) = (tmp_path / "turns").iterdir()
    future = time.time() + 400 * 86400
    os.utime(mark, (future, future))
    assert search(papers(web, tmp_path), "something else").remark == ""


def test_a_server_that_says_nothing_is_given_up(web: Web, tmp_path: Path) -> None:
    web.hangs = True
    remark = search(papers(web, tmp_path, timeout_s=0.2)).remark
    assert "arXiv did not answer within 0 s" in remark


@pytest.mark.parametrize(
    "atom",
    [
        '<!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feed xmlns="http://www.w3.org/2005/Atom">&b;</feed>',
        "<feed",
        '<?xml version="1.0" encoding="utf-16"?><feed/>',
        "<a>" * 30_000,
    ],
)
def test_xml_that_is_no_feed_is_refused(web: Web, tmp_path: Path, atom: str) -> None:
    web.atom = atom
    assert search(papers(web, tmp_path)).remark == "arXiv answered what cannot be read"


def test_an_error_that_arxiv_puts_into_a_feed_is_one(web: Web, tmp_path: Path) -> None:
    web.atom = FEED.format(
        entries="<entry><id>http://arxiv.org/api/errors#incorrect_id</id><title>Error</title><summary>bad</summary></entry>"
    )
    assert search(papers(web, tmp_path)).remark == "arXiv answered what cannot be read"


@pytest.mark.parametrize("told", [[], {"error": "x"}, {"total": 1, "data": [{"title": 5}]}, "text", None])
def test_json_that_is_no_list_of_papers_is_refused(web: Web, tmp_path: Path, told: Any) -> None:
    web.found = told
    assert search(papers(web, tmp_path)).remark == "Semantic Scholar answered what cannot be read"


def test_an_endless_answer_is_cut_off(web: Web, tmp_path: Path) -> None:
    web.atom = "x" * 2_100_000
    assert search(papers(web, tmp_path)).remark == "arXiv answered more than 2 MB"


def test_a_damaged_cache_is_asked_anew(web: Web, tmp_path: Path) -> None:
    first = search(papers(web, tmp_path))
    for kept in tmp_path.glob("*/*.json"):
        kept.write_bytes(b'{"at": ')
    assert search(papers(web, tmp_path)) == first
    assert len(web.asked) == 4

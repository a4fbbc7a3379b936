"""Which server gets which key: a second server stands by to catch one that leaks."""

from __future__ import annotations

import asyncio
import json

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.core.project import ResearcherOptions
from jupyter_deepresearch.errors import InvalidConfig, ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.llm import wire
from jupyter_deepresearch.researchers.llm.sdk import MessagesModel
from jupyter_deepresearch.researchers.llm.server import PLACEHOLDER, Server, server_of
from jupyter_deepresearch.researchers.llm.talk import Effort, Reply, Request, Said, Stop
from jupyter_deepresearch.testing import Answer, MessagesServer
from tests.researchers.llm import odd

CLAUDE_KEY = "sk-ant-api03-0123456789abcdef"
REQUEST = Request("claude-haiku-5-5", "", (Said("hi"),))
CATCHES = odd.Said(json.dumps(odd.message()).encode())


def ask(base_url: str | None, **environ: str) -> None:
    asyncio.run(MessagesModel(ResearcherOptions(base_url=base_url), environ, 10.0).ask(REQUEST, Phase.PLAN))


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_server_of_its_own_gets_its_key_in_both_ways(name: str) -> None:
    with MessagesServer([Answer("yes")], key="own") as server:
        ask(server.base_url + "/v1/messages", **{name: " own\n", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"})
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["x-api-key"]) == ("Bearer own", "own")


def test_a_key_of_anthropics_never_reaches_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CLAUDE_KEY)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Api-Key: {CLAUDE_KEY}\nX-Other: {CLAUDE_KEY}")
    with odd.OddServer(lambda _: CATCHES) as server:
        ask(None, ANTHROPIC_API_KEY=CLAUDE_KEY, ANTHROPIC_BASE_URL=server.base_url)
        ask(server.base_url)
    assert len(server.reached) == 2
    assert all("sk-ant-" not in each and f"Bearer {PLACEHOLDER}" in each for each in server.reached)


def test_of_two_keys_each_server_gets_the_one_that_is_for_it() -> None:
    keys = {"ANTHROPIC_API_KEY": CLAUDE_KEY, "ANTHROPIC_AUTH_TOKEN": "own"}
    assert server_of(ResearcherOptions(base_url="http://localhost:4000"), keys).sent_key == "own"
    assert server_of(ResearcherOptions(), keys).sent_key == CLAUDE_KEY


def test_a_server_that_wants_its_own_key_says_so() -> None:
    with MessagesServer(key="own") as server, pytest.raises(ResearcherStopped, match="sent to Anthropic alone"):
        ask(server.base_url, ANTHROPIC_API_KEY=CLAUDE_KEY)


def test_nothing_is_sent_on_to_where_a_server_points() -> None:
    with odd.OddServer(lambda _: CATCHES) as other:
        away = odd.Said(status=307, headers=(("location", f"http://localhost:{other.port}/v1/messages?key=own"),))
        with odd.OddServer(lambda _: away) as server, pytest.raises(ResearcherStopped, match="base_url") as raised:
            ask(server.base_url, ANTHROPIC_API_KEY="own")
    assert other.reached == [] and len(server.reached) == 1
    assert f"localhost:{other.port}" in str(raised.value) and "own" not in str(raised.value)


def test_proxies_of_the_environment_are_for_servers_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd.OddServer(lambda _: odd.Said(status=502)) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with MessagesServer([Answer("yes")]) as server:
            ask(server.base_url, ANTHROPIC_API_KEY="own")
        assert proxy.reached == []
        with pytest.raises(ResearcherFailed, match=r"api\.anthropic\.com could not be reached"):
            ask(None, ANTHROPIC_API_KEY=CLAUDE_KEY)
    assert len(proxy.reached) == 1 and "CONNECT api.anthropic.com:443" in proxy.reached[0]
    assert "sk-ant" not in proxy.reached[0]


def test_a_proxy_that_is_none_stops_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "carrier-pigeon://x")
    with pytest.raises(ResearcherStopped, match="proxy"):
        ask(None, ANTHROPIC_API_KEY=CLAUDE_KEY)


@pytest.mark.parametrize(
    ("base_url", "key", "words"),
    [
        (None, "", "set ANTHROPIC_API_KEY"),
        ("http://api.anthropic.com", CLAUDE_KEY, "clear text"),
        ("http://models.example.com", "own", "clear text"),
        ("https://models.example.com", "two words", "blanks"),
        ("https://models.example.com", "smörgås", "blanks"),
    ],
)
def test_a_key_that_may_not_go_there_stops_before_any_request(base_url: str | None, key: str, words: str) -> None:
    with pytest.raises(ResearcherStopped, match=words) as raised:
        ask(base_url, ANTHROPIC_API_KEY=key)
    assert not key or key not in str(raised.value)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://192.168.0.7:8000",
        "http://gpu-box:8000",
        "http://gpu.local",
        "http://[::1]:9",
        "http://100.64.1.2",
        "https://a.example",
    ],
)
def test_a_key_goes_to_ones_own_network_in_clear_text_and_anywhere_else_hidden(base_url: str) -> None:
    assert server_of(ResearcherOptions(base_url=base_url), {"ANTHROPIC_API_KEY": "own"}).sent_key == "own"


def test_hosts_are_told_apart_by_their_whole_name() -> None:
    for name in ("https://api.anthropic.com", "https://anthropic.com/x", "https://API.Anthropic.com:443"):
        assert Server(name).is_anthropic
    for name in ("https://anthropic.com.example.net", "https://notanthropic.com", "https://x.example/anthropic.com"):
        assert not Server(name).is_anthropic
    assert Server("http://localhost:1").is_loopback and Server("http://127.8.8.8").is_loopback
    assert not Server("http://localhost.example.com").is_loopback


@pytest.mark.parametrize(
    "given", ["ollama", "ftp://x", "http://", "http://me:secret@host", "http://host:port", "http://a b"]
)
def test_an_address_that_is_none_is_refused_at_once(given: str) -> None:
    with pytest.raises(InvalidConfig, match="base_url: found") as raised:
        MessagesModel(ResearcherOptions(base_url=given), {})
    assert "secret" not in str(raised.value)


def test_the_key_is_in_no_repr() -> None:
    of = MessagesModel(ResearcherOptions(), {"ANTHROPIC_API_KEY": CLAUDE_KEY})
    assert CLAUDE_KEY not in repr(of) + repr(of.server) + repr(vars(of))


def test_a_thought_that_was_cut_before_it_was_signed_does_not_go_back_to_anthropic() -> None:
    content = '[{"type":"thinking","thinking":"Hm","signature":""},{"type":"text","text":"So"}]'
    request = Request("claude-haiku-5-5", "", (Said("hi"), Reply(content, Stop.CUT), Said("on")))
    for server, kinds in ((Server("https://api.anthropic.com"), ["text"]), (Server("http://h"), ["thinking", "text"])):
        sent = json.loads(wire.sent(wire.body(request, server)))["messages"][1]["content"]
        assert [block["type"] for block in sent] == kinds


def test_effort_and_caching_are_asked_of_anthropic_alone() -> None:
    claude, other = Server("https://api.anthropic.com"), Server("http://localhost")
    sent = json.loads(wire.sent(wire.body(REQUEST, claude)))
    assert sent["output_config"] == {"effort": Effort.MEDIUM} and sent["cache_control"] == {"type": "ephemeral"}
    assert not json.loads(wire.sent(wire.body(REQUEST, other))).keys() & {"output_config", "cache_control"}
    older = Request("claude-haiku-4-5", "", (Said("hi"),))
    assert "output_config" not in json.loads(wire.sent(wire.body(older, claude)))

"""The suite's refusal of the network is itself tested: in the process, in children, and where the error is caught."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import anthropic
import pytest

from jupyter_deepresearch.testing import Answer, MessagesServer
from tests import network

FAR = ("192.0.2.1", 443)  # an address that is kept for documentation, RFC 5737


def datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"", FAR)


def asynchronous() -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection(*FAR), 5))


def quietly() -> None:
    with socket.socket() as s:
        s.connect_ex(FAR)


@pytest.mark.parametrize(
    ("ask", "address"),
    [
        (lambda: socket.create_connection(FAR, timeout=5), "192.0.2.1 port 443"),
        (quietly, "192.0.2.1 port 443"),
        (asynchronous, "192.0.2.1 port 443"),
        (datagram, "192.0.2.1 port 443"),
        (lambda: socket.getaddrinfo("api.example.org", 443), "api.example.org"),
        (lambda: socket.gethostbyname("api.example.org"), "api.example.org"),
        (lambda: urllib.request.urlopen("https://api.example.org/", timeout=5), "127.0.0.254 port 9"),
    ],
)
def test_this_process_refuses_and_remembers(ask: Callable[[], object], address: str) -> None:
    with pytest.raises((PermissionError, urllib.error.URLError), match=f"tests stay on this machine: .*{address}"):
        ask()
    remembered = network.refused()  # taken, or this test would fail at its end
    assert remembered and all(address in line and str(os.getpid()) in line for line in remembered)


def test_the_sdk_meets_no_paid_service() -> None:
    with pytest.raises(anthropic.APIConnectionError), anthropic.Anthropic(api_key="k", max_retries=0) as api:
        api.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert network.refused()


@pytest.mark.parametrize("code", ["s.connect_ex(('192.0.2.1', 443))", "socket.gethostbyname('192.0.2.1.example.org')"])
def test_a_child_refuses_and_its_refusal_is_remembered_though_caught(code: str) -> None:
    whole = (
        f"import socket\ns = socket.socket()\ntry:\n    {code}\nexcept OSError as error:\n    print(error)\ns.close()"
    )
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, timeout=60, check=True)
    assert "tests stay on this machine" in done.stdout and "192.0.2.1" in done.stdout
    assert len(network.refused()) == 1


def test_other_children_find_a_closed_proxy_and_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = dict(line.split("=", 1) for line in subprocess.check_output(["env"], text=True).splitlines() if "=" in line)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        assert shown[name] == shown[name.lower()] == "http://127.0.0.254:9"
    assert "127.0.0.1" in shown["no_proxy"] and not [n for n in shown if n.startswith(network.PAID)]


def test_what_stays_on_this_machine_is_free(tmp_path: Path) -> None:
    with MessagesServer([Answer("x")]) as server, anthropic.Anthropic(api_key="k", base_url=server.base_url) as api:
        assert api.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]).id
    with socket.socket(socket.AF_UNIX) as listens, socket.socket(socket.AF_UNIX) as asks:
        listens.bind(str(tmp_path / "s"))
        listens.listen()
        asks.connect(str(tmp_path / "s"))
    assert socket.getaddrinfo("localhost", 1) and socket.getaddrinfo("192.0.2.1", 1)  # a number asks nobody
    assert network.refused() == []


TEST = """
import socket

def test_that_hides_it():
    try:
        socket.create_connection(("192.0.2.1", 443))
    except OSError:
        pass

def test_after_it():
    pass
"""


def own_suite(repository: Path, test: Path) -> subprocess.CompletedProcess[str]:
    """A test file elsewhere, run under this suite's conftest."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest"]
    command += ["--rootdir", str(test.parent), "-c", os.devnull, str(test)]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=False)


def test_a_test_that_catches_the_refusal_fails_all_the_same(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "test_hidden.py").write_text(TEST)
    done = own_suite(repository, tmp_path / "test_hidden.py")
    assert "2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "ERROR at teardown of test_that_hides_it" in done.stdout
    assert re.search(r"tests stay on this machine: socket.connect to 192\.0\.2\.1 port 443", done.stdout)


EXEMPT = {"test_local_kernels.py": 1, "test_packaging.py": 3}


def test_who_is_exempt(repository: Path) -> None:
    marked = re.compile(r"^@pytest\.mark\.index$|^pytestmark\b.*index", re.MULTILINE)
    found = {path.name: len(marked.findall(path.read_text())) for path in (repository / "tests").rglob("test_*.py")}
    assert {name: count for name, count in found.items() if count} == EXEMPT


def test_nobody_is_exempt_without_saying_so(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "test_sly.py").write_text("def test_sly(environment_with_index):\n    pass\n")
    done = own_suite(repository, tmp_path / "test_sly.py")
    assert done.returncode == 4 and "mark it with @pytest.mark.index" in done.stdout + done.stderr


def test_what_is_exempt_gets_the_environment_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"HTTP_PROXY": "http://proxy.example.org:3128", "https_proxy": None, "PYTHONPATH": None}
    monkeypatch.setenv(network.BEFORE, json.dumps(before))
    environment = network.environment_before()
    assert environment["HTTP_PROXY"] == "http://proxy.example.org:3128"
    assert not {"https_proxy", "PYTHONPATH", network.BEFORE} & set(environment)

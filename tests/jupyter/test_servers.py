"""From a kernel to its server in less common places: IPv6, a hub, a process number used twice, a page's address."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
from pathlib import Path

import pytest
from jupyter_core.paths import jupyter_runtime_dir

from jupyter_deepresearch import errors
from jupyter_deepresearch.jupyter.client import Client
from jupyter_deepresearch.jupyter.servers import Server, find_server, here
from tests.jupyter.test_client import answering, note


@pytest.mark.parametrize(
    ("url", "token", "meant"),
    [
        ("http://[::1]:8888/", "t", Server("http://[::1]:8888/", "t")),
        ("https://hub.example/user/ada", " t\n", Server("https://hub.example/user/ada/", "t")),
        ("http://localhost:8888/lab?token=abc", "", Server("http://localhost:8888/", "abc")),
        ("http://localhost:8888/tree?token=abc", "t", Server("http://localhost:8888/", "t")),
        ("https://hub.example/user/ada/lab/tree/a.ipynb", "t", Server("https://hub.example/user/ada/", "t")),
        ("http://localhost:8888/laboratory", "t", Server("http://localhost:8888/laboratory/", "t")),
    ],
)
def test_a_named_server_is_taken_as_people_name_it(url: str, token: str, meant: Server) -> None:
    found = find_server({"DEEPRESEARCH_SERVER_URL": url, "DEEPRESEARCH_SERVER_TOKEN": token})
    assert found == meant and found.is_own


@pytest.mark.parametrize(
    "url", ["localhost:8888", "8888", "http://", "http://a:port/", "http://[::1:8888/", "file:///x"]
)
def test_a_named_server_without_an_address_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(errors.InvalidInput, match=r"^DEEPRESEARCH_SERVER_URL: found .* accepted: an address such as"):
        find_server({"DEEPRESEARCH_SERVER_URL": url})


def test_the_parent_counts_only_as_the_process_that_left_the_note(tmp_path: Path) -> None:
    note("stale", tmp_path / "elsewhere", pid=os.getpid())
    left = Path(jupyter_runtime_dir()) / "jpserver-stale.json"
    assert find_server({"JPY_PARENT_PID": str(os.getpid())}, tmp_path).is_own
    os.utime(left, (1_000_000, 1_000_000))
    with pytest.raises(errors.NoServer, match="no server of this machine"):
        find_server({"JPY_PARENT_PID": str(os.getpid())}, tmp_path)


def test_a_kernel_of_a_gateway_is_told_so_and_never_called_the_only_servers_own(tmp_path: Path) -> None:
    with pytest.raises(errors.NoServer, match=r"what started this kernel is no server of this machine .*a gateway"):
        find_server({"JPY_PARENT_PID": "1"}, tmp_path)
    with answering() as url:
        note("above", tmp_path, url)
        assert not find_server({"JPY_PARENT_PID": "1"}, tmp_path).is_own


@pytest.mark.parametrize(
    ("hostname", "url"), [("0.0.0.0", "http://127.0.0.1:8889/me/"), ("127.0.0.1", "http://box:8889/me/")]
)
def test_a_server_that_listens_everywhere_is_asked_on_the_loopback(tmp_path: Path, hostname: str, url: str) -> None:
    note("own", tmp_path, "http://box:8889/me/")
    left = Path(jupyter_runtime_dir()) / "jpserver-own.json"
    left.write_text(json.dumps({**json.loads(left.read_text()), "hostname": hostname, "port": 8889}))
    assert find_server({"JPY_PARENT_PID": str(os.getpid())}, tmp_path).url == url


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("http://[fe80::1]:8888/user/ada/", "http://[fe80::1]:8888/user/ada/"),
        ("http://[::]/", "http://127.0.0.1/user/ada/"),
    ],
)
def test_a_hub_may_speak_ipv6(service: str, url: str, tmp_path: Path) -> None:
    environ = {"URL": service, "PREFIX": "/user/ada/"}
    named = {f"JUPYTERHUB_SERVICE_{name}": value for name, value in environ.items()}
    assert find_server({**named, "JUPYTERHUB_API_TOKEN": "hub"}, tmp_path) == Server(url, "hub")


def test_an_untrusted_certificate_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Untrusting:
        def open(self, *arguments: object, **options: object) -> None:
            refusal = ssl.SSLCertVerificationError()
            refusal.verify_message = "self-signed certificate"
            raise urllib.error.URLError(refusal)

    for module in ("servers", "client"):
        monkeypatch.setattr(f"jupyter_deepresearch.jupyter.{module}.OPENER", Untrusting())
    note("above", tmp_path, "https://127.0.0.1:8888/")
    with pytest.raises(errors.NoServer, match=r"not trusted here \(self-signed certificate\); set SSL_CERT_FILE"):
        Client(find_server({}, tmp_path)).projects()


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(errors.NotFound, match="is gone; change to another"):
        here()

"""A start takes the kernel that the researched notebook is open with."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.app import RealMakers
from jupyter_deepresearch.jupyter.client import Client
from jupyter_deepresearch.jupyter.live import live_kernels
from jupyter_deepresearch.jupyter.servers import Server
from tests.jupyter.asking import Api, refused, started, until
from tests.jupyter.doubles import CONFIG, Doubled, write_project
from tests.jupyter.kernels import JupyterServer
from tests.jupyter.kernels import until as until_true


class Sessions:
    """A session manager that knows these sessions."""

    def __init__(self, *sessions: dict[str, Any]) -> None:
        self.sessions = list(sessions)

    async def list_sessions(self) -> list[dict[str, Any]]:
        return self.sessions


def session(path: str, kernel: str, kind: str = "notebook") -> dict[str, Any]:
    return {"path": path, "type": kind, "kernel": {"name": kernel, "id": "1"}}


def test_open_notebooks_are_known_by_their_path(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    sessions = Sessions(
        session("a/train.ipynb", "torch"),
        session("RTC:link/b.ipynb", "other"),
        session("console-1", "python3", "console"),
        {"path": "c.ipynb", "type": "notebook", "kernel": None},
    )
    found = asyncio.run(live_kernels(sessions, str(tmp_path)))
    assert found == {tmp_path / "a" / "train.ipynb": "torch", tmp_path / "b.ipynb": "other"}


def install(folder: Path, name: str = "torch") -> None:
    """A second kernel, which says so in its environment, below a data folder of Jupyter's."""
    spec = folder / "kernels" / name
    spec.mkdir(parents=True)
    argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": argv, "display_name": "Torch", "language": "python", "env": {"WHICH_KERNEL": name}}
    (spec / "kernel.json").write_text(json.dumps(told))


@pytest.fixture
def checked(doubled: Doubled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubled:
    """Parts that look for kernels as the real ones do, where `torch` is installed beside `python3`."""
    install(tmp_path / "elsewhere")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(doubled, "preflight", lambda *given: RealMakers.preflight(doubled, *given))
    return doubled


async def kernels_used(
    api: Api, doubled: Doubled, server: Any, monkeypatch: pytest.MonkeyPatch, *open_with: str, **body: object
) -> tuple[set[str], list[str]]:
    """The kernels of the runs of a project that is started while its notebook is open, and what was announced."""
    listed = Sessions(*(session("small/train.ipynb", name) for name in open_with))
    monkeypatch.setattr(server.session_manager, "list_sessions", listed.list_sessions)
    project = await started(api, **body)
    await until(api, project, "finished")
    events = (await api.get("projects", project, "events")).body["events"]
    said = [event["body"]["text"] for event in events if event["kind"] == "announced"]
    return {spec.kernel for spec in doubled.launches.specs.values()}, said


@pytest.mark.parametrize(
    ("open_with", "body", "used", "words"),
    [
        ([], {}, "python3", ""),
        (["python3"], {}, "python3", ""),
        (["torch"], {}, "torch", "train.ipynb is open with the kernel torch: runs use it, not python3"),
        (["torch"], {"kernel": "python3"}, "python3", ""),
        ([], {"launcher": {"kernel": "torch", "gpus": "none"}}, "torch", ""),
        (["unknown"], {}, "python3", "the kernel unknown, which runs cannot use: they use its own, python3"),
    ],
)
async def test_runs_use_the_kernel_of_the_open_notebook(
    api: Api,
    checked: Doubled,
    folder: Path,
    jp_serverapp: Any,
    monkeypatch: pytest.MonkeyPatch,
    open_with: list[str],
    body: dict[str, object],
    used: str,
    words: str,
) -> None:
    kernels, said = await kernels_used(api, checked, jp_serverapp, monkeypatch, *open_with, **body)
    assert kernels == {used}
    assert any(words in line for line in said) and any("is open" in line for line in said) == bool(words)


async def test_the_kernel_stays_what_it_was_once_something_is_measured(
    api: Api, checked: Doubled, folder: Path, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = {"budget": {"cycles": 1}}
    assert (await kernels_used(api, checked, jp_serverapp, monkeypatch, "torch", **used))[0] == {"torch"}
    checked.launches.specs.clear()
    again, _ = await kernels_used(api, checked, jp_serverapp, monkeypatch, "python3", budget={"cycles": 2})
    assert again == {"torch"}


async def test_a_kernel_started_by_hand_is_told_that_it_is_not_used(
    checked: Doubled,
    http_server_client: object,
    folder: Path,
    jp_serverapp: Any,
    jp_auth_header: dict[str, str],
    jp_base_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, token = f"http://127.0.0.1:{jp_serverapp.port}{jp_base_url}", jp_auth_header["Authorization"][6:]
    for is_own, said in ((False, "was not started by the Jupyter server"), (True, "")):
        server = Server(url, token, is_own=is_own)
        monkeypatch.setattr("jupyter_deepresearch.jupyter.client.find_server", lambda server=server: server)
        client = Client.here()
        await asyncio.to_thread(client.start, folder)
        assert said in client.remark and bool(client.remark) == bool(said)


async def test_a_kernel_that_is_not_installed_is_refused(api: Api, checked: Doubled, folder: Path) -> None:
    gone = await api.post("projects", body={"path": "small", "kernel": "gone"})
    message = refused(gone, 400, "invalid_notebook")
    assert 'kernel "gone" of train.ipynb is not installed: found' in message and gone.body["key"] == "launcher.kernel"
    (folder / "deepresearch.toml").write_text(f'{CONFIG}kernel = "gone"\n')
    guessed = (await api.get("guess", path="small/train.ipynb")).body
    assert guessed["kernel"] == "gone" and message in guessed["remarks"], "said before the start is refused"
    answer = await api.post("projects", body={"path": "small", "kernel": "../x"})
    assert "--kernel: found" in refused(answer, 400, "invalid_config")


@pytest.mark.slow
def test_the_magic_in_a_live_notebook_takes_its_kernel(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    server = JupyterServer(tmp_path / "root", {name: str(tmp_path / name.lower()) for name in names})
    install(tmp_path / "jupyter_data_dir")
    training = "import os\nfrom jupyter_deepresearch import report\n"
    training += "report(score=float(os.environ.get('WHICH_KERNEL') == 'torch'))"
    write_project(server.root / "small", training=training)
    try:
        server.start()
        kernel = server.session("small/train.ipynb", "torch")
        shown = kernel.run("%deepresearch start --cycles 1")
        assert shown.stderr == "" and "small: running" in shown.text
        until_true(lambda: ": finished" in kernel.say("status").text, 60)
        assert "baseline  #0 score 1 " in kernel.say("status").text
    finally:
        server.stop()

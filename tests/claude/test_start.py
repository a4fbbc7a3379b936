"""A start on Claude: what could not work is refused before anything is written, and a key is used but never kept."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.app import RealMakers, SystemClock
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.errors import InvalidConfig
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service import views
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.testing import Fault, MessagesServer
from tests.claude.mind import Mind
from tests.claude.world import LEADER, parameters, world, write
from tests.small_project import write_project

LATER = "claude-sonnet-5-5"
SECRET = "a-key-that-nobody-may-see-4711"
NOWHERE = {"base_url": "http://127.0.0.1:9"}
NOVEL = {**NOWHERE, "leader_model": "novel-1"}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no key": ({"researcher": {"kind": "claude"}}, 'found "claude" without a key; accepted: ANTHROPIC_API_KEY'),
    "no model": ({"researcher": NOWHERE}, "leader_model: missing, and base_url is 127.0.0.1:9"),
    "no price": ({"researcher": NOVEL, "budget": {"usd": 1.0}}, r'\[budget\] usd: the price of "novel-1" is not known'),
    "no command": ({"researcher": {"kind": "claude-cli"}}, "no command `claude` on PATH"),
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with closing(Service(RealMakers(), Registry(tmp_path / "projects.json"), SystemClock())) as opened:
        yield opened


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("case", REFUSED)
def test_a_researcher_that_could_not_work_is_refused_and_nothing_is_written(
    case: str, tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "project")
    (folder / "PROJECT_BRIEF.md").unlink()
    before, (tables, words) = listing(folder), REFUSED[case]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidConfig, match=words) as refused:
        service.prepare(folder, Options(tables=tables), "the brief of this start")
    assert "\n" not in str(refused.value) and listing(folder) == before
    project = service.prepare(folder, Options())
    seq = project.state.seq
    with pytest.raises(InvalidConfig, match=words):  # neither at a new start, nor by a command
        service.prepare(folder, Options(tables=tables))
    with pytest.raises(InvalidConfig, match=words):
        project.command(cmd.ConfigureCommand(tables))
    assert project.state.seq == seq


def said(project: OpenedProject) -> list[str]:
    return [record.event.text for record in project.store.records(0) if isinstance(record.event, ev.Announced)]


def test_who_proposes_is_said_at_the_start_and_when_it_changes(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "project")
    project = service.prepare(folder, Options())
    offline = "no researcher configured: using the offline researcher (sweep)"
    assert said(project) == [offline]
    service.prepare(folder, Options(cycles=3))
    assert said(project) == [offline]
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    service.prepare(folder, Options())
    [_, claude] = said(project)
    assert (
        claude
        == f"using the researcher claude: {LEADER} leads and works, at api.anthropic.com (ANTHROPIC_API_KEY is set)"
    )
    service.prepare(folder, Options(usd=1.0))
    assert said(project)[2:] == []


def test_a_process_without_the_key_may_still_configure_what_has_nothing_to_do_with_it(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a server beside the terminal whose command researches the folder."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    project = service.prepare(write(tmp_path / "project"), Options(researcher="claude", usd=1.0))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    project.command(cmd.ConfigureCommand({"budget": {"cycles": 7, "usd": None}}))
    assert (project.state.project.budget.cycles, project.state.project.budget.usd) == (7, None)


def test_a_key_reaches_its_server_and_nothing_else(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cycle with a real run, then a server that puts the key into its refusal."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    folder = write_project(tmp_path / "project")
    plans = [parameters("three is best", x=3.0), Fault.status(401, message=f"invalid key {SECRET}")]
    with MessagesServer(Mind(plans), key=SECRET) as server:
        researcher = {"base_url": server.base_url, "leader_model": LEADER}
        project = service.prepare(folder, Options(cycles=2, tables={"researcher": researcher}))
        state = service.run(project)
        assert any(SECRET in str(request.headers) for request in server.requests)
    assert state.cycles == 1 and state.failed is not None and state.failed.is_researchers
    assert "ANTHROPIC_API_KEY" in state.failed.sentence
    assert SECRET not in views.to_json(project.status()) + str(said(project))
    specs = list((folder / ".deepresearch").rglob("spec.json"))
    assert len(specs) == 2 and all("ANTHROPIC" not in path.read_text() for path in specs)
    kept = {name for name, content in listing(tmp_path).items() if SECRET.encode() in content}
    assert kept == set()


def test_another_model_answers_from_the_next_question_on(tmp_path: Path) -> None:
    """The configuration changes while the project is at work: after the first cycle, by a command."""
    mind = Mind([parameters("near three", x=2.5), parameters("three", x=3.0)])
    with world(tmp_path / "project", mind, budget={"cycles": 2}) as found:

        def listen(project: OpenedProject) -> None:
            def change(record: ev.Record) -> None:
                if isinstance(record.event, ev.Judged) and record.event.experiment == 1:
                    project.command(
                        cmd.ConfigureCommand({"researcher": {"leader_model": LATER, "worker_model": LATER}})
                    )

            project.ledger.listeners.append(change)

        project = found.research(listen)
        asked = [request.body["model"] for request in mind.of("plan") + mind.of("lesson")]
        assert asked == [LEADER, LATER, LATER, LATER]
        assert any(f"{LATER} leads and works" in text for text in said(project))

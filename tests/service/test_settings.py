"""What may be changed while a project is at work: limits lifted and raised, what was spent of them, directives."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Usage
from jupyter_deepresearch.core.project import ApprovalMode, ResearcherKind, ResearcherOptions
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.service.settings import directives, settings, who
from jupyter_deepresearch.store.sqlite import SqliteStore
from tests.jupyter.doubles import Doubled, write_project


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with closing(Doubled().service(tmp_path)) as made:
        yield made


def finished(service: Service, tmp_path: Path, **tables: object) -> OpenedProject:
    project = service.prepare(write_project(tmp_path / "small"), Options(tables=tables))
    service.run(project)
    return project


def budgets(project: OpenedProject) -> dict[str, tuple[float | None, float | None]]:
    return {line.key: (line.limit, line.spent) for line in settings(project).budgets}


def configure(project: OpenedProject, **tables: Any) -> None:
    project.command(cmd.ConfigureCommand(tables))


def test_settings_and_what_was_spent(service: Service, tmp_path: Path) -> None:
    project = finished(service, tmp_path, budget={"cycles": 2, "disk_gb": 3.5, "patience": 9})
    now = time.time()
    for at in (now - 2 * 86_400, now):
        with closing(SqliteStore(ProjectPaths(project.folder).ledger, clock=lambda at=at: at)) as store:
            store.append(ev.Answered(str(at), Usage("plan", "model", 100, 10, 0, 0.25), "an answer"))
            store.append(ev.Worked(900.0))
    found = settings(project)
    assert (found.approval.mode, found.approval.auto_after_minutes) == (ApprovalMode.AUTO, None)
    assert (found.max_parallel, found.seeds) == (1, 1)
    assert found.researcher.kind is ResearcherKind.SWEEP and "offline" in found.researcher.sentence
    spent = budgets(project)
    assert spent.pop("hours") == (None, pytest.approx(0.5, abs=0.01))
    assert spent.pop("disk_gb") == (3.5, 0.0)
    assert spent == {
        "cycles": (2, 2),
        "usd": (None, 0.5),
        "usd_per_day": (None, 0.25),
        "tokens": (None, 220),
        "tokens_per_day": (None, 110),
        "calls": (None, 2),
        "calls_per_day": (None, 1),
        "gpu_hours": (None, 0.0),
        "run_minutes": (None, None),
        "patience": (9, 1),
    }
    project.ledger.append(ev.Answered("unpriced", Usage("plan", "other", 1, 1, 0, None), "an answer"))
    assert budgets(project)["usd"] == (None, 0.5), "of the calls with a known price"


def test_who_cannot_propose_says_why(service: Service) -> None:
    found = who(ResearcherOptions(ResearcherKind.CLAUDE))
    assert found.kind is ResearcherKind.CLAUDE and "without a key" in found.sentence


def test_a_raised_limit_goes_on_and_null_lifts_it(service: Service, tmp_path: Path) -> None:
    project = finished(service, tmp_path, budget={"cycles": 1, "patience": 1, "gpu_hours": 2.0})
    assert project.state.finished is not None and project.state.cycles == 1
    configure(project, budget={"cycles": 2})
    assert project.state.finished is None
    service.run(project)
    assert (project.state.cycles, budgets(project)["cycles"]) == (2, (2, 2))
    configure(project, budget={"gpu_hours": None, "cycles": None})
    assert budgets(project)["cycles"] == (None, 2) and budgets(project)["gpu_hours"][0] is None
    assert budgets(project)["patience"][0] == 1, "what was not named stays"
    configure(project, approval={"mode": "ask", "auto_after_minutes": 30})
    configure(project, approval={"auto_after_minutes": None})
    assert settings(project).approval.mode is ApprovalMode.ASK
    assert settings(project).approval.auto_after_minutes is None


def test_a_raised_limit_is_acted_on_by_whoever_serves(service: Service, tmp_path: Path) -> None:
    project = finished(service, tmp_path, budget={"cycles": 1})
    service.command(project, cmd.ConfigureCommand({"budget": {"cycles": 2}}))
    end = time.monotonic() + 20
    while project.state.cycles < 2 or project.state.finished is None:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_directives_are_unread_until_a_think_has_read_them(service: Service, tmp_path: Path) -> None:
    project = finished(service, tmp_path, budget={"cycles": 1})
    assert directives(project).directives == ()
    first = project.command(cmd.DirectiveCommand("try larger steps"))
    configure(project, budget={"cycles": 2})
    service.run(project)
    second = project.command(cmd.DirectiveCommand("and smaller ones"))
    assert [(d.seq, d.at, d.text, d.unread) for d in directives(project).directives] == [
        (first.seq, first.at, "try larger steps", False),
        (second.seq, second.at, "and smaller ones", True),
    ]

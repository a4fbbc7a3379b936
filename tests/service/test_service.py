"""Projects made, researched, steered and taken up again through the service, whatever happens to it in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jupyter_deepresearch.app import RealMakers, SystemClock
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ports import RunSpec
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.research import Researcher
from jupyter_deepresearch.core.types import Outcome, ProjectState, RunError, RunState
from jupyter_deepresearch.errors import (
    Conflict,
    DeepResearchError,
    Forbidden,
    InvalidConfig,
    InvalidNotebook,
    LeaseHeld,
    NotFound,
    StorageFailed,
)
from jupyter_deepresearch.service import commands as cmd
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import ScriptedResearcher
from tests.jupyter.doubles import CONFIG, Doubled, HeldLauncher, three_times_lr, write_project

TWO_CYCLES = Options(cycles=2)


@pytest.fixture
def makers() -> Doubled:
    return Doubled()


@pytest.fixture
def service(makers: Doubled) -> Iterator[Service]:
    with closing(makers.service()) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_project(tmp_path / "small")


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def until_state(service: Service, project: OpenedProject, state: ProjectState) -> None:
    until(lambda: service.status(project).state is state)


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def log(project: OpenedProject) -> list[ev.Event]:
    return [record.event for record in project.store.records()]


# All or nothing


def write(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def change_notebook(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "train.ipynb"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return change


BAD: dict[str, tuple[Callable[[Path], None], type[DeepResearchError], str]] = {
    "no metric": (write("deepresearch.toml", ""), InvalidConfig, "metric is missing"),
    "unknown key": (write("deepresearch.toml", CONFIG + "[budget]\ncycle = 3"), InvalidConfig, "cycles"),
    "wrong type": (write("deepresearch.toml", CONFIG + '[budget]\ncycles = "3"'), InvalidConfig, "cycles"),
    "not toml": (write("deepresearch.toml", "metric ="), InvalidConfig, "not valid TOML"),
    "two notebooks": (lambda f: shutil.copy(f / "train.ipynb", f / "b.ipynb") and None, InvalidConfig, "several"),
    "no notebook": (remove("train.ipynb"), InvalidConfig, "no notebook"),
    "not a notebook": (write("train.ipynb", "{}"), InvalidNotebook, "train.ipynb"),
    "not json": (write("train.ipynb", "hello"), InvalidNotebook, "train.ipynb"),
    "long brief": (write("PROJECT_BRIEF.md", "x" * 3001), InvalidConfig, "3,001"),
    "missing kernel": (change_notebook('"python3"', '"no-such-kernel"'), DeepResearchError, "no-such-kernel"),
    "a file in the way": (write(".deepresearch", "mine"), StorageFailed, "cannot be written"),
    "a folder in the way": (lambda f: (f / ".deepresearch/ledger.db").mkdir(parents=True), StorageFailed, "ledger"),
    "not a ledger": (
        write(".deepresearch/ledger.db", "hello " * 99),
        StorageFailed,
        "ledger",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_researched_is_refused_in_one_line_and_leaves_no_trace(folder: Path, bad: str) -> None:
    spoil, kind, words = BAD[bad]
    spoil(folder)
    before = listing(folder)
    registry = Registry()
    with closing(Service(RealMakers(), registry, SystemClock())) as service:
        with pytest.raises(kind) as refused:
            service.create(folder, Options(), brief=None if bad == "long brief" else "a brief")
        message = str(refused.value)
        assert words in message and "\n" not in message
        assert listing(folder) == before
        assert registry.all() == () and tuple(service.projects()) == ()


def test_a_long_or_conflicting_brief_given_at_the_start_leaves_no_trace(service: Service, folder: Path) -> None:
    (folder / "PROJECT_BRIEF.md").write_text("the person's")
    before = listing(folder)
    for brief, kind in (("x" * 3001, InvalidConfig), ("another", Conflict)):
        with pytest.raises(kind):
            service.create(folder, Options(), brief)
        assert listing(folder) == before


def test_folders_that_are_not_there_or_outside_the_root(makers: Doubled, tmp_path: Path) -> None:
    outside = write_project(tmp_path / "outside")
    root = tmp_path / "root"
    (root / "link").parent.mkdir()
    (root / "link").symlink_to(outside)
    with closing(makers.service(root)) as service:
        for folder, kind in ((root / "gone", NotFound), (outside, Forbidden), (root / "link", Forbidden)):
            with pytest.raises(kind):
                service.create(folder, Options())
        with pytest.raises(NotFound):
            service.project("nobody-00000000")
    assert not (outside / ".deepresearch").exists()


@pytest.mark.parametrize(
    ("root", "place"), [("", "a/small"), ("a", "small"), ("a/small", ""), ("linked", "small"), (None, None)]
)
def test_a_status_says_where_the_folder_is_for_its_server(
    makers: Doubled, tmp_path: Path, root: str | None, place: str | None
) -> None:
    folder = write_project(tmp_path / "a" / "small")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    with closing(makers.service(None if root is None else tmp_path / root)) as service:
        project = service.prepare(folder, Options())
        status = service.status(project)
    assert (status.place, status.path, status.seq) == (place, str(folder), 1)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own are closed anew whenever another pytest begins."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_read_only_folder_is_refused_in_one_line(open_folder: Path) -> None:
    folder = write_project(open_folder / "small")
    script = """
    import os, sys
    from pathlib import Path
    from jupyter_deepresearch.config.loading import Options
    from jupyter_deepresearch.errors import StorageFailed
    from jupyter_deepresearch.service.registry import Registry
    from tests.jupyter.doubles import Doubled, write_project
    folder = Path(sys.argv[1])
    service = Doubled().service()
    service.prepare(write_project(folder.parent / "good"), Options())  # what is imported only then must be readable
    folder.chmod(0o555)
    if os.geteuid() == 0: os.setuid(65534)  # root writes everywhere
    try: service.create(folder, Options(), "a brief")
    except StorageFailed as error: print(error)
    service.close()
    """
    before = listing(folder)
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)], capture_output=True, text=True, timeout=60
    )
    assert "cannot be written" in run.stdout and run.stdout.count("\n") == 1, run
    assert listing(folder) == before


def test_a_start_that_was_cut_off_is_made_good_by_the_next(service: Service, folder: Path) -> None:
    (folder / ".deepresearch").mkdir()
    (folder / ".deepresearch" / "mine.txt").write_text("kept")
    SqliteStore(folder / ".deepresearch" / "ledger.db").close()  # killed before the first event
    project = service.create(folder, TWO_CYCLES)
    until_state(service, project, ProjectState.FINISHED)
    assert (folder / ".deepresearch" / "mine.txt").read_text() == "kept"


def test_two_services_that_start_one_folder_at_once_make_one_project(makers: Doubled, folder: Path) -> None:
    made: list[str] = []
    refused: list[DeepResearchError] = []
    services = [makers.service(name=f"server {n}") for n in range(3)]

    def begin(service: Service) -> None:
        try:
            made.append(service.create(folder, TWO_CYCLES).id)
        except (Conflict, StorageFailed) as error:
            refused.append(error)

    threads = [threading.Thread(target=begin, args=(service,)) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(refused) == 2
    project = services[0].project(made[0])
    until(lambda: project.state.finished is not None)
    assert sum(isinstance(e, ev.Opened) for e in log(project)) == 1
    assert set(makers.launches.started.values()) == {1}
    for service in services:
        service.close()


# Researching


def test_a_project_is_researched_and_every_record_announced_in_order(service: Service, folder: Path) -> None:
    announced: list[tuple[str, int]] = []
    service.announce = lambda project_id, record: announced.append((project_id, record.seq))
    project = service.create(folder, TWO_CYCLES, "maximise the score")
    until_state(service, project, ProjectState.FINISHED)
    status = service.status(project)
    assert (status.cycle, status.stop_reason) == (2, "cycles")
    assert status.champion is not None and status.champion.experiment == 1
    assert (folder / "PROJECT_BRIEF.md").read_text() == "maximise the score"
    assert {p for p, _ in announced} == {project.id}
    seqs = [seq for _, seq in announced]
    assert seqs == list(range(seqs[0], project.state.seq + 1))
    assert tuple(service.projects()) == (project,)


def test_four_projects_are_researched_at_once(service: Service, makers: Doubled, tmp_path: Path) -> None:
    makers.launches.held = True
    projects = [service.create(write_project(tmp_path / f"p{n}"), TWO_CYCLES) for n in range(4)]
    assert len({p.id for p in projects}) == 4
    until(lambda: all(p.state.runs for p in projects))
    assert {service.status(p).state for p in projects} == {ProjectState.RUNNING}


def test_a_project_that_another_process_researches_is_left_alone(service: Service, folder: Path) -> None:
    project = service.create(folder, TWO_CYCLES)
    until_state(service, project, ProjectState.FINISHED)
    service.close()
    script = "import sys, time; from pathlib import Path; from jupyter_deepresearch.service.service import owner\n"
    script += "from jupyter_deepresearch.store.sqlite import SqliteStore\n"
    script += "SqliteStore(Path(sys.argv[1])).acquire(owner('the other')); print(flush=True); time.sleep(60)"
    ledger = folder / ".deepresearch" / "ledger.db"
    other = subprocess.Popen([sys.executable, "-c", script, str(ledger)], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None and other.stdout.readline()
        with closing(Doubled().service()) as second:
            taken = next(second.projects())
            before = taken.state.seq
            with pytest.raises(LeaseHeld, match=f"the other, pid {other.pid}"):
                second.create(folder, Options(cycles=3))
            assert taken.state.seq == before, "its budget was raised although it was refused"
            second.command(taken, cmd.DirectiveCommand("go on"))  # for the other to act on
            other.kill()
            other.wait()
            second.command(taken, cmd.ResumeCommand())
            until(lambda: second.status(taken).state is ProjectState.FINISHED)
    finally:
        other.kill()
        other.communicate()


def test_close_gives_leases_back_and_another_service_goes_on(makers: Doubled, folder: Path) -> None:
    makers.launches.held = True
    with closing(makers.service()) as first:
        project = first.create(folder, TWO_CYCLES)
        until(lambda: bool(project.state.runs))
    ledger = folder / ".deepresearch" / "ledger.db"
    with closing(SqliteStore(ledger)) as store:
        assert store.holder() is None
    with closing(makers.service()) as second:
        second.resume_all()
        project = second.project(project.id)
        makers.launches.held = False
        until_state(second, project, ProjectState.FINISHED)
    assert set(makers.launches.started.values()) == {1}
    with pytest.raises(StorageFailed):
        project.store.append(ev.Pause())


def test_what_is_at_rest_is_not_resumed(makers: Doubled, tmp_path: Path) -> None:
    with closing(makers.service()) as first:
        ended = first.create(write_project(tmp_path / "ended"), TWO_CYCLES)
        until_state(first, ended, ProjectState.FINISHED)
    with closing(makers.service()) as second:
        second.resume_all()
        assert second.status(second.project(ended.id)).state is ProjectState.FINISHED
        assert second.project(ended.id).store.holder() is None


def test_a_command_wakes_a_project_that_nobody_researches(makers: Doubled, folder: Path) -> None:
    with closing(makers.service()) as first:
        project = first.create(folder, TWO_CYCLES)
        until_state(first, project, ProjectState.FINISHED)
    with closing(makers.service()) as second:
        project = second.project(project.id)
        seq = second.command(project, cmd.TryCommand({"lr": 0.9}), "mine")
        until(lambda: project.state.champion is not None and project.state.champion.number == 3)
        assert second.command(project, cmd.TryCommand({"lr": 0.9}), "mine") == seq
        assert sum(isinstance(e, ev.Try) for e in log(project)) == 1


def test_stop_and_resume_through_the_service(service: Service, makers: Doubled, folder: Path) -> None:
    makers.launches.held = True
    project = service.create(folder, TWO_CYCLES)
    until(lambda: bool(project.state.runs))
    service.command(project, cmd.StopCommand())
    until(lambda: not project.state.runs)
    assert service.status(project).state is ProjectState.STOPPED
    makers.launches.held = False
    service.command(project, cmd.ResumeCommand())
    until_state(service, project, ProjectState.FINISHED)
    assert "0000-baseline-seed-1-attempt-2" in makers.launches.started
    assert makers.launches.specs["0000-baseline-seed-1-attempt-2"].artifacts_of == "0000-baseline-seed-1"


# Failures


def fails_until_mended(spec: RunSpec) -> Outcome:
    if "mended" in spec.build.source.notebook:
        return three_times_lr(spec)
    return Outcome(spec.run.id, RunState.CRASHED, error=RunError("NameError", "no data", cell=1))


@pytest.mark.parametrize("by_command", [True, False])
def test_resuming_a_failed_project_reads_what_was_mended(folder: Path, by_command: bool) -> None:
    makers = Doubled(HeldLauncher(fails_until_mended))
    with closing(makers.service()) as service:
        project = service.create(folder, TWO_CYCLES)
        until_state(service, project, ProjectState.FAILED)
        assert "NameError in cell 1: no data" in service.status(project).reason
        service.command(project, cmd.TryCommand({"lr": 0.3}))
        intact = (folder / "train.ipynb").read_text()
        (folder / "train.ipynb").write_text("not a notebook")
        with pytest.raises(InvalidNotebook):
            go_on(service, project, by_command)
        assert project.state.failed is not None
        (folder / "train.ipynb").write_text(intact.replace("import report", "import report  # mended"))
        go_on(service, project, by_command)
        until_state(service, project, ProjectState.FINISHED)
        assert project.state.baseline is not None and project.state.baseline.number == 2
        assert {e.experiment for e in log(project) if isinstance(e, ev.Reflected)} == {1, 2, 3}


def go_on(service: Service, project: OpenedProject, by_command: bool) -> None:
    if by_command:
        service.command(project, cmd.ResumeCommand())
    else:
        service.create(project.folder, Options())


@dataclass
class Defective(Doubled):
    """A researcher with a defect, until it is repaired."""

    is_broken: bool = True
    asked: list[Path] = field(default_factory=list)

    def researcher(self, folder: Path, project: Project) -> Researcher:
        found = super().researcher(folder, project)
        assert isinstance(found, ScriptedResearcher)
        if self.is_broken:
            found.script = None  # type: ignore[assignment]
        return found


def test_a_defect_ends_one_loop_is_said_and_a_command_tries_again(folder: Path) -> None:
    makers = Defective()
    with closing(makers.service()) as service:
        project = service.create(folder, TWO_CYCLES)
        until_state(service, project, ProjectState.STOPPED)
        assert "the loop ended by a defect: TypeError" in service.status(project).reason
        assert project.store.holder() is None
        makers.is_broken = False
        service.command(project, cmd.ResumeCommand())
        until_state(service, project, ProjectState.FINISHED)


def test_a_project_whose_ledger_was_removed_is_begun_anew(service: Service, makers: Doubled, folder: Path) -> None:
    makers.launches.held = True
    old = service.create(folder, TWO_CYCLES)
    until(lambda: bool(old.state.runs))
    shutil.rmtree(folder / ".deepresearch")
    makers.launches = HeldLauncher(three_times_lr)
    new = service.create(folder, TWO_CYCLES)
    assert new.id != old.id
    until_state(service, new, ProjectState.FINISHED)
    with pytest.raises(NotFound):
        service.project(old.id)


def test_a_folder_that_is_gone_is_left_out(service: Service, folder: Path) -> None:
    project = service.create(folder, TWO_CYCLES)
    until_state(service, project, ProjectState.FINISHED)
    shutil.rmtree(folder)
    assert tuple(service.projects()) == ()
    with pytest.raises(NotFound):
        service.project(project.id)


# Killed


HOST = """
import sys, time
from pathlib import Path
from jupyter_deepresearch.app import RealMakers, SystemClock
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
service = Service(RealMakers(), Registry(Path(sys.argv[2])), SystemClock())
service.create(Path(sys.argv[1]), Options(cycles=1))
print(flush=True)
time.sleep(120)
"""


@pytest.mark.slow
def test_a_killed_server_is_succeeded_by_another_that_finishes_the_same_run_once(tmp_path: Path) -> None:
    slow = "import time\nfrom jupyter_deepresearch import report\ntime.sleep(3)\nreport(step=1, score=lr)"
    folder = write_project(tmp_path / "small", training=slow)
    known = tmp_path / "known.json"
    host = subprocess.Popen([sys.executable, "-c", HOST, str(folder), str(known)], stdout=subprocess.PIPE)
    try:
        assert host.stdout is not None and host.stdout.readline()
        live = folder / ".deepresearch" / "runs" / "0000-baseline-seed-1" / "live.json"
        until(lambda: live.exists() and json.loads(live.read_text()).get("kernel_pid") is not None, 60)
    finally:
        os.kill(host.pid, signal.SIGKILL)
        host.communicate()
    with closing(Service(RealMakers(), Registry(known), SystemClock())) as service:
        (project,) = service.projects()
        assert project.store.holder() is None and service.status(project).state is ProjectState.STOPPED
        service.resume_all()
        until(lambda: service.status(project).state is ProjectState.FINISHED, 100)
        planned = Counter(e.run.id for e in log(project) if isinstance(e, ev.Planned))
        ends = {e.outcome.run: e.outcome.state for e in log(project) if isinstance(e, ev.Ended)}
    assert set(planned.values()) == {1} and {"0000-baseline-seed-1", "0001-candidate-seed-1"} <= set(planned)
    assert set(ends.values()) == {RunState.SUCCEEDED}

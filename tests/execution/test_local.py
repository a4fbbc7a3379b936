"""The launcher starts each run once, finds it again after any restart, and notices its end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import Handle, Outcome, RunState
from jupyter_deepresearch.errors import InvalidNotebook, StorageFailed
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.execution.reading import read_spec
from jupyter_deepresearch.execution.setting import set_up
from jupyter_deepresearch.processes import boot_id
from tests.execution.run_specs import ended, launcher, make_spec, run_paths

HERE = Path(__file__).parent


def starts(folder: Path) -> list[int]:
    """The pids of all runners that owned the run."""
    return [int(line) for line in (run_paths(folder).root / "started.txt").read_text().split()]


def test_a_run_is_started_once_and_its_end_is_told(folder: Path) -> None:
    async def scenario() -> tuple[Handle, Handle, Outcome, Outcome]:
        one = launcher(folder, "short")
        first = await one.launch(make_spec(folder))
        second = await one.launch(make_spec(folder))
        outcome = await ended(one, first)
        third = await one.launch(make_spec(folder))
        return first, second, outcome, await ended(launcher(folder, "short"), third)

    first, second, outcome, again = asyncio.run(scenario())
    assert first == second and first.run == "0001-candidate-seed-1" and first.launcher == "local"
    assert first.pid == int(first.job) and first.boot_id == boot_id()
    assert outcome == again and outcome.value == 1.0
    assert starts(folder) == [first.pid]


def test_the_run_folder_holds_all_that_the_runner_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hidden")
    monkeypatch.setenv("ALLOWED_KEY", "shown")
    (folder / "code.py").write_text("x = 1\n")
    asyncio.run(launcher(folder, "short").launch(make_spec(folder, parameters={"width": 5}, deadline_s=9.0)))
    paths = run_paths(folder)
    told = read_spec(paths)
    assert told is not None and told.run == paths.root.name and told.deadline_s == 9.0 and told.kernel == "python3"
    assert told.cwd == str(paths.work) and told.artifacts == str(paths.artifacts) and paths.artifacts.is_dir()
    assert told.env["ALLOWED_KEY"] == "shown" and "SOME_API_KEY" not in told.env
    assert "width = 5" in paths.input.read_text()
    assert not (paths.work / "code.py").is_symlink() and (paths.work / "code.py").read_text() == "x = 1\n"
    assert [path.name for path in paths.root.parent.iterdir()] == [paths.root.name]


def test_the_notebook_of_a_run_names_the_kernel_that_it_runs_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = folder.parent / "kernels" / "chosen"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["python"], "display_name": "The chosen", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(folder.parent))
    paths = set_up(ProjectPaths(folder), make_spec(folder, kernel="chosen"), {})
    named = json.loads(paths.input.read_text())["metadata"]["kernelspec"]
    assert named == {"name": "chosen", "display_name": "The chosen", "language": "python"}


def test_a_second_attempt_goes_on_in_the_first_ones_artifacts(folder: Path) -> None:
    first = make_spec(folder)
    again = make_spec(folder, run=first.run.again())

    async def scenario() -> None:
        one = launcher(folder, "short")
        await one.launch(first)
        await one.launch(again)

    asyncio.run(scenario())
    told = read_spec(ProjectPaths(folder).run(again.run.id))
    assert told is not None and told.artifacts == str(run_paths(folder).artifacts)


def test_secrets_of_the_server_are_in_no_process_of_a_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-not-a-real-one")
    monkeypatch.setenv("JUPYTER_TOKEN", "not-a-real-token")
    handle = asyncio.run(launcher(folder, "obedient").launch(make_spec(folder)))
    seen = Path(f"/proc/{handle.pid}/environ").read_bytes()
    assert b"PATH=" in seen and b"not-a-real" not in seen


def test_another_launcher_takes_over_a_live_run(folder: Path) -> None:
    async def before() -> Handle:
        one = launcher(folder, "slow")
        handle = await one.launch(make_spec(folder))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.observe([handle]), 0.1)
        return handle

    handle = asyncio.run(before())
    assert asyncio.run(ended(launcher(folder, "slow"), handle)).state is RunState.SUCCEEDED
    assert starts(folder) == [handle.pid]


def test_what_lives_is_told_with_what_has_ended(folder: Path) -> None:
    async def scenario() -> list[RunState]:
        one, two = launcher(folder, "obedient"), launcher(folder, "short")
        handles = [await one.launch(make_spec(folder, 1)), await two.launch(make_spec(folder, 2))]
        return [seen.state for seen in await asyncio.wait_for(one.observe(handles), 10)]

    assert asyncio.run(scenario()) == [RunState.RUNNING, RunState.SUCCEEDED]


def test_four_runs_at_once_and_no_zombie_is_left(folder: Path) -> None:
    async def scenario() -> tuple[list[Handle], list[Outcome]]:
        one = launcher(folder, "short")
        handles = await asyncio.gather(*(one.launch(make_spec(folder, n)) for n in range(1, 5)))
        return handles, await asyncio.gather(*(ended(one, handle) for handle in handles))

    handles, outcomes = asyncio.run(scenario())
    assert [o.state for o in outcomes] == [RunState.SUCCEEDED] * 4
    for handle in handles:
        end = time.monotonic() + 3
        while Path(f"/proc/{handle.pid}").exists() and time.monotonic() < end:
            time.sleep(0.01)
        assert not Path(f"/proc/{handle.pid}").exists()


@pytest.mark.slow
def test_an_end_is_noticed_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> list[float]:
        one, late = launcher(folder, "short"), []
        for number in range(1, 31):
            outcome = await ended(one, await one.launch(make_spec(folder, number)))
            late.append(time.time() - float(outcome.notes[0]))
        return sorted(late)

    late = asyncio.run(scenario())
    with capsys.disabled():
        print(f"\nend noticed after: median {late[15] * 1e3:.1f} ms, worst of 30 {late[-1] * 1e3:.1f} ms")
    assert late[-2] <= 0.1


def test_twins_of_a_launch_make_one_run(folder: Path) -> None:
    async def scenario() -> tuple[list[Handle], Outcome]:
        launchers = [launcher(folder, "slow") for _ in range(3)]
        handles = await asyncio.gather(*(one.launch(make_spec(folder)) for one in launchers))
        return handles, await ended(launchers[0], handles[0])

    handles, outcome = asyncio.run(scenario())
    assert handles[0] == handles[1] == handles[2] and outcome.state is RunState.SUCCEEDED
    assert starts(folder) == [handles[0].pid]


def test_launchers_at_once_make_one_folder_and_never_remove_a_whole_one(folder: Path) -> None:
    spec, project = make_spec(folder), ProjectPaths(folder)

    def inode(_: int) -> int:
        return set_up(project, spec, dict(os.environ)).root.stat().st_ino

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(inode, range(24)))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_launcher_killed_in_mid_launch_leaves_no_twin(folder: Path, after_s: float) -> None:
    make_spec(folder)
    code = (
        "import asyncio, sys; from pathlib import Path; from tests.execution.run_specs import launcher, make_spec; "
        " folder = Path(sys.argv[1]); spec = make_spec(folder); "
        "print('now', flush=True); asyncio.run(launcher(folder, 'slow').launch(spec))"
    )
    path = str(HERE.parents[1])
    command = [sys.executable, "-c", code, str(folder)]
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"now\n"
    time.sleep(after_s)
    child.kill()
    child.wait()
    child.stdout.close()

    async def scenario() -> Outcome:
        one = launcher(folder, "slow")
        return await ended(one, await one.launch(make_spec(folder)))

    assert asyncio.run(scenario()).state is RunState.SUCCEEDED
    assert len(starts(folder)) == 1
    assert [path.name for path in run_paths(folder).root.parent.iterdir()] == [run_paths(folder).root.name]


def test_a_half_made_folder_is_made_again(folder: Path) -> None:
    paths = run_paths(folder)
    paths.work.mkdir(parents=True)
    paths.spec.write_text('{"run": "0001-')
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    draft = paths.root.parent / f".{paths.root.name}.{gone.pid}.0a0b0c0d.tmp"
    draft.mkdir()

    async def scenario() -> Outcome:
        one = launcher(folder, "short")
        return await ended(one, await one.launch(make_spec(folder)))

    assert asyncio.run(scenario()).state is RunState.SUCCEEDED
    assert not draft.exists()


def test_a_runner_that_cannot_start_is_told_with_its_last_words(folder: Path) -> None:
    with pytest.raises(StorageFailed, match=r"exit code 1: no such thing as a free run$"):
        asyncio.run(launcher(folder, "refuses").launch(make_spec(folder)))

    async def scenario() -> Outcome:
        one = launcher(folder, "short")
        return await ended(one, await one.launch(make_spec(folder)))

    assert asyncio.run(scenario()).state is RunState.SUCCEEDED


def test_a_command_that_does_not_exist_is_one_line(folder: Path) -> None:
    with pytest.raises(StorageFailed, match="cannot be started: No such file") as caught:
        asyncio.run(LocalLauncher(folder, (str(folder / "nothing"),)).launch(make_spec(folder)))
    assert "\n" not in str(caught.value)


def test_a_missing_kernel_leaves_no_folder(folder: Path) -> None:
    with pytest.raises(InvalidNotebook, match=r'kernel "nope" of train.ipynb is not installed'):
        asyncio.run(launcher(folder, "short").launch(make_spec(folder, kernel="nope")))
    assert not run_paths(folder).root.exists()


def test_an_edit_that_does_not_fit_leaves_no_folder(folder: Path) -> None:
    with pytest.raises(InvalidNotebook, match="unknown parameter 'widht'"):
        asyncio.run(launcher(folder, "short").launch(make_spec(folder, parameters={"widht": 2})))
    assert not run_paths(folder).root.exists()

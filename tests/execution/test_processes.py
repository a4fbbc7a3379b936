"""Runs of many processes: where they meet, who reports, and that none outlives its run, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_deepresearch.core.types import Handle, Outcome, RunState
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.execution.lost import end_leftovers
from jupyter_deepresearch.execution.runner.rendezvous import Rendezvous, rendezvous
from tests.execution.one_run import REPORT, one_run, wait_for
from tests.execution.run_specs import ended, is_gone, make_spec, run_paths, write_notebook
from tests.test_examples import needs_torch

TORCHRUN = str(Path(sys.executable).with_name("torchrun"))
TRAINING = """
import os, pathlib, time
import torch.distributed as dist
from jupyter_deepresearch import report

dist.init_process_group("gloo")
rank = dist.get_rank()
pathlib.Path(f"pid-{rank}").write_text(str(os.getpid()))
for step in range(STEPS):
    report(step=step, score=float(rank) + step / 10)
    dist.barrier()
    time.sleep(0.05)
print("met at", os.environ["MASTER_PORT"], flush=True)
dist.destroy_process_group()
"""
STUBBORN = """
import os, pathlib, signal, subprocess, sys, time

CODE = '''
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
name = sys.argv[1]
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
draft = pathlib.Path(name + ".tmp")
draft.write_text(str(os.getpid()))
draft.rename(name)
time.sleep(300)
'''
for name, env in (("pid-0", None), ("pid-1", {})):
    subprocess.run([sys.executable, "-c", CODE, os.path.abspath(name)], env=env, check=True)
"""
"""Children of no session and no parent, one of them without the environment that names the run."""


def pids(work: Path) -> list[int]:
    """What the two processes of a run have written down."""
    return [int((work / f"pid-{number}").read_text()) for number in range(2)]


def are_there(work: Path) -> bool:
    return all((work / f"pid-{number}").exists() for number in range(2))


def test_a_port_is_kept_from_other_runs_and_free_to_bind() -> None:
    first, second = rendezvous(), rendezvous()
    assert first.port is not None and second.port is not None and first.port != second.port
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", first.port))
        listening.listen()
    assert first.variables({}) == {"MASTER_PORT": str(first.port), "MASTER_ADDR": "127.0.0.1"}
    assert first.variables({"MASTER_ADDR": "localhost"})["MASTER_ADDR"] == "localhost"
    assert first.variables({"MASTER_ADDR": "node-7"}) == {}, "a meeting place of several machines"
    first.release()
    second.release()
    assert Rendezvous().variables({}) == {}


def test_a_port_that_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.randrange", lambda count: 17)
    with socket.create_server(("127.0.0.1", 22_017)):
        found, after = rendezvous(), rendezvous()
    assert (found.port, after.port) == (22_018, 22_019)
    found.release()
    after.release()


def test_children_of_multiprocessing_report_as_one(tmp_path: Path) -> None:
    (tmp_path / "run-1" / "work").mkdir(parents=True)
    (tmp_path / "run-1" / "work" / "child.py").write_text(
        REPORT + "import os\n\ndef work(rank):\n"
        "    os.environ['RANK'] = str(rank)\n"
        "    report(step=1, score=10.0 + rank, seen=float(os.environ['MASTER_PORT']))\n"
    )
    run = one_run(
        tmp_path,
        "import multiprocessing, sys\nsys.path.insert(0, '')\nfrom child import work\n"
        "context = multiprocessing.get_context('spawn')\n"
        "for rank in range(3):\n    child = context.Process(target=work, args=(rank,))\n"
        "    child.start()\n    child.join()",
        "import os\nos.environ['MASTER_PORT'] = '23456'\n!echo port $MASTER_PORT $MASTER_ADDR",
        env={"MASTER_PORT": "1", "MASTER_ADDR": ""},
    )
    outcome = run.execute()
    assert (outcome.state, outcome.value) == (RunState.SUCCEEDED, 10.0), "rank 0 alone"
    assert outcome.finals["seen"] >= 22_000, "each run has a port of its own, whatever the server has"
    assert run.text(1) == "port 23456 127.0.0.1\n", "what the notebook says wins"


@pytest.mark.parametrize("ending", ["success", "crash", "cancel", pytest.param("timeout", marks=pytest.mark.slow)])
def test_daemons_are_gone_when_the_run_is(tmp_path: Path, ending: str) -> None:
    last = {"success": REPORT + "report(score=1.0)", "crash": "raise ValueError('no')"}.get(ending, "time.sleep(300)")
    waiting = "while not (pathlib.Path('pid-0').exists() and pathlib.Path('pid-1').exists()):\n    time.sleep(0.02)"
    run = one_run(
        tmp_path, STUBBORN, waiting, last, **({"deadline_s": 10.0, "deadline_rule": "x"} if ending == "timeout" else {})
    )
    with run.started() as runner:
        wait_for(lambda: are_there(run.paths.work))
        if ending == "cancel":
            run.paths.cancel.touch()
        runner.wait(60)
    states = {"success": "succeeded", "crash": "crashed", "timeout": "timed_out", "cancel": "cancelled"}
    assert run.outcome().state == states[ending]
    assert all(is_gone(pid, 0.1) for pid in pids(run.paths.work))


def lost(folder: Path) -> tuple[Outcome, list[int]]:
    """The outcome of a run whose runner is killed in the middle, and its processes."""

    async def scenario() -> Outcome:
        one = LocalLauncher(folder)
        handle = await one.launch(make_spec(folder))
        work, written = run_paths(folder).work, run_paths(folder).processes
        async with asyncio.timeout(60):
            while not are_there(work) or not all(str(pid) in written.read_text() for pid in pids(work)):
                await asyncio.sleep(0.02)
        os.kill(handle.pid or 0, signal.SIGKILL)
        return await ended(one, handle)

    return asyncio.run(scenario()), pids(run_paths(folder).work)


def test_daemons_are_gone_where_the_runner_was_killed(folder: Path) -> None:
    write_notebook(folder / "train.ipynb", ((None, STUBBORN), (None, "time.sleep(300)")))
    outcome, left = lost(folder)
    assert outcome.state is RunState.LOST
    assert all(is_gone(pid, 0.1) for pid in left)


def test_only_this_very_run_is_ended(folder: Path, tmp_path: Path) -> None:
    def child(**environ: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"], env={**os.environ, **environ})

    spec = make_spec(folder)
    paths = run_paths(folder)
    paths.private.mkdir(parents=True)
    other = tmp_path / "other" / ".deepresearch" / "runs" / spec.run.id / "reports.jsonl"
    sleeping = {
        "this": child(DEEPRESEARCH_RUN=spec.run.id, DEEPRESEARCH_REPORTS=str(paths.reports)),
        "another project's": child(DEEPRESEARCH_RUN=spec.run.id, DEEPRESEARCH_REPORTS=str(other)),
        "another run's": child(DEEPRESEARCH_RUN="0002-candidate-seed-1", DEEPRESEARCH_REPORTS=str(paths.reports)),
        "nobody's": child(DEEPRESEARCH_RUN=spec.run.id),
    }
    try:
        wait_for(lambda: all(psutil.Process(p.pid).cmdline()[:1] == ["sleep"] for p in sleeping.values()))
        assert end_leftovers(paths, spec.run.id) == 1
        assert [name for name, process in sleeping.items() if process.poll() is not None] == ["this"]
    finally:
        for process in sleeping.values():
            process.kill()
            process.wait()


def torchrun(folder: Path, steps: int) -> None:
    """A notebook whose one cell trains with two processes."""
    (folder / "train.py").write_text(TRAINING.replace("STEPS", str(steps)))
    command = f"!{TORCHRUN} --nproc_per_node=2 --master_addr $MASTER_ADDR --master_port $MASTER_PORT train.py"
    write_notebook(folder / "train.ipynb", (("parameters", "seed = 1"), (None, command)))


SPAWNING = """
import torch.multiprocessing as mp
from spawned import train

if __name__ == "__main__":
    mp.spawn(train, nprocs=2)
"""


@needs_torch
@pytest.mark.slow
def test_the_first_rank_reports_and_parallel_runs_never_meet(folder: Path) -> None:
    torchrun(folder, 3)
    body = TRAINING.replace("STEPS", "3").split('dist.init_process_group("gloo")')
    spawned = f"{body[0]}\ndef train(rank):\n    dist.init_process_group('gloo', rank=rank, world_size=2)"
    (folder / "spawned.py").write_text(spawned + body[1].replace("\n", "\n    "))
    (folder / "spawn.py").write_text(SPAWNING)
    write_notebook(folder / "spawn.ipynb", (("parameters", "seed = 1"), (None, f"!{sys.executable} spawn.py")))

    async def scenario() -> list[Outcome]:
        one = LocalLauncher(folder)
        specs = make_spec(folder, 1), make_spec(folder, 2, notebook="spawn.ipynb")
        handles = [await one.launch(spec) for spec in specs]
        return [await ended(one, handle, 120) for handle in handles]

    for outcome in asyncio.run(scenario()):
        assert (outcome.state, outcome.value) == (RunState.SUCCEEDED, 0.2), outcome
        assert outcome.curve == ((0.0, 0.0), (1.0, 0.1), (2.0, 0.2)), "the first rank's alone"
    said = [run_paths(folder, number).outputs.read_text() for number in (1, 2)]
    assert len({text.split("met at ")[1][:5] for text in said}) == 2


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["cancel", "kill -9 of the runner"])
def test_torchruns_workers_are_gone_when_the_run_is(folder: Path, ending: str) -> None:
    torchrun(folder, 10_000)

    async def scenario() -> tuple[Handle, Outcome]:
        one = LocalLauncher(folder)
        handle = await one.launch(make_spec(folder))
        async with asyncio.timeout(90):
            while not run_paths(folder).metrics.exists() or not are_there(run_paths(folder).work):
                await asyncio.sleep(0.05)
        if ending == "cancel":
            await one.cancel(handle)
        else:
            os.kill(handle.pid or 0, signal.SIGKILL)
        return handle, await ended(one, handle)

    _, outcome = asyncio.run(scenario())
    assert outcome.state is (RunState.CANCELLED if ending == "cancel" else RunState.LOST)
    assert all(is_gone(pid, 0.1) for pid in pids(run_paths(folder).work))

"""GPUs without a GPU: what is visible, what is free, who holds it, and what a run does with it."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.errors import InvalidConfig
from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu
from jupyter_deepresearch.execution.gpus.lease import (
    GpuDesk,
    GpuLease,
    GpuWish,
    Waiting,
    environment,
    lock_folder,
    open_folder,
)
from jupyter_deepresearch.execution.gpus.nvml import NvmlGpus, busy_reason, visible
from tests.execution import one_run as runs

GPUS = tuple(scripted_gpu(index) for index in range(4))
UUIDS = [gpu.uuid for gpu in GPUS]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, [0, 1, 2, 3]),
        ("", []),
        ("-1", []),
        ("2,0", [2, 0]),
        (" 1 , 3 ", [1, 3]),
        ("1,9,2", [1]),
        ("1,1", [1]),
        (UUIDS[3], [3]),
        (UUIDS[2][:12], [2]),
        ("GPU-", []),
        ("cpu", []),
    ],
)
def test_visible_devices_are_those_that_cuda_would_show(value: str | None, shown: list[int]) -> None:
    assert [gpu.index for gpu in visible(GPUS, value)] == shown


def test_a_gpu_is_free_without_foreign_work_or_with_the_memory_wished_for() -> None:
    assert busy_reason(scripted_gpu(0), None) is None
    assert busy_reason(scripted_gpu(1, 4711), None) == "GPU 1 is used by process 4711"
    assert busy_reason(scripted_gpu(2, used_gb=30), None) == "GPU 2 has 30.0 GB in use"
    assert busy_reason(scripted_gpu(3, 4711, used_gb=30), 50) is None
    assert busy_reason(scripted_gpu(3, 4711, used_gb=30), 60) == "GPU 3 has 50.0 of 60 GB free"


def test_without_a_driver_there_are_no_gpus_and_nothing_fails(tmp_path: Path) -> None:
    lease = GpuDesk(ScriptedGpus(), tmp_path).take(GpuWish(), None)
    assert isinstance(lease, GpuLease)
    assert environment(lease, GpuWish()) == {}
    assert environment(lease, GpuWish("none")) == {"CUDA_VISIBLE_DEVICES": ""}
    assert all(gpu.memory_total_bytes > 0 for gpu in NvmlGpus().devices())


def test_two_leases_never_share_a_gpu(tmp_path: Path) -> None:
    desk = GpuDesk(ScriptedGpus(GPUS[:2]), tmp_path)
    first = desk.take(GpuWish(), None)
    second = desk.take(GpuWish(), None)
    assert isinstance(first, GpuLease) and isinstance(second, GpuLease)
    assert first.uuids + second.uuids == (UUIDS[0], UUIDS[1])
    third = desk.take(GpuWish(), None)
    assert third == Waiting("waiting for a free GPU: GPU 0 is held by another run; GPU 1 is held by another run")
    first.release()
    again = desk.take(GpuWish(), None)
    assert isinstance(again, GpuLease) and again.uuids == (UUIDS[0],)
    assert environment(again, GpuWish()) == {
        "CUDA_VISIBLE_DEVICES": UUIDS[0],
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }


def test_a_lease_is_all_or_nothing(tmp_path: Path) -> None:
    desk = GpuDesk(ScriptedGpus([GPUS[0], scripted_gpu(1, 4711)]), tmp_path)
    found = desk.take(GpuWish(count=2), None)
    assert found == Waiting("waiting for a free GPU: GPU 1 is used by process 4711")
    single = desk.take(GpuWish(), None)
    assert isinstance(single, GpuLease), "what was held while looking for two is given back"


def test_indices_and_inherited_visibility_narrow_the_choice(tmp_path: Path) -> None:
    desk = GpuDesk(ScriptedGpus(GPUS), tmp_path)
    named = desk.take(GpuWish((3,)), None)
    assert isinstance(named, GpuLease) and named.uuids == (UUIDS[3],)
    inherited = desk.take(GpuWish(count=2), "2,1,3")
    assert isinstance(inherited, GpuLease) and inherited.uuids == (UUIDS[2], UUIDS[1])
    hidden = desk.take(GpuWish(), "")
    assert isinstance(hidden, GpuLease) and hidden.uuids == ()


def test_wishes_that_can_never_come_true_are_refused(tmp_path: Path) -> None:
    desk = GpuDesk(ScriptedGpus(GPUS[:2]), tmp_path)
    with pytest.raises(InvalidConfig, match=r"gpus_per_run is 3, but this run can see 2 GPU"):
        desk.take(GpuWish(count=3), None)
    with pytest.raises(InvalidConfig, match=r"gpus names \[7\], but this run can see only 0, 1"):
        desk.take(GpuWish((0, 7)), None)


def test_a_lease_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu\n"
        "from jupyter_deepresearch.execution.gpus.lease import GpuDesk, GpuWish\n"
        "lease = GpuDesk(ScriptedGpus([scripted_gpu(0)]), Path(sys.argv[1])).take(GpuWish(), None)\n"
        "print(lease.uuids, flush=True)\ntime.sleep(60)"
    )
    desk = GpuDesk(ScriptedGpus(GPUS[:1]), tmp_path)
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and UUIDS[0].encode() in holder.stdout.readline()
        assert isinstance(desk.take(GpuWish(), None), Waiting)
        holder.kill()
        holder.wait()
    assert isinstance(desk.take(GpuWish(), None), GpuLease)


def test_lock_files_are_for_all_users_and_stay(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "locks")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    lease = GpuDesk(ScriptedGpus(GPUS[:1]), folder).take(GpuWish(), None)
    assert isinstance(lease, GpuLease)
    lease.release()
    [lock] = folder.iterdir()
    assert stat.S_IMODE(lock.stat().st_mode) == 0o666
    assert open_folder(folder) == folder


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f"{UUIDS[0]}.lock").symlink_to(victim)
    with pytest.raises(OSError):
        GpuDesk(ScriptedGpus(GPUS[:1]), tmp_path).take(GpuWish(), None)


SCRIPTED = """
import sys
from jupyter_deepresearch.execution.gpus import lease as gpu_lease
from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu
from jupyter_deepresearch.execution.runner.__main__ import main
from pathlib import Path
gpu_lease.PLACES = (Path(sys.argv[2]),)
sys.exit(main([sys.argv[1]], ScriptedGpus(*eval(sys.argv[3]))))
"""
SHOW = runs.REPORT + "import os\nprint(os.environ.get('CUDA_VISIBLE_DEVICES'))\nreport(score=1.0)"


def scripted(run: runs.OneRun, script: str) -> "subprocess.Popen[bytes]":
    """The run's runner on scripted GPUs, its locks in a folder of its own."""
    locks = run.paths.root.parent
    command = [sys.executable, "-c", SCRIPTED, str(run.paths.root), str(locks), script]
    return subprocess.Popen(command, env=runs.environment(), start_new_session=True)


def test_a_run_waits_for_a_free_gpu_and_its_time_does_not_run_meanwhile(tmp_path: Path) -> None:
    run = runs.one_run(tmp_path, SHOW, deadline_s=30.0)
    busy, free = "[scripted_gpu(0, 4711)]", "[scripted_gpu(0)]"
    with scripted(run, f"[{busy}, {busy}, {busy}, {free}]") as runner:
        runs.wait_for(lambda: run.paths.live.exists() and run.live().note.startswith("waiting for a free GPU"))
        live = run.live()
        assert (live.since, live.kernel_pid) == (None, None)
        assert "GPU 0 is used by process 4711" in live.note
        assert runner.wait(60) == 0
    outcome = run.outcome()
    assert outcome.state is RunState.SUCCEEDED
    assert run.text(0) == f"{UUIDS[0]}\n"
    assert outcome.elapsed_s is not None and outcome.gpu_s == pytest.approx(outcome.elapsed_s)
    assert UUIDS[0] in outcome.environment["gpus"]
    assert run.lines(run.paths.resources)[0]["gpus"] == [UUIDS[0]]


def test_a_run_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    run = runs.one_run(tmp_path, SHOW)
    with scripted(run, "[[scripted_gpu(0, 4711)]]") as runner:
        runs.wait_for(lambda: run.paths.live.exists() and run.live().note.startswith("waiting"))
        run.paths.cancel.touch()
        assert runner.wait(20) == 0
    outcome = run.outcome()
    assert (outcome.state, outcome.elapsed_s, outcome.gpu_s) == (RunState.CANCELLED, None, 0.0)


def test_a_wish_that_cannot_be_fulfilled_is_the_runs_error(tmp_path: Path) -> None:
    run = runs.one_run(tmp_path, SHOW, gpus_per_run=2)
    with scripted(run, "[[scripted_gpu(0)]]") as runner:
        assert runner.wait(20) == 0
    outcome = run.outcome()
    assert outcome.state is RunState.CRASHED
    assert outcome.error is not None and "gpus_per_run is 2" in outcome.error.message


def test_the_machine_has_a_folder_for_locks() -> None:
    assert stat.S_IMODE(lock_folder().stat().st_mode) & 0o777 == 0o777

"""GPUs without a GPU: what is visible, what is free, who holds it, and what a run does with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.errors import InvalidConfig
from jupyter_deepresearch.execution.gpus import allocation
from jupyter_deepresearch.execution.gpus.allocation import allocated, may_open, visible
from jupyter_deepresearch.execution.gpus.double import ScriptedDevice, ScriptedGpus, ScriptedNvml, scripted_gpu
from jupyter_deepresearch.execution.gpus.holders import NOBODY, busy_reason, held_by, name_of
from jupyter_deepresearch.execution.gpus.lease import GpuDesk, GpuLease, GpuWish, Waiting, environment
from jupyter_deepresearch.execution.gpus.looking import look
from jupyter_deepresearch.execution.gpus.nvml import GpuProcess, NvmlGpus
from tests.execution import one_run as runs

GPUS = tuple(scripted_gpu(index) for index in range(4))
UUIDS = [gpu.uuid for gpu in GPUS]
FOREIGN = 2**22 + 1
"""A pid that no process here can have."""


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


def test_numbers_count_the_devices_that_the_cgroup_leaves_us() -> None:
    def is_open(minor: int | None) -> bool:
        return minor in (1, 3)

    assert [gpu.index for gpu in allocated(GPUS, None, is_open)] == [1, 3]
    assert [gpu.index for gpu in allocated(GPUS, "1", is_open)] == [3]
    assert allocated(GPUS, UUIDS[0], is_open) == ()


def test_a_device_is_ours_if_its_node_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "DEVICES", tmp_path)
    (tmp_path / "nvidiactl").touch()
    assert may_open(0), "a system without numbered nodes tells nothing"
    (tmp_path / "nvidia1").touch()
    assert (may_open(0), may_open(1), may_open(None)) == (False, True, True)


# What the driver says


def test_the_driver_is_asked_for_all_that_use_a_device() -> None:
    busy = ScriptedDevice("GPU-a", used_bytes=9, minor=3, compute=((7, 5), (8, None)), graphics=((7, 1), (9, 3)))
    [state] = NvmlGpus(ScriptedNvml(busy)).devices()
    assert state.processes == (GpuProcess(7, 5), GpuProcess(8), GpuProcess(9, 3, computes=False))
    assert (state.minor, state.memory_used_bytes, state.utilisation_percent, state.name) == (3, 9, 7.0, "Scripted")


def test_errors_of_one_device_hide_neither_the_others_nor_what_it_still_tells() -> None:
    lost, denied = ScriptedNvml.NVML_ERROR_GPU_IS_LOST, ScriptedNvml.NVML_ERROR_NO_PERMISSION
    silent = dict.fromkeys(("compute", "minor", "utilisation", "memory_v2"), ScriptedNvml.NVML_ERROR_NOT_SUPPORTED)
    driver = ScriptedNvml(
        ScriptedDevice("GPU-a", fails={"handle": denied}),
        ScriptedDevice("GPU-b", fails={"uuid": lost}),
        ScriptedDevice("GPU-c", used_bytes=5, graphics=((9, 3),), fails=silent),
    )
    [state] = NvmlGpus(driver).devices()
    assert (state.index, state.uuid, state.minor, state.utilisation_percent) == (2, "GPU-c", None, None)
    assert state.processes == (GpuProcess(9, 3, computes=False),) and state.memory_used_bytes == 5


def test_slices_of_a_device_are_devices_of_their_own() -> None:
    slices = (ScriptedDevice("MIG-1"), None, ScriptedDevice("MIG-2", compute=((7, 5),)))
    found = NvmlGpus(ScriptedNvml(ScriptedDevice("GPU-a", minor=4, slices=slices), ScriptedDevice("GPU-b"))).devices()
    assert [(state.index, state.uuid, state.minor) for state in found] == [
        (0, "MIG-1", 4),
        (0, "MIG-2", 4),
        (1, "GPU-b", 0),
    ]
    assert [state.uuid for state in visible(found, "MIG-2,GPU-b")] == ["MIG-2", "GPU-b"]


def test_no_driver_is_a_state_and_a_broken_one_is_said() -> None:
    absent = NvmlGpus(ScriptedNvml(init_error=ScriptedNvml.NVML_ERROR_LIBRARY_NOT_FOUND))
    broken = NvmlGpus(ScriptedNvml(init_error=ScriptedNvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH))
    assert (absent.devices(), absent.trouble, broken.devices()) == ((), None, ())
    assert broken.trouble == "the NVIDIA driver cannot be asked: NVML error 18"
    assert all(gpu.memory_total_bytes > 0 for gpu in NvmlGpus().devices())


# Who holds what


def called(pid: int) -> str:
    return {1: "your kernel train.ipynb", 2: "your kernel train.ipynb", 3: "user anna's python (pid 3)"}.get(
        pid, f"p{pid}"
    )


def test_a_gpu_is_free_without_foreign_work_or_with_the_memory_wished_for() -> None:
    assert busy_reason(scripted_gpu(0), None) is None
    assert (
        busy_reason(scripted_gpu(0, 3, used_gb=31), None, called) == "GPU 0: 31.0 GB held by user anna's python (pid 3)"
    )
    assert busy_reason(scripted_gpu(2, used_gb=30), None) == f"GPU 2: 30.0 GB held by {NOBODY}"
    assert busy_reason(scripted_gpu(3, 3, used_gb=30), 50) is None
    tight = "GPU 3: 50.0 of 60 GB free, 30.0 GB held by user anna's python (pid 3)"
    assert busy_reason(scripted_gpu(3, 3, used_gb=30), 60, called) == tight
    assert busy_reason(scripted_gpu(0, 3), None, called) == "GPU 0: held by user anna's python (pid 3)"
    many = busy_reason(scripted_gpu(0, 4, 5, 6, 7, 8, used_gb=5), None, called)
    assert many is not None and many.endswith("held by p6, 2 more")


def test_a_desktop_that_only_draws_leaves_its_gpu_free_while_it_is_small() -> None:
    assert busy_reason(scripted_gpu(0, used_gb=0.4, drawing=(5,)), None, called) is None
    assert busy_reason(scripted_gpu(0, used_gb=4, drawing=(5,)), None, called) == "GPU 0: 4.0 GB held by p5"


def test_the_processes_of_one_notebook_are_counted_together() -> None:
    assert held_by(scripted_gpu(0, 1, 2, 3, used_gb=9), called) == (
        "6.0 GB held by your kernel train.ipynb",
        "3.0 GB held by user anna's python (pid 3)",
    )


@pytest.fixture
def sleeper(tmp_path: Path) -> "Iterator[list[subprocess.Popen[str]]]":
    """Processes that are ended with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


SLEEPS = "import sys\nprint('up', flush=True)\nsys.stdin.read()"
CHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


def start(sleeper: "list[subprocess.Popen[str]]", *arguments: str, **env: str) -> str:
    """Start a Python that sleeps; the first line that it prints."""
    command = [sys.executable, *arguments]
    environ = {**os.environ, **env}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True)
    sleeper.append(process)
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_process_is_named_by_its_notebook_its_run_or_its_program(
    tmp_path: Path, sleeper: "list[subprocess.Popen[str]]"
) -> None:
    connection = str(tmp_path / "kernel-5b1c.json")
    start(sleeper, "-c", SLEEPS, "-f", connection, JPY_SESSION_NAME="/home/me/train.ipynb")
    kernel = sleeper[-1].pid
    worker = int(start(sleeper, "-c", CHILD, "-f", connection, JPY_SESSION_NAME="/home/me/eval.ipynb"))
    start(sleeper, "-c", SLEEPS, f"--f={connection}")
    nameless = sleeper[-1].pid
    script = tmp_path / "big.py"
    script.write_text(SLEEPS)
    start(sleeper, str(script))
    program = sleeper[-1].pid
    start(sleeper, "-c", SLEEPS, DEEPRESEARCH_RUN="0003-wider-seed-1", DEEPRESEARCH_PROJECT="/home/me/digits")
    run = sleeper[-1].pid
    python = Path(sys.executable).name
    assert name_of(kernel) == "your kernel train.ipynb"
    assert name_of(worker) == "your kernel eval.ipynb"
    assert name_of(nameless) == f"your kernel (pid {nameless})"
    assert name_of(program) == f"your {python} big.py (pid {program})"
    assert name_of(run) == "the run 0003-wider-seed-1 of project digits"
    assert name_of(FOREIGN) == f"a process that is not visible from here (pid {FOREIGN})"


def test_a_runner_is_named_by_its_command_line(tmp_path: Path, sleeper: "list[subprocess.Popen[str]]") -> None:
    run = tmp_path / "digits" / ".deepresearch" / "runs" / "0003-wider-seed-1"
    child = int(start(sleeper, "-c", CHILD, "jupyter_deepresearch.execution.runner", str(run)))
    assert name_of(child) == "the run 0003-wider-seed-1 of project digits"


# Leases


def test_without_a_driver_there_are_no_gpus_and_nothing_fails(tmp_path: Path) -> None:
    lease = GpuDesk(ScriptedGpus(), tmp_path).take(GpuWish(), None)
    assert isinstance(lease, GpuLease)
    assert environment(lease, GpuWish()) == {}
    assert environment(lease, GpuWish("none")) == {"CUDA_VISIBLE_DEVICES": ""}


def test_two_leases_never_share_a_gpu(tmp_path: Path) -> None:
    desk = GpuDesk(ScriptedGpus(GPUS[:2]), tmp_path)
    first = desk.take(GpuWish(), None)
    second = desk.take(GpuWish(), None)
    assert isinstance(first, GpuLease) and isinstance(second, GpuLease)
    assert first.uuids + second.uuids == (UUIDS[0], UUIDS[1])
    third = desk.take(GpuWish(), None)
    assert third == Waiting("waiting for a free GPU: GPU 0: held by another run; GPU 1: held by another run")
    first.release()
    again = desk.take(GpuWish(), None)
    assert isinstance(again, GpuLease) and again.uuids == (UUIDS[0],)
    assert environment(again, GpuWish()) == {
        "CUDA_VISIBLE_DEVICES": UUIDS[0],
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }


def test_a_lease_is_all_or_nothing(tmp_path: Path) -> None:
    desk = GpuDesk(ScriptedGpus([GPUS[0], scripted_gpu(1, 1)]), tmp_path, name=called)
    found = desk.take(GpuWish(count=2), None)
    share = " (shut it down, or set gpu_free_gb under [launcher] to share the GPU)"
    assert found == Waiting(f"waiting for a free GPU: GPU 1: held by your kernel train.ipynb{share}")
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
    desk = GpuDesk(ScriptedGpus(GPUS[:2]), tmp_path, is_open=lambda minor: minor == 0)
    with pytest.raises(InvalidConfig, match=r"gpus_per_run is 3, but this run can see 1 whole GPU"):
        desk.take(GpuWish(count=3), None)
    slices = [replace(GPUS[0], uuid=f"MIG-{number}") for number in range(2)]
    with pytest.raises(InvalidConfig, match=r"can see 0 whole GPU\(s\)"):
        GpuDesk(ScriptedGpus(slices), tmp_path).take(GpuWish(count=2), None)
    assert isinstance(GpuDesk(ScriptedGpus(slices), tmp_path).take(GpuWish(), None), GpuLease)
    with pytest.raises(InvalidConfig, match=r"gpus names \[1\], but this run can see only 0"):
        desk.take(GpuWish((0, 1)), None)


def test_a_look_takes_nothing_and_says_who_holds_what(tmp_path: Path) -> None:
    driver = ScriptedGpus([GPUS[0], scripted_gpu(1, FOREIGN, used_gb=2), GPUS[2]])
    lease = GpuDesk(driver, tmp_path).take(GpuWish(), None)
    assert isinstance(lease, GpuLease)
    leased, used, hidden = look(driver, "0,1", tmp_path)
    assert (leased.is_ours, leased.is_free, leased.leased_by) == (True, False, name_of(os.getpid()))
    assert used.holders == (f"2.0 GB held by a process that is not visible from here (pid {FOREIGN})",)
    assert (used.is_free, hidden.is_ours, hidden.is_free) == (False, False, False)
    lease.release()
    assert look(driver, None, tmp_path)[0].is_free and look(driver, None, tmp_path)[2].is_free


# What a run does with it

SCRIPTED = """
import sys
from jupyter_deepresearch.execution.gpus import lease as gpu_lease
from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu
from jupyter_deepresearch.execution.runner.__main__ import main
from pathlib import Path
gpu_lease.lock_folder = lambda: Path(sys.argv[2])
sys.exit(main([sys.argv[1]], ScriptedGpus(*eval(sys.argv[3]))))
"""
SHOW = runs.REPORT + "import os\nprint(os.environ.get('CUDA_VISIBLE_DEVICES'))\nreport(score=1.0)"


def scripted(run: runs.OneRun, script: str) -> "subprocess.Popen[bytes]":
    """The run's runner on scripted GPUs, its locks in a folder of its own."""
    locks = run.paths.root.parent
    command = [sys.executable, "-c", SCRIPTED, str(run.paths.root), str(locks), script]
    return subprocess.Popen(command, env=runs.environment(), start_new_session=True)


def test_a_run_waits_for_a_free_gpu_and_its_time_does_not_run_meanwhile(
    tmp_path: Path, sleeper: "list[subprocess.Popen[str]]"
) -> None:
    run = runs.one_run(tmp_path, SHOW, deadline_s=30.0)
    start(sleeper, "-c", SLEEPS, "-f", "kernel-77.json", JPY_SESSION_NAME="/home/me/train.ipynb")
    busy, free = f"[scripted_gpu(0, {sleeper[0].pid}, used_gb=9.8)]", "[scripted_gpu(0)]"
    with scripted(run, f"[{busy}, {busy}, {busy}, {free}]") as runner:
        runs.wait_for(lambda: run.paths.live.exists() and run.live().note.startswith("waiting for a free GPU"))
        live = run.live()
        assert (live.since, live.kernel_pid, live.waits) == (None, None, True)
        assert "GPU 0: 9.8 GB held by your kernel train.ipynb" in live.note
        assert runner.wait(60) == 0
    outcome = run.outcome()
    assert outcome.state is RunState.SUCCEEDED and not run.live().waits
    assert run.text(0) == f"{UUIDS[0]}\n"
    assert outcome.elapsed_s is not None and outcome.gpu_s == pytest.approx(outcome.elapsed_s)
    assert UUIDS[0] in outcome.environment["gpus"]
    assert run.lines(run.paths.resources)[0]["gpus"] == [UUIDS[0]]


def test_a_run_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    run = runs.one_run(tmp_path, SHOW)
    with scripted(run, f"[[scripted_gpu(0, {FOREIGN})]]") as runner:
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

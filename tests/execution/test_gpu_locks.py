"""The files that GPU leases are locks on: shared by processes, servers and users, and never trusted."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.gpus import lease as gpu_lease
from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu
from jupyter_deepresearch.execution.gpus.holders import lock_holder
from jupyter_deepresearch.execution.gpus.lease import (
    GpuDesk,
    GpuLease,
    GpuWish,
    Waiting,
    lock_folder,
    lock_path,
    open_folder,
)

GPU = scripted_gpu(0)
HOLDS = """
import sys, time
from pathlib import Path
from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu
from jupyter_deepresearch.execution.gpus.lease import GpuDesk, GpuLease, GpuWish
gpus = [scripted_gpu(index) for index in range(int(sys.argv[2]))]
lease = GpuDesk(ScriptedGpus(gpus), Path(sys.argv[1])).take(GpuWish(), None)
print(",".join(lease.uuids) if isinstance(lease, GpuLease) else lease.note, flush=True)
sys.stdin.readline()
"""


def holder(folder: Path, gpus: int = 1) -> "subprocess.Popen[str]":
    """A process that takes a lease and holds it until its input ends."""
    command = [sys.executable, "-c", HOLDS, str(folder), str(gpus)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def take(folder: Path) -> GpuLease | Waiting:
    return GpuDesk(ScriptedGpus([GPU]), folder).take(GpuWish(), None)


def test_a_lease_ends_with_its_process_and_its_holder_is_named(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert said(process) == GPU.uuid
        assert lock_holder(lock_path(tmp_path, GPU.uuid)) == process.pid
        waiting = take(tmp_path)
        assert isinstance(waiting, Waiting) and f"(pid {process.pid})" in waiting.note
        process.kill()
        process.wait()
    assert isinstance(take(tmp_path), GpuLease)


def test_many_processes_at_once_each_get_another_gpu(tmp_path: Path) -> None:
    processes = [holder(tmp_path, 4) for _ in range(7)]
    try:
        got = [said(process) for process in processes]
    finally:
        for process in processes:
            process.communicate()
    uuids = [line for line in got if line.startswith("GPU-")]
    assert len(uuids) == len(set(uuids)) == 4
    assert sum(line.startswith("waiting for a free GPU: GPU 0: held by ") for line in got) == 3
    assert isinstance(take(tmp_path), GpuLease)


def test_lock_files_are_for_all_users_and_stay(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = open_folder(tmp_path / "locks")
        lease = take(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777 and isinstance(lease, GpuLease)
    lease.release()
    [lock] = folder.iterdir()
    assert stat.S_IMODE(lock.stat().st_mode) == 0o666
    assert open_folder(folder) == folder


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    lock = lock_path(tmp_path, GPU.uuid)
    lock.symlink_to(victim)
    waiting = take(tmp_path)
    assert isinstance(waiting, Waiting) and f"its lock {lock} cannot be opened" in waiting.note


def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *modes: int) -> list[Path]:
    """Places for locks with these modes, the only ones there are."""
    made = [tmp_path / f"place-{number}" for number in range(len(modes))]
    for place, mode in zip(made, modes, strict=True):
        place.mkdir()
        place.chmod(mode)
    monkeypatch.setattr(gpu_lease, "PLACES", tuple(made))
    monkeypatch.setattr(gpu_lease.tempfile, "gettempdir", lambda: str(tmp_path / "none"))
    return made


def test_all_users_agree_on_the_first_place_that_is_open_to_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, shared = places(tmp_path, monkeypatch, 0o755, 0o1777)
    assert lock_folder() == shared / "jupyter_deepresearch", "also for root, who may write the first"


def test_a_folder_that_somebody_keeps_for_himself_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = places(tmp_path, monkeypatch, 0o1777, 0o1777)
    (first / "jupyter_deepresearch").mkdir(mode=0o755)
    assert lock_folder().parent == first, "our own is mended"
    (first / "jupyter_deepresearch").chmod(0o755)
    open_folder(second / "jupyter_deepresearch")
    monkeypatch.setattr(gpu_lease.os, "getuid", lambda: 4242)
    assert lock_folder().parent == second
    (second / "jupyter_deepresearch").rmdir()
    (second / "jupyter_deepresearch").symlink_to(tmp_path)
    with pytest.raises(OSError, match=r"no folder for GPU locks.*mode 755.*is no folder"):
        lock_folder()


def test_the_machine_has_a_folder_for_locks() -> None:
    assert stat.S_IMODE(lock_folder().stat().st_mode) & 0o777 == 0o777


AS_ANOTHER = """
import os, pwd, sys, traceback
from pathlib import Path
from jupyter_deepresearch.execution.gpus.double import ScriptedGpus, scripted_gpu
from jupyter_deepresearch.execution.gpus.holders import lock_holder, name_of
from jupyter_deepresearch.execution.gpus.lease import GpuDesk, GpuLease, GpuWish, Waiting, lock_path, open_folder

folder = Path(sys.argv[1])
first = scripted_gpu(0)


def desk(*gpus):
    return GpuDesk(ScriptedGpus(gpus), folder)


held = desk(first).take(GpuWish(), None)
assert isinstance(held, GpuLease)
is_root = os.getuid() == 0
(from_other, to_first), (from_first, to_other) = os.pipe(), os.pipe()
if os.fork() == 0:
    try:
        os.close(to_other)
        if is_root:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        waiting = desk(first).take(GpuWish(), None)
        assert isinstance(waiting, Waiting) and ("user root's" if is_root else "your") in waiting.note, waiting
        assert lock_holder(lock_path(folder, first.uuid)) == os.getppid()
        if is_root:
            try:
                lock_path(folder, first.uuid).unlink()
                raise AssertionError("another user's lock could be removed")
            except PermissionError:
                pass
        own = desk(first, scripted_gpu(1)).take(GpuWish(), None)
        assert isinstance(own, GpuLease) and own.devices[0].index == 1
        assert open_folder(folder) == folder
        os.write(to_first, b"ok")
        os.read(from_first, 1)
    except BaseException:
        traceback.print_exc()
    os._exit(0)
os.close(to_first)
assert os.read(from_other, 2) == b"ok"
second = desk(scripted_gpu(1)).take(GpuWish(), None)
whose = f"user {pwd.getpwuid(65534).pw_name}'s" if is_root else "your"
assert isinstance(second, Waiting) and whose in second.note, second
print("both see each other")
"""


def test_two_users_see_each_others_leases() -> None:
    """As root with two real users; else both are the same one, and all but the rights is held against it."""
    locks = open_folder(Path(tempfile.mkdtemp(prefix="gpu-locks-")))
    command = [sys.executable, "-c", textwrap.dedent(AS_ANOTHER), str(locks)]
    try:
        done = subprocess.run(command, input="x", capture_output=True, text=True, timeout=30, check=False)
    finally:
        shutil.rmtree(locks)
    assert done.stdout.strip() == "both see each other", done.stderr

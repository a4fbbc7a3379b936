"""What a run's tree was made of is recorded; what the run did behind its links, and what it missed, is said."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.project import Direction, Guard, Objective, Project
from jupyter_deepresearch.core.types import Outcome, Purpose, RunError, RunState
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.execution.metrics.scoring import Tally
from jupyter_deepresearch.execution.runner.ending import Facts, outcome
from jupyter_deepresearch.execution.runner.missing import missing_input
from jupyter_deepresearch.execution.runner.reports import ShellExit
from jupyter_deepresearch.execution.spec import RunnerSpec
from jupyter_deepresearch.execution.trees.aftermath import absent, change_note
from jupyter_deepresearch.execution.trees.record import TreeRecord, read_record, write_record
from jupyter_deepresearch.execution.trees.tree import make_tree
from tests.execution.run_specs import ended, make_spec, run_paths, write_notebook

PROJECT = Project("p", "train.ipynb", Objective("acc", Direction.MAXIMIZE))
START = "changed while the run was live, by it or by another hand, through a link of its tree: "

WORK = "/home/x/p/.deepresearch/runs/0001-a/work"


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, TreeRecord, int]:
    """A project, the record of a tree, and a moment after it on the file system's clock."""
    project = tmp_path / "project"
    for path in ("data/train/a.npy", "data/b.npy", "data/old/c.npy", "src/net.py", "checkpoints/base.pt", "w.pt"):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text("before")
    (project / "big.npy").write_bytes(b"\0" * 1_000_001)
    (project / "other.ipynb").write_bytes(b" " * 1_000_001)
    record = make_tree(project, project / ".deepresearch" / "work", PROJECT, {"src/net.py": "edited"})
    time.sleep(0.02)  # a file system's clock goes in steps
    (tmp_path / "clock").touch()
    since_ns = (tmp_path / "clock").stat().st_mtime_ns
    time.sleep(0.02)
    return project, record, since_ns


def test_a_run_that_wrote_nothing_there_is_told_nothing(made: tuple[Path, TreeRecord, int]) -> None:
    project, record, since_ns = made
    (project / ".deepresearch" / "work" / "src" / "net.py").write_text("the run's own")
    (project / "other.ipynb").write_text("the person works on")
    (project / "src" / "net.py").write_text("edited by the person: no link of the tree leads here")
    assert change_note(project, record, since_ns) is None


def test_what_was_written_through_links_is_named(made: tuple[Path, TreeRecord, int]) -> None:
    project, record, since_ns = made
    work = project / ".deepresearch" / "work"
    with (work / "big.npy").open("r+b") as file:
        file.write(b"1")
    (work / "data" / "train" / "a.npy").write_text("after!")
    (work / "data" / "new").mkdir()
    assert change_note(project, record, since_ns) == f"{START}big.npy, data/new/, data/train/a.npy"
    (project / "big.npy").unlink()
    (project / "data" / "old" / "c.npy").unlink()
    note = change_note(project, record, since_ns)
    assert note == f"{START}big.npy, data/new/, data/old/, data/train/a.npy"


def test_a_file_unpacked_with_an_old_time_is_seen_and_compiled_files_are_not(
    made: tuple[Path, TreeRecord, int],
) -> None:
    project, record, since_ns = made
    (project / "data" / "__pycache__").mkdir()
    assert change_note(project, record, since_ns) is None
    (project / "data" / "old" / "unpacked").write_text("x")
    os.utime(project / "data" / "old" / "unpacked", (1000, 1000))
    assert change_note(project, record, since_ns) == f"{START}data/old/unpacked"


def test_a_look_at_very_much_data_ends_and_names_few(made: tuple[Path, TreeRecord, int]) -> None:
    project, record, since_ns = made
    for number in range(6000):
        (project / "data" / f"made-{number:04d}").touch()
    note = change_note(project, record, since_ns)
    assert note is not None and note.count("data/made-") == 8 and note.endswith(" more")


def test_a_record_is_read_as_it_was_written_and_stays_small(tmp_path: Path) -> None:
    paths = tuple(f"data/{number}" for number in range(5010))
    odd = "b\udcff.txt"
    record = TreeRecord({"a.py": "0" * 64, odd: "1" * 64}, paths, ("checkpoints",), ("w.pt",), ("a.py",))
    write_record(tmp_path / "tree.json", record)
    back = read_record(tmp_path / "tree.json")
    assert back == replace(
        record, copied={"a.py": "0" * 64, "b\\udcff.txt": "1" * 64}, linked=paths[:5000], left_out=10
    )
    (tmp_path / "tree.json").write_text("{")
    assert read_record(tmp_path / "tree.json") is None and read_record(tmp_path / "none") is None


def _facts(**changes: object) -> Facts:
    spec = RunnerSpec("r", "", Purpose.CANDIDATE, PROJECT.objective, Guard(), "python3", WORK, "", {})
    return Facts(spec, Tally(PROJECT.objective).score(), unseen=("runs/", "checkpoints/", "w.pt"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("[Errno 2] No such file or directory: 'checkpoints/base.pt'", "checkpoints/"),
        ("./checkpoints/base does not appear to have a file named config.json", "checkpoints/"),
        ("[Errno 2] No such file or directory: '../w.pt'", "w.pt"),
        ("[Errno 2] No such file or directory: 'new.pt'", None),
        ("cannot open /home/x/p/.deepresearch/runs/0001-a/work/checkpoints/a b.pt", "checkpoints/"),
        ("cannot open '/home/x/p/.deepresearch/runs/0001-a/work/model/w.pt'", None),
        ("my_checkpoints/x is missing", None),
        ("no such file: data/checkpoints/x", None),
        ("/elsewhere/checkpoints/x is missing", None),
        ("File checkpoints/x.", "checkpoints/"),
        ("w.pth is missing", None),
    ],
)
def test_a_missing_file_that_runs_do_not_see_is_explained(message: str, named: str | None) -> None:
    seen = [
        outcome(_facts(failure=RunError("FileNotFoundError", message, 0))).error,
        outcome(
            _facts(exits=(ShellExit(0, "python a.py", 1),), tail=f"Traceback\nFileNotFoundError: {message}\n")
        ).error,
    ]
    for error in seen:
        assert error is not None and ("[launcher] private names it" in error.message) is (named is not None)
        assert named is None or f"; {named} " in error.message


def test_a_notebook_in_a_folder_names_paths_from_there() -> None:
    unseen = ("notebooks/checkpoints/", "weights/")
    assert missing_input("No such file: 'checkpoints/a.pt'", unseen, f"{WORK}/notebooks").startswith(
        "; notebooks/check"
    )
    assert missing_input("No such file: '../weights/a.pt'", unseen, f"{WORK}/notebooks").startswith("; weights/")
    assert missing_input("No such file: 'checkpoints/a.pt'", unseen, WORK) == ""


def test_a_real_run_records_its_tree_says_what_it_wrote_and_explains_what_it_missed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        monkeypatch.delenv(name)
    cells = ((None, "open('data/cache.bin', 'w').write('x')"), (None, "open('checkpoints/base.pt')"))
    write_notebook(folder / "train.ipynb", cells)
    for path in ("data/a.npy", "checkpoints/base.pt", "model.py"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("x = 1\n")

    async def scenario() -> Outcome:
        one = LocalLauncher(folder)
        return await ended(one, await one.launch(make_spec(folder)))

    result = asyncio.run(scenario())
    record = read_record(run_paths(folder).tree)
    assert record is not None and list(record.copied) == ["model.py"] and record.linked == ("data",)
    assert absent(record) == ("checkpoints/",)
    assert result.state is RunState.CRASHED and result.error is not None
    assert result.error.message.endswith(
        "; checkpoints/ holds files in the project but is empty in each run: [launcher] private names it"
    )
    assert f"{START}data/cache.bin" in result.notes

"""Trees of projects that are unlike any tidy one."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.project import CodeOptions, Direction, Objective, Project
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.execution.trees.code import find_code, read_code
from jupyter_deepresearch.execution.trees.layout import Layout
from jupyter_deepresearch.execution.trees.record import read_record, write_record
from jupyter_deepresearch.execution.trees.tree import make_tree, remove_tree

PROJECT = Project("p", "train.ipynb", Objective("acc", Direction.MAXIMIZE))
NOBODY = 65534


def fill(folder: Path, *paths: str, content: str = "x = 1\n") -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "project", "train.ipynb", "model.py")
    return tmp_path / "project"


@pytest.fixture
def work(folder: Path) -> Path:
    return folder / ".deepresearch" / "runs" / "r" / "work"


def test_strange_names_are_copied_linked_recorded_and_removed(folder: Path, work: Path, tmp_path: Path) -> None:
    names = ["with space.py", "zwölf/größe.py", "new\nline.py", "'quoted\".py", "-rf.py"]
    fill(folder, *names, "data set/x", "new\nfolder/y")
    bytes_name = os.fsdecode(b"caf\xe9.py")
    (folder / bytes_name).write_text("x = 1\n")
    record = make_tree(folder, work, PROJECT, {"zwölf/größe.py": "x = 2\n"})
    for name in names:
        assert (work / name).read_text() == ("x = 2\n" if name.startswith("zw") else "x = 1\n")
    assert bytes_name not in read_code(folder, Layout.of(PROJECT))[0] and (work / bytes_name).exists()
    write_record(tmp_path / "tree.json", record)
    assert read_record(tmp_path / "tree.json") is not None
    remove_tree(work)
    assert not work.exists() and (folder / "new\nfolder" / "y").exists()


def test_broken_links_and_links_in_a_circle_stay_links(folder: Path, work: Path) -> None:
    (folder / "gone").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    (folder / "itself").symlink_to(".")
    (folder / "checkpoints").symlink_to("checkpoints")
    (folder / "up").symlink_to("..")
    record = make_tree(folder, work, PROJECT, {})
    assert record.linked == ("circle", "gone", "itself", "up") and list(record.copied) == ["model.py"]
    assert record.fresh == () and record.withheld == ("checkpoints",)
    remove_tree(work)
    assert sorted(os.listdir(folder.parent)) == ["project"] and (folder / "itself").is_symlink()


@contextmanager
def as_somebody_without_rights() -> Iterator[None]:
    """Root may read everything: for this thread, files are then asked for as by nobody."""
    setfsuid = ctypes.CDLL(None).setfsuid
    is_root = os.geteuid() == 0
    if is_root:
        setfsuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            setfsuid(0)


def test_what_cannot_be_read_is_linked_and_fails_no_run() -> None:
    folder = Path(tempfile.mkdtemp(prefix="deepresearch-test-"))
    try:
        fill(folder, "closed/a.py", "secret.py", "notes.txt", "model.py")
        for path in ("closed", "secret.py", "notes.txt"):
            (folder / path).chmod(0)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        with as_somebody_without_rights():
            record = make_tree(folder, folder / ".deepresearch" / "work", PROJECT, {})
        assert list(record.copied) == ["model.py"] and set(record.linked) == {"closed", "notes.txt", "secret.py"}
    finally:
        (folder / "closed").chmod(0o755)
        shutil.rmtree(folder)


def test_files_and_folders_may_change_places(folder: Path, work: Path) -> None:
    fill(folder, "was_folder/old.py", "was_file")
    files = {"was_folder": "x = 2\n", "was_file/new.py": "x = 2\n"}
    record = make_tree(folder, work, PROJECT, files)
    assert (work / "was_folder").read_text() == (work / "was_file/new.py").read_text() == "x = 2\n"
    assert sorted(record.copied) == ["model.py", "was_file/new.py", "was_folder"]
    assert record.edited == ("was_folder", "was_file/new.py")
    with pytest.raises(InvalidNotebook, match="code file 'a': found files inside it as well"):
        make_tree(folder, work, PROJECT, {"a": "", "a/b.py": ""})


@pytest.mark.parametrize("path", [".deepresearch-run/reports.jsonl", ".git/hooks/post-commit", ".deepresearch/x"])
def test_code_never_lands_in_what_is_ours(folder: Path, work: Path, path: str) -> None:
    with pytest.raises(InvalidNotebook, match=f"accepted: a path outside {path.partition('/')[0]}/"):
        make_tree(folder, work, PROJECT, {path: "x"})


@pytest.mark.parametrize("path", ["./a.py", "a//b.py", "a/", "."])
def test_a_path_is_said_in_one_way_only(folder: Path, work: Path, path: str) -> None:
    with pytest.raises(InvalidNotebook, match="accepted: a path inside the project, such as"):
        make_tree(folder, work, PROJECT, {path: "x"})


def test_code_that_is_no_text_is_refused_before_anything_is_made(folder: Path, work: Path) -> None:
    with pytest.raises(InvalidNotebook, match=r"code file 'a\.py': found characters that no UTF-8 text has"):
        make_tree(folder, work, PROJECT, {"a.py": "x = '\ud800'"})
    assert not work.exists()


def test_a_project_folder_full_of_samples_is_linked_and_it_is_said(
    folder: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_deepresearch.execution.trees.code._MANY_AT_THE_TOP", 30)
    fill(folder, *(f"sample{number}.png" for number in range(30)))
    record = make_tree(folder, work, PROJECT, {})
    assert record.remarks == ("32 entries lie in the project's own folder: each run links them one by one",)
    assert len(record.linked) == 30 and list(record.copied) == ["model.py"]


def test_in_a_repository_a_run_sees_the_commit_and_can_change_nothing_of_it(folder: Path, work: Path) -> None:
    def git(*arguments: str, cwd: Path = folder) -> str:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *who, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    fill(folder, ".gitignore", content=".deepresearch/\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    make_tree(folder, work, PROJECT, {"model.py": "x = 2\n"})
    assert git("rev-parse", "HEAD", cwd=work) == git("rev-parse", "HEAD")
    assert not os.path.lexists(work / ".git") and git("status", "--porcelain") == ""


def test_patterns_that_name_nothing_are_said(folder: Path, work: Path) -> None:
    project = replace(PROJECT, code=CodeOptions(("scr/*.py",)))
    record = make_tree(folder, work, project, {})
    assert record.remarks == ("[code] files names no file of the project: found none for ['scr/*.py']",)
    assert find_code(folder, Layout.of(replace(PROJECT, code=CodeOptions(())))).remarks == ()


def test_permissions_are_kept(folder: Path, work: Path) -> None:
    fill(folder, "readonly.py", "run.sh")
    (folder / "readonly.py").chmod(0o444)
    (folder / "run.sh").chmod(0o755)
    make_tree(folder, work, PROJECT, {"readonly.py": "x = 2\n"})
    assert (work / "readonly.py").read_text() == "x = 2\n"
    assert [(work / name).stat().st_mode & 0o777 for name in ("readonly.py", "run.sh")] == [0o444, 0o755]


def test_compiled_files_are_no_runs_but_its_own(folder: Path, work: Path) -> None:
    fill(folder, "src/a.py", "src/__pycache__/a.cpython-311.pyc")
    make_tree(folder, work, PROJECT, {})
    assert os.listdir(work / "src") == ["a.py"]


def test_a_package_with_a_private_name_is_code_and_a_folder_without_one_stays_fresh(folder: Path, work: Path) -> None:
    fill(folder, "outputs/__init__.py", "outputs/writer.py", "outputs/best.pt", "src/runs/__init__.py", "runs/1/log.py")
    record = make_tree(folder, work, PROJECT, {"runs/new.py": "x"})
    copied = ["model.py", "outputs/__init__.py", "outputs/writer.py", "runs/new.py", "src/runs/__init__.py"]
    assert sorted(record.copied) == copied and record.fresh == ("runs",) and record.withheld == ("outputs/best.pt",)
    assert os.listdir(work / "runs") == ["new.py"]


def test_many_files_of_a_kind_are_linked_and_few_are_copied(folder: Path, work: Path) -> None:
    fill(folder, "src/a.py", "src/vocab.txt", "src/log", *(f"src/{i}.png" for i in range(21)))
    record = make_tree(folder, work, PROJECT, {})
    assert sorted(record.copied) == ["model.py", "src/a.py", "src/log", "src/vocab.txt"]
    assert len(record.linked) == 21 and set(record.files) == set(record.linked)


def test_no_end_of_folders_is_searched_and_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_deepresearch.execution.trees.code._LIMIT_FOLDERS", 10)
    fill(folder, *(f"a/b/c{i}/d/x.py" for i in range(20)))
    code = find_code(folder, Layout.of(PROJECT))
    assert code.paths == ("model.py",) and code.remarks[0].startswith("more than 10 folders: the others are linked")

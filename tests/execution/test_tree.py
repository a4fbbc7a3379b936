"""A run's own tree: what is copied, linked, fresh and left out; and that nothing of the person's is ever changed."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.project import CodeOptions, Direction, LauncherOptions, Objective, Project
from jupyter_deepresearch.errors import InvalidNotebook, StorageFailed
from jupyter_deepresearch.execution.trees.code import find_code, read_code
from jupyter_deepresearch.execution.trees.globs import matches
from jupyter_deepresearch.execution.trees.layout import Layout
from jupyter_deepresearch.execution.trees.tree import make_tree, remove_tree

PROJECT = Project("p", "train.ipynb", Objective("acc", Direction.MAXIMIZE))


def fill(folder: Path, *paths: str, content: str = "x = 1\n") -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)


def named(*files: str, locked: Iterable[str] = ()) -> Project:
    return replace(PROJECT, code=CodeOptions(files, tuple(locked)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    fill(project, "train.ipynb", "model.py", "src/net.py", "src/vocab.txt", "configs/a.yaml", "data/x/prep.py")
    fill(project, ".git/config", ".deepresearch/ledger.db", "experiments/0000-baseline.ipynb", "forks/a", "reports/a")
    fill(project, "directives/a.md", "MEMORY_LOG.md", "PROJECT_BRIEF.md", "deepresearch.toml", "weights/big.npy")
    fill(project, "checkpoints/last.ckpt", "model.pt", "src/.ipynb_checkpoints/net.py", ".cache/x.py")
    (project / "big.bin").write_bytes(b"\0" * 1_000_001)
    return project


@pytest.fixture
def work(folder: Path) -> Path:
    return folder / ".deepresearch" / "runs" / "r" / "work"


def test_code_is_copied_the_rest_linked_high_up_private_names_fresh(folder: Path, work: Path) -> None:
    record = make_tree(folder, work, PROJECT, {})
    copied = ["PROJECT_BRIEF.md", "configs/a.yaml", "deepresearch.toml", "model.py", "src/net.py", "src/vocab.txt"]
    assert sorted(record.copied) == copied
    assert record.copied["model.py"] == hashlib.sha256(b"x = 1\n").hexdigest()
    assert sorted(record.linked) == [".cache", "big.bin", "data", "weights"]
    assert record.fresh == ("checkpoints",) and list((work / "checkpoints").iterdir()) == []
    top = [".cache", "PROJECT_BRIEF.md", "big.bin", "checkpoints", "configs", "data", "deepresearch.toml", "model.py"]
    assert sorted(os.listdir(work)) == [*top, "src", "weights"]
    assert not (work / "model.py").is_symlink() and (work / "data").is_symlink()
    assert (work / "data" / "x" / "prep.py").read_text() == "x = 1\n"


def test_writing_in_the_tree_changes_nothing_of_the_persons(folder: Path, work: Path) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    record = make_tree(folder, work, PROJECT, {"model.py": "x = 2\n"})
    for path in record.copied:
        with (work / path).open("a") as file:
            file.write("changed")
    (work / "model.pt").write_text("mine")
    (work / "checkpoints" / "last.ckpt").write_text("mine")
    remove_tree(work)
    assert {p: p.read_bytes() for p in before} == before


def test_edited_files_come_from_the_experiment_others_keep_their_times(folder: Path, work: Path) -> None:
    os.utime(folder / "src/net.py", (1000, 1000))
    (folder / "model.py").chmod(0o755)
    record = make_tree(folder, work, PROJECT, {"model.py": "é = 2\r\n", "lib/gone.py": "y", "src/net.py": "x = 1\n"})
    assert (work / "model.py").read_bytes() == "é = 2\r\n".encode()
    assert record.copied["model.py"] == hashlib.sha256("é = 2\r\n".encode()).hexdigest()
    assert (work / "model.py").stat().st_mode & 0o777 == 0o755
    assert (work / "src/net.py").stat().st_mtime == 1000
    assert (work / "lib/gone.py").read_text() == "y" and not (folder / "lib").exists()


def test_a_half_made_tree_is_made_again_and_links_are_removed_as_links(folder: Path, work: Path) -> None:
    work.mkdir(parents=True)
    (work / "data").symlink_to(folder / "data")
    (work / "left").write_text("over")
    first = make_tree(folder, work, PROJECT, {})
    assert make_tree(folder, work, PROJECT, {}) == first
    assert not (work / "left").exists() and (folder / "data/x/prep.py").exists()
    remove_tree(work)
    work.symlink_to(folder / "src")
    make_tree(folder, work, PROJECT, {})
    assert not work.is_symlink() and (folder / "src/net.py").exists()


def test_an_edit_of_a_file_in_a_folder_that_became_a_link_stays_in_the_tree(folder: Path, work: Path) -> None:
    (folder / "src").rename(folder.parent / "elsewhere")
    (folder / "src").symlink_to(folder.parent / "elsewhere")
    make_tree(folder, work, PROJECT, {"src/net.py": "changed"})
    assert (work / "src/net.py").read_text() == "changed"
    assert (folder.parent / "elsewhere/net.py").read_text() == "x = 1\n"


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "a/../../x.py", ""])
def test_a_path_that_leads_out_is_refused(folder: Path, work: Path, path: str) -> None:
    with pytest.raises(InvalidNotebook, match="inside the project"):
        make_tree(folder, work, PROJECT, {path: "x"})
    assert not work.exists()


def test_a_disk_that_does_not_allow_it_is_said(folder: Path) -> None:
    with pytest.raises(StorageFailed, match=r"the run's tree .* could not be made"):
        make_tree(folder, folder / "big.bin" / "work", PROJECT, {})


def test_private_names_are_fresh_wherever_code_lies(folder: Path, work: Path) -> None:
    fill(folder, "src/runs/1/a.py", "src/a.pt", "out/deep/x.txt", "out/y.txt")
    private = (*LauncherOptions().private, "out/deep")
    project = replace(PROJECT, launcher=LauncherOptions(private=private))
    record = make_tree(folder, work, project, {})
    assert record.fresh == ("checkpoints", "out/deep", "src/runs")
    assert not (work / "src/a.pt").exists() and (work / "out/y.txt").exists()


def test_named_code_files_replace_the_default_and_may_lie_in_data_folders(folder: Path, work: Path) -> None:
    project = named("src/**/*.py", "data/**/*.py", locked=["eval.txt"])
    fill(folder, "eval.txt", "src/deep/er/a.py")
    found = find_code(folder, Layout.of(project)).paths
    assert found == ("data/x/prep.py", "eval.txt", "src/deep/er/a.py", "src/net.py")
    assert "configs" in make_tree(folder, work, project, {}).linked


def test_links_large_files_data_and_environments_hold_no_code(folder: Path) -> None:
    fill(folder, "big.py", content="#" * 200_000)
    fill(folder, "myenv/pyvenv.cfg", "myenv/lib/a.py", "env/gym.py", "conda/conda-meta/history", "conda/lib/a.py")
    fill(folder, "pyvenv.cfg")  # `python -m venv .`
    (folder / "link.py").symlink_to(folder / "model.py")
    (folder / "linked").symlink_to(folder / "src")
    os.mkfifo(folder / "pipe.py")
    assert find_code(folder, Layout.of(PROJECT)).paths == ("configs/a.yaml", "env/gym.py", "model.py", "src/net.py")


def test_a_crowded_folder_is_data_and_it_is_said(folder: Path, work: Path) -> None:
    fill(folder, "mixed/a.py", *(f"mixed/{i}.txt" for i in range(201)))
    record = make_tree(folder, work, PROJECT, {})
    assert "mixed" in record.linked
    said = "mixed/ holds more than 200 other files or folders: it is linked as data, and its 1 code file is not copied"
    assert record.remarks == (said,)
    slow = find_code(folder, Layout.of(named("mixed/*.py")))
    assert slow.paths == ("mixed/a.py",) and "will be slow" in slow.remarks[0]


def test_no_more_than_2000_files_are_taken_and_it_is_said(tmp_path: Path) -> None:
    fill(tmp_path, *(f"m{i // 100}/a{i}.py" for i in range(2001)))
    code = find_code(tmp_path, Layout.of(PROJECT))
    assert len(code.paths) == 2000 and code.remarks[0].startswith("more than 2000 code files")


def test_texts_are_read_exactly_and_what_is_no_text_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("\ufeffx = 'é'\r\n".encode())
    (tmp_path / "b.py").write_bytes(b"\xff\xfe")
    assert read_code(tmp_path, Layout.of(PROJECT)) == ({"a.py": "\ufeffx = 'é'\r\n"}, ())


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("src/a.py", "src/**/*.py", True),
        ("src/b/c/a.py", "src/**/*.py", True),
        ("a.py", "**/*.py", True),
        ("src/b/a.py", "src/*.py", False),
        ("src/b/a.py", "./src/b/a.py", True),
        ("src/b/a.py", "src/**", True),
        ("a1.py", "a[0-9].py", True),
        ("ax.py", "a[!0-9].py", True),
        ("a.py", "a?py", True),
        ("aXpy", "a.py", False),
    ],
)
def test_globs_know_folders(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, (pattern,)) is fits

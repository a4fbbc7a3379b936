"""Notes and reports: what may be read and written, and what may not."""

import os
from pathlib import Path

import pytest

from jupyter_deepresearch.errors import DeepResearchError, Forbidden, InvalidInput, NotFound, StorageFailed
from jupyter_deepresearch.researchers.claude.shelf import MARK, Shelf


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "background.md").write_text("A person's note.\n", encoding="utf-8")
    (tmp_path / "secret.md").write_text("not yours", encoding="utf-8")
    return folder


def test_notes_are_listed_by_name_and_bounded(project: Path) -> None:
    for k in range(60):
        (project / "notes" / f"n{k:02}.md").write_text("x")
    (project / "notes" / "data.csv").write_text("1,2")
    (project / "notes" / "evil\nname.md").write_text("x")
    (project / "notes" / ".hidden.md").write_text("x")
    names = Shelf(project).notes()
    assert names[:2] == ("background.md", "n00.md")
    assert len(names) == 51
    assert names[-1] == "and 11 more"
    assert Shelf(project / "nowhere").notes() == ()


def test_a_note_is_read_also_where_it_is_no_utf8(project: Path) -> None:
    (project / "notes" / "old.md").write_bytes(b"caf\xe9 \xff")
    assert Shelf(project).read("background.md") == "A person's note.\n"
    assert Shelf(project).read("old.md") == "caf\ufffd \ufffd"


def test_a_note_that_is_not_there_is_named_with_those_that_are(project: Path) -> None:
    with pytest.raises(NotFound, match=r"notes/ideas\.md is not there; the notes are: background\.md"):
        Shelf(project).read("ideas.md")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.md",
        "/etc/passwd",
        "a/b.md",
        "..",
        "x.txt",
        "a\0.md",
        "",
        ".md",
        "..md",
        "n\n.md",
        "x.md\n",
        "é" * 90 + ".md",
    ],
)
def test_only_plain_names_are_taken(project: Path, name: str) -> None:
    for use in (Shelf(project).read, lambda n: Shelf(project).write(n, "x"), lambda n: Shelf(project).report(n, "x")):
        with pytest.raises(Forbidden, match="plain file name") as refused:
            use(name)
        assert "\n" not in str(refused.value)
    assert not (project / "reports").exists()


def test_links_that_lead_out_are_refused(project: Path, tmp_path: Path) -> None:
    (project / "notes" / "out.md").symlink_to(tmp_path / "secret.md")
    (project / "notes" / "ring.md").symlink_to("ring.md")
    shelf = Shelf(project)
    with pytest.raises(Forbidden, match="links to outside"):
        shelf.read("out.md")
    with pytest.raises(Forbidden, match="links to outside"):
        shelf.write("out.md", "mine")
    with pytest.raises(DeepResearchError, match=r"notes/ring\.md"):
        shelf.read("ring.md")
    assert (tmp_path / "secret.md").read_text() == "not yours"


def test_a_link_within_the_project_is_read(project: Path) -> None:
    (project / "docs.md").write_text("inside")
    (project / "notes" / "docs.md").symlink_to("../docs.md")
    assert Shelf(project).read("docs.md") == "inside"


@pytest.mark.parametrize("name", ["notes", "reports"])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.md").write_text("not yours")
    project = tmp_path / "project"
    project.mkdir()
    (project / name).symlink_to(tmp_path / "elsewhere")
    shelf = Shelf(project)
    uses = [lambda: shelf.read("secret.md"), lambda: shelf.write("a.md", "x")]
    for use in uses if name == "notes" else [lambda: shelf.report("a.md", "x")]:
        with pytest.raises(Forbidden, match=f"{name}/ is a link"):
            use()
    assert shelf.notes() == ()
    assert os.listdir(tmp_path / "elsewhere") == ["secret.md"]


def test_what_is_no_file_is_refused_and_never_waited_for(project: Path) -> None:
    os.mkfifo(project / "notes" / "pipe.md")
    (project / "notes" / "folder.md").mkdir()
    shelf = Shelf(project)
    with pytest.raises(Forbidden, match="no plain file"):
        shelf.read("pipe.md")
    with pytest.raises(DeepResearchError, match=r"notes/folder\.md"):
        shelf.read("folder.md")
    assert shelf.notes() == ("background.md",)


def test_a_note_of_ours_is_marked_and_may_be_rewritten(project: Path) -> None:
    shelf = Shelf(project)
    assert shelf.write("ideas.md", "Try label smoothing.") == "notes/ideas.md"
    assert (project / "notes" / "ideas.md").read_text() == f"{MARK}\nTry label smoothing.\n"
    shelf.write("ideas.md", f"{MARK}\nTry mixup.")
    assert shelf.read("ideas.md") == "Try mixup.\n"
    assert sorted(os.listdir(project / "notes")) == ["background.md", "ideas.md"]


def test_a_repeated_write_changes_nothing(project: Path) -> None:
    shelf = Shelf(project)
    shelf.write("ideas.md", "Try label smoothing.")
    before = (project / "notes" / "ideas.md").stat()
    shelf.write("ideas.md", "Try label smoothing.")
    after = (project / "notes" / "ideas.md").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_persons_note_is_never_overwritten(project: Path) -> None:
    (project / "notes" / "empty.md").touch()
    for name in ("background.md", "empty.md"):
        with pytest.raises(Forbidden, match="was not written by you"):
            Shelf(project).write(name, "mine")
    assert (project / "notes" / "background.md").read_text() == "A person's note.\n"


def test_too_long_a_note_is_refused_with_both_numbers(project: Path) -> None:
    with pytest.raises(InvalidInput, match=r"20,002 characters; at most 20,000"):
        Shelf(project).write("long.md", "x" * 20_001)
    assert Shelf(project).notes() == ("background.md",)


def test_reports_take_the_next_free_name_and_are_written_once(project: Path) -> None:
    shelf = Shelf(project)
    assert shelf.report("week.md", "one") == "reports/week.md"
    assert shelf.report("week.md", "two") == "reports/week-2.md"
    assert shelf.report("week.md", "two") == "reports/week-2.md"
    assert shelf.report("week.md", "one") == "reports/week.md"
    (project / "reports" / "dangling.md").symlink_to("nowhere.md")
    assert shelf.report("dangling.md", "three") == "reports/dangling-2.md"
    assert sorted(os.listdir(project / "reports")) == ["dangling-2.md", "dangling.md", "week-2.md", "week.md"]


def test_only_a_report_that_is_there_is_one(project: Path) -> None:
    shelf = Shelf(project)
    assert shelf.has_report(shelf.report("week.md", "one"))
    for path in (
        "week.md",
        "reports/other.md",
        "reports/../notes/background.md",
        "notes/background.md",
        "",
        "reports/",
    ):
        assert not shelf.has_report(path)


def test_lone_surrogates_and_nul_are_written_as_what_a_file_can_hold(project: Path) -> None:
    Shelf(project).write("odd.md", "a\ud800b\0c")
    assert Shelf(project).read("odd.md") == "a?bc\n"


def test_a_disk_that_does_not_let_us_is_one_line(project: Path) -> None:
    (project / "reports").write_text("a file where the folder should be")
    with pytest.raises(StorageFailed) as failed:
        Shelf(project).report("a.md", "x")
    assert str(failed.value).startswith("reports/a.md cannot be written: ")
    assert "\n" not in str(failed.value)


def test_a_draft_left_by_a_crash_is_not_written_through(project: Path, tmp_path: Path) -> None:
    (project / "notes" / ".ideas.md.draft").symlink_to(tmp_path / "secret.md")
    Shelf(project).write("ideas.md", "mine")
    assert (tmp_path / "secret.md").read_text() == "not yours"
    assert Shelf(project).read("ideas.md") == "mine\n"


def test_a_full_disk_leaves_the_old_note(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(project)
    shelf.write("ideas.md", "first")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match=r"notes/ideas\.md cannot be written: No space left on device"):
        shelf.write("ideas.md", "second")
    assert shelf.read("ideas.md") == "first\n"


@pytest.mark.parametrize("said", ["ideas", "ideas.md", "notes/ideas", "notes/ideas.md"])
def test_an_ending_left_out_and_a_folder_put_before_are_understood(tmp_path: Path, said: str) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.write(said, "wider") == "notes/ideas.md" and shelf.read(said).strip() == "wider"

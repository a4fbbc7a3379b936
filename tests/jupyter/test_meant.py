"""What a line leaves open is what there is only one of, else it is asked for by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.errors import Conflict, DeepResearchError, InvalidInput, NotFound
from jupyter_deepresearch.jupyter.meant import notebook_folder, place_meant, project_meant, run_meant, waiting_meant
from tests.jupyter.statuses import run, status, waiting

OUTER, INNER = status("outer", "/home/ada"), status("inner", "/home/ada/inner")


def test_a_project_is_the_one_named_the_innermost_around_or_the_only_one() -> None:
    assert project_meant([OUTER, INNER], "outer", Path("/home/ada/inner")) == OUTER
    assert project_meant([OUTER, INNER], "id-of-inner", Path("/")) == INNER
    assert project_meant([OUTER, INNER], None, Path("/home/ada/inner/notes")) == INNER
    assert project_meant([INNER], None, Path("/elsewhere")) == INNER
    with pytest.raises(Conflict, match=r"\(inner, outer\)"):
        project_meant([OUTER, INNER], None, Path("/elsewhere"))
    with pytest.raises(Conflict, match="by its id: id-of-outer, id-of-outer"):
        project_meant([OUTER, OUTER], "outer", Path("/"))


@pytest.mark.parametrize(
    ("live", "named", "meant"),
    [
        ((13,), "", "0013-candidate-seed-1"),
        ((12, 13), "#13", "0013-candidate-seed-1"),
        ((12, 13), "0012-candidate-seed-1", "0012-candidate-seed-1"),
        ((), "0012-candidate-seed-1", "0012-candidate-seed-1"),
        ((), "", "no run is live"),
        ((12,), "13", "no run of experiment 13 is live"),
        ((12, 13), "", r"0012-candidate-seed-1, 0013-candidate-seed-1\); say which one"),
    ],
)
def test_a_run_is_the_one_named_or_the_only_live_one(live: tuple[int, ...], named: str, meant: str) -> None:
    view = status(running=[run(number) for number in live])
    if meant.startswith("00") and "say" not in meant:
        assert run_meant(view, named) == meant
    else:
        with pytest.raises(DeepResearchError, match=meant):
            run_meant(view, named)


def test_a_hypothesis_is_the_only_one_that_waits() -> None:
    assert waiting_meant(status(waits=[waiting(4)]), "approve") == 4
    with pytest.raises(InvalidInput, match=r"wait \(4, 5\); say which one: reject N"):
        waiting_meant(status(waits=[waiting(4), waiting(5)]), "reject")
    with pytest.raises(NotFound, match="nothing waits"):
        waiting_meant(status(), "approve")


def test_a_notebook_stands_for_its_folder(tmp_path: Path) -> None:
    (tmp_path / "train.ipynb").write_text("{}")
    (tmp_path / "folder.ipynb").mkdir()
    cycles = Options(cycles=3)
    assert place_meant("train.ipynb", cycles, tmp_path) == (tmp_path, Options(cycles=3, notebook="train.ipynb"))
    assert place_meant("folder.ipynb", cycles, tmp_path) == (tmp_path / "folder.ipynb", cycles)
    assert place_meant(".", cycles, tmp_path) == (tmp_path, cycles)
    with pytest.raises(InvalidInput, match=r"two notebooks, train.ipynb and other.ipynb"):
        place_meant("train.ipynb", Options(notebook="other.ipynb"), tmp_path)
    for path in ("~nobody-of-this-name/x", "a\0.ipynb", f"{'x' * 300}.ipynb"):
        with pytest.raises(InvalidInput, match="accepted: the path of a folder"):
            place_meant(path, cycles, tmp_path)


def test_links_start_from_the_notebook_wherever_its_kernel_works_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    assert notebook_folder({"JPY_SESSION_NAME": str(tmp_path / "notes" / "a.ipynb")}) == tmp_path / "notes"
    for name in ("", "a.ipynb", str(tmp_path / "gone" / "a.ipynb")):
        assert notebook_folder({"JPY_SESSION_NAME": name}) == tmp_path

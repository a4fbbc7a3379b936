"""What Tab offers: words, options, and values that the kernel knows, wherever in the line the cursor stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_deepresearch.jupyter.completing import Known, Typed, offers, typed
from jupyter_deepresearch.jupyter.words import WORDS
from tests.jupyter.statuses import run, status, waiting

SPACE = ("lr: 0.001..1.0 log", "act: relu | tanh")


def offered(line: str, known: Known | None = None, cwd: Path = Path("/nowhere")) -> list[str]:
    found = typed(line)
    assert found is not None, line
    return [offer.text for offer in offers(found, known or Known(), cwd)]


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """Two projects, the last talked of being ``digits``, whose folder is there."""
    digits = status("digits", str(tmp_path), [run(13)], [waiting(14, lr=0.1), waiting(15, width=3.0)], SPACE)
    made = Known()
    made.hear([status("my mnist"), digits])
    made.learn(digits)
    return made


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("%deepresearch ", Typed((), "")),
        ("%deepresearch sta", Typed((), "sta")),
        ("%%deepresearch start a ", Typed(("start", "a"), "")),
        ("    %deepresearch start --metric  val/lo", Typed(("start", "--metric"), "val/lo")),
        ("shown = %deepresearch st", Typed((), "st")),
        ("deepresearch st", Typed((), "st")),
        ("%deepresearch start 'my fol", Typed(("start",), "'my fol")),
        ('%deepresearch start "my folder" --c', Typed(("start", '"my folder"'), "--c")),
        ("%deepresearch", None),
        ("%deepresearchers st", None),
        ("print('%deepresearch st", None),
        ("!deepresearch st", None),
    ],
)
def test_what_is_typed_is_told_from_what_is_not_ours(line: str, meant: Typed | None) -> None:
    assert typed(line) == meant


def test_words_come_first_then_their_options() -> None:
    assert offered("%deepresearch ") == list(WORDS)
    assert offered("%deepresearch st") == ["start", "status", "stop"]
    assert offered("%deepresearch help st") == ["start", "status", "stop"]
    assert offered("%deepresearch start --di") == ["--direction"]
    assert offered("%deepresearch start --direction minimize --di") == [], "given already"
    assert offered("%deepresearch stop ") == ["--yes", "--project"]
    assert offered("%deepresearch history ") == ["all", "--project"]
    assert offered("%deepresearch dance ") == []


def test_values_of_an_option_stand_in_its_place() -> None:
    assert offered("%deepresearch start --direction ") == ["minimize", "maximize"]
    assert offered("%deepresearch start --direction ma") == ["maximize"]
    assert offered("%deepresearch start --approval=a") == ["--approval=auto", "--approval=ask"]
    assert set(offered("%deepresearch start --researcher cl")) == {"claude", "claude-cli"}
    assert offered("%deepresearch start --metric ") == [], "nobody knows"


def test_what_the_last_status_names_is_offered(known: Known) -> None:
    assert offered("%deepresearch approve ", known) == ["14", "15", "--project"]
    assert offered("%deepresearch reject 15 ", known) == [], "a reason is free text"
    assert offered("%deepresearch cancel ", known)[0] == "0013-candidate-seed-1"
    assert offered("%deepresearch diff 1", known) == ["13", "12"]
    assert offered("%deepresearch diff 12 ", known) == ["13", "12", "0", "--project"]
    assert offered("%deepresearch diff 12 0 ", known) == ["--project"]
    assert offered("%deepresearch try ", known)[:3] == ["lr=", "act=", "width="]
    assert offered("%deepresearch try lr=3 --claim x wi", known) == ["width="]
    assert offered("%deepresearch directive ", known) == ["lr:", "act:", "width:", "--project"]
    assert offered("%deepresearch directive try wi", known) == [], "free text"
    assert offered("%deepresearch status --project ", known) == ["digits", '"my mnist"']
    assert offered("%deepresearch approve --project 'my mnist' ", known) == [], "nothing waits there"


def test_paths_are_folders_and_notebooks(tmp_path: Path, known: Known) -> None:
    for name in ("train.ipynb", "two words.ipynb", "notes.md", ".hidden.ipynb", "data/deep.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert offered("%deepresearch start ", cwd=tmp_path)[:3] == ["data/", "train.ipynb", '"two words.ipynb"']
    assert offered("%deepresearch start tw", cwd=tmp_path) == ['"two words.ipynb"']
    assert offered("%deepresearch start 'two w", cwd=tmp_path) == ["'two words.ipynb'"]
    assert offered("%deepresearch start data/", cwd=tmp_path) == ["data/deep.ipynb"]
    assert offered("%deepresearch start data --notebook d", cwd=tmp_path) == ["deep.ipynb"]
    assert offered("%deepresearch try --notebook tr", known) == ["train.ipynb"], "in the project, wherever one works"
    assert offered("%deepresearch start .h", cwd=tmp_path) == [".hidden.ipynb"]
    assert "data/" not in offered("%deepresearch start a\0b", cwd=tmp_path / "gone")


def test_kernels_are_those_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tmp_path / "kernels" / "my-env"
    kernel.mkdir(parents=True)
    (tmp_path / "kernels" / "not-one").mkdir()
    (kernel / "kernel.json").write_text(json.dumps({"argv": []}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert offered("%deepresearch start --kernel my") == ["my-env"]
    assert offered("%deepresearch start --kernel not") == []

"""The panel's script and style come out of the package whole, or it is said what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_deepresearch
from jupyter_deepresearch.errors import StorageFailed
from jupyter_deepresearch.jupyter.panel import front

FRONT = Path(jupyter_deepresearch.__file__).parent / "jupyter" / "panel" / "front"


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """Nothing remembered from before, and nothing of this test later."""
    front.script.cache_clear(), front.style.cache_clear()
    yield
    front.script.cache_clear(), front.style.cache_clear()


def test_every_piece_is_in_the_script_once_with_the_export_last() -> None:
    script = front.script()
    pieces = {path.name: path.read_text(encoding="utf-8") for path in FRONT.glob("*.js")}
    assert all(script.count(text) == 1 for text in pieces.values())
    assert script.startswith(pieces["dom.js"]) and script.endswith(pieces["panel.js"])
    assert script.count("export default") == 1 and front.script() is script
    assert all(path.read_text(encoding="utf-8") in front.style() for path in FRONT.glob("*.css"))


def test_a_broken_installation_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "files", lambda package: tmp_path)
    with pytest.raises(StorageFailed, match="the panel's scripts are missing: install jupyter_deepresearch again"):
        front.script()
    (tmp_path / "front").mkdir()
    with pytest.raises(StorageFailed, match=r"the panel's dom.js cannot be read \(No such file or directory\)"):
        front.script()

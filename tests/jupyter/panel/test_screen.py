"""Where answers of the magic are shown, and what is left where a panel cannot be live."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from jupyter_deepresearch.errors import NoServer, StorageFailed
from jupyter_deepresearch.jupyter.panel.screen import PanelShown, Screen
from jupyter_deepresearch.jupyter.render import Shown
from jupyter_deepresearch.service.views import ExperimentView, StatusView
from tests.jupyter.panel.answers import Answers


def table(view: StatusView, rows: Sequence[ExperimentView]) -> Shown:
    return Shown("the table", "<table></table>")


def shown(server: Answers, remark: str = "") -> PanelShown:
    return PanelShown("the table", "<table></table>", server.view, server, lambda: server, table, remark)


def test_a_terminal_gets_the_remark_and_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    server = Answers()
    Screen(is_live=False).show(shown(server, "pid 3"))
    assert capsys.readouterr().out == "pid 3\nthe table\n" and server.asked == []


def test_a_broken_installation_leaves_the_table_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "jupyter_deepresearch.jupyter.panel.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(StorageFailed, match="the live panel needs ipywidgets and anywidget: import of anywidget"):
        Screen(is_live=True).show(shown(Answers()))
    assert capsys.readouterr().out == "the table\n"


def test_a_server_that_goes_as_the_panel_is_made_leaves_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoServer, match="refused"):
        Screen(is_live=True).show(shown(Answers(gone="refused")))
    assert capsys.readouterr().out == "the table\n"

"""The panel as a widget, in a process that is no kernel: what it holds, and what a page cannot do to it."""

from __future__ import annotations

import struct

import comm
import pytest

from jupyter_deepresearch.jupyter.panel.glance import look
from jupyter_deepresearch.jupyter.panel.messages import Answer
from jupyter_deepresearch.jupyter.panel.picture import pack
from jupyter_deepresearch.jupyter.panel.widget import WIDGET_MIME, Panel
from tests.jupyter.panel.answers import PROJECT, Answers, row


@pytest.fixture
def panel() -> Panel:
    server = Answers()
    server.grow(row(0), row(1))
    points = server.points(PROJECT)
    return Panel(look(server, PROJECT), pack(points), points.seq, lambda status, rows: None)


def test_a_fresh_view_needs_no_further_message(panel: Panel) -> None:
    state = panel.get_state()
    assert state["status"]["project"] == "digits" and [r["experiment"] for r in state["rows"]] == [1, 0]
    assert state["memory"]["brief"] == "be better" and state["cost"]["calls"] == 1 and state["trouble"] == ""
    assert state["curves"] == {"live": [], "champion": None}
    assert struct.unpack_from("<3I", state["points"]) == (2, 0, 1) and state["points_seq"] == 2


def test_where_no_widget_is_drawn_it_is_one_line(panel: Panel) -> None:
    bundle, _ = panel._repr_mimebundle_()
    assert bundle["text/plain"] == "Deep Research: live panel of digits"
    assert bundle[WIDGET_MIME]["model_id"] == panel.model_id
    assert set(bundle) == {"text/plain", WIDGET_MIME}, "HTML is the second output's"


def test_a_page_cannot_change_what_the_kernel_shows(panel: Panel) -> None:
    update = {"method": "update", "state": {"trouble": "none at all", "status": 5, "_esm": "alert(1)"}}
    panel._handle_msg({"content": {"data": update}, "buffers": []})
    assert panel.trouble == "" and panel.status["project"] == "digits" and "alert(1)" not in panel._esm


def test_messages_of_a_page_are_passed_on_as_they_come(panel: Panel) -> None:
    heard: list[object] = []
    panel.listen(heard.append)
    for content in ({"kind": "here"}, ["odd"], None):
        panel._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    assert heard == [{"kind": "here"}, ["odd"], None]


def test_answers_leave_nothing_behind(panel: Panel) -> None:
    for number in range(100):
        panel.send(Answer(f"a{number}", {}))
    assert not getattr(panel.comm, "_reply_subshell_ids", {})


def test_a_panel_that_a_page_has_closed_says_so(panel: Panel) -> None:
    comm.get_comm_manager().comm_close(None, None, {"content": {"comm_id": panel.model_id}})
    assert not panel.is_open


def test_a_closed_panel_says_so_and_takes_everything_quietly(panel: Panel) -> None:
    assert panel.is_open
    panel.close()
    panel.show("trouble", "x")
    panel.send(Answer("a", {}))
    assert not panel.is_open

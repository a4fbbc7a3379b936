"""A page may send anything: it is read as what it says, or refused in one line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_deepresearch.errors import InvalidInput
from jupyter_deepresearch.jupyter.panel.messages import (
    Answer,
    Ask,
    DiffAsked,
    ExperimentAsked,
    Hello,
    Here,
    HistoryAsked,
    ParametersAsked,
    Points,
    Tell,
    id_of,
    read,
    to_json,
)


def tell(**command: Any) -> dict[str, Any]:
    return {"kind": "tell", "id": "a", "command": command}


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        ({"kind": "hello"}, Hello(0)),
        ({"kind": "hello", "seq": 7}, Hello(7)),
        ({"kind": "here"}, Here()),
        ({"kind": "ask", "id": "a", "what": "history"}, Ask("a", HistoryAsked(None, 25))),
        ({"kind": "ask", "id": "a", "what": "history", "before": 9, "limit": 50}, Ask("a", HistoryAsked(9, 50))),
        ({"kind": "ask", "id": "a", "what": "experiment", "experiment": 3}, Ask("a", ExperimentAsked(3))),
        ({"kind": "ask", "id": "a", "what": "diff", "experiment": 3, "to": 4}, Ask("a", DiffAsked(3, 4))),
        ({"kind": "ask", "id": "a", "what": "parameters"}, Ask("a", ParametersAsked())),
        (tell(kind="pause", command_id="x"), Tell("a", "pause", {}, "x")),
        (
            tell(kind="try", command_id="x", parameters={"lr": " 3e-4", "act": "relu", "bn": "True", "n": "'7'"}),
            Tell("a", "try", {"parameters": {"lr": 3e-4, "act": "relu", "bn": True, "n": "7"}}, "x"),
        ),
        (
            tell(kind="edit", command_id="x", hypothesis=3, claim="c", parameters={"width": "64"}),
            Tell("a", "edit", {"hypothesis": 3, "claim": "c", "parameters": {"width": 64}}, "x"),
        ),
    ],
)
def test_what_is_right_is_read(content: dict[str, Any], meant: object) -> None:
    before = repr(content)
    assert read(content) == meant
    assert repr(content) == before, "it is not ours to change"


def test_a_command_without_an_id_of_its_own_gets_one() -> None:
    first, second = read(tell(kind="pause")), read(tell(kind="pause"))
    assert isinstance(first, Tell) and isinstance(second, Tell) and first.command_id != second.command_id


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "a message is missing; accepted: an object"),
        ([1], r"a message is \[1\]; accepted: an object"),
        ({1: 2}, r"a message is \{1: 2\}; accepted: an object"),
        ({}, "a message's kind is missing; accepted: hello, here, ask, tell"),
        ({"kind": "shout"}, "a message's kind is 'shout'"),
        ({"kind": ["hello"]}, r"a message's kind is \['hello'\]"),
        ({"kind": "hello", "seq": -1}, "hello: Expected 'int' >= 0"),
        ({"kind": "hello", "seq": "1"}, "hello: Expected 'int', got 'str'"),
        ({"kind": "hello", "since": 1}, "hello: unknown key 'since'; accepted: seq"),
        ({"kind": "here", "there": 1}, "here: unknown key 'there'; accepted: none"),
        ({"kind": "ask", "what": "history"}, "id: Expected 'str', got 'null'"),
        ({"kind": "ask", "id": "", "what": "history"}, "id: Expected 'str' of length >= 1"),
        ({"kind": "ask", "id": "x" * 201, "what": "history"}, "id: Expected 'str' of length <= 200"),
        ({"kind": "ask", "id": "a"}, "ask: what is missing; accepted: history, experiment, diff, parameters"),
        ({"kind": "ask", "id": "a", "what": {}}, "ask: what is {}; accepted: history"),
        ({"kind": "ask", "id": "a", "what": "history", "limit": 51}, "history: Expected 'int' <= 50"),
        ({"kind": "ask", "id": "a", "what": "experiment"}, "experiment: .*missing required field 'experiment'"),
        ({"kind": "ask", "id": "a", "what": "diff", "experiment": 2**70}, "diff: .*"),
        ({"kind": "tell", "id": "a"}, "tell: the command is missing; accepted: an object"),
        ({"kind": "tell", "id": "a", "command": {"kind": "pause"}, "now": 1}, "tell: unknown key 'now'"),
        (tell(kind="explode"), "unknown command 'explode'"),
        (tell(kind=None), "unknown command None"),
        (tell(kind="approve", hypothesis="3"), r"approve: Expected 'int', got 'str' - at '\$.hypothesis'"),
        (tell(kind="pause", now=True), "pause: unknown key 'now'"),
        (tell(kind="pause", command_id=3), "command_id: Expected 'str'"),
        (tell(kind="try", parameters=["lr"]), "try: Expected 'object', got 'array'"),
        (tell(kind="try", parameters={"lr": "[1, 2]"}), r"lr: value '\[1, 2\]': accepted: a number"),
        ({"kind": "here", "x": "y" * 200_000}, r"a message has 200,\d+ bytes; at most 100,000 are accepted"),
        ({"kind": "here", "x": object()}, "a message is not JSON"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(content: object, complaint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(content)
    said = str(caught.value)
    assert re.match(complaint, said) and "\n" not in said and len(said) < 300, said


def test_a_message_nested_without_end_is_refused() -> None:
    deep: dict[str, Any] = {"kind": "here"}
    for _ in range(5000):
        deep = {"kind": "here", "x": deep}
    with pytest.raises(InvalidInput, match="a message is not JSON"):
        read(deep)


def test_an_answer_has_a_body_or_an_error_and_an_id_that_can_be_sent() -> None:
    assert to_json(Answer("a", [])) == {"kind": "answer", "id": "a", "body": []}
    assert to_json(Answer("a", error="no")) == {"kind": "answer", "id": "a", "error": "no"}
    assert to_json(Points(3, 5)) == {"kind": "points", "after": 3, "seq": 5}
    assert [id_of(found) for found in ({"id": "a"}, {"id": 3}, {"id": "x" * 999}, [], None)] == ["a"] + [None] * 4

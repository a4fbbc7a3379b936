"""What the thread behind a panel asks and sends, at a clock of its own."""

from __future__ import annotations

import inspect
import json
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from jupyter_deepresearch.core.types import Decision, ProjectState, Purpose
from jupyter_deepresearch.jupyter.answering import Answering
from jupyter_deepresearch.jupyter.client import Client
from jupyter_deepresearch.jupyter.panel.feed import Feed, pause_s
from jupyter_deepresearch.jupyter.panel.glance import look
from jupyter_deepresearch.jupyter.panel.messages import Sent, to_json
from jupyter_deepresearch.service.views import ExperimentView, StatusView
from tests.jupyter.panel.answers import PROJECT, Answers, cost, finder, row, run


@dataclass
class Heard:
    """An outlet that notes what it gets, as it would go over the wire."""

    traits: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    messages: list[tuple[dict[str, Any], list[bytes]]] = field(default_factory=list)
    tables: list[list[int]] = field(default_factory=list)
    woken: threading.Event = field(default_factory=threading.Event)
    is_open: bool = True

    def show(self, trait: str, value: Any) -> None:
        self.traits[trait] = value
        self.changed.append(trait)
        self.woken.set()

    def send(self, message: Sent, buffers: Sequence[bytes] = ()) -> None:
        self.messages.append((to_json(message), list(buffers)))
        self.woken.set()

    def decided(self, status: StatusView, rows: Sequence[ExperimentView]) -> None:
        self.tables.append([row.experiment for row in rows])

    def news(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Traits changed and messages sent since it was last asked."""
        found = sorted(self.changed), [message for message, _ in self.messages]
        self.changed, self.messages = [], []
        return found

    def largest(self) -> int:
        """The bytes of the largest thing that was sent."""
        traits = [len(json.dumps(value, ensure_ascii=False).encode()) for value in self.traits.values()]
        return max(
            [*traits, *(len(json.dumps(m, ensure_ascii=False).encode()) + sum(map(len, b)) for m, b in self.messages)]
        )


@dataclass
class Played:
    """A feed whose ticks and messages the test makes happen."""

    server: Answers
    others: tuple[Answers, ...] = ()
    now: float = 1000.0
    heard: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        first, points = look(self.server, PROJECT), self.server.points(PROJECT)
        connect = finder(self.server, *self.others)
        self.feed = Feed(PROJECT, connect, self.heard, first, points.seq, lambda: self.now)
        self.server.asked.clear()

    def tick(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Wait for the next tick, and let it come."""
        self.now += max(0.0, self.feed.wait_s())
        self.feed.tick()
        return self.heard.news()

    def say(self, **message: Any) -> list[dict[str, Any]]:
        self.feed.take(message)
        return self.heard.news()[1]


@pytest.fixture
def played() -> Played:
    server = Answers()
    server.grow(row(0, Decision.BASELINE))
    return Played(server)


def test_the_pause_says_how_much_is_going_on() -> None:
    assert [pause_s(running, 5.0, 0) for running in (True, False)] == [1.0, 3.0]
    assert [pause_s(running, 61.0, 0) for running in (True, False)] == [15.0, 15.0]
    assert [pause_s(True, 5.0, n) for n in (1, 2, 3, 4, 5, 500)] == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_the_played_server_answers_the_questions_of_a_client() -> None:
    server: Answering = Answers()
    for name in (name for name in dir(Answering) if not name.startswith("_") and name != "remark"):
        theirs, ours = (inspect.signature(getattr(kind, name)) for kind in (Client, type(server)))
        assert list(theirs.parameters) == list(ours.parameters), name


def test_a_quiet_project_is_asked_for_its_status_alone_and_nothing_is_sent_but_a_beat(played: Played) -> None:
    for _ in range(3):
        assert played.tick() == ([], [])
    assert played.server.asked == ["status"] * 3
    assert played.now == 1009.0
    sent = [message for _ in range(7) for message in played.tick()[1]]
    assert sent == [{"kind": "beat"}] * 2, "every fifteen seconds or sooner"


def test_what_changed_is_sent_once(played: Played) -> None:
    played.server.grow(row(1, None))
    changed, messages = played.tick()
    assert changed == ["memory", "rows", "status"]
    assert messages == [{"kind": "points", "after": 2, "seq": 3}]
    assert played.server.asked == ["status", "newest", "memory", "cost", "points 2"]
    assert played.tick() == ([], []), "nothing is said twice"
    played.server.grow(row(1))
    buffers = played.heard.messages
    played.feed.tick()
    (_, (page,)) = buffers[-1]
    assert struct.unpack_from("<II", page) == (1, 1), "only the experiment that changed"
    assert played.heard.tables == [[1, 0], [1, 0]]


def test_an_event_about_no_experiment_sends_no_points(played: Played) -> None:
    played.server.grow()
    assert played.tick() == (["memory", "status"], [])
    played.server.grow(row(1))
    assert played.tick()[1] == [{"kind": "points", "after": 2, "seq": 4}], "a view that heard the last one misses none"


def test_a_static_table_is_drawn_at_decisions_only(played: Played) -> None:
    played.server.view = replace(played.server.view, running=(run(1, 1.0),))
    played.tick()
    assert played.heard.tables == []
    played.server.grow(row(1, Decision.CONFIRMED))
    played.tick()
    played.server.grow(state=ProjectState.STOPPED)
    played.tick()
    played.server.crown(1)
    played.tick()
    assert played.heard.tables == [[1, 0]] * 3


def test_curves_are_asked_for_where_a_run_has_reported(played: Played) -> None:
    dry = replace(run(9, 1.0), run="dry", purpose=Purpose.DRY_RUN)
    live = (run(1), dry, *(run(n, 1.0) for n in range(2, 7)))
    played.server.view = replace(played.server.view, running=live)
    assert played.tick()[0] == ["curves", "status"]
    assert played.server.asked == ["status", *(f"curve {n} {n:04d}-seed-1" for n in (2, 3, 4))]
    curves = played.heard.traits["curves"]["live"]
    assert [curve["experiment"] for curve in curves] == [1, 2, 3, 4] and curves[0]["points"] == []
    assert curves[1]["points"] == [[0.0, 0.5], [1.0, None]], "what is no number is null"
    played.server.asked.clear()
    played.server.view = replace(played.server.view, running=(run(1), run(2, 2.0), run(3, 1.0)))
    played.tick()
    assert played.server.asked == ["status", "curve 2 0002-seed-1"]


def test_the_champions_curve_is_asked_for_where_the_champion_or_its_runs_change(played: Played) -> None:
    def asked() -> list[str]:
        played.tick()
        found = [question for question in played.server.asked if question.startswith("curve")]
        played.server.asked.clear()
        return found

    played.server.crown(0)
    assert asked() == ["curve 0 None"] and asked() == []
    assert played.heard.traits["curves"]["champion"]["experiment"] == 0
    played.server.crown(0, seeds=2)
    assert asked() == ["curve 0 None"]
    played.server.grow(row(1))
    assert asked() == []
    played.server.view = replace(played.server.view, running=(replace(run(0), purpose=Purpose.CONFIRM),))
    assert asked() == ["curve 0 None"]


def test_the_pace_follows_the_research_and_who_looks(played: Played) -> None:
    played.tick()
    assert played.feed.wait_s() == 3.0
    played.server.view = replace(played.server.view, state=ProjectState.RUNNING)
    played.tick()
    assert played.feed.wait_s() == 1.0
    played.now += 61
    played.tick()
    assert played.feed.wait_s() == 15.0
    played.say(kind="here")
    assert played.feed.wait_s() == 1.0, "somebody looks again"


def test_a_lost_server_is_said_and_asked_again_in_growing_pauses(played: Played) -> None:
    played.server.gone = "the Jupyter server cannot be reached: refused"
    assert played.tick() == (["trouble"], [])
    assert played.heard.traits["trouble"] == "reconnecting: the Jupyter server cannot be reached: refused"
    waits = []
    for _ in range(5):
        waits.append(played.feed.wait_s())
        assert played.tick()[0] == [], "it is said once"
        played.say(kind="here")
    assert waits == [1.0, 2.0, 4.0, 8.0, 15.0]
    assert played.say(kind="ask", id="a", what="history") == [
        {"kind": "answer", "id": "a", "error": "the Jupyter server cannot be reached: refused"}
    ]
    played.server.grow(row(1))
    played.server.gone = ""
    assert played.tick()[0] == ["memory", "rows", "status", "trouble"]
    assert played.heard.traits["trouble"] == ""


def test_a_server_that_came_back_elsewhere_is_found_without_a_word() -> None:
    old, new = Answers(), Answers()
    played = Played(old, (new,))
    played.tick()
    old.gone = "refused"
    assert played.tick()[0] == [] and new.asked == ["status"]
    old.gone, new.gone = "", "refused"
    told = played.say(kind="tell", id="t", command={"kind": "pause", "command_id": "c"})
    assert told == [{"kind": "answer", "id": "t", "body": {"seq": 2}}] and [t.kind for t in old.told] == ["pause"]


def test_a_server_that_goes_in_the_middle_of_a_look_loses_nothing(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.server.grow(row(1))

    def points(project_id: str, after: int = 0) -> None:
        played.server.gone = "refused"
        played.server._noted("points")

    monkeypatch.setattr(played.server, "points", points)
    assert played.tick() == (["trouble"], [])
    monkeypatch.undo()
    played.server.gone = ""
    assert played.tick() == (
        ["memory", "rows", "status", "trouble"],
        [{"kind": "points", "after": 2, "seq": 3}],
    )


def test_hello_gets_what_changed_since(played: Played) -> None:
    played.server.grow(row(1))
    assert played.say(kind="hello", seq=2) == [{"kind": "points", "after": 2, "seq": 3}]
    assert played.say(kind="hello", seq=3) == [{"kind": "points", "after": 3, "seq": 3}], "it is heard"
    assert played.say(kind="hello", seq=99) == [{"kind": "points", "after": 99, "seq": 99}]


def test_pages_before_the_last_do_not_claim_to_be_all() -> None:
    server = Answers()
    server.grow(*(row(number) for number in range(10_000)))
    played = Played(server)
    assert [(m["after"], m["seq"]) for m in played.say(kind="hello", seq=0)] == [(0, 0), (0, 0), (0, 2)]


def test_questions_are_answered(played: Played) -> None:
    played.server.grow(*(row(number) for number in range(1, 60)))

    def ask(what: str, **more: int) -> Any:
        (answer,) = played.say(kind="ask", id="q", what=what, **more)
        assert answer["id"] == "q" and answer["kind"] == "answer"
        return answer.get("body", answer.get("error"))

    assert [r["experiment"] for r in ask("history", before=50, limit=3)] == [49, 48, 47]
    assert len(ask("history")) == 25
    assert ask("experiment", experiment=3)["claim"] == "wider is better"
    assert ask("experiment", experiment=300) == "there is no experiment 300 in digits"
    assert ask("diff", experiment=3, to=4) == {"before": 0, "after": 3, "changes": []}
    assert ask("parameters") == [{"name": "lr", "value": 0.2, "own": 0.1, "range": "0.001..1 log"}]


def test_a_command_is_written_once_and_seen_at_once(played: Played) -> None:
    command = {"kind": "directive", "text": "lr: 0.1", "command_id": "c1"}
    assert played.say(kind="tell", id="t", command=command) == [{"kind": "answer", "id": "t", "body": {"seq": 3}}]
    assert played.feed.wait_s() == 0.0 and played.tick()[0] == ["memory", "status"]
    played.say(kind="tell", id="t2", command=command)
    assert [(t.kind, t.command_id, t.body) for t in played.server.told] == [("directive", "c1", {"text": "lr: 0.1"})]
    played.server.refusal = "hypothesis 3 was already decided"
    refused = played.say(kind="tell", id="t", command={"kind": "approve", "hypothesis": 3})
    assert refused == [{"kind": "answer", "id": "t", "error": "hypothesis 3 was already decided"}]


def test_a_bad_message_is_answered_in_one_line_and_changes_nothing(played: Played) -> None:
    assert played.say(id="x")[0] == {
        "kind": "answer",
        "id": "x",
        "error": "a message's kind is missing; accepted: hello, here, ask, tell",
    }
    played.feed.take(["what", "is", "this"])
    assert played.heard.news()[1][0]["id"] is None
    assert played.server.asked == [] and played.tick() == ([], [])


def test_everything_sent_is_small_whatever_the_project_holds() -> None:
    server = Answers(bill=cost(28))
    server.grow(*(row(number, claim="雪" * 2000) for number in range(10_000)))
    played = Played(server)
    running = tuple(replace(run(n, 1.0), note="n" * 500) for n in range(30))
    server.grow(row(10_000, claim="雪" * 2000), running=running, reason="r" * 5000)
    played.feed.tick()
    played.feed.take({"kind": "hello", "seq": 0})
    played.feed.take({"kind": "ask", "id": "a", "what": "history", "limit": 50})
    assert len(played.heard.messages) == 5 and played.heard.largest() < 100_000


def test_what_it_keeps_does_not_grow(played: Played) -> None:
    def size() -> int:
        kept = {
            name: value for name, value in vars(played.feed).items() if name not in ("connect", "_outlet", "_client")
        }
        return len(repr(kept))

    played.server.grow(*(row(number) for number in range(1, 100)))
    played.tick()
    before = size()
    for number in range(100, 400):
        played.server.grow(row(number))
        played.tick()
        played.say(kind="hello", seq=0)
    assert size() < before + 500
    for _ in range(1000):
        played.feed.put({"kind": "here"})
    assert size() < before + 500, "a page that floods it is not kept"


def test_whatever_goes_wrong_its_thread_goes_on(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def parameters(project_id: str) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(played.server, "parameters", parameters)
    played.feed.start()
    played.feed.put({"kind": "ask", "id": "a", "what": "parameters"})
    assert played.heard.woken.wait(20)
    assert "ZeroDivisionError" in played.heard.traits["trouble"]
    played.heard.woken.clear()
    played.feed.put({"kind": "ask", "id": "b", "what": "history"})
    assert played.heard.woken.wait(20)
    played.feed.close()
    assert played.heard.messages[0][0]["id"] == "b"


@pytest.mark.parametrize("ended_by", ["close", "a closed panel"])
def test_its_thread_hears_works_and_ends(played: Played, ended_by: str) -> None:
    played.feed.start()
    thread = next(t for t in threading.enumerate() if t.name == f"deepresearch panel {PROJECT}")
    assert thread.daemon
    played.feed.put({"kind": "ask", "id": "a", "what": "parameters"})
    assert played.heard.woken.wait(20)
    if ended_by == "close":
        played.feed.close()
    else:
        played.heard.is_open = False
        played.feed.put({"kind": "here"})
    thread.join(20)
    assert not thread.is_alive() and [m["id"] for m, _ in played.heard.messages] == ["a"]

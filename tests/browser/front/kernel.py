"""The kernel's part of the talk with a view, played by a test."""

from __future__ import annotations

from typing import Any

from tests.browser.front.stage import Stage


def sent(stage: Stage, kind: str) -> list[dict[str, Any]]:
    """The messages of one kind, oldest first."""
    return [message for message in stage.sent() if message["kind"] == kind]


def commands(stage: Stage) -> list[dict[str, Any]]:
    """All commands so far."""
    return [message["command"] for message in sent(stage, "tell")]


def answer(stage: Stage, body: object, kind: str = "tell") -> dict[str, Any]:
    """Answer the newest message of the kind, which is given back."""
    message = sent(stage, kind)[-1]
    stage.deliver({"kind": "answer", "id": message["id"], "body": body})
    return message


def refuse(stage: Stage, error: str, kind: str = "tell") -> None:
    """Answer the newest message of the kind with an error."""
    stage.deliver({"kind": "answer", "id": sent(stage, kind)[-1]["id"], "error": error})

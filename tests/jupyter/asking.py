"""The REST routes of a server as a test asks them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError


@dataclass(frozen=True)
class Answer:
    """A status code and the JSON that came with it."""

    code: int
    body: Any


@dataclass(frozen=True)
class Api:
    """The REST routes of one server, asked with its token."""

    fetch: Callable[..., Awaitable[Any]]

    async def ask(self, method: str, *route: str, body: object = None, **query: object) -> Answer:
        """The answer, whatever its code."""
        given: dict[str, Any] = {"params": query, "method": method}
        if method == "POST":
            given["body"] = body if isinstance(body, str | bytes) else json.dumps(body)
        try:
            answer = await self.fetch("deepresearch", "api", *route, **given)
        except HTTPClientError as error:
            assert error.response is not None
            return Answer(error.code, json.loads(error.response.body))
        return Answer(answer.code, json.loads(answer.body))

    async def get(self, *route: str, **query: object) -> Answer:
        return await self.ask("GET", *route, **query)

    async def post(self, *route: str, body: object) -> Answer:
        return await self.ask("POST", *route, body=body)


async def until(api: Api, project: str, state: str) -> dict[str, Any]:
    """The status of a project once it is in this state."""
    for _ in range(500):
        status = (await api.get("projects", project)).body
        if status["state"] == state:
            return status
        await asyncio.sleep(0.02)
    pytest.fail(f"the project is not {state} after 10 s but {status['state']}: {status['reason']}")


async def started(api: Api, **body: object) -> str:
    answer = await api.post("projects", body={"path": "small", **body})
    assert answer.code == 201, answer
    return answer.body["id"]


async def finished(api: Api) -> str:
    project = await started(api)
    await until(api, project, "finished")
    return project


def refused(answer: Answer, code: int, reason: str) -> str:
    """The message of a refusal, which is one readable line."""
    assert (answer.code, answer.body["reason"]) == (code, reason), answer
    message = answer.body["message"]
    assert set(answer.body) - {"key"} == {"message", "reason"} and 10 < len(message) < 600 and "\n" not in message
    assert "Traceback" not in message and "Error" not in message
    return message

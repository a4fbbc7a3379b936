"""A real Jupyter server in this process, on a service whose runs are not real."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from tests.jupyter.doubles import Doubled, write_project


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


@pytest.fixture
def doubled(monkeypatch: pytest.MonkeyPatch) -> Doubled:
    """The parts on which the server of `jp_serverapp` makes its service."""
    made = Doubled()
    monkeypatch.setattr("jupyter_deepresearch.app.make_service", made.service)
    return made


@pytest.fixture
def api(doubled: Doubled, jp_fetch: Callable[..., Awaitable[Any]]) -> Api:
    return Api(jp_fetch)


@pytest.fixture
def folder(jp_root_dir: Path) -> Path:
    """A project folder under the server's root, not yet started."""
    return write_project(jp_root_dir / "small")

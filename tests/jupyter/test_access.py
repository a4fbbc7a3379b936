"""Who may ask the REST routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from tests.jupyter.asking import Api
from tests.jupyter.doubles import Doubled

ROUTES = [
    ("GET", "projects"),
    ("POST", "projects"),
    ("GET", "projects/x"),
    ("GET", "projects/x/experiments"),
    ("GET", "projects/x/experiments/1"),
    ("GET", "projects/x/experiments/1/metrics"),
    ("GET", "projects/x/experiments/1/diff"),
    ("GET", "projects/x/experiments/1/code"),
    ("GET", "projects/x/experiments/1/runs"),
    ("GET", "projects/x/experiments/1/output"),
    ("POST", "projects/x/experiments/1/take"),
    ("POST", "projects/x/experiments/1/fork"),
    ("GET", "overview"),
    ("GET", "projects/x/search"),
    ("GET", "projects/x/points"),
    ("GET", "projects/x/parameters"),
    ("GET", "projects/x/settings"),
    ("GET", "projects/x/directives"),
    ("GET", "projects/x/memory"),
    ("GET", "projects/x/cost"),
    ("GET", "projects/x/events"),
    ("POST", "projects/x/commands"),
    ("GET", "guess"),
    ("GET", "gpus"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_a_stranger_is_refused(
    doubled: Doubled, jp_fetch: Callable[..., Awaitable[Any]], method: str, route: str
) -> None:
    body = {"body": "{}"} if method == "POST" else {}
    with pytest.raises(HTTPClientError) as refusal:
        parts = route.split("/")
        await jp_fetch("deepresearch", "api", *parts, method=method, headers={"Authorization": ""}, **body)
    assert refusal.value.code == 403


class Deny(Authorizer):
    """Lets nobody do anything, and remembers what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012  # the server makes the object, the test reads the class

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return False


class TestWithoutAuthorization:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        config = {**jp_server_config["ServerApp"], "authorizer_class": Deny}
        return {**jp_server_config, "ServerApp": config}

    @pytest.mark.parametrize(("method", "route"), ROUTES)
    async def test_every_route_asks_the_authorizer(self, api: Api, method: str, route: str) -> None:
        Deny.asked.clear()
        answer = await api.ask(method, *route.split("/"), body={})
        assert answer.code == 403
        assert ("execute" if method == "POST" else "read", "deepresearch") in Deny.asked


async def test_a_browser_needs_its_xsrf_token(
    doubled: Doubled, folder: Path, jp_serverapp: Any, jp_base_url: str, http_server_client: Any
) -> None:
    async def cookies(route: str, **headers: str) -> str:
        page = await http_server_client.fetch(
            f"{jp_base_url}{route}", headers=headers, follow_redirects=False, raise_error=False
        )
        return "; ".join(line.split(";")[0] for line in page.headers.get_list("Set-Cookie"))

    form = await cookies("login")
    login = await cookies(f"login?token={jp_serverapp.identity_provider.token}")
    cookie = f"{form}; {login}"
    xsrf = next(part.split("=", 1)[1] for part in form.split("; ") if part.startswith("_xsrf"))
    url = f"{jp_base_url}deepresearch/api/projects"

    async def post(**headers: str) -> int:
        body = json.dumps({"path": "small"})
        answer = await http_server_client.fetch(
            url, method="POST", body=body, headers={"Cookie": cookie, **headers}, raise_error=False
        )
        return int(answer.code)

    assert await post() == 403
    assert await post(**{"X-XSRFToken": xsrf}) == 201

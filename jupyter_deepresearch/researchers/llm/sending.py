"""One request over the wire by the official SDK: streamed, put together here, errors turned into ours."""

import asyncio
import contextlib
import importlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import ResearcherFailed, ResearcherStopped
from .faults import Fault, error_of, late, shortened, unreached
from .heard import Heard, ServerSaid
from .server import PLACEHOLDER, Server
from .wire import Body, sent

if TYPE_CHECKING:
    import anthropic
    import httpx2

CONNECT_S = 10.0
_PATIENCE = 4
"""A whole answer may take so many times as long as the longest silence in it."""


@dataclass
class Sender:
    """Asks one server. ``is_streaming`` turns False once it answered only without; ``timeout_s`` bounds a silence."""

    server: Server
    timeout_s: float
    is_streaming: bool = True

    async def ask(self, body: Body) -> Heard:
        """The reply, broken where it broke off after it had begun.

        Raises ResearcherFailed and ResearcherStopped, each with a line that names the server and what to do.
        """
        await asyncio.to_thread(importlib.import_module, "anthropic")  # seconds that others need not wait
        body.stream = self.is_streaming
        heard = await self._heard(body)
        if not heard.is_begun and body.stream:
            body.stream = False
            heard = await self._heard(body)
            self.is_streaming = not heard.is_begun
        if not heard.is_begun:
            raise ResearcherFailed(f"{self.server.host} answered something that is no reply of the Messages API")
        return heard

    async def _heard(self, body: Body) -> Heard:
        import anthropic
        import httpx2

        heard, most_s = Heard(), self.timeout_s * _PATIENCE
        try:
            async with asyncio.timeout(most_s), self._response(body) as response:
                await _listen(response, heard)
        except ServerSaid as said:
            raise error_of(Fault(200, said.kind, str(said)), self.server, body.model) from None
        except anthropic.APITimeoutError as error:
            if isinstance(error.__cause__, httpx2.ConnectTimeout):
                raise unreached(self.server, "no connection in time") from None
            raise late(self.server, self.timeout_s) from None
        except anthropic.APIStatusError as error:
            raise error_of(_fault(error), self.server, body.model) from None
        except anthropic.APIConnectionError as error:
            raise unreached(self.server, str(error.__cause__ or error)) from None
        except anthropic.AnthropicError as error:
            raise unreached(self.server, str(error)) from None
        except TimeoutError:
            if not heard.is_begun:
                raise late(self.server, most_s) from None
        except httpx2.TransportError as error:
            if not heard.is_begun and isinstance(error, httpx2.TimeoutException):
                raise late(self.server, self.timeout_s) from None
            if not heard.is_begun:
                raise unreached(self.server, f"the connection broke off ({type(error).__name__})") from None
        return heard

    @contextlib.asynccontextmanager
    async def _response(self, body: Body) -> "AsyncIterator[httpx2.Response]":
        """The open response. A client for each request: calls are minutes apart, and no event loop is left with one."""
        import anthropic

        async with _client(self.server, self.timeout_s, body.stream) as client:
            stream = await client.post(
                "/v1/messages",
                cast_to=object,
                content=sent(body),
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
                options={"headers": {"Content-Type": "application/json"}},
            )
            try:
                yield stream.response
            finally:
                await stream.response.aclose()


def _client(server: Server, timeout_s: float, streams: bool) -> "anthropic.AsyncAnthropic":
    """A client that retries nothing, follows nothing, and takes no proxy for this machine."""
    import anthropic
    import httpx2

    read_s = timeout_s if streams else timeout_s * _PATIENCE
    key = server.sent_key
    is_plain = server.is_loopback and server.base_url.startswith("http:")

    async def guard(request: httpx2.Request) -> None:
        """The last door: no header, wherever it came from, carries a Claude key to somebody else."""
        if not server.is_anthropic:
            for name in [name for name, value in request.headers.items() if "sk-ant-" in value]:
                request.headers[name] = PLACEHOLDER

    try:
        http_client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(read_s, connect=min(CONNECT_S, timeout_s)),
            trust_env=not server.is_loopback,
            verify=not is_plain,  # certificates take longer to read than all the rest of a request
            follow_redirects=False,
            event_hooks={"request": [guard]},
        )
        return anthropic.AsyncAnthropic(
            api_key=key,
            base_url=server.base_url,
            max_retries=0,
            default_headers={} if server.is_anthropic else {"X-Api-Key": key},
            http_client=http_client,
        )
    except (ValueError, ImportError, OSError, httpx2.InvalidURL) as error:
        why = f"{server.host}, or a proxy or certificates of the environment: {shortened(str(error), server)}"
        raise ResearcherStopped(f"nothing can be asked of {why}") from None


async def _listen(response: "httpx2.Response", heard: Heard) -> None:
    """Read a stream of events, or the one message of a server that does not stream."""
    if "json" in response.headers.get("content-type", ""):
        found = _object(await response.aread())
        if found is not None:
            heard.whole(found)
        return
    lines: list[str] = []
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            _take("\n".join(lines), heard)
            lines.clear()
    if lines:
        _take("\n".join(lines), heard)


def _take(text: str, heard: Heard) -> None:
    event = _object(text)
    if event is not None:
        heard.event(event)


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _fault(error: "anthropic.APIStatusError") -> Fault:
    message = error.api_message if isinstance(error.api_message, str) else ""
    if not message and isinstance(error.body, dict):
        found = error.body.get("message") or error.body.get("detail") or error.body.get("error")
        message = found if isinstance(found, str) else ""
    kind = error.type if isinstance(error.type, str) else ""
    return Fault(error.status_code, kind, message, dict(error.response.headers))

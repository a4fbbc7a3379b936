"""A language model behind the Messages API: Anthropic's own, or any server that speaks it."""

import time
from collections.abc import Mapping

from ...core.answers import Phase, Usage
from ...core.project import ResearcherOptions
from . import wire
from .abilities import found_abilities
from .logged import reply, written
from .prices import Counts, price_of
from .sending import Sender
from .server import server_of
from .talk import Abilities, Probe, Reply, Request

READ_TIMEOUT_S = 300.0


class MessagesModel:
    """A ``Model`` of ``talk``. ``environ`` is where keys and an address may stand; nothing is read or sent before a
    request. ``timeout_s`` bounds every silence of the server.

    Raises InvalidConfig for an address that is none.
    """

    def __init__(
        self, options: ResearcherOptions, environ: Mapping[str, str], timeout_s: float = READ_TIMEOUT_S
    ) -> None:
        self.server = server_of(options, environ)
        self._options = options
        self._sender = Sender(self.server, timeout_s)

    def identity(self, request: Request) -> str:
        """A digest of the body and the server's address; the key is not in it."""
        return wire.identity(wire.body(request, self.server), self.server)

    def ceiling(self, request: Request, phase: Phase) -> Usage:
        """The most that ``request`` can cost: tokens by its characters, all of them at the dearest rate."""
        tokens_in = wire.most_tokens_in(wire.body(request, self.server))
        rate = price_of(request.model, self._options, self.server)
        usd = None if rate is None else rate.most(tokens_in, request.max_tokens)
        return Usage(phase, request.model, tokens_in, request.max_tokens, usd=usd)

    def is_priced(self, model: str) -> bool:
        """Whether it is known what ``model`` costs."""
        return price_of(model, self._options, self.server) is not None

    async def ask(self, request: Request, phase: Phase) -> tuple[str, Usage]:
        """The reply as it is logged, and what it took. See ``talk.Model`` for what is raised."""
        body = wire.body(request, self.server)
        most_tokens_in = wire.most_tokens_in(body)
        started = time.monotonic()
        heard = await self._sender.ask(body)
        latency_s = time.monotonic() - started
        counts = heard.counts(most_tokens_in)
        return written(heard.logged()), self._usage(request.model, phase, counts, latency_s)

    def reply(self, logged: str) -> Reply:
        """The reply that ``ask`` answered. Pure; a text that is none is a broken reply."""
        return reply(logged)

    async def abilities(self, model: str, probe: Probe) -> Abilities:
        """What ``model`` can do: see ``abilities``."""
        return await found_abilities(model, self.server, probe)

    def _usage(self, model: str, phase: Phase, counts: Counts, latency_s: float) -> Usage:
        rate = price_of(model, self._options, self.server)
        return Usage(
            phase,
            model,
            counts.all_in,
            counts.out,
            tokens_cached=counts.read,
            usd=None if rate is None else rate.usd(counts),
            latency_s=latency_s,
        )

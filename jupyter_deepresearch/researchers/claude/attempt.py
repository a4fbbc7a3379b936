"""One attempt at an answer: turns that are only ever added to, tools until the agent answers, one repair."""

from dataclasses import replace
from typing import Generic, TypeVar

from ..llm.schemas import parse
from ..llm.talk import AnswerForm, Reply, Request, Said, Stop
from .exchange import Exchange, Unusable
from .toolbox import Toolbox
from .turns import Turns, plain

T = TypeVar("T")

_CLOSING = "No more tools: answer now with what you know."
_REPAIR = "Your answer did not fit: {problem}. Answer again with the JSON alone."


class Torn(Exception):
    """The stream broke before the reply was whole."""


class Attempt(Generic[T]):
    """``turns`` are those before and during it; they begin and end with ours until it has its answer."""

    def __init__(self, exchange: Exchange, turns: Turns, answer: type[T]) -> None:
        self.turns = plain(turns) if exchange.has_turned else turns
        self._exchange = exchange
        self._answer = answer
        self._tools = Toolbox(exchange.agent.tools)
        self._calls = 0
        self._is_closing = False
        self._is_runaway = False

    @property
    def answered(self) -> str:
        """The text of the last reply's answer."""
        last = self.turns[-1]
        return last.text if isinstance(last, Reply) else ""

    async def value(self) -> T:
        """The answer. Raises Unusable, Torn, and as ``Exchange.send`` and ``Exchange.refused``."""
        is_repaired = False
        while True:
            reply = await self._reply()
            if self._asks_for_tools(reply):
                await self._look_up(reply)
                continue
            try:
                value = parse(reply.text, self._answer)
            except ValueError as problem:
                if is_repaired or not _is_sayable(reply):
                    raise Unusable(str(problem), is_final=self._is_runaway) from problem
                is_repaired = True
                self._add(reply, Said(_REPAIR.format(problem=problem)))
                if self._exchange.tools and not self._is_closing:
                    self._close()
                continue
            self.turns = (*self.turns, reply)
            self._retell()
            return value

    async def _reply(self) -> Reply:
        """A whole reply of a model that does not refuse."""
        while True:
            reply = await self._exchange.send(self._request())
            self._calls += 1
            if reply.stop is Stop.BROKEN:
                raise Torn
            if reply.stop is Stop.REFUSED:
                await self._exchange.refused(reply.category)
                self.turns = plain(self.turns)
            elif reply.stop is not Stop.CUT:
                return reply
            elif not self._exchange.widen():
                raise Unusable("it was cut off, with twice the room for it too")

    def _request(self) -> Request:
        """The next request; the last one, where a limit is reached, says so."""
        request = self._exchange.request(self.turns, self._is_closing)
        if not request.tools or self._is_closing:
            return request
        is_late = self._calls >= self._exchange.agent.limits.turns - 1
        if not (is_late or self._tools.is_over or not self._exchange.has_room(request)):
            return request
        self._is_runaway = True
        self._close()
        last = self.turns[-1]
        assert isinstance(last, Said)
        text = f"{last.text}\n\n{_CLOSING}" if last.text else _CLOSING
        self.turns = (*self.turns[:-1], replace(last, text=text))
        return self._exchange.request(self.turns, is_last=True)

    def _close(self) -> None:
        """No more tools from here on."""
        self._is_closing = True
        self._retell()

    def _retell(self) -> None:
        """Where the answer itself is a tool, the last request leaves the others out, and the next has them again: what
        was thought and called under one set of tools does not hold under another, and is told as text."""
        if self._is_closing and self._exchange.able.form is AnswerForm.TOOL:
            self.turns = plain(self.turns)

    def _asks_for_tools(self, reply: Reply) -> bool:
        return bool(reply.calls) and not self._is_closing and bool(self._exchange.tools)

    async def _look_up(self, reply: Reply) -> None:
        self._add(reply, Said(results=await self._tools.results(reply.calls)))

    def _add(self, reply: Reply, said: Said) -> None:
        self.turns = (*self.turns, reply, said)


def _is_sayable(reply: Reply) -> bool:
    """Whether the reply can be part of a conversation that goes on: an empty one is refused by servers."""
    return bool(reply.text.strip() or reply.calls)

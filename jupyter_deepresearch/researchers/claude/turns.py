"""The turns of a conversation: how large they are, and the same told in plain text."""

import json

from ..llm.schemas import schema
from ..llm.talk import Reply, Request, Said, Stop

Turns = tuple[Said | Reply, ...]

_TURN_CHARS = 60
_FORM_CHARS = 400


def request_chars(request: Request) -> int:
    """The characters that a request comes to on the wire, schemas and quoting included; rather more than that."""
    tools = sum(
        len(spec.name) + len(spec.description) + len(schema(spec.takes)) + _TURN_CHARS for spec in request.tools
    )
    answer = len(schema(request.answer)) if request.answer is not None else 0
    return len(_quoted(request.system)) + sum(map(_turn_chars, request.turns)) + tools + answer + _FORM_CHARS


def _turn_chars(turn: Said | Reply) -> int:
    if isinstance(turn, Reply):
        return len(turn.content) + _TURN_CHARS
    results = sum(len(_quoted(result.text)) + len(result.call) + 2 * _TURN_CHARS for result in turn.results)
    return len(_quoted(turn.text)) + _TURN_CHARS + results


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def told(text: str) -> Reply:
    """A model's turn that says just this."""
    text = _sayable(text)
    return Reply(json.dumps([{"type": "text", "text": text}], ensure_ascii=False), Stop.END, text)


def plain(turns: Turns) -> Turns:
    """The same conversation for another model: calls and results as text, nothing of the first one's own blocks."""
    names = {call.id: call.name for turn in turns if isinstance(turn, Reply) for call in turn.calls}
    return tuple(
        told(_called(turn)) if isinstance(turn, Reply) else Said(_sayable(_found(turn, names))) for turn in turns
    )


def _called(reply: Reply) -> str:
    calls = [f"I looked up {call.name} {call.arguments}" for call in reply.calls]
    return "\n".join(filter(None, (reply.text.strip(), *calls))) or "(no words)"


def _found(said: Said, names: dict[str, str]) -> str:
    found = [f"{names.get(result.call, 'a tool')} answered: {result.text}" for result in said.results]
    return "\n\n".join(filter(None, (*found, said.text)))


def _sayable(text: str) -> str:
    """Without lone surrogates, which JSON can hold and no request can."""
    return text.encode("utf-8", "replace").decode("utf-8")

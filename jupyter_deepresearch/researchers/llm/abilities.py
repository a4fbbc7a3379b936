"""What a model on a server can do, found out by requests so small that they cost next to nothing."""

import enum
from dataclasses import dataclass

from .faults import Broke, NotTaken
from .schemas import bare, parse
from .server import Server
from .talk import Abilities, AnswerForm, Effort, Probe, Reply, Request, Said, Stop, ToolSpec

_FEW_TOKENS = 256
_MORE_TOKENS = 2048  # local models think first, and may not be told not to


class Shade(enum.StrEnum):
    """Words that no model says by itself, so that an answer by chance does not pass for one that obeys."""

    UMBER = "umber"
    TEAL = "teal"


@dataclass(frozen=True)
class Probed:
    """The answer to a probe."""

    shade: Shade
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Look:
    """The arguments of the probe's tool."""

    place: str


_LOOK = ToolSpec("look", "What is at a place.", Look)
_SYSTEM = "You are asked one tiny question. Answer at once."
_ASKED = "Choose a shade and give the parts 1 and 2."


async def found_abilities(model: str, server: Server, probe: Probe) -> Abilities:
    """What ``model`` can do. Anthropic's own models are known; they are asked once, so that a wrong key or name shows
    before the first run. Others show whether they answer in a schema, else by a tool, else in text.

    Raises what ``probe`` raises for all but requests that the server does not take.
    """
    if server.is_anthropic:
        await probe(_request(model, AnswerForm.STRUCTURED, _FEW_TOKENS))
        return Abilities(AnswerForm.STRUCTURED, tools=True)
    if await _obeys(model, probe):
        return Abilities(AnswerForm.STRUCTURED, tools=await _calls(model, probe))
    if await _answers_by_tool(model, probe):
        return Abilities(AnswerForm.TOOL, tools=True)
    await probe(_request(model, AnswerForm.TEXT))
    return Abilities(AnswerForm.TEXT, tools=False)


async def _obeys(model: str, probe: Probe) -> bool:
    """Whether the whole text of a structured answer is the object that was asked for."""
    reply = await _tried(probe, _request(model, AnswerForm.STRUCTURED))
    return reply is not None and bare(reply.text, Probed) is not None


async def _calls(model: str, probe: Probe) -> bool:
    """Whether tools work beside structured answers."""
    request = Request(
        model,
        _SYSTEM,
        (Said("Call look for the place `here`, then choose a shade."),),
        tools=(_LOOK,),
        answer=Probed,
        max_tokens=_MORE_TOKENS,
        effort=Effort.LOW,
    )
    reply = await _tried(probe, request)
    return reply is not None and reply.stop is Stop.TOOLS and any(call.name == _LOOK.name for call in reply.calls)


async def _answers_by_tool(model: str, probe: Probe) -> bool:
    """Whether the answer comes as a call of the tool `answer`; text that happens to fit is not one."""
    reply = await _tried(probe, _request(model, AnswerForm.TOOL))
    if reply is None or '"tool_use"' not in reply.content:
        return False
    try:
        parse(reply.text, Probed)
    except ValueError:
        return False
    return True


async def _tried(probe: Probe, request: Request) -> Reply | None:
    """The reply, None where the server does not take such a request or breaks over it twice: once may be chance."""
    for _ in range(2):
        try:
            return await probe(request)
        except NotTaken:
            return None
        except Broke:
            continue
    return None


def _request(model: str, form: AnswerForm, max_tokens: int = _MORE_TOKENS) -> Request:
    return Request(model, _SYSTEM, (Said(_ASKED),), answer=Probed, form=form, max_tokens=max_tokens, effort=Effort.LOW)

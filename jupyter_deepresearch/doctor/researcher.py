"""Who would propose, and what it lacks. Nothing is paid, and only a server of this machine is asked anything."""

import http.client
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from ..config.researcher import KEYS, Choice, refuse_unpriced, resolve_researcher
from ..core.project import Project, ResearcherKind, ResearcherOptions
from ..errors import DeepResearchError
from ..researchers.chosen import is_priced
from ..researchers.claude.prompts import FOLDER, Prompts
from ..researchers.llm.server import Server, server_of
from .check import Check

WAIT_S = 2.0


def examine_researcher(folder: Path, project: Project | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Who proposes for the ``project`` in ``folder`` (None: for one without any settings), and whether it could."""
    try:
        choice = resolve_researcher(project.researcher if project else ResearcherOptions(), environ)
        unpriced = [model for model in choice.models if not is_priced(model, choice.options, environ)]
        if project is not None:
            refuse_unpriced(project.budget, choice, lambda model: model not in unpriced)
        server = server_of(choice.options, environ)
        if choice.kind is ResearcherKind.CLAUDE:
            _ = server.sent_key  # raises where a key may not go there
    except DeepResearchError as error:
        yield Check("researcher", False, str(error))
        return
    trouble = _trouble(choice, server)
    parts = [choice.sentence, *_key(choice, environ), *_prices(choice, unpriced), *([trouble] if trouble else ())]
    yield Check("researcher", trouble is None, "; ".join(parts))
    if choice.kind is not ResearcherKind.SWEEP:
        yield from _prompts(folder)


def _key(choice: Choice, environ: Mapping[str, str]) -> Iterator[str]:
    """Whether a key is there; never the key."""
    if choice.kind is ResearcherKind.CLAUDE:
        named = next((name for name in KEYS if environ.get(name, "").strip()), None)
        yield f"{named} is set" if named else "no key is set"


def _prices(choice: Choice, unknown: Sequence[str]) -> Iterator[str]:
    if choice.options.price is not None:
        yield "prices as configured"
    elif choice.kind is not ResearcherKind.SWEEP:
        without = "so a budget in USD needs price = {input = USD, output = USD} in [researcher]"
        yield f"price of {', '.join(unknown)} not known, {without}" if unknown else "prices known"


def _trouble(choice: Choice, server: Server) -> str | None:
    """Why a server of this machine would not answer, None where it does or is not asked."""
    is_asked = choice.kind is ResearcherKind.CLAUDE and server.is_loopback
    if not is_asked or _answers(server.base_url):
        return None
    return f"nobody answers at {server.host}: start that server, or mend base_url"


def _prompts(folder: Path) -> Iterator[Check]:
    """The person's own prompts, where there are any."""
    try:
        own = Prompts(folder).overridden
    except DeepResearchError as error:
        yield Check("prompts", False, str(error))
        return
    if own:
        yield Check("prompts", True, f"the project's own: {', '.join(f'{FOLDER}/{name}.md' for name in own)}")


def _answers(address: str) -> bool:
    """Whether anything speaks HTTP there, asked for its models, which costs nothing; by https: is there."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        if parts.scheme == "https":
            socket.create_connection((host, parts.port or 443), WAIT_S).close()
            return True
        with closing(http.client.HTTPConnection(host, parts.port, timeout=WAIT_S)) as connection:
            connection.request("GET", f"{parts.path}/v1/models")
            connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    return True

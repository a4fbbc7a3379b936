"""The ``claude`` command line as a model that only talks, for people on a subscription (``kind = "claude-cli"``).

Each request is one process in print mode, with all of the command's own tools off, no session kept, and none of the
person's settings, servers or CLAUDE.md files loaded. Flags and variables after https://code.claude.com/docs/en/cli-reference
and .../env-vars.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping

from ...core.answers import Phase, Usage
from ...core.project import ResearcherOptions
from ...errors import InvalidConfig, ResearcherStopped
from . import logged, tokens
from .cli_process import run
from .cli_said import Heard, heard
from .schemas import schema
from .talk import Abilities, AnswerForm, Effort, Probe, Reply, Request, Said

TIMEOUT_S = 600.0
_OVERHEAD = 4000
"""Tokens that the command may add of its own: date, place, how to behave."""

_FLAGS = ("--output-format", "json", "--tools", "", "--no-session-persistence", "--setting-sources", "")
_MORE_FLAGS = ("--strict-mcp-config", "--disable-slash-commands")
_NO_SYSTEM = "Answer what is asked."  # an empty system prompt would mean the command's own

_OURS = "DEEPRESEARCH_"
_TAKEN_OUT = frozenset({"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDECODE"})
"""The first two would be billed instead of the subscription; the third says that we run inside of such a command."""

_PUT_IN = {
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
    "ENABLE_CLAUDEAI_MCP_SERVERS": "false",
    "DISABLE_AUTOUPDATER": "1",
    "NO_COLOR": "1",
}


class CommandModel:
    """A ``Model`` that runs ``command`` with the environment ``environ``. ``timeout_s`` is for one answer.

    Raises InvalidConfig for a ``base_url``: the command knows its own server.
    """

    def __init__(
        self,
        options: ResearcherOptions,
        environ: Mapping[str, str],
        command: str = "claude",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if options.base_url is not None:
            raise InvalidConfig(
                f'researcher.base_url {options.base_url!r} does not go with kind "claude-cli", which asks where its '
                'command is logged in; accepted: no base_url, or kind "claude"'
            )
        self._environ = dict(environ)
        self._command = command
        self._timeout_s = timeout_s

    def identity(self, request: Request) -> str:
        """A digest of what the command is given."""
        sent = [request.model, request.max_tokens, request.effort, _system(request), prompt(request)]
        return hashlib.sha256(json.dumps(["claude-cli", *sent]).encode()).hexdigest()

    def ceiling(self, request: Request, phase: Phase) -> Usage:
        """The most that the answer can take. A subscription has no price for a call: ``usd`` is None."""
        sent = f"{_system(request)}\n{prompt(request)}"
        most_in = tokens.bound(sent, turns=len(request.turns)) + _OVERHEAD
        return Usage(phase, request.model, most_in, request.max_tokens)

    async def ask(self, request: Request, phase: Phase) -> tuple[str, Usage]:
        """One process, one answer. Cancelling it ends the process.

        Raises ResearcherFailed (it did not answer, the limit is reached, the service is busy), ResearcherStopped (no
        such command, not logged in, no such model).
        """
        program = self._program()
        arguments = [program, "-p", "--model", _clean(request.model), "--system-prompt", _system(request)]
        asked = prompt(request)
        began = time.perf_counter()
        ended = await run(
            [*arguments, *_FLAGS, *_MORE_FLAGS],
            asked.encode("utf-8", "replace"),
            self._environment(request),
            self._timeout_s,
        )
        answer = heard(ended, request.model, time.time())
        took = time.perf_counter() - began
        return answer.logged, _usage(answer, request, phase, asked, took)

    def reply(self, logged_text: str) -> Reply:
        """The reply that ``ask`` answered."""
        return logged.reply(logged_text)

    async def abilities(self, model: str, probe: Probe) -> Abilities:
        """Text alone, which is known; one tiny request shows whether the command is there and logged in."""
        await probe(
            Request(
                model,
                "Answer in one word.",
                (Said("Say OK."),),
                form=AnswerForm.TEXT,
                max_tokens=1024,
                effort=Effort.LOW,
            )
        )
        return Abilities(AnswerForm.TEXT, tools=False)

    def _program(self) -> str:
        found = shutil.which(self._command, path=self._environ.get("PATH"))
        if found is None:
            raise ResearcherStopped(
                f"there is no command {self._command!r} on the PATH: install Claude Code, log in with it, and resume; "
                'or set [researcher] kind to "claude" or "sweep"'
            )
        return found

    def _environment(self, request: Request) -> dict[str, str]:
        """The person's, without what is ours or would be billed elsewhere."""
        kept = {n: v for n, v in self._environ.items() if n not in _TAKEN_OUT and not n.startswith(_OURS)}
        limits = {
            "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(request.max_tokens),
            "CLAUDE_CODE_EFFORT_LEVEL": request.effort.value,
        }
        return {**kept, **_PUT_IN, **limits}


def prompt(request: Request) -> str:
    """All turns as one text. A single one is itself; more are numbered, with who said them."""
    said = [_said(turn) for turn in request.turns]
    if len(said) == 1:
        text = said[0]
    else:
        who = ["you" if isinstance(turn, Reply) else "they" for turn in request.turns]
        parts = (f"[{k}: {name}]\n{text}" for k, (name, text) in enumerate(zip(who, said, strict=True), 1))
        text = "\n\n".join(("A conversation so far. Answer its last message.", *parts))
    if request.answer is not None:
        text += f"\n\nAnswer with one JSON object of this schema and nothing else:\n{schema(request.answer)}"
    return text


def _said(turn: Said | Reply) -> str:
    if isinstance(turn, Reply):
        return turn.text or logged.EMPTY
    results = (f"Result of call {r.call}{' (an error)' if r.is_error else ''}: {r.text}" for r in turn.results)
    return "\n".join((*results, *((turn.text,) if turn.text else ())))


def _system(request: Request) -> str:
    return _clean(request.system).strip() or _NO_SYSTEM


def _clean(text: str) -> str:
    """What an argument of a process can hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _usage(answer: Heard, request: Request, phase: Phase, asked: str, took: float) -> Usage:
    """What the command counted; where it did not, what the texts come to."""
    counted_in = answer.tokens_in or tokens.estimate(f"{_system(request)}\n{asked}")
    counted_out = answer.tokens_out or tokens.estimate(answer.text)
    cached = min(answer.tokens_cached, counted_in)
    return Usage(phase, request.model, counted_in, counted_out, cached, latency_s=took)

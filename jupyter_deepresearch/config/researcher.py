"""Who proposes, decided at a start: which kind, which models, at which address, and whether it can."""

import dataclasses
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..core.project import Budget, ResearcherKind, ResearcherOptions
from ..errors import InvalidConfig

ANTHROPIC_HOST = "api.anthropic.com"
DEFAULT_MODEL = "claude-haiku-5-5"
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
BASE_URL = "ANTHROPIC_BASE_URL"
COMMAND = "claude"
ADDRESS = "an http:// or https:// address without user name, ? and #"
_WHERE = "deepresearch.toml: [researcher]"


@dataclass(frozen=True)
class Choice:
    """Who proposes. ``options`` name the kind, and for one that asks a model both models and the address too (None is
    Anthropic's own); ``sentence`` tells the person who it is, and why."""

    kind: ResearcherKind
    options: ResearcherOptions
    sentence: str

    @property
    def models(self) -> tuple[str, ...]:
        """The models that may be asked, each once; none for a kind that asks none."""
        options = self.options
        named = (options.leader_model, options.worker_model, options.fallback_model)
        return () if self.kind is ResearcherKind.SWEEP else tuple(dict.fromkeys(name for name in named if name))


def plain_address(text: str) -> str | None:
    """The address that ``/v1/messages`` is appended to, with no slash at its end; None for no address.

    One with a user name or a query is none: it would carry a secret into logs.
    """
    try:
        parts = urlsplit(text)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return None
    is_plain = re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", text) is not None
    if not is_plain or not port_fits or not parts.hostname:
        return None
    path = parts.path.rstrip("/").removesuffix("/messages").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def host_of(address: str | None) -> str:
    """Host and port that requests go to."""
    return urlsplit(address).netloc if address else ANTHROPIC_HOST


def is_anthropic(address: str | None) -> bool:
    """Whether it is Anthropic's own server, which serves their models and wants a key."""
    host = urlsplit(address).hostname if address else ANTHROPIC_HOST
    return host is not None and (host == "anthropic.com" or host.endswith(".anthropic.com"))


def resolve_researcher(options: ResearcherOptions, environ: Mapping[str, str]) -> Choice:
    """Who proposes with these options in this environment; no key is kept or shown.

    Raises InvalidConfig, in one line with what to do, where the kind asked for cannot work as things are.
    """
    kind = options.kind
    if kind is ResearcherKind.SWEEP:
        return Choice(kind, options, "using the offline researcher (sweep)")
    if kind is ResearcherKind.CLAUDE_CLI:
        return _command(options, environ)
    key = next((name for name in KEYS if environ.get(name, "").strip()), None)
    address, named = _address(options, environ)
    is_elsewhere = address is not None and not is_anthropic(address)
    if kind is None and key is None and not is_elsewhere and options.base_url is None:
        sentence = "no researcher configured: using the offline researcher (sweep)"
        return Choice(ResearcherKind.SWEEP, dataclasses.replace(options, kind=ResearcherKind.SWEEP), sentence)
    if key is None and not is_elsewhere:
        raise InvalidConfig(
            f'{_WHERE} kind: found "claude" without a key; accepted: ANTHROPIC_API_KEY set where the research runs, '
            'base_url of another server, or kind = "sweep"',
            "researcher.kind",
        )
    why = f'kind = "{kind}"' if kind else f"{named} is set" if is_elsewhere else f"{key} is set"
    chosen = _with_models(options, ResearcherKind.CLAUDE, address, named)
    return Choice(ResearcherKind.CLAUDE, chosen, f"{_who(chosen)} at {host_of(address)} ({why})")


def refuse_unpriced(budget: Budget, choice: Choice, is_priced: Callable[[str], bool]) -> None:
    """Raise InvalidConfig where a budget in USD could not be kept, since a model's price is not known."""
    limits = [name for name in ("usd", "usd_per_day") if getattr(budget, name) is not None]
    if not limits or choice.options.price is not None:
        return
    for model in choice.models:
        if not is_priced(model):
            raise InvalidConfig(
                f'deepresearch.toml: [budget] {limits[0]}: the price of "{model}" is not known; accepted: price = '
                "{input = USD, output = USD} per million tokens in [researcher], or a budget of tokens or calls",
                f"budget.{limits[0]}",
            )


def _address(options: ResearcherOptions, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """The address of the server, None for Anthropic's own, and who named it."""
    for text, named in ((options.base_url, "base_url"), (environ.get(BASE_URL, "").strip(), BASE_URL)):
        if text:
            address = plain_address(text)
            if address is None:  # not shown: whatever it holds may be a secret
                raise InvalidConfig(f"{named}: not an address; accepted: {ADDRESS}", "researcher.base_url")
            return address, named
    return None, ""


def _with_models(
    options: ResearcherOptions, kind: ResearcherKind, address: str | None, named: str = ""
) -> ResearcherOptions:
    """The options with every model named. Raises InvalidConfig where nobody can know the leader's."""
    leader = options.leader_model
    if leader is None and not is_anthropic(address):
        raise InvalidConfig(
            f"{_WHERE} leader_model: missing, and {named} is {host_of(address)}; "
            'accepted: the name of a model that this server has, or kind = "sweep"',
            "researcher.leader_model",
        )
    default = DEFAULT_MODEL if is_anthropic(address) else leader
    return dataclasses.replace(
        options,
        kind=kind,
        leader_model=leader or default,
        worker_model=options.worker_model or default,
        base_url=address,
    )


def _command(options: ResearcherOptions, environ: Mapping[str, str]) -> Choice:
    """The command line tool, which knows its own server and account."""
    if shutil.which(COMMAND, path=environ.get("PATH", "")) is None:
        raise InvalidConfig(
            f'{_WHERE} kind: found "claude-cli", but no command `{COMMAND}` on PATH; install Claude Code and log in '
            'with it once, or take kind = "claude" or "sweep"',
            "researcher.kind",
        )
    if options.base_url is not None:
        raise InvalidConfig(
            f'{_WHERE} base_url: does not go with kind = "claude-cli", whose command knows its own server; accepted: '
            'no base_url, or kind = "claude"',
            "researcher.base_url",
        )
    chosen = _with_models(options, ResearcherKind.CLAUDE_CLI, None)
    sentence = f"{_who(chosen)} through the command `{COMMAND}` and its account"
    return Choice(ResearcherKind.CLAUDE_CLI, chosen, sentence)


def _who(options: ResearcherOptions) -> str:
    leader, worker, fallback = options.leader_model, options.worker_model, options.fallback_model
    models = f"{leader} leads and works" if leader == worker else f"{leader} leads, {worker} works"
    return f"using the researcher {options.kind}: {models}{f', {fallback} where one refuses' if fallback else ''},"

"""Which server is asked, and with which key: what may go where is decided here."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...core.project import ResearcherOptions
from ...errors import InvalidConfig, ResearcherStopped

ANTHROPIC = "https://api.anthropic.com"
PLACEHOLDER = "none"
"""Goes as a key to servers that have none of their own: local ones want some."""


@dataclass(frozen=True)
class Server:
    """A server that speaks the Messages API. ``key`` is the person's, as found; ``sent_key`` what this server gets."""

    base_url: str
    key: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Its name, with the port where one is given: what people are told."""
        address = urlsplit(self.base_url)
        return f"{address.hostname}:{address.port}" if address.port else str(address.hostname)

    @property
    def is_anthropic(self) -> bool:
        """One of Anthropic's own hosts."""
        name = urlsplit(self.base_url).hostname or ""
        return name == "anthropic.com" or name.endswith(".anthropic.com")

    @property
    def is_loopback(self) -> bool:
        """This machine."""
        name = urlsplit(self.base_url).hostname or ""
        return name == "localhost" or name.endswith(".localhost") or _address(name, "is_loopback")

    @property
    def is_key_kept_back(self) -> bool:
        """Whether there is a key, of Anthropic's, and this is somebody else's server: it is not sent."""
        return self.key is not None and self.key.startswith("sk-ant-") and not self.is_anthropic

    @property
    def sent_key(self) -> str:
        """What goes to the server as a key. Raises ResearcherStopped, before any request, where nothing may."""
        if self.is_anthropic and not self.key:
            raise ResearcherStopped(
                "no key for Claude: set ANTHROPIC_API_KEY (or [researcher] base_url to a server of yours) and resume"
            )
        if not self.key or self.is_key_kept_back:
            return PLACEHOLDER
        if not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise ResearcherStopped(
                f"the key for {self.host} holds blanks or characters that no key has: set ANTHROPIC_API_KEY anew and "
                "resume"
            )
        if urlsplit(self.base_url).scheme == "http" and not self._is_near():
            raise ResearcherStopped(
                f"the key would go to {self.host} in clear text: set [researcher] base_url to https://... and resume"
            )
        return self.key

    def _is_near(self) -> bool:
        """This machine or its own network: what goes there in clear text is not read by strangers."""
        if self.is_anthropic:
            return False
        name = urlsplit(self.base_url).hostname or ""
        is_local_name = "." not in name and ":" not in name
        return (
            is_local_name
            or self.is_loopback
            or name.endswith((".local", ".lan", ".internal", ".home.arpa"))
            or (_address(name, "version") and not _address(name, "is_global"))
        )


def server_of(options: ResearcherOptions, environ: Mapping[str, str]) -> Server:
    """The server that a configuration and an environment name; Anthropic's where neither does.

    Raises InvalidConfig for an address that is none.
    """
    given = options.base_url or environ.get("ANTHROPIC_BASE_URL", "").strip()
    where = "[researcher] base_url" if options.base_url else "ANTHROPIC_BASE_URL"
    found = [environ.get(name, "").strip() for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")]
    servers = [Server(_base(given, where) if given else ANTHROPIC, key) for key in found if key]
    fitting = [server for server in servers if not server.is_key_kept_back]
    return (fitting or servers or [Server(_base(given, where) if given else ANTHROPIC)])[0]


def _base(given: str, where: str) -> str:
    """An address without the endings that the client adds itself."""
    complaint = f"{where}: found {given.split('@')[-1]!r}; accepted: http(s)://HOST[:PORT][/PREFIX] without a password"
    try:
        address = urlsplit(given)
        name, port = address.hostname or "", address.port
        if address.scheme not in ("http", "https") or "@" in address.netloc or not re.fullmatch(r"[\w.:-]+", name):
            raise InvalidConfig(complaint)
    except ValueError:
        raise InvalidConfig(complaint) from None
    path = address.path.rstrip("/").removesuffix("/messages").rstrip("/").removesuffix("/v1").rstrip("/")
    host = f"[{name}]" if ":" in name else name
    return f"{address.scheme}://{host}{f':{port}' if port else ''}{path}"


def _address(name: str, question: str) -> bool:
    """What ``ipaddress`` says of a name that is an address; False of any other."""
    try:
        return bool(getattr(ipaddress.ip_address(name), question))
    except ValueError:
        return False

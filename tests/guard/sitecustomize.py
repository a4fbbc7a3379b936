"""Refuses the network beyond this machine: in the test process (tests/network.py) and in every Python child of it.

Children run this file at their start, because tests/network.py puts its folder on PYTHONPATH. An audit hook sees what
all of Python's sockets do, whoever opened them. Nothing is imported but what every Python has loaded already.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOG = "TESTS_REFUSED_CONNECTIONS"  # the file that a test's end reads
CLOSED_PROXY = ("127.0.0.254", 9)  # what the environment names as the proxy: nobody listens there
NEAR = ("127.", "::ffff:127.")
# The machine's own name is in its hosts file: torch's and MPI's rendezvous look it up.
HERE = {"", "localhost", "::1", "::", "0.0.0.0", "ip6-localhost", os.uname().nodename}
SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class ConnectionRefusedByTests(PermissionError):
    """A process of the tests asked for the network."""


def watch() -> None:
    """Refuse from now on. Cannot be undone."""
    if not getattr(sys, "_tests_refuse_network", False):
        sys._tests_refuse_network = True  # type: ignore[attr-defined]
        sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in SENDS:
        address = arguments[1]
        # A path is a unix socket; numbers are netlink and the like, which stay on the machine.
        named = isinstance(address, tuple) and len(address) > 1 and isinstance(address[0], str)
        if named and (not _is_near(address[0]) or address[:2] == CLOSED_PROXY):
            _refuse(event, f"{address[0]} port {address[1]}")
    elif event in LOOKS_UP:
        host = arguments[0].decode(errors="replace") if isinstance(arguments[0], bytes) else arguments[0]
        if isinstance(host, str) and not _is_near(host) and (not _is_number(host) or event.endswith("byaddr")):
            _refuse(event, host)


def _is_near(host: str) -> bool:
    return host in HERE or host.startswith(NEAR) or host.endswith(".localhost")


def _is_number(host: str) -> bool:
    """An address instead of a name: nobody is asked for it."""
    return ":" in host or not host.strip("0123456789.")


def _refuse(event: str, address: str) -> None:
    said = f"tests stay on this machine: {event} to {address}"
    if path := os.environ.get(LOG):
        with open(path, "a") as log:
            log.write(f"{said} (process {os.getpid()}: {' '.join(sys.argv)[:200]})\n")
    raise ConnectionRefusedByTests(said)


if __name__ == "sitecustomize":
    watch()

"""Where the processes of one run's distributed training meet: a port that no other run on this machine is told."""

import contextlib
import errno
import random
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ADDRESS, PORT = "MASTER_ADDR", "MASTER_PORT"
_HERE = ("", "127.0.0.1", "localhost", "::1")
# Below the ports that systems give out by themselves, away from torch's own 29500.
_FIRST, _COUNT = 22_000, 6_000
_TRIES = 200


@dataclass
class Rendezvous:
    """A port kept for one run until released, or until this process has died. None: there is none to be had."""

    port: int | None = None
    _kept: list[socket.socket] = field(default_factory=list)

    def variables(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """What the kernel's environment gains. A meeting place on another machine is left as it is."""
        if self.port is None or environ.get(ADDRESS, "") not in _HERE:
            return {}
        return {PORT: str(self.port), ADDRESS: environ.get(ADDRESS) or "127.0.0.1"}

    def release(self) -> None:
        """Let others have the port."""
        while self._kept:
            self._kept.pop().close()


def rendezvous() -> Rendezvous:
    """Keep a port that is free now. It is not bound: that is for the training's own processes to do."""
    for port in _candidates():
        kept = _keep(port)
        if kept is None:
            continue
        if _is_free(port):
            return Rendezvous(port, [kept])
        kept.close()
    return Rendezvous()


def _candidates() -> Iterator[int]:
    start = random.randrange(_COUNT)
    yield from (_FIRST + (start + i) % _COUNT for i in range(_TRIES))


def _keep(port: int) -> socket.socket | None:
    """Claim the port among runs; None where another run has it.

    On Linux by a name in the abstract namespace: it belongs to the network namespace as ports do, needs no file and no
    right, and goes with its process. Elsewhere two runs that start at once could, very rarely, be told the same port.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if not sys.platform.startswith("linux"):
        return claim
    try:
        claim.bind(f"\0jupyter_deepresearch/port/{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(port: int) -> bool:
    """Whether nobody listens there, by either protocol that the machine has."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # As training libraries do: a connection that a run before left in TIME_WAIT is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
    return True

"""One thing that was looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """``said`` is what was found, or what to do where it is not ``ok``."""

    name: str
    ok: bool
    said: str

"""What the latest ended run of a project ran in."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..core.types import Outcome
from .paths import ProjectPaths


def last_environment(folder: Path) -> Mapping[str, str]:
    """``Outcome.environment`` of the run in ``folder`` that ended last; empty where none has."""
    ended: list[tuple[float, Path]] = []
    for record in ProjectPaths(folder).runs.glob("*/exit.json"):
        try:
            ended.append((record.stat().st_mtime, record))
        except OSError:
            continue
    for _, record in sorted(ended, reverse=True):
        try:
            found = msgspec.json.decode(record.read_bytes(), type=Outcome).environment
        except (OSError, msgspec.MsgspecError):
            continue
        if found:
            return found
    return {}

"""What a person asked for on the command line, as a value."""

from dataclasses import dataclass, field
from pathlib import Path

from ..config.loading import Options


@dataclass(frozen=True)
class Request:
    """One command line. ``words`` are the command's own arguments, without the project's folder.

    ``options`` are those of run and start; ``after`` and ``follow`` of events and logs, ``seeds`` of reproduce,
    ``yes`` of stop and init, ``notebook`` and ``claim`` of try, ``arguments`` (what stands after ``--``) of init,
    ``into`` of take.
    """

    command: str
    folder: Path
    words: tuple[str, ...] = ()
    as_json: bool = False
    options: Options = field(default_factory=Options)
    after: int = 0
    follow: bool = False
    seeds: int = 1
    yes: bool = False
    notebook: str | None = None
    claim: str | None = None
    into: Path | None = None
    arguments: tuple[str, ...] = ()

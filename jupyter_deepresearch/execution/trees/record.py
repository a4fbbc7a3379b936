"""``tree.json``: what a run's tree was made of, for a person to read and for the runner to look back at."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import msgspec

MOST_RECORDED = 5000


@dataclass(frozen=True)
class Seen:
    """A linked file of the project as it was when the tree was made: its size, and its time of change in ns."""

    bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class TreeRecord:
    """What a run's tree was made of; paths are relative to it, with forward slashes.

    ``copied`` maps a path to the sha256 of its content, ``edited`` are those that differ from the person's, ``linked``
    are links into the project, ``files`` those of them that are files. ``fresh`` are folders that are empty although
    the project's are not, ``withheld`` private files that the tree lacks, ``remarks`` one-line notes for the person.
    ``left_out`` counts the paths that were too many to be recorded.
    """

    copied: Mapping[str, str]
    linked: tuple[str, ...]
    fresh: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    files: Mapping[str, Seen] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    left_out: int = 0


def write_record(path: Path, record: TreeRecord) -> None:
    """Write the record, cut to 5,000 paths of each kind. Raises OSError."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(_cut(record)), indent=1))


def read_record(path: Path) -> TreeRecord | None:
    """A run's record; None where it has none that can be read."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=TreeRecord)
    return None


def _cut(record: TreeRecord) -> TreeRecord:
    parts = (record.copied, record.linked, record.fresh, record.withheld, record.edited)
    left_out = sum(max(0, len(part) - MOST_RECORDED) for part in parts)
    return replace(
        record,
        copied={written(path): digest for path, digest in islice(record.copied.items(), MOST_RECORDED)},
        linked=_written(record.linked),
        fresh=_written(record.fresh),
        withheld=_written(record.withheld),
        edited=_written(record.edited),
        files={path: seen for path, seen in islice(record.files.items(), MOST_RECORDED) if written(path) == path},
        left_out=left_out,
    )


def _written(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(written, paths[:MOST_RECORDED]))


def written(path: str) -> str:
    """A path as it can be written down: bytes of a name that are no UTF-8 become escapes."""
    return path if path.isascii() else path.encode("utf-8", "backslashreplace").decode("utf-8")

"""Which executed notebook in ``experiments/`` shows which run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True)
class _Facts:
    run: str


@dataclass(frozen=True)
class _Metadata:
    deepresearch: _Facts


@dataclass(frozen=True)
class _Executed:
    """All of a notebook that is looked at: reading passes over its cells, however large their outputs are."""

    metadata: _Metadata


def published_notebooks(experiments: Path, number: int) -> Mapping[str, str]:
    """The names of an experiment's executed notebooks, by the run that each shows; a person's own copies of one come
    after it. Files that are no such notebooks are passed over."""
    try:
        paths = sorted(experiments.glob(f"{number:04d}-*.ipynb"), key=lambda path: (len(path.name), path.name))
    except OSError:
        return {}
    found: dict[str, str] = {}
    for path in paths:
        try:
            shown = msgspec.json.decode(path.read_bytes(), type=_Executed).metadata.deepresearch.run
        except (OSError, ValueError):  # msgspec's errors are ValueErrors
            continue
        found.setdefault(shown, path.name)
    return found

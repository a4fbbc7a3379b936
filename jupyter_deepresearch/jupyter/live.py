"""Which notebooks are open in this server, and with which kernels."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async


async def live_kernels(sessions: Any, root: str) -> Mapping[Path, str]:
    """The kernelspec's name of each open notebook's kernel, by the notebook's absolute path without links.

    ``sessions`` is the server's session manager, ``root`` its root folder. The last opened counts.
    """
    listed = await ensure_async(sessions.list_sessions())
    found: dict[Path, str] = {}
    for session in listed:
        name = (session.get("kernel") or {}).get("name")
        if session.get("type") == "notebook" and isinstance(name, str):
            # a shared notebook's path begins with the name of its drive
            path = re.sub(r"^[A-Za-z]+:", "", str(session.get("path", "")))
            found[(Path(root).expanduser() / path.lstrip("/")).resolve()] = name
    return found

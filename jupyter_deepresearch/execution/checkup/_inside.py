"""Runs in the kernel's own Python, with the standard library only: what of the modules in argv is there.

Prints one line of JSON. Imports nothing that it is asked for. Must run on Python 3.6.
"""

import importlib.util
import json
import os
import re
import sys
from typing import List, Optional

MARK = "deepresearch-checkup:"


def place(name: str) -> "Optional[str]":
    """Where a module would be loaded from; None where there is none, "" where it does not say."""
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # noqa: BLE001  (a package whose finder fails is there all the same)
        return ""
    if spec is None:
        return None
    if spec.origin in (None, "namespace"):
        return (list(spec.submodule_search_locations or []) or [""])[0]
    return spec.origin


def editable() -> "List[List[str]]":
    """Names of distributions that are installed in place, and the folders that they come from."""
    try:
        from importlib.metadata import distributions
    except ImportError:
        return []
    found = []
    for each in distributions():
        try:
            told = json.loads(each.read_text("direct_url.json") or "{}")
            if told.get("dir_info", {}).get("editable"):
                found.append([each.metadata["Name"], re.sub("^file://", "", told["url"])])
        except Exception:  # noqa: BLE001  (one broken distribution is no reason to know nothing of the others)
            continue
    return found


def torch() -> "Optional[List[Optional[str]]]":
    """Torch's version and that of its CUDA, None for a build without; None where there is no torch."""
    where = place("torch")
    if not where:
        return None
    try:
        with open(os.path.join(os.path.dirname(where), "version.py")) as file:
            text = file.read()
    except OSError:
        return None
    version = re.search(r"^__version__\s*=\s*['\"]([^'\"]+)", text, re.M)
    cuda = re.search(r"^(?:cuda|hip)\b[^=\n]*=\s*['\"]([^'\"]+)", text, re.M)
    return [version.group(1) if version else "", cuda.group(1) if cuda else None]


def main(names: "List[str]") -> None:
    """Answer for these modules."""
    told = {
        "version": ".".join(map(str, sys.version_info[:3])),
        "executable": sys.executable or "",
        "path": sys.path,
        "places": {name: place(name) for name in names},
        "editable": editable(),
        "torch": torch(),
    }
    print("\n" + MARK + json.dumps(told))


main(sys.argv[1:])

"""A short digest of what is installed in an environment, by which a later change of it is noticed."""

import hashlib
import os
from collections.abc import Iterable

_ENDS = (".dist-info", ".egg-info", ".egg-link", ".egg")


def fingerprint(path: Iterable[str]) -> str:
    """Of the distributions, with their versions, that lie in the folders of ``path`` (a Python's ``sys.path``).

    16 hexadecimal digits; "" where there is nothing. Lists each folder once and opens no file.
    """
    found: list[str] = []
    for folder in dict.fromkeys(entry for entry in path if os.path.isabs(entry)):
        try:
            found += [name for name in os.listdir(folder) if name.endswith(_ENDS)]
        except OSError:  # a zip file, or not there
            continue
    return hashlib.sha256("\n".join(sorted(found)).encode("utf-8", "surrogateescape")).hexdigest()[:16] if found else ""
